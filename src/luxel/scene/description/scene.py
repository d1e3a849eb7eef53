"""The scene: objects before a camera, under a sky, and its JSON."""

import hashlib
import json
import os
from collections import Counter
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ValidationError
from pydantic_core import PydanticCustomError

from luxel.configuration import printable, shortened
from luxel.files.atomic import make_folder_of, write_atomically
from luxel.memory import collection_paused
from luxel.scene import binary
from luxel.scene.description.bounds import RGB
from luxel.scene.description.camera import Camera
from luxel.scene.description.material import Material
from luxel.scene.description.model import MODELS, SceneModel
from luxel.scene.description.reading import (
    FIGURES,
    FOREIGN,
    SCHEMA_VERSION,
    binary_values,
    check_version,
    parsed_json,
    read_scene_file,
)
from luxel.scene.description.shapes import Box, Cylinder, Ellipsoid, Object, Panel, Plane, Sphere
from luxel.scene.description.sky import GradientSky, MapSky, Sky, Sun
from luxel.scene.environment import is_within_scene
from luxel.scene.errors import SceneError, explain
from luxel.scene.keyframes import HOW_KEYFRAMES_ARE_READ, keyframed_place


def _listed(objects: Any) -> Any:
    """Pydantic would go through one object's fields as if they were objects."""
    if isinstance(objects, BaseModel):
        raise PydanticCustomError("range", "must be a list of objects")
    return objects


def _at_least_one(objects: tuple[Object, ...]) -> tuple[Object, ...]:
    """Pydantic's own minimum length would also complain when there are objects, but all of them wrong."""
    if not objects:
        raise PydanticCustomError("range", "must have at least one object")
    return objects


class Scene(SceneModel):
    """Objects before a camera, under what is infinitely far: the background, the same everywhere, plus sky and sun."""

    schema_version: Literal[1] = SCHEMA_VERSION
    objects: Annotated[tuple[Object, ...], BeforeValidator(_listed), AfterValidator(_at_least_one)]
    camera: Camera
    background: RGB = (0.0, 0.0, 0.0)
    sky: Sky | None = None
    sun: Sun | None = None

    @property
    def is_lit(self) -> bool:
        """Whether anything gives light: what is infinitely far, or an object."""
        outside = any(self.background) or (self.sky is not None and self.sky.is_lit)
        return (
            outside
            or (self.sun is not None and any(self.sun.radiance))
            or any(item.material.is_emissive for item in self.objects)
        )

    def with_object(self, index: int, **changes: Any) -> "Scene":
        """This scene with fields of one object changed: `scene.with_object(2, radius=0.3)`.

        A negative index counts from the end, as in a list: -1 is the last object. Raises SceneError, an InputError, for
        an index of none, and for changes that make no scene.
        """
        index, objects = self._position(index), list(self.objects)
        return self._with(objects=(*objects[:index], {**dict(objects[index]), **changes}, *objects[index + 1 :]))

    def with_material(self, index: int, **changes: Any) -> "Scene":
        """This scene with fields of one object's material changed: `scene.with_material(2, roughness=0.1)`.

        Indices and errors as in `with_object`.
        """
        return self.with_object(index, material={**dict(self.objects[self._position(index)].material), **changes})

    def with_camera(self, **changes: Any) -> "Scene":
        """This scene with fields of its camera changed: `scene.with_camera(vertical_fov_degrees=30)`."""
        return self._with(camera=self.camera.changed(changes))

    def without(self, *indices: int) -> "Scene":
        """This scene without the objects of these indices, as in `with_object`; naming one twice is naming it once.

        Raises SceneError if none would be left, and for an index of none.
        """
        gone = {self._position(index) for index in indices}
        return self._with(objects=tuple(item for number, item in enumerate(self.objects) if number not in gone))

    def _with(self, **fields: Any) -> "Scene":
        return Scene(**{**dict(self), **fields})

    def _position(self, index: int) -> int:
        """The object's number, from 0 on; a negative index counts from the end."""
        try:
            return range(len(self.objects))[index]
        except (IndexError, TypeError):
            raise SceneError(
                f"Scene: objects[{shortened(index)}] is none of its objects; they are 0 to {len(self.objects) - 1}, "
                f"or from the end -1 to -{len(self.objects)}"
            ) from None

    def __repr__(self) -> str:
        counts = Counter(item.shape for item in self.objects)
        objects = ", ".join(f"{count} {_plural(shape) if count > 1 else shape}" for shape, count in counts.items())
        outside = "".join(f", {value!r}" for value in (self.sky, self.sun) if value is not None)
        return f"Scene({objects}; camera at {self.camera.position}, background {self.background}{outside})"

    def __str__(self) -> str:
        return repr(self)

    def _repr_png_(self) -> bytes | None:
        """What a notebook shows. A scene knows no renderer: the package's top knows who makes thumbnails."""
        import luxel

        return luxel.thumbnail(self)

    def to_json(self, indent: int | None = None) -> str:
        """JSON with every field that there is, sorted; without `indent` it is canonical: equal scenes, equal text."""
        separators = (",", ":") if indent is None else (",", ": ")
        return json.dumps(_values(self), sort_keys=True, indent=indent, separators=separators)

    def save(self, path: str | Path) -> None:
        """Write the scene, whole or not at all: as readable JSON, or binary if the path ends in .safetensors.

        Its folder is made if need be; a map's file is named from there on. Raises InputError, naming the file, also for
        one whose ending says that it is no scene of Luxel's, which would not be read again.
        """
        path = Path(path)
        if path.suffix.lower() in (*FOREIGN, *FIGURES):
            raise SceneError(
                printable(f"{path}: save a scene as .json or .safetensors; luxel convert writes glTF and USD")
            )
        values = _values(self)
        if isinstance(self.sky, MapSky) and not is_within_scene(self.sky.file):
            values["sky"]["file"] = _from_folder(self.sky.file, path.parent)
        if path.suffix == binary.SUFFIX:
            try:
                content = binary.to_bytes(self, values)
            except binary.TooLongError as error:  # a large map within it
                raise SceneError(f"{path}: {error}; save it as .json") from None
        else:
            content = f"{json.dumps(values, sort_keys=True, indent=2)}\n".encode()
        make_folder_of(path)
        write_atomically(path, content)

    @staticmethod
    @collection_paused()
    def from_json(text: str | bytes, source: str = "scene", folder: str | Path = "") -> "Scene":
        """Read a scene from JSON; a map's file is looked for from `folder` on.

        Raises SceneError, with one line for every mistake that names `source`, the field and its value.
        """
        return Scene.from_values(parsed_json(text, source), source, folder)

    @staticmethod
    def from_values(values: Any, source: str = "scene", folder: str | Path = "") -> "Scene":
        """The scene of what JSON holds, which stays as it is; raises SceneError, as `from_json` does."""
        check_version(values, source)
        sky = values.get("sky")
        if isinstance(sky, dict) and isinstance(sky.get("file"), str) and not is_within_scene(sky["file"]):
            values = {**values, "sky": {**sky, "file": os.path.join(os.path.realpath(folder), sky["file"])}}
        try:
            return Scene.model_validate(values)
        except ValidationError as error:
            if (place := keyframed_place(values)) is not None:
                raise SceneError(
                    printable(f"{source}: {place} has keyframes, but a scene stands still; {HOW_KEYFRAMES_ARE_READ}")
                ) from None
            raise SceneError(explain(error, source, MODELS)) from None

    @staticmethod
    def load(path: str | Path) -> "Scene":
        """Read a scene from a JSON file, or its binary form if the path ends in .safetensors; raises SceneError."""
        content, folder = read_scene_file(path), Path(path).parent
        if Path(path).suffix == binary.SUFFIX:
            return Scene.from_values(binary_values(content, str(path)), str(path), folder)
        return Scene.from_json(content, str(path), folder)


