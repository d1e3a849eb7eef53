"""What the harness is right to find and nobody will mend, each with its reason."""

LISTED: dict[str, str] = {}
"""A regular expression that all of "case: problem" must match, and why that is no fault."""
