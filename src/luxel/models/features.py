"""What the ray model's network reads of points, of their objects, and of the emitters that light them.

Shapes: [..., lanes] before features are stacked, features last after; see `luxel.models.surface`.
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from luxel.geometry.arrays import dot, transform
from luxel.models.surface import (
    Frame,
    Material,
    Nested,
    Onward,
    Points,
    Seen,
    ShapeArrays,
    Surfaces,
    by_lane,
    clearance,
    mirror_direction,
)

POINT_FEATURES, PAIR_FEATURES, EMITTER_FEATURES = 14, 25, 6
LARGEST, SMALLEST = 10.0, 1e-3
"""Apparent sizes (radius over distance) beyond which more or less tells nothing."""
UNKNOWN = -2
"""The object that a ray meets which was not followed."""


class Followed(NamedTuple):
    """Where each point's mirror ray and refracted ray went: objects, NOTHING, or UNKNOWN if not followed."""

    mirror: Int64[Tensor, " lanes"]
    through: Int64[Tensor, " lanes"]
    origin: Float[Tensor, "3 lanes"]  # where the refracted ray leaves the point's object, or the point
    direction: Float[Tensor, "3 lanes"]  # of the refracted ray then, or straight on


def followed(points: Points, mirror: Onward | None, through: Onward | None) -> Followed:
    """Spread what was followed over all lanes."""
    nowhere = torch.full_like(points.item, UNKNOWN)
    if mirror is None or through is None:
        return Followed(nowhere, nowhere, points.position, points.direction)
    return Followed(
        nowhere.index_copy(0, mirror.source, mirror.points.item),
        nowhere.index_copy(0, through.source, through.points.item),
        points.position.index_copy(1, through.source, through.origin),
        points.direction.index_copy(1, through.source, through.points.direction),
    )


def point_features(points: Points, material: Material, onward: Followed) -> Float[Tensor, "lanes point_features"]:
    """The material, the angle that it is seen at, and what came of the rays onward."""
    columns = [
        material.cosine,
        (1 - material.cosine).clamp(0, 1) ** 5,
        material.fresnel,
        material.metallic,
        material.eta - 1,
        material.roughness,
        material.roughness.sqrt(),
        material.transmission,
        points.inside,
        material.base_color.mean(0),
        *(ray == UNKNOWN for ray in onward[:2]),
        *(ray >= 0 for ray in onward[:2]),
    ]
    return torch.stack([column.float() for column in columns], -1)


class Approach(NamedTuple):
    """How near every point's mirror ray and refracted ray come to each object; see `clearance`."""

    mirror: Float[Tensor, "objects lanes"]
    mirror_ahead: Bool[Tensor, "objects lanes"]
    through: Float[Tensor, "objects lanes"]
    through_ahead: Bool[Tensor, "objects lanes"]


def approach(points: Points, seen: Seen, onward: Followed) -> Approach:
    """See Approach."""
    mirror, before = clearance(seen.shapes, points.position[:, None], mirror_direction(points)[:, None])
    through, beyond = clearance(seen.shapes, onward.origin[:, None], onward.direction[:, None])
    return Approach(mirror, before > 0, through, beyond > 0)


def lobe(
    past: Float[Tensor, " rows"],
    ahead: Bool[Tensor, " rows"],
    size: Float[Tensor, " rows"],
    roughness: Float[Tensor, " rows"],
    cosine: Float[Tensor, " rows"],
) -> Float[Tensor, " rows"]:
    """About which part of a GGX lobe round a ray a lamp fills, from the ray's clearance of it.

    The density at the lamp's nearest point times its solid angle, at most 1, with the loss of height that a lamp's
    width brings (Karis, "Real Shading in Unreal Engine 4", 2013, representative points).
    """
    square = roughness.pow(4).clamp(min=1e-6)
    gap = torch.where(ahead, ((past - 1) * size).clamp(0, 2), 2.0)
    slope = gap.square() / 4
    height = square / (1 + (square - 1) / (1 + slope)).square()
    wide = square / (square + size.square() / 4)
    return (height * wide * size.square() / (4 * cosine.clamp(min=0.1))).clamp(max=1)


