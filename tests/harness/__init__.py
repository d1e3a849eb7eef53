"""Trying the product hard: fuzzed scenes and options, writes that are cut short, damaged files, leaks.

`make harness` tries all of it, in at most 20 minutes; `tests/test_harness.py` a tenth. Cases derive from their number,
so that what failed fails again.
"""
