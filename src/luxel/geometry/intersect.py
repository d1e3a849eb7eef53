"""Where rays meet ellipsoids: exactly, in the space where an ellipsoid is the unit sphere.

Shapes: rays are [blocks, lanes], the lanes of a block being of one scene; `nearest` takes the ellipsoids of each
block's scene as [objects, blocks, 1], everything else one for each ray.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int32
from torch import Tensor

from luxel.geometry.vectors import Matrix, Vector, dot, normalised, square_length, transform, transform_transposed

NOTHING = -1
"""The object that a ray hits when it hits none, or starts on when it starts in the open."""
SHAPE_FIELDS = 16  # of a row: center 3, unit_from_world 9, square_axes 3, volume 1


class Shapes(NamedTuple):
    """Ellipsoids. Unit space is where one is the unit sphere: unit = unit_from_world @ (world − center)."""

    center: Vector
    unit_from_world: Matrix
    square_axes: Vector  # squared semi-axes: world_from_unit = unit_from_worldᵀ · these
    volume: Float[Tensor, "*lanes"]  # product of the semi-axes, the determinant of world_from_unit

    @staticmethod
    def of(fields: Sequence[Float[Tensor, "*lanes"]]) -> "Shapes":
        """The ellipsoids of these SHAPE_FIELDS fields."""
        f = fields
        matrix = Matrix(Vector(*f[3:6]), Vector(*f[6:9]), Vector(*f[9:12]))
        return Shapes(Vector(*f[0:3]), matrix, Vector(*f[12:15]), f[15])


class Nearest(NamedTuple):
    """The first object along a ray."""

    item: Int32[Tensor, "blocks lanes"]  # or NOTHING
    distance: Float[Tensor, "blocks lanes"]  # infinite for NOTHING


class Hit(NamedTuple):
    """Where a ray arrives."""

    point: Vector
    normal: Vector  # outwards, unit length
    density: Float[Tensor, "*lanes"]  # see `cone_density`


def nearest(
    shapes: Shapes,
    real: Bool[Tensor, "objects blocks 1"],
    origin: Vector,
    direction: Vector,
    own: Int32[Tensor, "blocks lanes"],
) -> Nearest:
    """The first object along each ray; `own` is the one on whose surface the ray starts, or NOTHING.

    Directions are of unit length.
    """
    numbers = torch.arange(real.shape[0], dtype=torch.int32, device=own.device)[:, None, None]
    apart = torch.where(real, distance(shapes, origin, direction, own == numbers), torch.inf)
    least, item = torch.min(apart, dim=0)
    return Nearest(torch.where(least == torch.inf, NOTHING, item.int()), least)


def distance(
    shape: Shapes, origin: Vector, direction: Vector, is_own: Bool[Tensor, "*lanes"]
) -> Float[Tensor, "*lanes"]:
    """How far along the ray a shape is, infinite if the ray misses it.

    A ray leaves its own surface only through the far side and needs no offset, since one root of its
    quadratic is known to be 0.

    The discriminant is taken from the vector to the closest approach (Haines et al., "Precision Improvements
    for Ray/Sphere Intersection", Ray Tracing Gems, 2019, ch. 7). One root adds numbers of the same sign, and the
    other is the roots' product over it. Every result is used as few times as can be, since the compiler pastes
    each into its uses before it finds what they have in common.
    """
    start = transform(shape.unit_from_world, origin - shape.center)
    along = transform(shape.unit_from_world, direction)
    over_a = 1 / square_length(along)
    middle = -dot(start, along) * over_a  # distance of the closest approach
    excess = 1 - square_length(start + along.scaled(middle))
    sure = middle + torch.copysign((excess.clamp(min=0) * over_a).sqrt(), middle)
    c = square_length(start) - 1
    towards = middle > 0
    apart = torch.where(towards == (c > 0), c * over_a / sure, sure)
    meets = torch.where(is_own, towards, (excess > 0) & (towards | (c < 0)))
    return torch.where(meets, torch.where(is_own, 2 * middle, apart), torch.inf)


def arrival(shape: Shapes, origin: Vector, direction: Vector, along_ray: Float[Tensor, "*lanes"]) -> Hit:
    """Where rays meet the shapes, which are at that distance; anything where it is infinite."""
    start = transform(shape.unit_from_world, origin - shape.center)
    along = transform(shape.unit_from_world, direction)
    on_sphere = normalised(start + along.scaled(torch.where(along_ray == torch.inf, 0.0, along_ray)))
    return Hit(
        from_unit(shape, on_sphere),
        normalised(transform_transposed(shape.unit_from_world, on_sphere)),
        cone_density(shape, start, along),
    )


def from_unit(shape: Shapes, point: Vector) -> Vector:
    """World position of a point in unit space."""
    return shape.center + turned(shape, point)


def turned(shape: Shapes, vector: Vector) -> Vector:
    """World vector of a vector in unit space; its length changes."""
    return transform_transposed(shape.unit_from_world, shape.square_axes * vector)


def one_minus_cosine(square_distance: Float[Tensor, "*lanes"]) -> Float[Tensor, "*lanes"]:
    """1 − cos of the half-angle under which the unit sphere appears, from its centre's squared distance.

    sin² / (1 + cos), which loses nothing when the sphere is far. From inside the sphere it is that of a
    hemisphere.
    """
    sine_square = 1 / square_distance.clamp(min=1.0)
    return sine_square / (1 + (1 - sine_square).clamp(min=0).sqrt())


def cone_density(shape: Shapes, start: Vector, along: Vector) -> Float[Tensor, "*lanes"]:
    """Density per steradian of the world direction `along`, where directions are uniform in unit space's cone.

    The cone from `start`, outside, to the unit sphere holds exactly the directions that hit the ellipsoid.
    A linear map A takes a solid angle dω' about the unit vector ω' to |det A| / |A ω'|³ dω'; for a sphere this
    is the usual sampling of its solid angle. `start` and `along` are in unit space, the latter of the length
    that a world unit vector has there.
    """
    stretch = square_length(along)
    solid_angle = 2 * torch.pi * one_minus_cosine(square_length(start))
    return 1 / (solid_angle * stretch * stretch.sqrt() * shape.volume)
