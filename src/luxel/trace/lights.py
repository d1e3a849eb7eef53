"""Choosing a light and a direction towards it, with densities for multiple importance sampling.

A light is an ellipsoid that emits outwards only, so it lights neither itself nor what is inside it. The
direction is uniform in the cone under which the light appears in its own unit space (`cone_density`): exactly
the directions that hit it, whatever its axes, and for a sphere uniform in solid angle.
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from luxel.geometry.intersect import Hit, Shapes, cone_density, gathered, one_minus_cosine, turned
from luxel.geometry.vectors import basis, dot, normalised, transform, transform_transposed
from luxel.trace.packed import Packed


class Choice(NamedTuple):
    """A direction towards a light; where `density` is 0 there is none."""

    item: Int64[Tensor, "scenes lanes"]
    direction: Float[Tensor, "3 scenes lanes"]
    density: Float[Tensor, "scenes lanes"]  # per steradian, of the light and the direction


def shares(
    packed: Packed,
    point: Float[Tensor, "3 scenes lanes"],
    normal: Float[Tensor, "3 scenes lanes"],
    own: Int64[Tensor, "scenes lanes"],
    opaque: Bool[Tensor, "scenes lanes"],
) -> Float[Tensor, "lights scenes lanes"]:
    """Probability of choosing each light from each point; all are 0 where no light can be seen.

    In proportion to its radiance times its solid angle (taken from the density at the direction of its
    centre) and, at opaque surfaces, to the largest cosine that it can have; a light below the horizon gets none.
    """
    lights = packed.lights
    towards = lights.shapes.center - point[:, None]
    distance = dot(towards, towards).sqrt().clamp(min=1e-12)
    direction = towards / distance
    start = transform(lights.shapes.unit_from_world, -towards)
    density = cone_density(lights.shapes, start, transform(lights.shapes.unit_from_world, direction))
    support = lights.shapes.square_axes * transform(lights.shapes.unit_from_world, normal[:, None])
    highest = (dot(normal[:, None].expand_as(towards), towards) + dot(support, support).sqrt()) / distance
    slope = torch.where(opaque, highest.clamp(0, 1), 1.0)
    usable = (dot(start, start) > 1) & (own[None] != lights.item)
    weight = torch.where(usable, lights.power * slope / density, 0.0)
    total = sum(weight.unbind(0), start=torch.zeros_like(weight[0]))  # in order, whatever the padding
    return weight / total.clamp(min=1e-30)


def choose(
    packed: Packed,
    share: Float[Tensor, "lights scenes lanes"],
    point: Float[Tensor, "3 scenes lanes"],
    random: Float[Tensor, "3 scenes lanes"],
) -> Choice:
    """Draw a light by its share, and a direction in its cone."""
    reached = torch.zeros_like(share[0])
    slot = torch.zeros_like(share[0], dtype=torch.int64)
    for number, one in enumerate(share.unbind(0)):
        # A light without a share is never taken, nor one beyond the last that has one.
        slot = torch.where((one > 0) & (random[0] >= reached), number, slot)
        reached = reached + one
    item = packed.lights.item.expand(*share.shape).gather(0, slot[None])[0].clamp(min=0)
    shape = Shapes(*gathered(packed.shapes, item))
    start = transform(shape.unit_from_world, point - shape.center)
    frame = basis(normalised(-start))
    lift = random[1] * one_minus_cosine(dot(start, start))  # 1 − cos
    across, angle = (lift * (2 - lift)).sqrt(), 2 * torch.pi * random[2]
    local = torch.stack([across * angle.cos(), across * angle.sin(), 1 - lift])
    direction = normalised(turned(shape, transform_transposed(frame, local)))
    density = cone_density(shape, start, transform(shape.unit_from_world, direction))
    return Choice(item, direction, share.gather(0, slot[None])[0] * density)


def density(packed: Packed, share: Float[Tensor, "lights scenes lanes"], hit: Hit) -> Float[Tensor, "scenes lanes"]:
    """Density per steradian with which `choose` would have found the direction that led to `hit`."""
    slot = packed.lights.slot.gather(1, hit.item.clamp(min=0))
    return share.gather(0, slot[None])[0] * hit.density
