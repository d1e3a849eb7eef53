"""The command line: `luxel <verb>`, each verb a thin layer over the package.

Heavy imports stay inside the verbs, so that `luxel --help` is quick.
"""

from luxel.cli.command import main

__all__ = ["main"]
