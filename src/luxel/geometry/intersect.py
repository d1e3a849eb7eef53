"""Where rays meet ellipsoids: exactly, in the space where an ellipsoid is the unit sphere.

Shapes: rays are [..., scenes, lanes]; every lane of a scene meets all of its objects.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from luxel.geometry.vectors import dot, normalised, transform, transform_transposed

NOTHING = -1
"""The object that a ray hits when it hits none, or starts on when it starts in the open."""


class Shapes(NamedTuple):
    """Ellipsoids. Unit space is where one is the unit sphere: unit = unit_from_world @ (world − center)."""

    center: Float[Tensor, "3 *objects"]
    unit_from_world: Float[Tensor, "3 3 *objects"]
    square_axes: Float[Tensor, "3 *objects"]  # squared semi-axes: world_from_unit = unit_from_worldᵀ · these
    volume: Float[Tensor, "*objects"]  # product of the semi-axes, the determinant of world_from_unit


class Hit(NamedTuple):
    """The nearest surface along a ray; only `item` means anything where it is NOTHING."""

    item: Int64[Tensor, "scenes lanes"]
    point: Float[Tensor, "3 scenes lanes"]
    normal: Float[Tensor, "3 scenes lanes"]  # outwards, unit length
    density: Float[Tensor, "scenes lanes"]  # see `cone_density`


def nearest(
    shapes: Shapes,
    real: Bool[Tensor, "scenes objects"],
    origin: Float[Tensor, "3 scenes lanes"],
    direction: Float[Tensor, "3 scenes lanes"],
    own: Int64[Tensor, "scenes lanes"],
) -> Hit:
    """The first object along each ray; `own` is the one on whose surface the ray starts, or NOTHING.

    A ray leaves its own surface only through the far side and needs no offset, since one root of its
    quadratic is known to be 0. Directions are of unit length; the shapes are [..., scenes, objects].
    """
    distance, item = torch.min(_distances(every_ray(shapes), real, origin, direction, own), dim=0)
    missed = distance == torch.inf
    found = Shapes(*gathered(shapes, item))
    start = transform(found.unit_from_world, origin - found.center)
    along = transform(found.unit_from_world, direction)
    on_sphere = normalised(start + torch.where(missed, 0.0, distance) * along)
    return Hit(
        torch.where(missed, NOTHING, item),
        from_unit(found, on_sphere),
        normalised(transform_transposed(found.unit_from_world, on_sphere)),
        cone_density(found, start, along),
    )


def from_unit(shape: Shapes, point: Float[Tensor, "3 *lanes"]) -> Float[Tensor, "3 *lanes"]:
    """World position of a point in unit space."""
    return shape.center + turned(shape, point)


def turned(shape: Shapes, vector: Float[Tensor, "3 *lanes"]) -> Float[Tensor, "3 *lanes"]:
    """World vector of a vector in unit space; its length changes."""
    return transform_transposed(shape.unit_from_world, shape.square_axes * vector)


def one_minus_cosine(square_distance: Float[Tensor, "*lanes"]) -> Float[Tensor, "*lanes"]:
    """1 − cos of the half-angle under which the unit sphere appears, from its centre's squared distance.

    sin² / (1 + cos), which loses nothing when the sphere is far. From inside the sphere it is that of a
    hemisphere.
    """
    sine_square = 1 / square_distance.clamp(min=1.0)
    return sine_square / (1 + (1 - sine_square).clamp(min=0).sqrt())


def cone_density(
    shape: Shapes, start: Float[Tensor, "3 *lanes"], along: Float[Tensor, "3 *lanes"]
) -> Float[Tensor, "*lanes"]:
    """Density per steradian of the world direction `along`, where directions are uniform in unit space's cone.

    The cone from `start`, outside, to the unit sphere holds exactly the directions that hit the ellipsoid.
    A linear map A takes a solid angle dω' about the unit vector ω' to |det A| / |A ω'|³ dω'; for a sphere this
    is the usual sampling of its solid angle. `start` and `along` are in unit space, the latter of the length
    that a world unit vector has there.
    """
    stretch = dot(along, along)
    solid_angle = 2 * torch.pi * one_minus_cosine(dot(start, start))
    return 1 / (solid_angle * stretch * stretch.sqrt() * shape.volume)


def every_ray(shapes: Shapes) -> Shapes:
    """[..., scenes, objects] as [..., objects, scenes, 1], to broadcast against rays."""
    return Shapes(*(field.transpose(-1, -2)[..., None] for field in shapes))


def gathered(fields: Sequence[Tensor], index: Int64[Tensor, "scenes lanes"]) -> list[Tensor]:
    """For each field [..., scenes, objects], its values [..., scenes, lanes] at the objects `index`."""
    rows = [field.reshape(-1, *field.shape[-2:]) for field in fields]
    table = torch.cat(rows)
    values = table.gather(2, index[None].expand(len(table), *index.shape))
    parts = values.split([len(row) for row in rows])
    return [part.reshape(*field.shape[:-2], *index.shape) for part, field in zip(parts, fields, strict=True)]


def _distances(
    shapes: Shapes,
    real: Bool[Tensor, "scenes objects"],
    origin: Float[Tensor, "3 scenes lanes"],
    direction: Float[Tensor, "3 scenes lanes"],
    own: Int64[Tensor, "scenes lanes"],
) -> Float[Tensor, "objects scenes lanes"]:
    """Distance to each object, infinite where the ray misses it.

    The discriminant is taken from the vector to the closest approach (Haines et al., "Precision Improvements
    for Ray/Sphere Intersection", Ray Tracing Gems, 2019, ch. 7), and the roots avoid the difference of nearly
    equal numbers (the usual q = −b ∓ √…).
    """
    start = transform(shapes.unit_from_world, origin[:, None] - shapes.center)
    along = transform(shapes.unit_from_world, direction[:, None])
    a = dot(along, along)
    b = dot(start, along)
    approach = start - (b / a) * along
    excess = 1 - dot(approach, approach)
    root = (excess.clamp(min=0) * a).sqrt()
    q = torch.where(b < 0, root - b, -root - b)
    c = dot(start, start) - 1
    towards = b < 0
    outside = c > 0
    distance = torch.where(towards == outside, c / q, q / a)
    reachable = (excess > 0) & (distance > 0) & (towards | ~outside)
    is_own = own[None] == torch.arange(len(a), device=own.device)[:, None, None]
    distance = torch.where(is_own, -2 * b / a, distance)
    return torch.where((reachable | is_own) & (distance > 0) & real.T[:, :, None], distance, torch.inf)
