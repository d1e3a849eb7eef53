"""What all configurations share: a field's range is declared with the field, and checked however its value came.

    @dataclass(frozen=True)
    class GuardConfig(Configuration, path="train.guard"):
        spike: Annotated[float, Field(gt=1, le=1e30)] = 10.0

From the command line, from JSON, from Python and by `dataclasses.replace`, GuardConfig(spike=nan) raises
InputError: train.guard.spike is nan, must be a number in (1, 1e+30].
"""

import difflib
import math
import types
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields
from numbers import Integral, Real
from typing import Annotated, Any, ClassVar, Literal, TypeAlias, Union, get_args, get_origin, get_type_hints

from annotated_types import Ge, Gt, Le, Lt
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from luxel import InputError

Share = Annotated[float, Field(ge=0, le=1)]
Pixels = Annotated[int, Field(ge=1, le=1 << 16)]
"""A side of a picture."""
Channels = Annotated[int, Field(ge=1, le=1 << 16)]
"""A width of a network."""
Layers = Annotated[int, Field(ge=0, le=1000)]
MAX_OBJECTS = 1_000_000  # of a scene: some 3 GB to trace, as 100 000 take 300 MB
Objects = Annotated[int, Field(ge=1, le=MAX_OBJECTS)]
BatchSize = Annotated[int, Field(ge=1, le=1 << 20)]
Samples = Annotated[int, Field(ge=1, le=1 << 40)]
"""Of a run; a stream of fresh scenes has so many for each seed."""
Paths = Annotated[int, Field(ge=2, le=1 << 24)]
"""A pixel, of which there is a variance."""
Repeats = Annotated[int, Field(ge=1, le=1000)]
"""How often the same is done, to know how it varies."""
PathCount = Annotated[int, Field(ge=0, le=1 << 24)]
"""Of a pixel, beside a network's picture; 0 for that alone."""
PathDepth = Annotated[int, Field(ge=1, le=10_000)]
"""Of paths, at most: segments from the camera to the light; 2 is direct light."""
Seed = Annotated[int, Field(ge=0, le=(1 << 32) - 1)]
Steps = Annotated[int, Field(ge=1, le=1_000_000_000)]

Check: TypeAlias = Callable[[str, Any], Any]
STRICT = ConfigDict(strict=True, allow_inf_nan=False, arbitrary_types_allowed=True)
"""Neither "1" nor True is a number, and NaN is in no range."""


