"""What a scene is: immutable, validated models and their JSON form.

World space is right-handed with z up, lengths are in scene units, colours and radiance are linear RGB
(radiance in W·sr⁻¹·m⁻²). A scene that exists is a valid one: every bound is checked when it is built, read, copied,
changed or unpickled, so that nothing checks it again. `object.__setattr__` and `__dict__` lead around that, as they do
around everything in Python; of what is made by them nothing is promised.
"""

import hashlib
import json
import math
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeAlias, TypeVar

import numpy as np
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_serializer,
    model_validator,
)
from pydantic_core import PydanticCustomError

from luxel import InputError
from luxel.configuration import cut, printable, shortened
from luxel.files.atomic import write_atomically
from luxel.files.typed_json import check_size, why_not_json
from luxel.memory import collection_paused
from luxel.scene import binary
from luxel.scene.environment import EMBEDDED, EnvironmentMap, embedded, environment_map, is_within_scene, read_map
from luxel.scene.errors import SceneError, explain
from luxel.scene.keyframes import HOW_KEYFRAMES_ARE_READ, keyframed_place

SCHEMA_VERSION: Final = 1
MAX_BYTES = 1 << 30
FOREIGN = (".glb", ".gltf", ".usda", ".usdc", ".usd")
"""Endings of files of which `luxel convert` makes scenes."""
"""Of a file: a million objects have a third of it."""
WHAT_A_SCENE_IS: Final = "a scene is a JSON file such as examples/scenes/six_objects.json; docs/scene.md is its format"
Kind = TypeVar("Kind", bound="_Model")


@dataclass(frozen=True)
class Between:
    """A check that a number lies in [low, high]; NaN never does."""

    low: float
    high: float
    allowed: str
    """The interval in words."""

    def __call__(self, value: float) -> float:
        """The value, if it lies there."""
        if not self.low <= value <= self.high:
            raise PydanticCustomError("range", "must be {allowed}", {"allowed": self.allowed})
        return value + 0.0  # −0.0 becomes 0.0, so that equal scenes have equal JSON


def _between(low: float, high: float, allowed: str) -> AfterValidator:
    return AfterValidator(Between(low, high, allowed))


# Bounds that single precision, in which scenes are traced and learned, is comfortable with.
Number = Annotated[float, Field(strict=True)]  # neither "1" nor true
Finite = Annotated[Number, _between(-1e6, 1e6, "a number in [-1e6, 1e6]")]
Positive = Annotated[Number, _between(1e-6, 1e6, "a number in [1e-6, 1e6]")]
NonNegative = Annotated[Number, _between(0.0, 1e6, "a number in [0, 1e6]")]
Unit = Annotated[Number, _between(0.0, 1.0, "in [0, 1]")]
FieldOfView = Annotated[Number, _between(1.0, 170.0, "in [1, 170] degrees")]
AngularRadius = Annotated[Number, _between(0.01, 90.0, "in [0.01, 90] degrees")]

Vector: TypeAlias = tuple[Finite, Finite, Finite]
Axes: TypeAlias = tuple[Positive, Positive, Positive]
Color: TypeAlias = tuple[Unit, Unit, Unit]
RGB: TypeAlias = tuple[NonNegative, NonNegative, NonNegative]


def _normalised(what: str) -> AfterValidator:
    """Makes the length 1, but leaves it alone within 1e-5 of that, so that what is read is what was written."""

    def normalise(vector: tuple[float, ...]) -> tuple[float, ...]:
        length = math.hypot(*vector)
        if length < 1e-6:
            raise PydanticCustomError("range", "must be {what} other than zero", {"what": what})
        if abs(length - 1) < 1e-5:
            return vector
        return tuple(component / length + 0.0 for component in vector)  # + 0.0: no −0.0, as above

    return AfterValidator(normalise)


Quaternion: TypeAlias = Annotated[tuple[Finite, Finite, Finite, Finite], _normalised("a quaternion (w, x, y, z)")]
Direction: TypeAlias = Annotated[Vector, _normalised("a vector")]

