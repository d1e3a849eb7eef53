"""JSON objects that carry the SHA-256 of what else they hold, so that a flipped digit is found when they are read."""

import hashlib
import json
from typing import Any

from luxel import InputError

SEAL = "content_sha256"
"""The field; files from before there was one, and those of others, have none."""


def sealed(values: dict[str, Any]) -> dict[str, Any]:
    """The object with its seal, instead of the one that it may have."""
    content = without_seal(values)
    return {**content, SEAL: digest(content)}


def opened(values: dict[str, Any], source: str) -> dict[str, Any]:
    """The object without its seal. Raises InputError, beginning with `source`, if that is not its content's."""
    content = without_seal(values)
    if SEAL in values and values[SEAL] != digest(content):
        raise InputError(
            f"{source}: damaged, its SHA-256 is not its {SEAL} (if you have changed the file, remove that field)"
        )
    return content


def without_seal(values: dict[str, Any]) -> dict[str, Any]:
    """All but the seal."""
    return {name: value for name, value in values.items() if name != SEAL}


def digest(values: dict[str, Any]) -> str:
    """SHA-256 over the object as JSON, whatever the order of its fields: 64 hexadecimal digits."""
    as_read = json.loads(json.dumps(values))  # with lists for tuples, and text for keys
    return hashlib.sha256(json.dumps(as_read, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
