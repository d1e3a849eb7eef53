"""One segment of many paths: what they find, and where it leads them.

Shapes: lanes are [blocks, LANES], and all lanes of a block are of one scene, so that what every ray is tested against
is read once a block. A lane that is no path's is computed like any other and counts for nothing.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int32, Int64
from torch import Tensor

from luxel.geometry.intersect import NOTHING, Nearest, Shapes, arrival, nearest
from luxel.geometry.vectors import Vector, basis, dot, normalised, transform, transform_transposed, where
from luxel.scene.camera import NEAR_CLIP
from luxel.trace import bsdf, lights
from luxel.trace.counter import uniform
from luxel.trace.lights import Lights, Viewpoint
from luxel.trace.packed import EMISSION, Materials, Packed

ROULETTE_DEPTH = 5  # segments before Russian roulette, as in Mitsuba
SURVIVAL = 0.95  # at most, lest a path be caught by total reflection
NUMBERS = 13  # of a path: point 3, normal 3, direction 3, throughput 3, eta 1


class Blocks(NamedTuple):
    """The scene of each block, and the objects of all scenes to look up by number."""

    shapes: Float[Tensor, "blocks objects 16"]
    real: Bool[Tensor, "blocks objects"]
    lights: Float[Tensor, "blocks lights 17"]
    light_items: Int32[Tensor, "blocks lights"]
    background: Float[Tensor, "blocks 3"]
    key: Int32[Tensor, "blocks 2"]
    first: Int64[Tensor, "blocks"]  # row of the scene's first object in what follows
    every_shape: Float[Tensor, "rows 16"]
    every_material: Float[Tensor, "rows 10"]


class Paths(NamedTuple):
    """Paths that have arrived at a surface, or not: then they are not alive."""

    alive: Bool[Tensor, "*lanes"]
    ray: Int64[Tensor, "*lanes"]  # that the path began as
    item: Int32[Tensor, "*lanes"]  # the object that was hit
    numbers: Float[Tensor, "13 *lanes"]  # see NUMBERS; the direction is of unit length, towards the point,
    # and eta the index where the path is, over the camera's


def blocks_of(packed: Packed, scene: Int64[Tensor, "blocks"]) -> Blocks:
    """Blocks of the scenes of these numbers."""
    return Blocks(
        packed.shapes[scene],
        packed.real[scene],
        packed.lights[scene],
        packed.light_items[scene],
        packed.background[scene],
        packed.key[scene],
        scene * packed.real.shape[1],
        packed.shapes.flatten(0, 1),
        packed.materials.flatten(0, 1),
    )


class Views(NamedTuple):
    """The camera of each block, and its scene's random numbers."""

    cameras: Float[Tensor, "blocks 12"]
    key: Int32[Tensor, "blocks 2"]


def camera_rays(
    views: Views,
    pixel: Int32[Tensor, "blocks lanes"],
    sample: Int32[Tensor, "blocks lanes"],
    width: Int32[Tensor, ""],
    height: Int32[Tensor, ""],
) -> Float[Tensor, "6 blocks lanes"]:
    """Origins and unit directions through random points of the pixels, which is the box filter."""
    right, down, *_ = uniform(_key(views.key), pixel, sample, 0)
    row = torch.div(pixel, width, rounding_mode="floor")
    x = ((pixel - row * width) + right - width * 0.5) * (2 / height)
    y = (height * 0.5 - row - down) * (2 / height)
    fields = views.cameras[:, None].unbind(-1)
    position, rightwards, upwards, forward = (Vector(*fields[start : start + 3]) for start in range(0, 12, 3))
    through = forward + rightwards.scaled(x) + upwards.scaled(y)
    origin, direction = position + through.scaled(NEAR_CLIP), normalised(through)
    return torch.stack([origin.x, origin.y, origin.z, direction.x, direction.y, direction.z])


class Surface(NamedTuple):
    """Where a path scatters."""

    item: Int32[Tensor, "blocks lanes"]
    point: Vector
    normal: Vector
    wi: Vector  # where the path comes from, in `basis(normal)`
    material: Materials
    throughput: Vector  # 0 where there is no path
    random: Vector  # three numbers to choose a light, and a direction to it

    def viewpoint(self) -> Viewpoint:
        """As the lights see it."""
        return Viewpoint(self.point, self.normal, self.item, self.material.transmission.detach() == 0)


