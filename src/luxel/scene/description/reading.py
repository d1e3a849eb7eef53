"""Files of scenes up to their values: what is in them, as JSON has it, before a scene is made."""

import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from luxel import InputError
from luxel.configuration import cut, printable, shortened
from luxel.files.typed_json import check_size, why_not_json
from luxel.memory import collection_paused
from luxel.scene import binary
from luxel.scene.description.material import Material
from luxel.scene.errors import SceneError

SCHEMA_VERSION: Final = 1
MAX_BYTES = 1 << 30
"""Of a file: a million objects have a third of it."""
MAX_DIGITS = 400
"""Of an integer that is read as one: no float has more."""
FOREIGN = (".glb", ".gltf", ".usda", ".usdc", ".usd")
"""Endings of files of which `luxel convert` makes scenes."""
FIGURES = (".npy", ".npz", ".ply", ".xyz", ".extxyz", ".pdb", ".cif", ".gsd", ".dump", ".lammpstrj")
"""Endings of files of points and particles, of which `luxel convert` and luxel.scene.load_scene make scenes."""
WHAT_A_SCENE_IS: Final = "a scene is a JSON file such as examples/scenes/six_objects.json; docs/scene.md is its format"


def read_scene_file(path: str | Path) -> bytes:
    """What is in a file of a scene; raises SceneError."""
    if not isinstance(path, str | Path):
        raise SceneError(f"path is {shortened(path)}, must be the path of a JSON file")
    for endings, what in ((FOREIGN, "another program"), (FIGURES, "points or particles")):
        if Path(path).suffix.lower() in endings:
            made = f"{Path(path).stem}.json"
            raise SceneError(printable(f"{path}: is of {what}; make a scene of it: luxel convert {path} {made}"))
    try:
        check_size(Path(path), MAX_BYTES, WHAT_A_SCENE_IS)
        return Path(path).read_bytes()
    except InputError as error:
        raise SceneError(printable(str(error))) from error
    except OSError as error:
        what = "is a folder" if os.path.isdir(path) else f"cannot be read as a scene: {error.strerror}"
        raise SceneError(printable(f"{path}: {what}; {WHAT_A_SCENE_IS}")) from error


def _material_if_valid(values: dict[str, Any]) -> Any:
    """The material, or the values, whose mistakes the scene's validation then tells with their place."""
    try:
        return Material(**values)
    except SceneError:
        return values


@collection_paused()
def binary_values(content: bytes, source: str) -> dict[str, Any]:
    """What a binary scene holds, as JSON has it; its materials are made already. Raises SceneError."""
    try:
        return binary.read_fields(content, _material_if_valid)
    except binary.NotBinaryError as error:
        raise SceneError(printable(f"{source}: {error}; docs/scene.md describes scenes in safetensors")) from None


def parsed_json(text: str | bytes, source: str) -> Any:
    """The values that the JSON text holds. Raises SceneError if it is none, or gives a field twice."""
    repeated: list[tuple[dict[str, Any], str]] = []

    def fields(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        values = dict(pairs)
        if len(values) < len(pairs):
            name, _ = Counter(name for name, _ in pairs).most_common(1)[0]
            repeated.append((values, name))
        return values

    try:
        try:
            data = json.loads(text, object_pairs_hook=fields)
        except (json.JSONDecodeError, UnicodeDecodeError):
            raise
        except ValueError:  # of an integer of more digits than Python takes
            repeated.clear()
            data = json.loads(text, object_pairs_hook=fields, parse_int=integer_or_infinity)
        where = next((path for values, name in repeated for path in _paths(data, values, name)), None)
    except RecursionError:
        raise SceneError(f"{source}: nested too deeply; a scene has five levels") from None
    except ValueError as error:  # also bytes that are not UTF-8
        raise SceneError(printable(f"{source}: {why_not_json(text, error)}; {WHAT_A_SCENE_IS}")) from None
    if repeated:
        raise SceneError(printable(f"{source}: {where or repeated[0][1]} is given twice; give it once"))
    return data


def integer_or_infinity(digits: str) -> int | float:
    """The integer, or what it is as a float if it is longer than any float, whose range validation then tells."""
    return int(digits) if len(digits) <= MAX_DIGITS else float(digits)


def _paths(data: Any, target: dict[str, Any], name: str, path: str = "") -> Iterator[str]:
    """Where, below `data`, the field `name` of the very object `target` stands: one place, or none."""
    if data is target:
        yield f"{path}.{cut(name)}".lstrip(".")
    elif isinstance(data, dict):
        for field, value in data.items():
            yield from _paths(value, target, name, f"{path}.{field}".lstrip("."))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from _paths(value, target, name, f"{path}[{index}]")


def check_version(data: Any, source: str) -> None:
    """Raise SceneError unless it is an object of SCHEMA_VERSION."""
    if not isinstance(data, dict):
        raise SceneError(f"{source}: must be a JSON object with objects, camera and background; {WHAT_A_SCENE_IS}")
    version = shortened(data["schema_version"]) if "schema_version" in data else "missing"
    if version != repr(SCHEMA_VERSION):
        raise SceneError(
            f"{source}: schema_version is {version}, must be {SCHEMA_VERSION}, "
            "the only version of the scene format that this Luxel reads"
        )