IDENTITY: Quaternion = (1.0, 0.0, 0.0, 0.0)


MIN_SPECULAR = 0.001
"""What a specular of 0 is taken for with transmission, as Mitsuba has it: an index of 1 would not refract."""


class _Model(BaseModel):
    """What all parts of a scene share: they do not change, and what makes one raises SceneError, as a file would."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def __init__(self, /, *unnamed: Any, **values: Any) -> None:
        if unnamed:
            kind = type(self)
            fields = ", ".join(f"{name}=…" for name, field in kind.model_fields.items() if field.is_required())
            raise SceneError(f"{kind.__name__} takes its fields by name: {kind.__name__}({fields})")
        try:
            super().__init__(**values)
        except ValidationError as error:
            kind = type(self)
            raise SceneError(explain(error, kind.__name__, {**_MODELS, "": kind})) from None

    # Else pydantic would call it for every part of a file, too, and mistakes would lose their places.
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]

    def model_copy(self: Kind, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Kind:
        """This with the fields of `update` changed. Raises SceneError for what could not be made anew."""
        return type(self)(**{**dict(self), **(update or {})})

    def copy(
        self: Kind,
        *,
        include: Any = None,
        exclude: Any = None,
        update: Mapping[str, Any] | None = None,
        deep: bool = False,
    ) -> Kind:
        """The same as `model_copy`, pydantic's newer name for it. Raises SceneError for a copy of some fields alone."""
        if include is not None or exclude is not None:
            kind = type(self).__name__
            raise SceneError(
                f"{kind}: some of its fields are no {kind}; take model_dump(include=…), which makes a dict"
            )
        return self.model_copy(update=update, deep=deep)

    def __setattr__(self, name: str, value: Any) -> None:
        """Raises SceneError: what is made stays as it is."""
        kind, told = type(self).__name__, f"model_copy(update={{{name!r}: {shortened(value, 40)}}})"
        raise SceneError(f"{kind}.{name} cannot be set, as a {kind} does not change; take {told}, which makes another")

    def __delattr__(self, name: str) -> None:
        """Raises SceneError: what is made stays as it is."""
        raise SceneError(f"{type(self).__name__}.{name} cannot be deleted, as a {type(self).__name__} does not change")

    def __setstate__(self, state: dict[Any, Any]) -> None:
        """What a pickle holds, checked as by the constructor. Raises SceneError."""
        super().__setstate__({**state, "__dict__": dict(type(self)(**state["__dict__"]))})

    @classmethod
    def model_construct(cls: type[Kind], _fields_set: set[str] | None = None, **values: Any) -> Kind:
        """The same as the constructor: there is no way around the checks."""
        return cls(**values)

    def __repr_args__(self) -> Iterator[tuple[str, Any]]:
        for name, field in type(self).model_fields.items():
            if (value := getattr(self, name)) != field.default:
                yield name, value


class Material(_Model):
    """Mitsuba's `principled` BSDF (Burley, "Physically Based Shading at Disney", 2012) plus emission.

    Names are Mitsuba's, except that `transmission` is its `spec_trans`. The BSDF's microfacet width is
    roughness², but not less than 0.001; with transmission, a specular of 0, which would not refract, is taken
    for 0.001.
    """

    base_color: Color = (0.5, 0.5, 0.5)
    metallic: Unit = 0.0
    specular: Unit = 0.5
    roughness: Unit = 0.5
    transmission: Unit = 0.0
    emission: RGB = (0.0, 0.0, 0.0)

    @property
    def is_emissive(self) -> bool:
        """Whether the surface emits any light."""
        return any(self.emission)


# Every object is the image of a unit shape, and says which by three properties, if they are no fields:
#   world = center + R(rotation) · (scale ∘ unit),
# where unit is a point of the ball x² + y² + z² ≤ 1, the cube [−1, 1]³, the cylinder x² + y² ≤ 1, |z| ≤ 1, the square
# [−1, 1]² or the disc x² + y² ≤ 1 at z = 0, or the half space z ≤ 0. `bounding_radius` is that of a sphere about
# `center` that holds the object.