class Scattered(NamedTuple):
    """The direction that the BSDF has drawn, and the path that goes there."""

    ray: Int64[Tensor, "blocks lanes"]
    direction: Vector
    density: Float[Tensor, "blocks lanes"]  # 0 where there is no path
    throughput: Vector
    eta: Float[Tensor, "blocks lanes"]
    survival: Float[Tensor, "blocks lanes"]  # probability that roulette gives it, and the number drawn for it
    roulette: Float[Tensor, "blocks lanes"]


class Draw(NamedTuple):
    """A light to aim at."""

    slot: Int32[Tensor, "blocks lanes"]
    total: Float[Tensor, "blocks lanes"]  # of the weights of all lights; 0 if none can be seen


class Aimed(NamedTuple):
    """A direction to a light and what it is worth, if that light is what is seen there."""

    item: Int32[Tensor, "blocks lanes"]
    direction: Vector
    light: Vector


def meet(
    blocks: Blocks, origin: Vector, directions: Sequence[Vector], own: Int32[Tensor, "blocks lanes"]
) -> list[Nearest]:
    """What rays from one origin meet, for each of the directions."""
    shapes, real = _shapes(blocks), blocks.real.T[..., None]
    return [nearest(shapes, real, origin, direction, own) for direction in directions]


def begin(
    blocks: Blocks, source: Int64[Tensor, "blocks lanes"], origin: Vector, direction: Vector, met: Nearest
) -> tuple[Paths, Float[Tensor, "3 blocks lanes"]]:
    """Paths that arrive at the first surface, and the light that it sends back, of the flat rays `source`.

    Where that is negative there is none. Directions are of unit length.
    """
    present, lane = source >= 0, source.clamp(min=0)
    origin, direction = origin.map(lambda field: field[lane]), direction.map(lambda field: field[lane])
    item = torch.where(present, met.item[lane], NOTHING)
    row = _row(blocks, item)
    hit = arrival(Shapes.of(_picked(blocks.every_shape, row)), origin, direction, met.distance[lane])
    light = _emitted(blocks, row, direction, hit.normal)
    one = torch.ones_like(direction.x)
    numbers = _numbers(hit.point, hit.normal, direction, Vector(one, one, one), one)
    return Paths(present, lane, item, numbers), where(present, light, 0.0).stacked()


def scatter(
    blocks: Blocks,
    paths: Paths,
    source: Int64[Tensor, "blocks lanes"],
    pixel: Int32[Tensor, "rays"],
    sample: Int32[Tensor, "rays"],
    depth: Int32[Tensor, ""],
) -> tuple[Surface, Scattered]:
    """Draw directions from the BSDF for the paths of the lanes `source`, none where that is negative."""
    present, lane = source >= 0, source.clamp(min=0)
    ray, item = paths.ray[lane], paths.item[lane]
    numbers = _picked(paths.numbers.T, lane)
    point, normal, incoming, throughput = (Vector(*numbers[start : start + 3]) for start in range(0, 12, 3))
    fields = _picked(blocks.every_material, _row(blocks, item))
    material, constant = Materials.of(fields), Materials.of([field.detach() for field in fields])
    frame = basis(normal)
    wi = transform(frame, -incoming)
    key = _key(blocks.key)
    *random, roulette = uniform(key, pixel[ray], sample[ray], 2 * depth)
    *other, _ = uniform(key, pixel[ray], sample[ray], 2 * depth + 1)

    drawn = bsdf.sample(constant, wi, Vector(*other))
    value, density = bsdf.evaluate(material, wi, drawn.direction)
    density = torch.where(present & drawn.valid, density.detach(), 0.0)
    carried = throughput * where(density > 0, value.scaled(1 / density.clamp(min=1e-30)), 0.0)
    crosses = wi.z * drawn.direction.z < 0
    eta = numbers[12] * torch.where(crosses, torch.where(wi.z > 0, constant.eta, 1 / constant.eta), 1.0)
    survival = torch.where(depth >= ROULETTE_DEPTH, (carried.largest().detach() * eta * eta).clamp(max=SURVIVAL), 1.0)
    direction = normalised(transform_transposed(frame, drawn.direction))
    return (
        Surface(item, point, normal, wi, material, where(present, throughput, 0.0), Vector(*random)),
        Scattered(ray, direction, density, carried, eta, survival, roulette),
    )


def draw(blocks: Blocks, viewpoint: Viewpoint, random: Float[Tensor, "blocks lanes"]) -> Draw:
    """Draw one light for every path."""
    *fields, power = blocks.lights.movedim(0, 2)[..., None].unbind(1)
    every = Lights(blocks.light_items.T[..., None], Shapes.of(fields), power)
    return Draw(*lights.choose(lights.weight(every, viewpoint), random))


