"""The shapes of objects: all kinds of solids, and panels."""

import math
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from luxel.scene.description.bounds import IDENTITY, Axes, Direction, Positive, Quaternion, Vector
from luxel.scene.description.material import Material
from luxel.scene.description.model import SceneModel

# Every object is the image of a unit shape, and says which by three properties, if they are no fields:
#   world = center + R(rotation) · (scale ∘ unit),
# where unit is a point of the ball x² + y² + z² ≤ 1, the cube [−1, 1]³, the cylinder x² + y² ≤ 1, |z| ≤ 1, the square
# [−1, 1]² or the disc x² + y² ≤ 1 at z = 0, or the half space z ≤ 0. `bounding_radius` is that of a sphere about
# `center` that holds the object.


class Sphere(SceneModel):
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


class Ellipsoid(SceneModel):
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


class Box(SceneModel):
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


class Cylinder(SceneModel):
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


class Panel(SceneModel):
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


class Plane(SceneModel):
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
