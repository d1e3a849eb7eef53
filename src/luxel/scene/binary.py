"""The binary form of a scene: the same numbers as its JSON in a safetensors file, for scenes of very many objects.

| tensor         | dtype   | shape           |                                                                   |
|----------------|---------|-----------------|-------------------------------------------------------------------|
| shape          | uint8   | [objects]       | index in SHAPES                                                   |
| `<shape>.*`    | float64 | [of it, …]      | fields of the objects of one shape, in their order in the scene   |
| panel.outline  | uint8   | [panels]        | 0 of a rectangle, 1 of an ellipse                                 |
| material       | int64   | [objects]       | row of `materials`                                                |
| materials      | float64 | [materials, 10] | the different materials, columns as in MATERIAL_COLUMNS           |

The metadata's `scene` is the scene's JSON without its objects. Numbers are float64, as JSON has them, so that a scene
is the same in both forms, and has the same id. Whoever reads one validates it as whoever reads JSON.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

SUFFIX = ".safetensors"
SCENE = "scene"
"""The metadata's entry."""
MAX_JSON_BYTES = 99_000_000
"""Bytes of that entry, as safetensors reads no header of more than 10⁸."""
OUTLINES = ("rectangle", "ellipse")
FIELDS: dict[str, dict[str, tuple[int, ...]]] = {
    "sphere": {"center": (3,), "radius": ()},
    "ellipsoid": {"center": (3,), "rotation": (4,), "semi_axes": (3,)},
    "box": {"center": (3,), "rotation": (4,), "half_extents": (3,)},
    "cylinder": {"center": (3,), "rotation": (4,), "radius": (), "half_height": ()},
    "panel": {"center": (3,), "rotation": (4,), "half_extents": (2,)},
    "plane": {"center": (3,), "normal": (3,)},
}
"""The fields of floats of each shape, and the shape of one object's."""
SHAPES = tuple(FIELDS)
MATERIAL_COLUMNS = {
    "base_color": slice(0, 3),
    "metallic": 3,
    "specular": 4,
    "roughness": 5,
    "transmission": 6,
    "emission": slice(7, 10),
}


class TooLongError(ValueError):
    """A scene, without its objects, that this form has no room for."""


class NotBinaryError(ValueError):
    """What the bytes lack to be a scene in this form, in words."""


def to_bytes(scene: Any, values: dict[str, Any]) -> bytes:
    """The file of a `luxel.Scene`, whose JSON has these values. Raises TooLongError."""
    groups: dict[str, list[Any]] = {shape: [] for shape in SHAPES}
    rows: dict[Any, int] = {}
    row_of_object: list[int] = []
    row_of_identity: dict[int, int] = {}  # as many objects share one material, and to hash one takes long
    for item in scene.objects:
        groups[item.shape].append(item)
        material = item.material
        row = row_of_identity.get(id(material))
        if row is None:
            row = row_of_identity[id(material)] = rows.setdefault(_row(material), len(rows))
        row_of_object.append(row)
    tensors: dict[str, np.ndarray] = {
        "shape": np.array([SHAPES.index(item.shape) for item in scene.objects], np.uint8),
        "material": np.array(row_of_object, np.int64),
        "materials": np.array(list(rows), np.float64),
    }
    for shape, items in groups.items():
        for field in FIELDS[shape] if items else ():
            tensors[f"{shape}.{field}"] = np.array([getattr(item, field) for item in items], np.float64)
    if groups["panel"]:
        outlines = [OUTLINES.index(item.outline) for item in groups["panel"]]
        tensors["panel.outline"] = np.array(outlines, np.uint8)
    rest = {field: value for field, value in values.items() if field != "objects"}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"))
    if len(text) > MAX_JSON_BYTES:
        raise TooLongError(f"all but its objects takes {len(text)} bytes, must take at most {MAX_JSON_BYTES}")
    return save(tensors, metadata={SCENE: text})


