"""What is infinitely far: the sun, and skies by a gradient or an environment map."""

import os
from collections.abc import Iterator
from typing import Annotated, Any, Literal, TypeAlias

import numpy as np
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from luxel import InputError
from luxel.configuration import cut
from luxel.scene.description.bounds import RGB, AngularRadius, Direction, Finite, NonNegative
from luxel.scene.description.model import SceneModel
from luxel.scene.environment import EnvironmentMap, embedded, environment_map, is_within_scene, read_map
from luxel.scene.errors import SceneError


class Sun(SceneModel):
    """A disc at infinity, seen alike from everywhere: of `angular_radius_degrees` about `direction`, towards the sun.

    What it adds to the sky. A surface that faces it has the irradiance π sin²(angular radius) times the radiance.
    """

    direction: Direction
    angular_radius_degrees: AngularRadius = 0.265
    radiance: RGB


class GradientSky(SceneModel):
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


class MapSky(SceneModel):
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
