"""From the words of a command to the options of a verb, each mistake in the user's words."""

import io
import re
import sys
from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, redirect_stderr
from dataclasses import is_dataclass
from itertools import pairwise
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

import tyro

from luxel import InputError
from luxel.cluster import Cluster, connected
from luxel.configuration import (
    Configuration,
    FieldError,
    described,
    did_you_mean,
    hints_of,
    intervals,
    shortened,
    without_none,
)

Parsed = TypeVar("Parsed", bound=Configuration)

DIVERGED = 3
"""Exit code of a training run that diverged."""
NUMBERS = tyro.constructors.ConstructorRegistry()
"""How numbers are read: what is none is handed on as text, for the options' own check, which knows field and range."""


@NUMBERS.primitive_rule
def number_or_text(
    type_info: tyro.constructors.PrimitiveTypeInfo,
) -> tyro.constructors.PrimitiveConstructorSpec[Any] | None:
    """The rule for int and float; None, which is tyro's own rule, for other types."""
    kind: Any = type_info.type
    if kind not in (int, float):
        return None
    return tyro.constructors.PrimitiveConstructorSpec(
        nargs=1,
        metavar=kind.__name__.upper(),
        instance_from_str=lambda words: as_number(words[0], kind),
        is_instance=lambda value: isinstance(value, int | kind) and not isinstance(value, bool),
        str_from_instance=lambda value: [str(value)],
    )


@NUMBERS.primitive_rule
def choice_or_text(
    type_info: tyro.constructors.PrimitiveTypeInfo,
) -> tyro.constructors.PrimitiveConstructorSpec[Any] | None:
    """The rule for a choice that may be left out, which help and messages show without None; None for other types."""
    left_out, choices = type(None), without_none(type_info.type)
    if get_origin(choices) is not Literal or left_out not in get_args(type_info.type):
        return None
    return tyro.constructors.PrimitiveConstructorSpec(
        nargs=1,
        metavar=f"{{{','.join(map(str, get_args(choices)))}}}",
        instance_from_str=lambda words: None if words[0] == "None" else words[0],
        is_instance=lambda value: value is None or value in get_args(choices),
        str_from_instance=lambda value: [str(value)],
    )


@NUMBERS.primitive_rule
def numbers_or_text(
    type_info: tyro.constructors.PrimitiveTypeInfo,
) -> tyro.constructors.PrimitiveConstructorSpec[Any] | None:
    """The rule for two numbers, with a comma (`pairs_joined`), that may be left out; None for other types."""
    if not is_pair(type_info.type):
        return None
    ranges = list(intervals(without_none(type_info.type)))
    return tyro.constructors.PrimitiveConstructorSpec(
        nargs=1,
        metavar=" ".join(each.kind.__name__.upper() for each in ranges),
        instance_from_str=lambda words: as_numbers(words[0], ranges[0].kind),
        is_instance=lambda value: value is None or isinstance(value, tuple),
        str_from_instance=lambda value: ["None"] if value is None else list(map(str, value)),
    )


def is_pair(hint: Any) -> bool:
    """Whether the type is two numbers, or None."""
    numbers = without_none(hint)
    is_tuple, may_be_none = get_origin(numbers) is tuple, type(None) in get_args(hint)
    return is_tuple and may_be_none and len(list(intervals(numbers))) == 2


def option_types(options: type) -> Iterator[tuple[str, Any]]:
    """The options, `--color-range`, of options and their parts, and their types."""
    for name, hint in hints_of(options).items():
        kind = get_args(hint)[0] if get_origin(hint) is Annotated else hint
        if isinstance(kind, type) and is_dataclass(kind):
            yield from option_types(kind)
        else:
            yield f"--{name.replace('_', '-')}", kind


def pairs_of(options: type) -> set[str]:
    """The options of two numbers."""
    return {word for word, kind in option_types(options) if is_pair(kind)}


def pairs_joined(arguments: Sequence[str], pairs: Collection[str]) -> list[str]:
    """The arguments with `--range -1 1` as `--range=-1,1`, so that what follows, a file, is no value of it.

    Nor is it of `--range None`, the default, or of `--range -1,1`, which are values by themselves.
    """
    joined, words = [], deque(arguments)
    while words:
        word = words.popleft()
        if word.replace("_", "-") in pairs:
            values = [words.popleft()] if words else []
            is_whole = not values or "," in values[0] or values[0] == "None"
            if not is_whole and words and not words[0].startswith("--"):
                values.append(words.popleft())
            word = f"{word}={','.join(values)}" if values else word
        joined.append(word)
    return joined


def as_numbers(text: str, kind: type[int] | type[float]) -> tuple[int | float | str, ...] | None:
    """The numbers that the text holds, with commas between, or their texts; None of the text None."""
    return None if text == "None" else tuple(as_number(each, kind) for each in text.split(","))