def scene_id(scene: Scene) -> str:
    """Name a scene by its content: SHA-256 of its canonical JSON, as 64 hexadecimal digits.

    Of a map the content counts, not the name of its file.
    """
    return hashlib.sha256(stored_json(scene).encode()).hexdigest()


def stored_json(scene: Scene) -> str:
    """Canonical JSON for where a map is stored once beside all its scenes: `sky` has no `file`, but `sha256` names it.

    Equal scenes have equal text, wherever their maps lie, be it within them.
    """
    values = _values(scene)
    if isinstance(scene.sky, MapSky):
        del values["sky"]["file"]
    return json.dumps(values, sort_keys=True, separators=(",", ":"))


def _values(scene: Scene) -> dict[str, Any]:
    """Every field that there is, as JSON has it."""
    return {name: value for name, value in scene.model_dump().items() if value is not None}


def _from_folder(file: str, folder: Path) -> str:
    """A path from a folder on, or as it is if there is no way, as between Windows's drives.

    Links among the folders are followed, as `..` leads out of what they point to.
    """
    place, name = os.path.split(file)
    try:
        return Path(os.path.relpath(os.path.realpath(place), os.path.realpath(folder)), name).as_posix()
    except ValueError:
        return file


def _plural(shape: str) -> str:
    return shape + ("es" if shape.endswith("x") else "s")


MODELS.update(
    {
        "": Scene,
        "sphere": Sphere,
        "ellipsoid": Ellipsoid,
        "box": Box,
        "cylinder": Cylinder,
        "panel": Panel,
        "plane": Plane,
        "material": Material,
        "camera": Camera,
        "sun": Sun,
        "gradient": GradientSky,
        "map": MapSky,
    }
)
