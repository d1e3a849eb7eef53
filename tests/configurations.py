"""Every configuration that there is, by introspection, and values to try on each of its numbers."""

import inspect
import math
from collections.abc import Iterator
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, Literal, get_args, get_origin

import luxel.experiments
import luxel.fit  # noqa: F401 (whose modules, with those of experiments, define all of them)
from luxel.configuration import Configuration, Interval, hints_of, intervals

TRIED = (-1, 0, math.nan, math.inf, 1e30, 10**30)


def configurations() -> list[type[Configuration]]:
    """The product's configurations that can be made, without the options of verbs, which are made in functions."""
    found: list[type[Configuration]] = []
    waiting = [Configuration]
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        if kind.__module__.startswith("luxel.") and "<locals>" not in kind.__qualname__ and kind is not Configuration:
            found += [] if inspect.isabstract(kind) else [kind]
    return sorted(found, key=lambda kind: kind.__qualname__)


def dataclasses_within(hint: Any) -> Iterator[type]:
    """The dataclasses that a type holds, at any depth."""
    if inspect.isclass(hint) and is_dataclass(hint):
        yield hint
        for inner in hints_of(hint).values():
            yield from dataclasses_within(inner)
    for part in get_args(hint):
        yield from dataclasses_within(part)


def example(kind: type) -> Any:
    """One of its kind, with 1 for the numbers that have no default, and the first of several words."""
    required = [f.name for f in fields(kind) if f.default is MISSING and f.default_factory is MISSING]
    words = {name: get_args(hint)[0] for name, hint in hints_of(kind).items() if get_origin(hint) is Literal}
    given = words | {name: found[0].kind(1) for name, found, _ in numbers(kind)}
    return kind(**{name: value for name, value in given.items() if name in required})


def changed(given: Any, **values: Any) -> Any:
    """What `dataclasses.replace` makes outside of tests, where no import hook checks types before the constructor."""
    made = object.__new__(type(given))
    for field in fields(given):
        object.__setattr__(made, field.name, values.get(field.name, getattr(given, field.name)))
    made.__post_init__()
    return made


def numbers(kind: type) -> Iterator[tuple[str, list[Interval], int]]:
    """Name, intervals and how many numbers it holds at once, of each field of numbers."""
    for name, hint in hints_of(kind).items():
        if found := list(intervals(hint)):
            yield name, found, len(found) if len(found) > 1 else 1


def cases() -> list[tuple[type[Configuration], str, Any]]:
    """Configuration, field and a value of it to try."""
    return [
        (kind, name, value if count == 1 else (value,) * count)
        for kind in configurations()
        for name, _, count in numbers(kind)
        for value in TRIED
    ]