def as_number(text: str, kind: type[int] | type[float] = float) -> int | float | str:
    """The number, or the text if it is none."""
    try:
        return kind(text)
    except ValueError:
        return text


def parsed(options: type[Parsed], program: str, arguments: list[str]) -> Parsed:
    """The options that the arguments give. Raises InputError, one line, where tyro would draw a box around it."""
    drawn = io.StringIO()
    try:
        with redirect_stderr(drawn):
            words = pairs_joined(arguments, pairs_of(options))
            return tyro.cli(options, prog=program, args=words, registry=NUMBERS)
    except SystemExit as exit_:
        cause = exit_.__context__
        while cause is not None and not isinstance(cause, InputError):
            cause = cause.__context__
        if isinstance(cause, FieldError):
            raise InputError(of_option(cause, arguments)) from None
        if cause is not None:
            raise cause from None
        sys.stderr.write(drawn.getvalue())
        raise


def of_option(error: FieldError, arguments: Sequence[str]) -> str:
    """The error as one of the option that was given, where None, the default, is had by giving none."""
    allowed = described(without_none(error.hint))
    left_out = "; or leave it out" if allowed != described(error.hint) else ""
    return f"{option_of(error, arguments)} is {shortened(error.value)}, must be {allowed}{left_out}"


def option_of(error: FieldError, arguments: Sequence[str]) -> str:
    """The option that gave a field its value, `--data.spp` of `spp`; the field if it came from elsewhere.

    A class may stand at several places, so that the value given and then the path say which of one name is meant.
    """
    field, named = f".{error.field}", []
    for word, following in pairwise([*arguments, ""]):
        option, equals, value = word.partition("=")
        path = f".{option.removeprefix('--').replace('-', '_')}"
        if option.startswith("--") and path.rpartition(".")[2] == field.rpartition(".")[2]:
            gave_it = repr(as_number(value if equals else following)) == repr(as_number(str(error.value)))
            named.append((gave_it, path.endswith(field) or field.endswith(path), option))
    return max(named)[-1] if named else error.field


def naming_options(message: str, arguments: Sequence[str]) -> str:
    """The message with the options that were given in place of the fields, or arguments in Python, that it names."""
    given = {word.partition("=")[0] for word in arguments if word.startswith("--")}

    def named(match: re.Match[str]) -> str:
        option = f"--{match[2].replace('_', '-')}"
        return f"{match[1]}{option if option in given else match[2]} is "

    return re.sub(r"(^|: )([a-z_]+) is ", named, message)


def refuse_former(arguments: list[str]) -> None:
    """Raise InputError for an option of earlier versions, saying what to give now."""
    from luxel.data.generate_settings import FORMER_TRACERS, tracer_to_take

    words = [word for argument in arguments for word in argument.split("=", 1)]
    for option, value in pairwise([*words, ""]):
        if option in ("--tracer", "--data.tracer") and value in FORMER_TRACERS:
            raise InputError(f"{option} is {value}, {tracer_to_take(value)}")
        if option in ("--stream.compiled", "--stream.no-compiled"):
            raise InputError(f"{option}: the path tracer has one form now, which is the fast one; leave it out")


def on_cluster(address: str | None, cpus: float, gpus: float) -> AbstractContextManager[Cluster | None]:
    """The cluster at the address, while it is worked on; None without an address."""
    return nullcontext() if address is None else connected(address, cpus, gpus)


def first_line(documented: Any) -> str:
    """The first line of a docstring, or of an experiment's summary."""
    text: str = getattr(documented, "summary", None) or documented.__doc__ or ""
    return text.splitlines()[0]


def first_word(
    arguments: list[str], verb: str, what: str, known: Mapping[str, Any], remedy: str = ""
) -> tuple[str, list[str]]:
    """The first argument, which must be one of `known`, and the others; else say what is wrong and exit 2.

    The `remedy` is told of one that is like none of them.
    """
    if arguments and arguments[0] in known:
        return arguments[0], arguments[1:]
    called = f"luxel {verb}".rstrip()
    if arguments and arguments[0] not in ("-h", "--help"):
        problem = f"{shortened(arguments[0])} is not a known {what} (`{called} --help` lists them)"
        print(f"{called}: {problem}{did_you_mean(arguments[0], known, 3) or remedy}", file=sys.stderr)
        sys.exit(2)
    width = max(map(len, known)) + 2
    lines = [
        f"usage: {called} {what} [options]",
        f"{what}:",
        *(f"  {name:<{width}}{first_line(thing)}" for name, thing in known.items()),
    ]
    print("\n".join(lines), file=sys.stdout if arguments else sys.stderr)
    sys.exit(0 if arguments else 2)