def pair_features(
    scenes: Surfaces, points: Points, seen: Seen, near: Approach, axes: Frame, onward: Followed
) -> Float[Tensor, "objects lanes pair_features"]:
    """Where and how large each object is seen from each point, how near to the rays onward, and of which material."""
    local = [dot(axis[:, None].expand_as(seen.direction), seen.direction) for axis in axes]
    columns = [*local, seen.size / (1 + seen.size), 0.3 * seen.size.clamp(SMALLEST, LARGEST).log()]
    columns += [(local[2] + seen.height).clamp(-2, 2), (local[2] - seen.height).clamp(-2, 2)]
    columns += [seen.size.square().clamp(max=1) * local[2].clamp(min=0)]
    columns += orientation(seen.shapes, axes)
    for past, ahead in (near[:2], near[2:]):
        columns += [torch.where(ahead, 1 / (1 + past.square()), 0.0), torch.where(ahead, (past - 1).clamp(-1, 2), 2.0)]
    numbers = torch.arange(len(seen.size), device=seen.size.device)[:, None]
    columns += [(item == numbers).float() for item in (points.item, onward.mirror, onward.through)]
    materials = (scenes.metallic, scenes.eta - 1, scenes.roughness, scenes.transmission, scenes.base_color.mean(0))
    columns += [by_lane(field, points.scene).T.expand_as(seen.size) for field in materials]
    return torch.stack(columns).mul_(seen.real).permute(1, 2, 0)


def orientation(shapes: ShapeArrays, axes: Frame) -> list[Float[Tensor, "objects lanes"]]:
    """The tensor of the squared semi-axes in the points' frame, over its trace: 0 for spheres.

    Five numbers say all, whatever the order of the axes and whichever rotation gives them.
    """
    trace = shapes.square_axes.sum(0)
    x, y, z = (transform(shapes.unit_from_world, axis[:, None]) * shapes.square_axes for axis in axes)
    diagonal = [3 * dot(one, one) / trace - 1 for one in (x, y)]
    return [*diagonal, *(3 * dot(one, other) / trace for one, other in ((x, y), (x, z), (y, z)))]


class Emitters(NamedTuple):
    """The objects of each scene that emit, in slots."""

    item: Int64[Tensor, "scenes slots"]
    real: Bool[Tensor, "scenes slots"]
    radiance: Float[Tensor, "3 scenes slots"]


def emitters(emission: Float[Tensor, "batch objects 3"], mask: Bool[Tensor, "batch objects"]) -> Emitters:
    """As many slots as the scene with the most lamps needs."""
    emissive = (emission > 0).any(-1) & mask
    slots = int(emissive.sum(1).max())
    item = emissive.int().argsort(dim=1, descending=True, stable=True)[:, :slots]
    real = emissive.gather(1, item)
    radiance = emission.gather(1, item[..., None].expand(-1, -1, 3)) * real[..., None]
    return Emitters(item, real, radiance.movedim(-1, 0))


class Lit(NamedTuple):
    """The pairs of a point and a lamp elsewhere in its scene, one a row."""

    lane: Int64[Tensor, " rows"]
    slot: Int64[Tensor, " rows"]
    item: Int64[Tensor, " rows"]
    irradiance: Float[Tensor, " rows"]  # by a lamp of unit radiance, over π
    scale: Float[Tensor, " rows"]  # its solid angle, at most that of a hemisphere, over π
    mirror: Float[Tensor, " rows"]  # part of the lobe round the mirror ray that it fills, in view
    through: Float[Tensor, " rows"]  # the same of the refracted ray
    features: Float[Tensor, "rows emitter_features"]


