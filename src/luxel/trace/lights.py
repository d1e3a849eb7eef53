"""Choosing a light and a direction towards it, with densities for multiple importance sampling.

A light is an ellipsoid that emits outwards only, so it lights neither itself nor what is inside it. The
direction is uniform in the cone under which the light appears in its own unit space (`cone_density`): exactly
the directions that hit it, whatever its axes, and for a sphere uniform in solid angle.
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int32
from torch import Tensor

from luxel.geometry.intersect import Shapes, cone_density, one_minus_cosine, turned
from luxel.geometry.vectors import Vector, basis, dot, normalised, square_length, transform, transform_transposed
from luxel.trace.counter import uniform_of_each


class Lights(NamedTuple):
    """Objects that emit: those of a scene to choose from, or one for every lane."""

    item: Int32[Tensor, "*lanes"]  # number of the object
    shape: Shapes
    power: Float[Tensor, "*lanes"]  # mean of the radiance's channels; 0 where there is no light


class Viewpoint(NamedTuple):
    """A surface to be lit."""

    point: Vector
    normal: Vector
    item: Int32[Tensor, "*lanes"]
    opaque: Bool[Tensor, "*lanes"]


class Aim(NamedTuple):
    """A direction towards a light, and its density per steradian."""

    direction: Vector
    density: Float[Tensor, "*lanes"]


def weight(lights: Lights, seen_from: Viewpoint) -> Float[Tensor, "*both"]:
    """How likely each light is to be chosen from each point, in proportion; 0 where it can't be seen.

    Its radiance times its solid angle (taken from the density at the direction of its centre) and, at opaque
    surfaces, the largest cosine that it can have; a light below the horizon gets none.
    """
    shape = lights.shape
    towards = shape.center - seen_from.point
    over_distance = torch.rsqrt(square_length(towards).clamp(min=1e-24))
    start = transform(shape.unit_from_world, -towards)
    density = cone_density(shape, start, start.scaled(over_distance))
    support = shape.square_axes * transform(shape.unit_from_world, seen_from.normal)
    highest = (dot(seen_from.normal, towards) + square_length(support).sqrt()) * over_distance
    slope = torch.where(seen_from.opaque, highest.clamp(0, 1), 1.0)
    usable = (square_length(start) > 1) & (seen_from.item != lights.item)
    return torch.where(usable, lights.power * slope / density, 0.0)


def choose(
    weights: Float[Tensor, "lights *lanes"], random: Float[Tensor, "*lanes"]
) -> tuple[Int32[Tensor, "*lanes"], Float[Tensor, "*lanes"]]:
    """The slot of a light drawn in proportion to the weights, and their sum; any slot where that is 0.

    By a race: of exponentially distributed times with these rates, one is the least with a probability in
    proportion to its rate. Unlike running sums, that takes each light by itself.
    """
    slots = torch.arange(len(weights), dtype=torch.int32, device=weights.device)[:, None, None]
    times = torch.where(weights > 0, -uniform_of_each(random, slots).log() / weights, torch.inf)
    return times.argmin(0).int(), weights.sum(0)


def aim(light: Lights, point: Vector, random: tuple[Tensor, Tensor]) -> Aim:
    """A random direction in the cone under which a light appears; its density given the light."""
    shape = light.shape
    start = transform(shape.unit_from_world, point - shape.center)
    frame = basis(normalised(-start))
    lift = random[0] * one_minus_cosine(square_length(start))  # 1 − cos
    across, angle = (lift * (2 - lift)).sqrt(), 2 * torch.pi * random[1]
    local = Vector(across * angle.cos(), across * angle.sin(), 1 - lift)
    direction = normalised(turned(shape, transform_transposed(frame, local)))
    return Aim(direction, cone_density(shape, start, transform(shape.unit_from_world, direction)))
