"""What a wrong scene file is told: one line a mistake, with file, field, value and what would be right."""

from collections.abc import Mapping, Sequence

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from luxel import InputError
from luxel.configuration import cut, did_you_mean, printable, shortened

Models = Mapping[str, type[BaseModel]]


class SceneError(InputError):
    """A scene that cannot be; the message has one line for every mistake."""


def explain(error: ValidationError, source: str, models: Models) -> str:
    """One line for every mistake in `error`, a validation of `models[""]`.

    The others are named as they appear in a location: the field that holds one, or the shape.
    """
    return "\n".join(printable(f"{source}: {_line(details, models)}") for details in error.errors())


def _line(details: ErrorDetails, models: Models) -> str:
    location, value, message = details["loc"], details["input"], details["msg"]
    shapes = [name for name, model in models.items() if "shape" in model.model_fields]
    kinds = [name for name, model in models.items() if "kind" in model.model_fields]
    where = _path(location, [*shapes, *kinds])
    match details["type"]:
        case "extra_forbidden":
            return f"{where} is not a known field; {_suggestion(str(location[-1]), _fields(location[:-1], models))}"
        case "string_unicode":  # a name that cannot be, as it holds half a character; the location is what holds it
            path = f"{where}.{cut(value)}".removeprefix(".")
            return f"{path} is not a known field; known are {', '.join(_fields(location, models))}"
        case "missing":
            is_turned = "rotation" in location and isinstance(location[-1], int)
            return f"{where} is missing" + ("; a rotation is a quaternion (w, x, y, z)" if is_turned else "")
        case "union_tag_not_found" | "union_tag_invalid" if location == ("sky",):
            kind = value.get("kind", "missing") if isinstance(value, dict) else "missing"
            told = shortened(kind) if kind != "missing" else kind
            return f"{where}.kind is {told}, must be one of {', '.join(kinds)}{did_you_mean(str(kind), kinds)}"
        case "model_type" | "model_attributes_type" if location and location[-1] in models:
            return f"{where} is {shortened(value)}, must be an object of {', '.join(_fields(location, models))}"
        case "model_attributes_type" if location == ("sky",):
            return f"{where} is {shortened(value)}, must be an object whose kind is one of {', '.join(kinds)}"
        case "model_attributes_type":
            return f"{where} is {shortened(value)}, must be an object whose shape is one of {', '.join(shapes)}"
        case "tuple_type":
            entries = "objects" if location == ("objects",) else "numbers"
            return f"{where} is {shortened(value)}, must be a list of {entries}"
        case "too_long" if isinstance(value, list | tuple) and location[-1] != "objects":
            return f"{where} is {shortened(value)}, must be a list of {details['ctx']['max_length']} numbers"
        case "union_tag_not_found":
            return f"{where}.shape is missing, must be one of {', '.join(shapes)}"
        case "union_tag_invalid":
            shape = value["shape"] if isinstance(value, dict) else getattr(value, "shape", None)
            guess = did_you_mean(str(shape), shapes)
            return f"{where}.shape is {shortened(shape)}, must be one of {', '.join(shapes)}{guess}"
        case "camera":
            return f"{where}: {message}".removeprefix(": ")
        case "panel" | "map":  # the message is about one of the fields of what stands there
            return f"{where}.{message}".removeprefix(".")
        case "range":
            return f"{where} is {shortened(value)}, {message}"
        case "float_type":
            size = " of at most 308 digits" if isinstance(value, int) and not isinstance(value, bool) else ""
            return f"{where} is {shortened(value)}, must be a number{size}"
        case _:
            return f"{where} is {shortened(value)}: {message[:1].lower()}{message[1:]}"


def _fields(location: Sequence[int | str], models: Models) -> list[str]:
    """The fields that are known at a location."""
    parent = next((name for name in reversed(location) if isinstance(name, str)), "")
    return list(models[parent].model_fields)


def _path(location: Sequence[int | str], tags: Sequence[str]) -> str:
    """`objects[2].material.roughness`: as in the file, without the shape or kind that validation names there."""
    path = ""
    for position, part in enumerate(location):
        before = location[:position]
        if isinstance(part, int):
            path += f"[{part}]"
        elif not (part in tags and before and (isinstance(before[-1], int) or before == ("sky",))):
            path += f".{cut(part)}" if path else cut(part)
    return path


def _suggestion(name: str, known: Sequence[str]) -> str:
    return did_you_mean(name, known).removeprefix("; ") or f"known are {', '.join(known)}"