def aim(blocks: Blocks, surface: Surface, drawn: Draw) -> Aimed:
    """Draw a direction to the light, and weigh what comes from there by the power heuristic."""
    number = torch.arange(len(blocks.lights), device=drawn.slot.device)[:, None] * blocks.lights.shape[1] + drawn.slot
    *fields, power = _picked(blocks.lights.flatten(0, 1), number)
    light = Lights(blocks.light_items.flatten()[number], Shapes.of(fields), power)
    towards = lights.aim(light, surface.point, (surface.random.y, surface.random.z))
    value, other = bsdf.evaluate(surface.material, surface.wi, transform(basis(surface.normal), towards.direction))
    density = lights.weight(light, surface.viewpoint()) / drawn.total.clamp(min=1e-30) * towards.density
    factor = torch.where(density > 0, _power_heuristic(density, other) / density.clamp(min=1e-30), 0.0)
    emission = Vector(*_picked(blocks.every_material[:, EMISSION], _row(blocks, light.item)))
    return Aimed(light.item, towards.direction, (surface.throughput * value * emission).scaled(factor.detach()))


def land(
    blocks: Blocks, surface: Surface, scattered: Scattered, met: Nearest, lit: tuple[Draw, Aimed, Nearest] | None
) -> tuple[Paths, Float[Tensor, "3 blocks lanes"]]:
    """The paths where their new segment ends, and the light that it found, also by the light aimed at."""
    row = _row(blocks, met.item)
    shape = Shapes.of(_picked(blocks.every_shape, row))
    hit = arrival(shape, surface.point, scattered.direction, met.distance)
    background = Vector(*blocks.background[:, None].unbind(-1))
    missed = met.item == NOTHING
    found = where(missed, background, _emitted(blocks, row, scattered.direction, hit.normal))
    light = scattered.throughput * found
    if lit is not None:
        drawn, aimed, seen = lit
        power = Vector(*_picked(blocks.every_material[:, EMISSION], row)).mean().detach()
        weight = lights.weight(Lights(met.item, shape, power), surface.viewpoint())
        density = torch.where(missed, 0.0, weight / drawn.total.clamp(min=1e-30) * hit.density)
        light = light.scaled(_power_heuristic(scattered.density, density).detach())
        light = light + where(seen.item == aimed.item, aimed.light, 0.0)
    carried = scattered.throughput.scaled(1 / scattered.survival.clamp(min=1e-30))
    alive = ~missed & (scattered.roulette < scattered.survival) & (carried.largest() > 0)
    numbers = _numbers(hit.point, hit.normal, scattered.direction, carried, scattered.eta)
    return Paths(alive, scattered.ray, met.item, numbers), light.stacked()


def _shapes(blocks: Blocks) -> Shapes:
    """[objects, blocks, 1], to broadcast against lanes."""
    return Shapes.of(blocks.shapes.transpose(0, 1)[..., None, :].unbind(-1))


def _key(key: Int32[Tensor, "blocks 2"]) -> tuple[Int32[Tensor, "blocks 1"], Int32[Tensor, "blocks 1"]]:
    return key[:, :1], key[:, 1:]


def _row(blocks: Blocks, item: Int32[Tensor, "blocks lanes"]) -> Int64[Tensor, "blocks lanes"]:
    """Where to look up the objects of each block's scene; any row for NOTHING."""
    return blocks.first[:, None] + item.clamp(min=0)


def _picked(table: Float[Tensor, "rows fields"], row: Int64[Tensor, "*lanes"]) -> list[Float[Tensor, "*lanes"]]:
    """The fields of those rows."""
    return [field[row] for field in table.unbind(-1)]


def _emitted(blocks: Blocks, row: Int64[Tensor, "blocks lanes"], direction: Vector, normal: Vector) -> Vector:
    """What a surface sends back along a ray that meets it: light goes outwards only."""
    emission = Vector(*_picked(blocks.every_material[:, EMISSION], row))
    return where(dot(direction, normal) < 0, emission, 0.0)


def _power_heuristic(density: Float[Tensor, "*lanes"], other: Float[Tensor, "*lanes"]) -> Float[Tensor, "*lanes"]:
    """Weight of a sample of `density`, which could also have been drawn with the `other` (Veach 1997, eq. 9.13)."""
    ratio = other / density.clamp(min=1e-30)
    return 1 / (1 + ratio * ratio)


def _numbers(point: Vector, normal: Vector, direction: Vector, throughput: Vector, eta: Tensor) -> Tensor:
    vectors = (point, normal, direction, throughput)
    return torch.stack([*(part for vector in vectors for part in (vector.x, vector.y, vector.z)), eta])
