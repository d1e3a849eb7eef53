"""JSON files, read by the type of what they hold: a mistake is one line that names file, field and value."""

import json
import math
import stat
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails, from_json

from luxel import InputError
from luxel.configuration import cut, printable, shortened
from luxel.files.atomic import make_folder_of, write_atomically
from luxel.files.seal import opened, sealed

MAX_BYTES = 1 << 26
"""Of a file: far more than any of Luxel's, and read in a second. Nesting is bounded by the parser, at 200."""

MAX_LINE = 1 << 16
"""Bytes of a line, of a file of one JSON value a line; such files grow with a run."""
MAX_LINES_BYTES = 1 << 30
"""Of such a file: five million steps of a training."""


def read_json(path: Path, kind: Any = Any, remedy: str = "") -> Any:
    """The value in a file, as `kind`: a dataclass, TypedDict or any type that pydantic validates.

    Raises InputError for a file that cannot be read, is not JSON in UTF-8, not of this kind or not what `write_json`
    wrote; it ends with `remedy`.
    """
    with reading(path, remedy):
        check_size(path, MAX_BYTES, remedy)
        content = path.read_bytes()
    value = parse_json(content, Any, str(path), remedy)
    if isinstance(value, dict):
        try:
            value = opened(value, str(path))
        except InputError as error:
            raise InputError(with_remedy(str(error), remedy)) from None
    return validated(value, kind, str(path), remedy)


def read_lines(path: Path, remedy: str = "") -> Iterator[tuple[int, bytes]]:
    """The lines of a file of one JSON value a line, with their numbers from 1 on, read one at a time.

    The last one ends without a newline if its writer was killed. Raises InputError for a file that cannot be read, or
    that is longer, or has a longer line, than any of Luxel's.
    """
    with reading(path, remedy), path.open("rb") as file:
        check_size(path, MAX_LINES_BYTES, remedy)
        for number, line in enumerate(iter(lambda: file.readline(MAX_LINE + 1), b""), start=1):
            if len(line) > MAX_LINE:
                what = f"{path}, line {number}: has more than {MAX_LINE} bytes, which is no line of Luxel's"
                raise InputError(with_remedy(what, remedy))
            yield number, line


@contextmanager
def reading(path: Path, remedy: str) -> Iterator[None]:
    """Within, an OSError becomes an InputError that names `path`."""
    try:
        yield
    except OSError as error:
        raise InputError(with_remedy(f"{path}: cannot be read: {error.strerror or error}", remedy)) from error


def check_size(path: Path, most: int, remedy: str) -> None:
    """Raise InputError for a file of more bytes than `most`, and for a device, whose end is not known."""
    found = path.stat()
    if stat.S_ISCHR(found.st_mode) or stat.S_ISBLK(found.st_mode):
        raise InputError(with_remedy(f"{path}: is a device, must be a file", remedy))
    size = found.st_size
    if size > most:
        raise InputError(with_remedy(f"{path}: has {size} bytes, must have at most {most}", remedy))


def parse_json(content: bytes | str, kind: Any, source: str, remedy: str = "") -> Any:
    """The value that the text holds, as `kind`; raises InputError, which begins with `source`."""
    try:
        value = from_json(content)
    except ValueError as error:
        raise InputError(with_remedy(f"{source}: {why_not_json(content, error)}", remedy)) from None
    return validated(value, kind, source, remedy)


def why_not_json(content: bytes | str, error: ValueError) -> str:
    """What is wrong with what a JSON parser, which raised the error, did not take: it is empty, no text, or no JSON."""
    if not content.strip():
        return "is empty, must be JSON"
    if isinstance(content, bytes):
        try:
            end = content.decode().find("\0")
        except UnicodeDecodeError as wrong:
            end = wrong.start
        if end >= 0:
            return f"is not text but binary, from byte {end} on, must be JSON in UTF-8"
    if isinstance(error, json.JSONDecodeError):
        before, after = error.doc[: error.pos].rstrip(), error.doc[error.pos :]
        if before.endswith(",") and after.startswith(("]", "}")):
            return f"not valid JSON: {error}; leave out the comma before it"
        if after.startswith(("//", "/*")):
            return f"not valid JSON: {error}; leave out the comment, of which JSON has none"
    return f"not valid JSON: {error}"


def validated(value: Any, kind: Any, source: str, remedy: str = "") -> Any:
    """The JSON value as `kind`; raises InputError, which begins with `source`."""
    try:
        return adapter(kind).validate_python(value)
    except ValidationError as error:
        raise InputError(with_remedy(f"{source}: {validation_message(error, value)}", remedy)) from None


@lru_cache
def adapter(kind: Any) -> Any:
    """Pydantic's validator of a type, made once."""
    return TypeAdapter(kind)


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file atomically, and its folder if need be; an object with its seal (`luxel.files.seal`).

    Raises InputError where the system refuses.
    """
    make_folder_of(path)
    finite = without_nan(value)
    content = sealed(finite) if isinstance(finite, dict) else finite
    write_atomically(path, json.dumps(content, indent=2, allow_nan=False).encode() + b"\n")


def without_nan(value: Any) -> Any:
    """The value with null for every number that is not finite, which JSON cannot say."""
    if isinstance(value, dict):
        return {key: without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def validation_message(error: ValidationError, value: Any) -> str:
    """The first mistake that validation found in the JSON `value`, with its field, and how many more there are.

    Where a field may be of several types, pydantic tells what each of them lacks: told is what the nearest one does.
    """
    located = [(*locate(details["loc"], value), details) for details in error.errors(include_url=False)]
    mistakes = Counter(types for _, types, _ in located)
    nearest = min(mistakes.values())
    (field, _, details), *others = [each for each in located if mistakes[each[1]] == nearest]
    same = [other for where, _, other in others if where == field]
    more = len(others) - len(same)
    return mistake(field, [details, *same]) + (f" (and {more} more)" if more else "")


def locate(location: Sequence[int | str], value: Any) -> tuple[str, tuple[str, ...]]:
    """A mistake's field, `objects[2].radius`, and what in its location are not keys of `value` but names of types."""
    field, types = "", []
    for position, part in enumerate(location):
        if isinstance(part, int):
            value = value[part] if part < len(value) else None
        elif isinstance(value, dict) and part in value:
            value = value[part]
        elif position < len(location) - 1 or not isinstance(value, dict):
            types.append(str(part))
            continue
        field += f"[{part}]" if isinstance(part, int) else f".{printable(cut(part))}"
    return field.removeprefix("."), tuple(types)


def mistake(field: str, details: Sequence[ErrorDetails]) -> str:
    """What is wrong with a field; several details are of the types that it may have."""
    first, where = details[0], field or "its content"
    match first["type"]:
        case "extra_forbidden" | "unexpected_keyword_argument":
            return f"{where} is not a field of this version"
        case "missing":
            return f"{where} is missing"
        case "literal_error":
            allowed = " or ".join(str(each["ctx"]["expected"]) for each in details if "expected" in each.get("ctx", {}))
            return f"{where} is {shortened(first['input'])}, must be {allowed}"
        case "value_error":  # what a dataclass's own check says, which names its field
            return str(first["ctx"]["error"])
    return f"{where} is {shortened(first['input'])}: {first['msg'][:1].lower()}{first['msg'][1:]}"


def with_remedy(problem: str, remedy: str) -> str:
    """Both, if there is a remedy."""
    return f"{problem}; {remedy}" if remedy else problem