class Sphere(_Model):
    """A sphere: the unit ball, scaled alike in all directions."""

    shape: Literal["sphere"] = "sphere"
    center: Vector
    radius: Positive
    material: Material = Material()

    @property
    def semi_axes(self) -> Axes:
        """The radius, three times: a sphere is an ellipsoid."""
        return self.radius, self.radius, self.radius

    @property
    def rotation(self) -> Quaternion:
        """The identity."""
        return IDENTITY

    @property
    def scale(self) -> Axes:
        """World from unit ball, scene units."""
        return self.semi_axes

    @property
    def bounding_radius(self) -> float:
        """The radius."""
        return self.radius


class Ellipsoid(_Model):
    """An ellipsoid: `semi_axes` along x, y, z, turned by the unit quaternion `rotation` (w, x, y, z)."""

    shape: Literal["ellipsoid"] = "ellipsoid"
    center: Vector
    rotation: Quaternion = IDENTITY
    semi_axes: Axes
    material: Material = Material()

    @property
    def scale(self) -> Axes:
        """World from unit ball, scene units."""
        return self.semi_axes

    @property
    def bounding_radius(self) -> float:
        """The longest semi-axis."""
        return max(self.semi_axes)


class Box(_Model):
    """A solid box: `half_extents` along its x, y, z, turned by `rotation`."""

    shape: Literal["box"] = "box"
    center: Vector
    rotation: Quaternion = IDENTITY
    half_extents: Axes
    material: Material = Material()

    @property
    def scale(self) -> Axes:
        """World from unit cube, scene units."""
        return self.half_extents

    @property
    def bounding_radius(self) -> float:
        """Distance of the corners from the centre."""
        return math.hypot(*self.half_extents)


class Cylinder(_Model):
    """A solid circular cylinder with flat caps, whose axis is its z, turned by `rotation`."""

    shape: Literal["cylinder"] = "cylinder"
    center: Vector
    rotation: Quaternion = IDENTITY
    radius: Positive
    half_height: Positive
    material: Material = Material()

    @property
    def scale(self) -> Axes:
        """World from unit cylinder, scene units."""
        return self.radius, self.radius, self.half_height

    @property
    def bounding_radius(self) -> float:
        """Distance of the rims from the centre."""
        return math.hypot(self.radius, self.half_height)


def _opaque(material: Material) -> Material:
    """What is no solid has nothing that light could pass through."""
    if material.transmission > 0:
        raise PydanticCustomError(
            "panel",
            "transmission is {value}, must be 0, as a panel has no inside; for glass use a thin box",
            {"value": repr(material.transmission)},
        )
    return material


class Panel(_Model):
    """A rectangle or an ellipse without thickness, in its x-y plane: `half_extents` along x and y.

    It reflects on both sides and emits on its front only, the side of its +z. It has no inside, so that its
    material cannot transmit.
    """

    shape: Literal["panel"] = "panel"
    center: Vector
    rotation: Quaternion = IDENTITY
    half_extents: tuple[Positive, Positive]
    outline: Literal["rectangle", "ellipse"] = "rectangle"
    material: Annotated[Material, AfterValidator(_opaque)] = Material()

    @property
    def scale(self) -> Axes:
        """World from unit square or disc, scene units; the third, of what has no extent, is 1."""
        return *self.half_extents, 1.0

    @property
    def bounding_radius(self) -> float:
        """Distance of the corners, or of the ellipse's farthest point, from the centre."""
        return math.hypot(*self.half_extents) if self.outline == "rectangle" else max(self.half_extents)