class Configuration:
    """The base of frozen dataclasses whose values are checked against their fields' types and ranges.

    `path` is where the class stands on the command line, as messages name its fields. A class with checks of its own
    calls this one's `__post_init__` first.
    """

    _path: ClassVar[str] = ""

    def __init_subclass__(cls, path: str | None = None, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        if path is not None:
            cls._path = f"{path}."

    def __post_init__(self) -> None:
        check_fields(self, self._path)


def check_fields(values: Any, path: str = "") -> None:
    """Check every field of a dataclass against its type and range. Raises FieldError, naming it, after `path`."""
    for name, check in _checks(type(values)).items():
        value = check(path + name, getattr(values, name))
        object.__setattr__(values, name, value)  # the integer 1 of a float is 1.0


class FieldError(InputError):
    """The value of a field that is not of its type `hint`, or not in its range."""

    def __init__(self, field: str, value: Any, hint: Any) -> None:
        super().__init__(f"{field} is {shortened(value)}, must be {described(hint)}")
        self.field = field
        self.value = value
        self.hint = hint

    def __reduce__(self) -> Any:
        """So that another process gets it as it is: exceptions are made again of their message alone."""
        return type(self), (self.field, self.value, self.hint)


def checker(hint: Any) -> Check:
    """A function of a value and its name in messages: returns the value as the type `hint`, with its range, has it.

    NumPy's numbers are as good as Python's. It raises FieldError, with name, value and range, for what is not of that
    type.
    """
    adapter = TypeAdapter(tuple[hint], config=STRICT)  # in a tuple, as a dataclass alone takes no configuration

    def check(name: str, value: Any) -> Any:
        if not isinstance(value, int | float) and isinstance(value, Real):
            value = int(value) if isinstance(value, Integral) else float(value)
        try:
            return adapter.validate_python((value,))[0]
        except ValidationError:
            raise FieldError(name, value, hint) from None

    return check


def _checks(kind: type) -> dict[str, Check]:
    """A check for each field, made once a class: to make one takes as long as a hundred checks."""
    if kind not in _CHECKS:
        _CHECKS[kind] = {name: checker(hint) for name, hint in hints_of(kind).items()}
    return _CHECKS[kind]


_CHECKS: dict[type, dict[str, Check]] = {}


def hints_of(kind: type) -> dict[str, Any]:
    """The type of each field of a dataclass, with its range."""
    hints = get_type_hints(kind, include_extras=True)
    return {field.name: hints[field.name] for field in fields(kind)}


@dataclass(frozen=True)
class Interval:
    """The numbers of a type from `low` to `high`; an end that is open is not one of them."""

    kind: type[int] | type[float]
    low: int | float = -math.inf
    high: int | float = math.inf
    low_is_open: bool = False
    high_is_open: bool = False

    def __contains__(self, number: int | float) -> bool:
        above = number > self.low if self.low_is_open else number >= self.low
        below = number < self.high if self.high_is_open else number <= self.high
        return above and below and (self.kind is float or isinstance(number, int))

    def __str__(self) -> str:
        low, high = (f"{end:g}" if isinstance(end, float) else str(end) for end in (self.low, self.high))
        return f"{'(' if self.low_is_open else '['}{low}, {high}{')' if self.high_is_open else ']'}"


def intervals(hint: Any) -> Iterator[Interval]:
    """The interval of each number that a type holds; of a number without a range, all numbers."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated and arguments[0] in (int, float):
        yield _interval(arguments[0], arguments[1:])
    elif origin is Annotated:
        yield from intervals(arguments[0])
    elif origin in (Union, types.UnionType, tuple):
        for part in arguments:
            yield from intervals(part)
    elif hint in (int, float):
        yield Interval(hint)


def _interval(kind: type[int] | type[float], metadata: tuple[Any, ...]) -> Interval:
    low: Any = -math.inf
    high: Any = math.inf
    low_is_open = high_is_open = False
    for bound in (bound for field in metadata if isinstance(field, FieldInfo) for bound in field.metadata):
        match bound:
            case Ge(ge=limit) | Gt(gt=limit):
                low, low_is_open = limit, isinstance(bound, Gt)
            case Le(le=limit) | Lt(lt=limit):
                high, high_is_open = limit, isinstance(bound, Lt)
    return Interval(kind, low, high, low_is_open, high_is_open)


def described(hint: Any) -> str:
    """A type and its range in words: "an integer in [1, 65536]", "a number in [0, 1)", "None"."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return " or ".join(described(part) for part in arguments)
    if origin is Literal:
        return " or ".join(map(str, arguments))
    if origin is tuple and Ellipsis not in arguments:
        return f"{len(arguments)} values, each {described(arguments[0])}"
    if origin is tuple:
        return f"values, each {described(arguments[0])}"
    plain = arguments[0] if origin is Annotated else hint
    if plain in (int, float):
        return f"{'an integer' if plain is int else 'a number'} in {next(intervals(hint))}"
    if origin is Annotated:
        return described(plain)
    names = {bool: "True or False", str: "text", types.NoneType: "None"}
    return names.get(plain, getattr(plain, "__name__", str(plain)))


def without_none(hint: Any) -> Any:
    """The type without None, where it is a union with it."""
    if get_origin(hint) not in (Union, types.UnionType):
        return hint
    return Union[tuple(part for part in get_args(hint) if part is not types.NoneType)]  # noqa: UP007 (of any number)


def did_you_mean(name: str, known: Iterable[str], most: int = 1) -> str:
    """The end of a message about an unknown name: "; did you mean …?" with the nearest known ones, or nothing."""
    near = difflib.get_close_matches(name, list(known), n=most)
    return f"; did you mean {' or '.join(near)}?" if near else ""


def shortened(value: Any, most: int = 100) -> str:
    """The value as Python writes it, on one line of at most so many characters."""
    try:
        text = printable(repr(value))
    except RecursionError:
        text = f"a {type(value).__name__} nested too deeply to be shown"
    return cut(text, most)


def cut(text: str, most: int = 100) -> str:
    """The text, or its beginning and … if it has more than so many characters."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def printable(text: str) -> str:
    """The text with what a terminal would obey, or cannot show, as escapes: control characters, surrogates."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
