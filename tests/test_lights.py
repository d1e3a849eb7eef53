"""Light sampling: what is drawn follows its density, and reaches the light."""

import math

import numpy as np
import pytest
import torch
from scipy import stats
from tracer_scenes import LAMP, ball, egg, scene

from luxel.geometry.intersect import Shapes, arrival, nearest
from luxel.geometry.vectors import Vector
from luxel.trace import lights
from luxel.trace.lights import Lights, Viewpoint
from luxel.trace.packed import Packed, pack

SCENES = {
    "sphere": (ball(0.3, -0.2, 0.1, 0.5, LAMP),),
    "ellipsoid": (egg(0.3, -0.2, 0.1, (1.1, 0.5, 0.23), LAMP),),
    "disc": (egg(0.3, -0.2, 0.1, (0.8, 0.01, 0.8), LAMP),),
    "three": (
        ball(2, 0, 0, 0.5, LAMP),
        egg(0, 0, 0, (0.4, 0.2, 0.3), LAMP),
        ball(0, -3.0, 1, 0.3, LAMP),
        ball(0, 0, 3, 1),
    ),
}
POINT, NORMAL = (0.2, -1.3, 0.4), (0.0, 0.6, -0.8)


def setting(name: str, count: int) -> tuple[Packed, Viewpoint]:
    """The scene, and the point in every lane."""
    packed = pack([scene(*SCENES[name])], 0, torch.device("cpu"))
    point, normal = (torch.tensor(vector)[:, None, None].expand(3, 1, count) for vector in (POINT, NORMAL))
    nowhere = torch.full((1, count), -1, dtype=torch.int32)
    return packed, Viewpoint(Vector.of(point), Vector.of(normal), nowhere, torch.zeros(1, count, dtype=torch.bool))


def every(packed: Packed) -> Lights:
    """The lights of one scene, [lights, 1, 1]."""
    *fields, power = packed.lights.transpose(0, 1)[:, :, None].unbind(-1)
    return Lights(packed.light_items.T[..., None], Shapes.of(fields), power)


def picked(packed: Packed, slot: torch.Tensor) -> Lights:
    """One light for every lane."""
    *fields, power = packed.lights[0, slot].unbind(-1)
    return Lights(packed.light_items[0, slot], Shapes.of(fields), power)


def density_of_what_is_met(
    packed: Packed, seen_from: Viewpoint, direction: Vector, only: int | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """The first object in that direction, of all or one, and the density with which it would have been aimed at."""
    real = packed.real if only is None else torch.arange(packed.real.shape[1])[None] == only
    shapes = Shapes.of(packed.shapes.transpose(0, 1)[:, :, None].unbind(-1))
    met = nearest(shapes, real.T[..., None], seen_from.point, direction, seen_from.item)
    shape = Shapes.of(packed.shapes[0, met.item.clamp(min=0)].unbind(-1))
    power = packed.materials[0, met.item.clamp(min=0), 7:].mean(-1)
    weights = lights.weight(every(packed), seen_from)
    share = lights.weight(Lights(met.item, shape, power), seen_from) / weights.sum(0)
    density = share * arrival(shape, seen_from.point, direction, met.distance).density
    return met.item, torch.where(met.item >= 0, density, 0.0)


@pytest.mark.parametrize("name", SCENES)
def test_directions_follow_their_density(name):
    """χ² in cells about the direction of the scene's middle; the density of what is hit is that of what was drawn."""
    count, cells = 40_000, 24
    packed, seen_from = setting(name, count)
    random = Vector.of(torch.rand(3, 1, count, generator=torch.Generator().manual_seed(4)))
    weights = lights.weight(every(packed), seen_from)
    slot, total = lights.choose(weights, random.x)
    torch.testing.assert_close(total, weights.sum(0))
    chosen = picked(packed, slot)
    towards = lights.aim(chosen, seen_from.point, (random.y, random.z))
    density = lights.weight(chosen, seen_from) / total * towards.density
    item, again = density_of_what_is_met(packed, seen_from, towards.direction)
    same = item == chosen.item
    assert same.float().mean() > 0.999  # but for rounding at the outline
    torch.testing.assert_close(again[same], density[same], rtol=2e-3, atol=0)

    def cell(direction: torch.Tensor) -> np.ndarray:
        z = ((direction[2] + 1) / 2 * cells).long().clamp(0, cells - 1)
        angle = torch.atan2(direction[1], direction[0]) / (2 * math.pi) % 1
        return (z * cells + (angle * cells).long().clamp(0, cells - 1)).flatten().numpy()

    observed = np.bincount(cell(towards.direction.stacked()), minlength=cells * cells)
    # The same by uniform directions, each weighted with the density of every light on its way.
    uniform = torch.nn.functional.normalize(
        torch.randn(3, 1, 16 * count, generator=torch.Generator().manual_seed(5)), dim=0
    )
    packed, seen_from = setting(name, 16 * count)
    weight = torch.zeros(1, 16 * count)
    for number in packed.light_items[0].tolist():
        if number >= 0:
            weight += density_of_what_is_met(packed, seen_from, Vector.of(uniform), only=number)[1]
    weights = (weight[0].double() * 4 * math.pi / 16).numpy()
    number = cell(uniform)
    expected = np.bincount(number, weights, minlength=cells * cells)
    noise = np.bincount(number, weights**2, minlength=cells * cells)
    assert expected.sum() == pytest.approx(count, abs=5 * math.sqrt(noise.sum()))
    full = expected > 30
    statistic = ((observed - expected)[full] ** 2 / (expected + noise)[full]).sum()
    assert stats.chi2.sf(statistic, full.sum()) > 1e-4


def test_a_light_lights_neither_itself_nor_what_is_inside_or_behind():
    packed = pack([scene(*SCENES["sphere"])], 0, torch.device("cpu"))
    center, up = SCENES["sphere"][0].center, (0.0, 0.0, 1.0)

    def share(point: tuple[float, float, float], normal: tuple[float, float, float], own: int, opaque: bool) -> float:
        vectors = (Vector.of(torch.tensor(vector)[:, None, None]) for vector in (point, normal))
        item = torch.tensor([[own]], dtype=torch.int32)
        weights = lights.weight(every(packed), Viewpoint(*vectors, item, torch.tensor([[opaque]])))
        return (weights[0] / weights.sum(0).clamp(min=1e-30)).item()

    below = (center[0], center[1], center[2] - 2)
    assert share(below, up, -1, True) == pytest.approx(1)
    assert share(below, (0.0, 0.0, -1.0), -1, True) == 0
    assert share(below, (0.0, 0.0, -1.0), -1, False) == pytest.approx(1)
    assert share(below, up, 0, True) == 0
    assert share(center, up, -1, True) == 0