class Plane(_Model):
    """An infinite plane through `center`; outside is where `normal` points, inside the half space below.

    In all that depends on the side it is as a sphere of infinite radius: it emits towards the normal, and seen
    from below it is black unless it transmits.
    """

    shape: Literal["plane"] = "plane"
    center: Vector
    normal: Direction = (0.0, 0.0, 1.0)
    material: Material = Material()

    @property
    def rotation(self) -> Quaternion:
        """The shortest rotation that takes z to the normal n; half a turn about x if n is −z.

        q ∝ (1 + n_z, z × n), where 1 + n_z = (n_x² + n_y²) / (1 − n_z) is free of cancellation if n_z < 0.
        """
        length = math.hypot(*self.normal)
        x, y, z = (component / length for component in self.normal)
        across = math.hypot(x, y)
        w = 1 + z if z >= 0 else across * (across / (1 - z))
        norm = math.hypot(w, across)
        return (w / norm, -y / norm + 0.0, x / norm, 0.0) if norm > 0 else (0.0, 1.0, 0.0, 0.0)

    @property
    def scale(self) -> Axes:
        """Nothing to scale: 1."""
        return 1.0, 1.0, 1.0

    @property
    def bounding_radius(self) -> float:
        """Infinite."""
        return math.inf


Object: TypeAlias = Annotated[Sphere | Ellipsoid | Box | Cylinder | Panel | Plane, Field(discriminator="shape")]


def _camera_error(mistake: str, value: Vector) -> PydanticCustomError:
    return PydanticCustomError("camera", "{mistake} {value}", {"mistake": mistake, "value": str(value)})


_NO_EXTENT: Final = (
    "vertical_extent is missing; an orthographic camera needs it, the height of what its picture shows in scene units"
)
_NO_USE_OF_EXTENT: Final = 'vertical_extent is {value}, but only a camera of "projection": "orthographic" has one'


class Camera(_Model):
    """A camera at `position`; the picture's vertical lies along `up` as far as it can.

    Perspective: a pinhole, whose picture is `vertical_fov_degrees` high. Orthographic: parallel rays from the plane
    through `position` across the viewing direction; its picture is `vertical_extent` scene units high. The field of
    the other projection means nothing, takes its default and is in no JSON.
    """

    position: Vector
    look_at: Vector
    up: Vector = (0.0, 0.0, 1.0)
    vertical_fov_degrees: FieldOfView = 40.0
    projection: Literal["perspective", "orthographic"] = "perspective"
    vertical_extent: Positive | None = None

    @model_validator(mode="after")
    def _has_a_frame(self) -> "Camera":
        forward = tuple(b - a for a, b in zip(self.position, self.look_at, strict=True))
        distance, height = math.hypot(*forward), math.hypot(*self.up)
        if distance < 1e-6:
            raise _camera_error("look_at must differ from position, both are", self.position)
        if height < 1e-6:
            raise _camera_error("up must not be zero, it is", self.up)
        cosine = sum(a * b for a, b in zip(forward, self.up, strict=True)) / (distance * height)
        if abs(cosine) > 1 - 1e-8:
            raise _camera_error("up must not be parallel to the viewing direction, it is", self.up)
        return self

    @model_validator(mode="after")
    def _has_an_extent(self) -> "Camera":
        if self.is_orthographic:
            if self.vertical_extent is None:
                raise PydanticCustomError("camera", _NO_EXTENT)
            self.__dict__["vertical_fov_degrees"] = Camera.model_fields["vertical_fov_degrees"].default
        elif self.vertical_extent is not None:
            raise PydanticCustomError("camera", _NO_USE_OF_EXTENT, {"value": str(self.vertical_extent)})
        return self

    @model_serializer(mode="wrap")
    def _used_fields(self, serialize: Any) -> dict[str, Any]:
        """A perspective camera is written as before there were others."""
        return {name: value for name, value in serialize(self).items() if name not in self.unused_fields}

    @property
    def is_orthographic(self) -> bool:
        """Whether its rays are parallel."""
        return self.projection == "orthographic"

    @property
    def unused_fields(self) -> tuple[str, ...]:
        """The fields that say nothing of this projection, or are at their defaults by it."""
        return ("vertical_fov_degrees",) if self.is_orthographic else ("projection", "vertical_extent")


