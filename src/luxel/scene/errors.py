"""What a wrong scene file is told: one line a mistake, with file, field, value and what would be right."""

import difflib
from collections.abc import Mapping, Sequence

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from luxel import InputError

Models = Mapping[str, type[BaseModel]]


class SceneError(InputError):
    """A scene that cannot be; the message has one line for every mistake."""


def explain(error: ValidationError, source: str, models: Models) -> str:
    """One line for every mistake in `error`, a validation of `models[""]`.

    The others are named as they appear in a location: the field that holds one, or the shape.
    """
    return "\n".join(f"{source}: {_line(details, models)}" for details in error.errors())


def _line(details: ErrorDetails, models: Models) -> str:
    location, value, message = details["loc"], details["input"], details["msg"]
    shapes = [name for name, model in models.items() if "shape" in model.model_fields]
    where = _path(location, shapes)
    match details["type"]:
        case "extra_forbidden":
            parent = next((name for name in reversed(location[:-1]) if isinstance(name, str)), "")
            known = list(models[parent].model_fields)
            return f"{where} is not a known field; {_suggestion(str(location[-1]), known)}"
        case "missing":
            return f"{where} is missing"
        case "union_tag_not_found":
            return f"{where}.shape is missing, must be one of {', '.join(shapes)}"
        case "union_tag_invalid":
            near = _near(str(value["shape"]), shapes)
            guess = f"; did you mean {near}?" if near else ""
            return f"{where}.shape is {value['shape']!r}, must be one of {', '.join(shapes)}{guess}"
        case "camera":
            return f"{where}: {message}"
        case "panel":  # the message is about one of the fields of what stands there
            return f"{where}.{message}"
        case "range":
            return f"{where} is {value!r}, {message}"
        case _:
            return f"{where} is {value!r}: {message[:1].lower()}{message[1:]}"


def _path(location: Sequence[int | str], shapes: Sequence[str]) -> str:
    """`objects[2].material.roughness`: as in the file, without the shape that validation puts behind [2]."""
    path = ""
    for position, part in enumerate(location):
        if isinstance(part, int):
            path += f"[{part}]"
        elif not (position and isinstance(location[position - 1], int) and part in shapes):
            path += f".{part}" if path else part
    return path


def _suggestion(name: str, known: Sequence[str]) -> str:
    near = _near(name, known)
    return f"did you mean {near}?" if near else f"known are {', '.join(known)}"


def _near(name: str, known: Sequence[str]) -> str | None:
    """The known name that is spelled most like `name`, if one is at all."""
    return next(iter(difflib.get_close_matches(name, known, n=1, cutoff=0.5)), None)