def _row(material: Any) -> tuple[float, ...]:
    return (
        *material.base_color,
        *(material.metallic, material.specular, material.roughness, material.transmission),
        *material.emission,
    )


def read_fields(content: bytes, material: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    """The scene's values as its JSON has them, not yet validated, but for materials: what `material` makes of each.

    Raises NotBinaryError for what is none of this form.
    """
    try:
        tensors = load(content)
    except (SafetensorError, KeyError) as error:  # KeyError: of a type that NumPy lacks
        raise NotBinaryError(f"not valid safetensors: {error}") from None
    metadata = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")]).get("__metadata__", {})
    if SCENE not in metadata:
        raise NotBinaryError("is a safetensors file, but of no scene: its metadata has no entry 'scene'")
    try:
        data = json.loads(metadata[SCENE])
    except (ValueError, RecursionError) as error:
        raise NotBinaryError(f"its metadata's 'scene' is not valid JSON: {error}") from None
    if not isinstance(data, dict):
        raise NotBinaryError("its metadata's 'scene' must be a JSON object")
    return {**data, "objects": _objects(tensors, material)}


def _objects(tensors: dict[str, np.ndarray], material: Callable[[dict[str, Any]], Any]) -> list[dict[str, Any]]:
    shapes = _tensor(tensors, "shape", "uint8", ())
    rows = _tensor(tensors, "material", "int64", (), len(shapes))
    table = _tensor(tensors, "materials", "float64", (10,)).tolist()
    if len(shapes) and not (shapes < len(SHAPES)).all():
        raise NotBinaryError(f"shape has a value of {shapes.max()}, must be below {len(SHAPES)}")
    if len(rows) and not ((rows >= 0) & (rows < len(table))).all():
        raise NotBinaryError(f"material has rows in [{rows.min()}, {rows.max()}], must be in [0, {len(table) - 1}]")
    materials = [material({field: row[place] for field, place in MATERIAL_COLUMNS.items()}) for row in table]
    counts = np.bincount(shapes, minlength=len(SHAPES)).tolist()
    of_shape = [_of_shape(tensors, shape, count) for shape, count in zip(SHAPES, counts, strict=True)]
    return [
        {**next(of_shape[shape]), "material": materials[row]}
        for shape, row in zip(shapes.tolist(), rows.tolist(), strict=True)
    ]


def _of_shape(tensors: dict[str, np.ndarray], shape: str, count: int) -> Iterator[dict[str, Any]]:
    """The fields of the objects of one shape, one after another."""
    if not count:
        return
    columns: dict[str, list[Any]] = {"shape": [shape] * count}
    for field, size in FIELDS[shape].items():
        columns[field] = _tensor(tensors, f"{shape}.{field}", "float64", size, count).tolist()
    if shape == "panel":
        outlines = _tensor(tensors, "panel.outline", "uint8", (), count)
        if not (outlines < len(OUTLINES)).all():
            raise NotBinaryError(f"panel.outline has a value of {outlines.max()}, must be 0 or 1")
        columns["outline"] = [OUTLINES[number] for number in outlines.tolist()]
    for values in zip(*columns.values(), strict=True):
        yield dict(zip(columns, values, strict=True))


def _tensor(
    tensors: dict[str, np.ndarray], name: str, dtype: str, size: tuple[int, ...], count: int | None = None
) -> np.ndarray:
    """The tensor. Raises NotBinaryError unless it is there, of this type and shape."""
    array = tensors.get(name)
    if array is None:
        raise NotBinaryError(f"{name} is missing")
    rows = count if count is not None else (array.shape[0] if array.ndim else -1)
    if array.dtype != np.dtype(dtype) or array.shape != (rows, *size):
        expected = [count if count is not None else "any", *size]
        raise NotBinaryError(
            f"{name} is {array.dtype} {list(array.shape)}, must be {dtype} [{', '.join(map(str, expected))}]"
        )
    return array