class Sun(_Model):
    """A disc at infinity, seen alike from everywhere: of `angular_radius_degrees` about `direction`, towards the sun.

    What it adds to the sky. A surface that faces it has the irradiance π sin²(angular radius) times the radiance.
    """

    direction: Direction
    angular_radius_degrees: AngularRadius = 0.265
    radiance: RGB


class GradientSky(_Model):
    """A sky that changes with height alone: the radiance at the horizon blends into the zenith's and the ground's.

    Towards a unit vector (x, y, z): horizon + (pole − horizon) √|z|, the pole being the zenith for z > 0 and the ground
    below. Level ground has the irradiance π (0.2 horizon + 0.8 zenith).
    """

    kind: Literal["gradient"] = "gradient"
    zenith: RGB
    horizon: RGB
    ground: RGB = (0.0, 0.0, 0.0)

    @property
    def is_lit(self) -> bool:
        """Whether any light comes from it."""
        return any((*self.zenith, *self.horizon, *self.ground))


class MapSky(_Model):
    """A sky that a picture shows: an environment map, of an .exr or .hdr file, turned about z; see `environment`.

    `file` is a path, from the scene's file on or else from the current folder, and becomes a full one; or the file
    itself, after `environment.EMBEDDED` or `LOSSLESS`. What the map is, and so which sky and which scene this is,
    `sha256` says, not where it lies.
    """

    kind: Literal["map"] = "map"
    file: Annotated[str, Field(strict=True)]
    rotation_degrees: Finite = 0.0
    """Anticlockwise, seen from above."""
    scale: NonNegative = 1.0
    """Of the map's radiance."""
    sha256: Annotated[str, Field(strict=True)] | None = None
    """Of the texels, told when it is read; given, a check that the file has not changed."""

    @staticmethod
    def of(texels: Any, **fields: Any) -> "MapSky":
        """The sky of an array [height, width, 3] of linear radiance, kept within the scene itself.

        It is rounded as in an .hdr file, to 8 bits of every texel's largest channel. Raises SceneError, an InputError,
        for what is no radiance.
        """
        found = np.asarray(texels)
        if found.ndim != 3 or found.shape[2] != 3 or not np.issubdtype(found.dtype, np.number):
            raise SceneError(f"MapSky: texels is of shape {found.shape}, must be numbers [height, width, 3]")
        try:
            checked = environment_map(found.astype(np.float32), "texels").texels
        except InputError as error:
            raise SceneError(f"MapSky: {error}") from None
        return MapSky(file=embedded(checked), **fields)

    @model_validator(mode="after")
    def _is_there(self) -> "MapSky":
        file = self.file if is_within_scene(self.file) else os.path.abspath(self.file)
        try:
            found = read_map(file)
        except InputError as error:
            raise PydanticCustomError("map", "file: {error}", {"error": str(error)}) from None
        if self.sha256 not in (None, found.sha256):
            told = {"error": f"{cut(file)} has changed, its texels' SHA-256 is now {found.sha256}; leave out sha256"}
            raise PydanticCustomError("map", "file: {error}", told)
        self.__dict__.update(file=file, sha256=found.sha256)
        return self

    @property
    def map(self) -> EnvironmentMap:
        """Its texels. Raises InputError if the file has changed since."""
        found = read_map(self.file)
        if found.sha256 != self.sha256:
            raise InputError(f"{cut(self.file)} has changed since the scene was read; read the scene again")
        return found

    @property
    def is_lit(self) -> bool:
        """Whether any light comes from it."""
        return self.scale > 0 and bool(self.map.texels.any())

    def _content(self) -> tuple[Any, ...]:
        return self.sha256, self.rotation_degrees, self.scale

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MapSky) and self._content() == other._content()

    def __hash__(self) -> int:
        return hash(self._content())

    def __repr_args__(self) -> Iterator[tuple[str, Any]]:
        for name, value in super().__repr_args__():
            yield name, cut(value) if name == "file" else value


