"""Light sampling: what is drawn follows its density, and reaches the light."""

import math

import numpy as np
import pytest
import torch
from scipy import stats
from tracer_scenes import LAMP, ball, egg, scene

from luxel.geometry.intersect import nearest
from luxel.trace import lights
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


def setting(name: str, count: int) -> tuple[Packed, torch.Tensor, torch.Tensor]:
    """The scene, the point in every lane, and the share of every light there."""
    packed = pack([scene(*SCENES[name])], 0, torch.device("cpu"))
    point, normal = (torch.tensor(vector)[:, None, None].expand(3, 1, count) for vector in (POINT, NORMAL))
    nowhere = torch.full((1, count), -1)
    return packed, point, lights.shares(packed, point, normal, nowhere, torch.zeros(1, count, dtype=torch.bool))


@pytest.mark.parametrize("name", SCENES)
def test_directions_follow_their_density(name):
    """χ² in cells about the direction of the scene's middle; the density of what is hit is that of what was drawn."""
    count, cells = 40_000, 24
    packed, point, share = setting(name, count)
    random = torch.rand(3, 1, count, generator=torch.Generator().manual_seed(4))
    choice = lights.choose(packed, share, point, random)
    nowhere = torch.full((1, count), -1)
    seen = nearest(packed.shapes, packed.real, point, choice.direction, nowhere)
    assert (seen.item == choice.item).float().mean() > 0.999  # but for rounding at the outline
    same = seen.item == choice.item
    again = lights.density(packed, share, seen)
    torch.testing.assert_close(again[same], choice.density[same], rtol=2e-3, atol=0)

    def cell(direction: torch.Tensor) -> np.ndarray:
        z = ((direction[2] + 1) / 2 * cells).long().clamp(0, cells - 1)
        angle = torch.atan2(direction[1], direction[0]) / (2 * math.pi) % 1
        return (z * cells + (angle * cells).long().clamp(0, cells - 1)).flatten().numpy()

    observed = np.bincount(cell(choice.direction), minlength=cells * cells)
    # The same by uniform directions, each weighted with the density of every light on its way.
    uniform = torch.nn.functional.normalize(
        torch.randn(3, 1, 16 * count, generator=torch.Generator().manual_seed(5)), dim=0
    )
    packed, point, share = setting(name, 16 * count)
    weight = torch.zeros(1, 16 * count)
    for number in range(len(share)):
        one = packed._replace(real=torch.zeros_like(packed.real))
        item = int(packed.lights.item[number, 0, 0])
        if item < 0:
            continue
        one.real[:, item] = True
        hit = nearest(one.shapes, one.real, point, uniform, torch.full((1, 16 * count), -1))
        weight += torch.where(hit.item == item, lights.density(packed, share, hit), 0.0)
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
        vectors = (torch.tensor(vector)[:, None, None] for vector in (point, normal))
        return lights.shares(packed, *vectors, torch.tensor([[own]]), torch.tensor([[opaque]])).item()

    below = (center[0], center[1], center[2] - 2)
    assert share(below, up, -1, True) == pytest.approx(1)
    assert share(below, (0.0, 0.0, -1.0), -1, True) == 0
    assert share(below, (0.0, 0.0, -1.0), -1, False) == pytest.approx(1)
    assert share(below, up, 0, True) == 0
    assert share(center, up, -1, True) == 0
