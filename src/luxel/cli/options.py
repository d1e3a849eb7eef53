"""From the words of a command to the options of a verb, each mistake in the user's words."""

import difflib
import io
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr
from itertools import pairwise
from typing import Any, TypeVar

import tyro

from luxel import InputError
from luxel.configuration import Configuration

Parsed = TypeVar("Parsed", bound=Configuration)

DIVERGED = 3
"""Exit code of a training run that diverged."""


def parsed(options: type[Parsed], program: str, arguments: list[str]) -> Parsed:
    """The options that the arguments give. Raises InputError, one line, where tyro would draw a box around it."""
    drawn = io.StringIO()
    try:
        with redirect_stderr(drawn):
            return tyro.cli(options, prog=program, args=arguments)
    except SystemExit as exit_:
        cause = exit_.__context__
        while cause is not None and not isinstance(cause, InputError):
            cause = cause.__context__
        if cause is not None:
            raise cause from None
        sys.stderr.write(drawn.getvalue())
        raise


def refuse_former(arguments: list[str]) -> None:
    """Raise InputError for an option of earlier versions, saying what to give now."""
    from luxel.data.generate import FORMER_TRACERS, tracer_to_take

    words = [word for argument in arguments for word in argument.split("=", 1)]
    for option, value in pairwise([*words, ""]):
        if option in ("--tracer", "--data.tracer") and value in FORMER_TRACERS:
            raise InputError(f"{option} is {value}, {tracer_to_take(value)}")
        if option in ("--stream.compiled", "--stream.no-compiled"):
            raise InputError(f"{option}: the path tracer has one form now, which is the fast one; leave it out")


def first_line(documented: Any) -> str:
    """The first line of a docstring, or of an experiment's summary."""
    text: str = getattr(documented, "summary", None) or documented.__doc__ or ""
    return text.splitlines()[0]


def first_word(arguments: list[str], verb: str, what: str, known: Mapping[str, Any]) -> tuple[str, list[str]]:
    """The first argument, which must be one of `known`, and the others; else say what there is and exit 2."""
    if arguments and arguments[0] in known:
        return arguments[0], arguments[1:]
    asked_for_help = bool(arguments) and arguments[0] in ("-h", "--help")
    given = "" if not arguments or asked_for_help else f"{arguments[0]!r} is not a known {what}"
    if given and (near := difflib.get_close_matches(arguments[0], known, 3)):
        print(f"{given}; did you mean {' or '.join(near)}?", file=sys.stderr)
        sys.exit(2)
    width = max(map(len, known)) + 2
    lines = [
        f"usage: luxel {verb} {what} [options]".replace("  ", " "),
        f"{what}:",
        *(f"  {name:<{width}}{first_line(thing)}" for name, thing in known.items()),
        *([given] if given else []),
    ]
    print("\n".join(lines), file=sys.stdout if asked_for_help else sys.stderr)
    sys.exit(0 if asked_for_help else 2)