Sky: TypeAlias = Annotated[GradientSky | MapSky, Field(discriminator="kind")]


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


class Scene(_Model):
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
        return self._with(camera={**dict(self.camera), **changes})

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

        A map's file is named from there on. Raises InputError, naming the file.
        """
        values = _values(self)
        if isinstance(self.sky, MapSky) and not is_within_scene(self.sky.file):
            values["sky"]["file"] = _from_folder(self.sky.file, Path(path).parent)
        if Path(path).suffix == binary.SUFFIX:
            try:
                content = binary.to_bytes(self, values)
            except binary.TooLongError as error:  # a large map within it
                raise SceneError(f"{path}: {error}; save it as .json") from None
            write_atomically(Path(path), content)
        else:
            write_atomically(Path(path), f"{json.dumps(values, sort_keys=True, indent=2)}\n".encode())

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
        _check_version(values, source)
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
            raise SceneError(explain(error, source, _MODELS)) from None

    @staticmethod
    def load(path: str | Path) -> "Scene":
        """Read a scene from a JSON file, or its binary form if the path ends in .safetensors; raises SceneError."""
        content, folder = read_scene_file(path), Path(path).parent
        if Path(path).suffix == binary.SUFFIX:
            return Scene.from_values(_binary_values(content, str(path)), str(path), folder)
        return Scene.from_json(content, str(path), folder)


def scene_id(scene: Scene) -> str:
    """Name a scene by its content: SHA-256 of its canonical JSON, as 64 hexadecimal digits.

    Of a map the content counts, not the name of its file.
    """
    return hashlib.sha256(_without_map(scene).encode()).hexdigest()


def stored_json(scene: Scene) -> str:
    """Canonical JSON for where a map is stored once beside all its scenes: `sky` has no `file`, but `sha256` names it.

    Only an EMBEDDED map stays within. Equal scenes have equal text, wherever their maps lie.
    """
    is_beside = isinstance(scene.sky, MapSky) and not scene.sky.file.startswith(EMBEDDED)
    return _without_map(scene) if is_beside else scene.to_json()


def _without_map(scene: Scene) -> str:
    """Canonical JSON, without the name of a map's file."""
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


# Where a name stands in a mistake's location, and whose fields are known there; "" is the scene itself.
_MODELS: dict[str, type[BaseModel]] = {
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


def _plural(shape: str) -> str:
    return shape + ("es" if shape.endswith("x") else "s")


def read_scene_file(path: str | Path) -> bytes:
    """What is in a file of a scene; raises SceneError."""
    if not isinstance(path, str | Path):
        raise SceneError(f"path is {shortened(path)}, must be the path of a JSON file")
    if Path(path).suffix.lower() in FOREIGN:
        made = f"{Path(path).stem}.json"
        raise SceneError(printable(f"{path}: is of another program; make a scene of it: luxel convert {path} {made}"))
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
def _binary_values(content: bytes, source: str) -> dict[str, Any]:
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
        data = json.loads(text, object_pairs_hook=fields)
        where = next((path for values, name in repeated for path in _paths(data, values, name)), None)
    except RecursionError:
        raise SceneError(f"{source}: nested too deeply; a scene has five levels") from None
    except ValueError as error:  # also bytes that are not UTF-8
        raise SceneError(printable(f"{source}: {why_not_json(text, error)}; {WHAT_A_SCENE_IS}")) from None
    if repeated:
        raise SceneError(printable(f"{source}: {where or repeated[0][1]} is given twice; give it once"))
    return data


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


def _check_version(data: Any, source: str) -> None:
    if not isinstance(data, dict):
        raise SceneError(f"{source}: must be a JSON object with objects, camera and background; {WHAT_A_SCENE_IS}")
    version = shortened(data["schema_version"]) if "schema_version" in data else "missing"
    if version != repr(SCHEMA_VERSION):
        raise SceneError(
            f"{source}: schema_version is {version}, must be {SCHEMA_VERSION}, "
            "the only version of the scene format that this Luxel reads"
        )
