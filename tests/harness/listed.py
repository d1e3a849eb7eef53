"""What the harness is right to find and nobody will mend, each with its reason."""

LISTED: dict[str, str] = {
    r"generate, set/manifest\.json a byte short: done, without a word, but wrong": (
        "that byte is the newline after the JSON: nothing is lost, and a set that is whole is left as it is"
    ),
}
"""A regular expression that all of "case: problem" must match, and why that is no fault."""
