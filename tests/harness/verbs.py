"""Calling verbs in this process, and what a user may not see: a traceback, or a mistake that is not told."""

import contextlib
import io
import sys
import traceback
import warnings
from dataclasses import dataclass
from pathlib import Path

from luxel.cli import main

SEVERAL_LINES = ("of other settings", "of another configuration", "is not written", "is without them")
"""In messages of one line for each difference, or each file."""


@dataclass(frozen=True)
class Outcome:
    """How a verb ended: its exit code, and what it printed."""

    verb: str
    code: int
    out: str
    err: str

    @property
    def problem(self) -> str | None:
        """What is wrong with how the verb ended, whatever its arguments were."""
        if "Traceback (most recent call last)" in self.err:
            return f"traceback: {self.err.strip().splitlines()[-1][:300]}"
        if self.code in (0, 2, 3, 75):  # done, not understood, diverged, out of time
            return None
        if self.code != 1:
            return f"exit code {self.code}: {self.err[-300:]}"
        lines = self.told.splitlines()
        if not lines:
            return f"exit code 1 without a message: {self.err[-300:]}"
        if len(lines) > 1 and not any(said in self.told for said in SEVERAL_LINES):
            return f"told in {len(lines)} lines: {self.told[:300]}"
        return None

    @property
    def told(self) -> str:
        """The message that ended the verb."""
        _, begin, message = self.err.rpartition(f"luxel {self.verb}: ")
        return message.strip() if begin else ""


def call(*arguments: str | Path, cwd: Path) -> Outcome:
    """The verb's outcome; a traceback that a user would see is at the end of `err`."""
    words = [str(argument) for argument in arguments]
    out, err, code = io.StringIO(), io.StringIO(), -1
    with (
        contextlib.chdir(cwd),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        try:
            main(words)
        except SystemExit as end:
            code = int(end.code or 0)
        except KeyboardInterrupt:
            raise
        except BaseException:
            traceback.print_exc(file=sys.stderr)
    return Outcome(words[0], code, out.getvalue(), err.getvalue())
