"""The camera of a scene."""

import math
from collections.abc import Mapping
from typing import Any, Final, Literal

from pydantic import model_serializer, model_validator
from pydantic_core import PydanticCustomError

from luxel.scene.description.bounds import FieldOfView, Positive, Vector
from luxel.scene.description.model import SceneModel
from luxel.scene.limits import MIN_LENGTH


def _camera_error(mistake: str, value: Vector) -> PydanticCustomError:
    return PydanticCustomError("camera", "{mistake} {value}", {"mistake": mistake, "value": str(value)})


_NO_UP: Final = "up must not be parallel to the viewing direction, it is {up}; give another up, such as {other}"
_NO_EXTENT: Final = (
    "vertical_extent is missing; an orthographic camera needs it, the height of what its picture shows in scene units"
)
_NO_USE_OF_EXTENT: Final = 'vertical_extent is {value}, but only a camera of "projection": "orthographic" has one'

_NO_USE_OF_FOV: Final = (
    "vertical_fov_degrees is {value}, but an orthographic camera has none; leave it out, as vertical_extent says how "
    "high its picture is"
)


def _another_up(up: Vector) -> Vector:
    """The axis that is least along this one, which is along the view: y, if it is z."""
    x, y, z = (abs(component) for component in up)
    if y <= x and y <= z:
        return 0.0, 1.0, 0.0
    return (1.0, 0.0, 0.0) if x <= z else (0.0, 0.0, 1.0)


class Camera(SceneModel):
    """A camera at `position`; the picture's vertical lies along `up` as far as it can.

    Perspective: a pinhole, whose picture is `vertical_fov_degrees` high. Orthographic: parallel rays from the plane
    through `position` across the viewing direction; its picture is `vertical_extent` scene units high. The field of
    the other projection is refused, unless at its default, and is in no JSON.
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
        if distance < MIN_LENGTH:
            raise _camera_error("look_at must differ from position, both are", self.position)
        if height < MIN_LENGTH:
            raise _camera_error("up must not be zero, it is", self.up)
        cosine = sum(a * b for a, b in zip(forward, self.up, strict=True)) / (distance * height)
        if abs(cosine) > 1 - 1e-8:
            raise PydanticCustomError("camera", _NO_UP, {"up": str(self.up), "other": str(_another_up(self.up))})
        return self

    @model_validator(mode="after")
    def _has_an_extent(self) -> "Camera":
        if self.is_orthographic:
            if self.vertical_extent is None:
                raise PydanticCustomError("camera", _NO_EXTENT)
            if self.vertical_fov_degrees != Camera.model_fields["vertical_fov_degrees"].default:
                raise PydanticCustomError("camera", _NO_USE_OF_FOV, {"value": str(self.vertical_fov_degrees)})
        elif self.vertical_extent is not None:
            raise PydanticCustomError("camera", _NO_USE_OF_EXTENT, {"value": str(self.vertical_extent)})
        return self

    @model_serializer(mode="wrap")
    def _used_fields(self, serialize: Any) -> dict[str, Any]:
        """A perspective camera is written as before there were others."""
        return {name: value for name, value in serialize(self).items() if name not in self.unused_fields}

    def changed(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """The fields, with those of `changes`; the field of view stays behind where the projection becomes parallel."""
        fields = {**dict(self), **changes}
        if changes.get("projection") == "orthographic" and "vertical_fov_degrees" not in changes:
            del fields["vertical_fov_degrees"]
        return fields

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> "Camera":
        """This with the fields of `update` changed, as by `changed`. Raises SceneError."""
        return Camera(**self.changed(update or {}))

    @property
    def is_orthographic(self) -> bool:
        """Whether its rays are parallel."""
        return self.projection == "orthographic"

    @property
    def unused_fields(self) -> tuple[str, ...]:
        """The fields that say nothing of this projection, or are at their defaults by it."""
        return ("vertical_fov_degrees",) if self.is_orthographic else ("projection", "vertical_extent")