def lit(lamps: Emitters, points: Points, material: Material, seen: Seen, near: Approach) -> Lit:
    """How far each lamp is in view of each point.

    The irradiance is that of a sphere of equal volume (Lambert's cos θ sin²α, fading at the horizon); a lamp behind
    others is covered as a disc by straight edges at each occluder's exact clearance.
    """
    lane, slot = (lamps.real[points.scene] & (lamps.item[points.scene] != points.item[:, None])).nonzero(as_tuple=True)
    item = lamps.item[points.scene[lane], slot]
    direction = seen.direction[:, item, lane]
    distance, size, height = (field[item, lane] for field in (seen.distance, seen.size, seen.height))
    past, where = clearance(seen.shapes_of(lane), points.position[:, None, lane], direction[:, None])
    numbers = torch.arange(len(past), device=past.device)[:, None]
    between = (where > 0) & (where < distance) & (numbers != item) & ~seen.own[:, lane]
    between &= seen.real if seen.real.shape[1] == 1 else seen.real[:, lane]
    ratio = seen.size[:, lane] / size.clamp(min=SMALLEST)
    overlap = ((1 + ratio - past * ratio) / (2 * ratio.clamp(SMALLEST, 1))).clamp(0, 1)
    covered = overlap * ratio.square().clamp(max=1)
    visible = torch.where(between, 1 - covered, 1.0).prod(0)
    cosine = dot(direction, points.normal[:, lane])
    above = ((cosine + height) / (2 * height).clamp(min=1e-6)).clamp(0, 1)
    slope = torch.where(cosine > height, cosine, above.square() * height.clamp(max=1))
    solid = size.square().clamp(max=1)
    direct = solid * slope * visible
    logs = [0.2 * value.clamp(min=1e-6).log() for value in (solid * slope, direct)]
    features = torch.stack([visible, *logs, cosine, size.clamp(max=1), above], -1)
    blur, facing = material.roughness[lane], material.cosine[lane]
    mirror, through = (
        lobe(past[item, lane], ahead[item, lane], size, blur, facing) for past, ahead in (near[:2], near[2:])
    )
    return Lit(lane, slot, item, direct, solid.clamp(min=1e-6), mirror * visible, through, features)


def shut(
    scenes: Surfaces, nested: Nested, points: Points, material: Material, seen: Seen, rows: Lit
) -> Bool[Tensor, " rows_and_lanes"]:
    """Where no light of each row's lamp, and then of every lane's sky, can be.

    Nothing gets into an opaque object, or out of it, and its inner side is black; a lamp shines outwards only.
    """
    around = seen.around & by_lane(scenes.clear == 0, points.scene).T  # opaque
    lane, scene = rows.lane, points.scene[rows.lane]
    outside = (around[:, lane] & ~nested.centre[scene, :, rows.item].T).any(0)
    inside = (~around[:, lane] & nested.whole[scene, :, rows.item].T).any(0)
    lamp = outside | inside | seen.around[rows.item, lane] | material.black[lane]
    return torch.cat([lamp, around.any(0) | material.black])


def bounced(scenes: Surfaces, points: Points, seen: Seen, rows: Lit) -> Float[Tensor, "rows_and_lanes 3"]:
    """Irradiance over π that comes by way of one other object, for each row's lamp and then for every lane's sky.

    Objects are taken for Lambertian spheres of equal volume, lit from afar and in full view: the mean radiance of
    such a disc is 2/3 of its albedo times (sin θ + (π − θ) cos θ)/π at the phase angle θ (Lambert 1760).
    """
    albedo = scenes.base_color * ((1 - scenes.metallic) * (1 - scenes.transmission) + scenes.metallic) * scenes.real
    reach = seen.size.square().clamp(max=1) * dot(
        seen.direction, points.normal[:, None].expand_as(seen.direction)
    ).clamp(min=0)
    reach = torch.where(seen.own, 0.0, reach) * seen.real  # objects lanes
    sky = reflected_by(albedo, points.scene, reach)
    lane = rows.lane
    lamp = points.position[:, lane] + seen.direction[:, rows.item, lane] * seen.distance[rows.item, lane]
    vector = lamp[:, None] - seen.shapes_of(lane).center
    distance = dot(vector, vector).sqrt().clamp(min=1e-6)
    radius = seen.size[rows.item, lane] * seen.distance[rows.item, lane]
    received = (radius / distance).square().clamp(max=1)
    cosine = (-dot(vector, seen.direction[..., lane]) / distance).clamp(-1, 1)
    phase = 2 / 3 * ((1 - cosine.square()).sqrt() + (torch.pi - cosine.acos()) * cosine) / torch.pi
    numbers = torch.arange(len(distance), device=lane.device)[:, None]
    light = torch.where(numbers == rows.item, 0.0, reach[:, lane] * received * phase)
    return torch.cat([reflected_by(albedo, points.scene[lane], light), sky])


def reflected_by(
    albedo: Float[Tensor, "3 scenes objects"], scene: Int64[Tensor, " lanes"], light: Float[Tensor, "objects lanes"]
) -> Float[Tensor, "lanes 3"]:
    """The light that comes by way of each object, times its albedo, summed."""
    if albedo.shape[1] == 1:
        return light.T @ albedo[:, 0].T
    return torch.einsum("ol,clo->lc", light, albedo[:, scene])
