"""Sharing among neighbours: what it keeps, whom it reaches and whom it must not."""

import math
from typing import NamedTuple

import numpy as np
import pytest
import torch
from kernels import DEVICES
from torch import Tensor

from luxel.core.fragments import visible_fragments
from luxel.core.scene_batch import SceneBatch
from luxel.models.atrous_filter import ALL_STEPS, LEVELS, PARALLAX, REACH, STEPS, filter_signals
from luxel.models.neighbourhood import Neighbourhood, as_neighbours, neighbourhood
from luxel.models.shading_points import OBJECT, points_of_fragments
from luxel.models.signals import (
    DIRECT,
    DIRECT_VARIANCE,
    INDIRECT_VARIANCE,
    NEARNESS,
    SIGNALS,
    SKY,
    SURFACES,
    UNSHADOWED,
)
from luxel.models.specular import specular_chains
from luxel.scene import Box, Camera, Ellipsoid, Material, Panel, Plane, Scene, Sphere

WIDTH, HEIGHT = 43, 37
CAMERA = Camera(position=(0, -5, 1.5), look_at=(0, 0, 0))
ABOVE = Camera(position=(0, 0, 208.5), look_at=(0, 0, 0), up=(0, 1, 0), vertical_fov_degrees=1.0)  # all as far
CHALK = Material(base_color=(0.6, 0.5, 0.4), roughness=1.0, specular=0.0)
MIRROR = Material(metallic=1.0, roughness=0.0, base_color=(0.9, 0.6, 0.3))
GLASS = Material(transmission=1.0, roughness=0.0, base_color=(0.9, 0.9, 1.0))
FLAT = Scene(objects=(Plane(center=(0, 0, 0), material=CHALK),), camera=ABOVE)
CROWD = Scene(
    objects=(
        Plane(center=(0, 0, -1), material=CHALK),
        Sphere(center=(-0.9, 0, -0.3), radius=0.7, material=MIRROR),
        Sphere(center=(0.8, -0.6, -0.4), radius=0.6, material=GLASS),
        Box(center=(0.1, 0.9, -0.4), half_extents=(0.4, 0.3, 0.6), rotation=(0.9, 0, 0, 0.4), material=CHALK),
        Ellipsoid(center=(0.2, -1.2, -0.8), semi_axes=(0.3, 0.2, 0.2), material=CHALK),
        Panel(center=(0.0, 2.0, 0.5), half_extents=(2.5, 1.5), rotation=(0.7, 0.7, 0, 0), material=MIRROR),
    ),
    camera=CAMERA,
    background=(0.3, 0.4, 0.5),
)


class Picture(NamedTuple):
    """Points that see and are seen, and which object and lobe show them."""

    batch: SceneBatch
    near: Neighbourhood
    normal: Tensor  # [points, 3]
    shown: Tensor  # [points, 3]: scene's object that shows them, lobe or −1, object
    row: Tensor  # [points], of all pictures' one below another
    column: Tensor


def picture(*scenes: Scene, device: str = "cpu") -> Picture:
    batch = SceneBatch.of(scenes, device)
    found = visible_fragments(batch, WIDTH, HEIGHT, 16)
    table = points_of_fragments(batch, found)
    chains = specular_chains(batch, table, HEIGHT)
    near = neighbourhood(torch.cat([table, chains.ends]), chains, found)
    fragment = near.fragment.long()
    shown = torch.stack([near.object_id[fragment], near.lobe, near.table[:, OBJECT]], 1)
    pixel = near.pixel[fragment]
    normal = near.table[:, 9:12].contiguous().view(torch.float32)
    return Picture(batch, near, normal, shown, pixel // WIDTH, pixel % WIDTH)


def shared(made: Picture, signals: Tensor) -> tuple[list[Tensor], list[Tensor]]:
    found = filter_signals(made.batch, as_neighbours(made.near), signals, HEIGHT)
    return found.levels, found.shares


def filtered(made: Picture, values: Tensor) -> list[Tensor]:
    """Every level of one signal, the others being something else, but that lights are everywhere the same."""
    signals = torch.rand(len(values), SIGNALS, generator=torch.Generator().manual_seed(1)).to(values.device)
    signals[:, UNSHADOWED : UNSHADOWED + 3] = 1
    signals[:, 7] = values
    return [level[:, 7] for level in shared(made, signals)[0]]


@pytest.mark.parametrize("device", DEVICES)
def test_constants_stay(device):
    made = picture(CROWD, FLAT, device=device)
    assert len(made.shown.unique(dim=0)) > 9
    assert (made.near.lobe >= 0).sum() > 100
    constant = torch.linspace(0.5, 2.0, SIGNALS, device=device).expand(len(made.shown), -1).contiguous()
    levels, shares = shared(made, constant)
    assert (len(levels), len(shares)) == (LEVELS, len(STEPS))
    for level in levels:
        torch.testing.assert_close(level, constant, rtol=1e-5, atol=0)
    for share in shares:
        assert share.min() >= 0.25 - 1e-6  # a point has itself
        assert share.max() <= 1 + 1e-5


@pytest.mark.parametrize("device", DEVICES)
def test_nothing_leaks_to_another_object_another_layer_or_another_picture(device):
    """Whatever the object that is seen, the one that shows it, and by which lobe."""
    made = picture(CROWD, FLAT, CROWD, device=device)
    kinds, kind = made.shown.unique(dim=0, return_inverse=True)
    assert len(kinds) > 20
    for level in filtered(made, kind.float()):
        torch.testing.assert_close(level, kind.float(), rtol=1e-5, atol=1e-5)


def test_nothing_leaks_around_an_edge_of_a_box():
    """Whose faces are at right angles."""
    turn = (math.cos(0.3), 0.0, 0.0, math.sin(0.3))
    box = Scene(objects=(Box(center=(0, 0, 0), half_extents=(1, 1, 1), rotation=turn, material=CHALK),), camera=CAMERA)
    made = picture(box)
    face = (made.normal * torch.tensor([3.0, 5.0, 7.0])).sum(1)
    assert len(face.round(decimals=3).unique()) == 3
    for level in filtered(made, face):
        torch.testing.assert_close(level, face, rtol=1e-4, atol=1e-4)


def weight_of(steps: tuple[int, ...]) -> np.ndarray:
    """The response to one point, along a row, of (1, 2, 1) / 4 at these steps: [2 · REACH + 1]."""
    response = np.zeros(2 * REACH + 1)
    response[REACH] = 1
    for step in steps:
        response = (np.roll(response, step) + 2 * response + np.roll(response, -step)) / 4
    return response


@pytest.mark.parametrize("device", DEVICES)
def test_on_a_flat_surface_one_point_spreads_as_the_kernels_say_and_no_farther_than_the_reach(device):
    """Products of (1, 2, 1) / 4 along rows and columns, at every level; the picture is larger than the reach."""
    made = picture(FLAT, device=device)
    assert len(made.shown) == WIDTH * HEIGHT
    row, column = HEIGHT // 2, WIDTH // 2
    one = ((made.row == row) & (made.column == column)).float()
    levels = filtered(made, one)
    steps: tuple[int, ...] = ()
    for number, level in enumerate(levels):
        steps += STEPS[number - 1] if number else ()
        response = weight_of(steps)
        expected = np.zeros((HEIGHT, WIDTH))
        expected[row - REACH : row + REACH + 1, column - REACH : column + REACH + 1] = np.outer(response, response)
        got = level.reshape(HEIGHT, WIDTH).cpu().numpy()
        far = np.maximum(np.abs(np.arange(HEIGHT) - row)[:, None], np.abs(np.arange(WIDTH) - column)) > sum(steps)
        assert not got[far].any()
        # Elsewhere not all neighbours are in the picture.
        whole = slice(sum(steps), HEIGHT - sum(steps)), slice(sum(steps), WIDTH - sum(steps))
        np.testing.assert_allclose(got[whole], expected[whole], rtol=1e-4, atol=1e-7)
    assert sum(steps) == REACH


@pytest.mark.parametrize("device", DEVICES)
def test_weights_share_one_in_the_midst_of_a_flat_surface_and_a_quarter_alone(device):
    made = picture(FLAT, device=device)
    signals = torch.ones(len(made.shown), SIGNALS, device=device)
    for steps, share in zip(STEPS, shared(made, signals)[1], strict=True):
        side = steps[-1]
        grid = share.reshape(HEIGHT, WIDTH)
        midst = grid[side : HEIGHT - side, side : WIDTH - side]
        torch.testing.assert_close(midst, torch.ones_like(midst), rtol=1e-4, atol=0)
        assert grid[0, 0].item() == pytest.approx(0.25 * 1.5**2, rel=1e-4)  # in a corner, (1 + 1/2)² of its (1 + 1)²
    speck = Scene(objects=(Sphere(center=(0, 0, 0), radius=0.02, material=CHALK),), camera=ABOVE)
    alone = picture(speck, device=device)
    assert len(alone.shown) == 1
    for share in shared(alone, torch.ones(1, SIGNALS, device=device))[1]:
        assert share.tolist() == pytest.approx([0.25], rel=1e-5)


@pytest.mark.parametrize("device", DEVICES)
def test_a_tiles_pattern_is_gone_after_steps_1_and_2(device):
    """A period of 4 pixels either way, of which nothing but the mean is left."""
    assert STEPS[:2] == ((1,), (2,))
    made = picture(FLAT, device=device)
    tile = torch.rand(4, 4, generator=torch.Generator().manual_seed(2)).to(device)
    pattern = tile[made.row % 4, made.column % 4]
    level = filtered(made, pattern)[2].reshape(HEIGHT, WIDTH)[3:-3, 3:-3]
    torch.testing.assert_close(level, tile.mean().expand_as(level), rtol=1e-5, atol=0)
    assert pattern.std() > 0.1


def test_points_beside_each_other_on_a_curved_surface_share_less_than_on_a_flat_one():
    ball = Scene(objects=(Sphere(center=(0, 0, 0), radius=1.5, material=CHALK),), camera=ABOVE)
    made = picture(ball)
    signals = torch.ones(len(made.shown), SIGNALS)
    share = shared(made, signals)[1]
    middle = (made.row == HEIGHT // 2) & (made.column == WIDTH // 2)
    assert 1 > share[0][middle] > share[1][middle] > share[2][middle] > 0.25
    # Each neighbour counts by the 16th power of its normal's cosine.
    dark = torch.zeros(len(made.shown))
    index = int(middle.nonzero())
    for down in (-1, 0, 1):
        for across in (-1, 0, 1):
            beside = (made.row == HEIGHT // 2 + down) & (made.column == WIDTH // 2 + across)
            weight = (made.normal[beside] @ made.normal[index]) ** 16 / ((1 + down**2) * (1 + across**2))
            dark[index] += weight.sum() / 4
    assert share[0][index].item() == pytest.approx(dark[index].item(), rel=1e-4)


def test_points_at_other_distances_share_less():
    """Each neighbour counts by the fourth power of the ratio of their distances, on ground that reaches the horizon."""
    ground = Scene(
        objects=(Plane(center=(0, 0, 0), material=CHALK),),
        camera=Camera(position=(0, 0, 1), look_at=(0, 5, 1), vertical_fov_degrees=60),
    )
    made = picture(ground)
    point = made.near.table[:, 3:6].contiguous().view(torch.float32)
    distance = (point - torch.tensor([0.0, 0.0, 1.0])).norm(dim=1)
    share = shared(made, torch.ones(len(point), SIGNALS))[1][0]
    near_horizon = made.row.min() + 1
    for row in (int(near_horizon), HEIGHT - 2):
        middle = int(((made.row == row) & (made.column == WIDTH // 2)).nonzero())
        expected = 0.0
        for down in (-1, 0, 1):
            for across in (-1, 0, 1):
                other = distance[(made.row == row + down) & (made.column == WIDTH // 2 + across)].item()
                ratio = min(other, distance[middle].item()) / max(other, distance[middle].item())
                expected += ratio**4 / ((1 + down**2) * (1 + across**2)) / 4
        assert share[middle].item() == pytest.approx(expected, rel=1e-4)
        assert expected < 0.7 if row == near_horizon else expected > 0.9


def test_what_other_surfaces_send_is_shared_less_the_nearer_they_are():
    """By the shift, over their distance, of what two points see; what lights send is shared as before."""
    made = picture(FLAT)
    one = ((made.row == HEIGHT // 2) & (made.column == WIDTH // 2)).float()
    spread = []
    for nearness in (0.0, 0.1, 1.0):
        signals = torch.zeros(len(one), SIGNALS)
        signals[:, DIRECT], signals[:, SKY], signals[:, NEARNESS] = one, one, nearness
        level = shared(made, signals)[0][1]
        middle = int(one.argmax())
        spread.append(level[middle, SKY].item())
        assert level[middle, DIRECT].item() == pytest.approx(0.25, rel=1e-4)
    straight, diagonal = (1 / (1 + (PARALLAX * 0.1 * length) ** 2) for length in (1, math.sqrt(2)))
    assert spread[0] == pytest.approx(0.25, rel=1e-4)
    assert spread[1] == pytest.approx(1 / (1 + 4 * straight / 2 + 4 * diagonal / 4), rel=1e-3)
    assert spread[2] > 0.4


def test_light_stays_on_its_side_of_an_edge_of_what_lights_reach_but_for_noise():
    """As before and behind a panel; what rays over the hemisphere find, which is noise, is shared all the same."""
    made = picture(FLAT)
    is_lit = (made.column < WIDTH // 2).float()
    signals = torch.zeros(len(made.shown), SIGNALS)
    signals[:, DIRECT : DIRECT + 3] = signals[:, UNSHADOWED : UNSHADOWED + 3] = is_lit[:, None]
    signals[:, SKY] = is_lit
    signals[:, INDIRECT_VARIANCE] = 1.0
    certain, _ = shared(made, signals)
    signals[:, DIRECT_VARIANCE] = 1.0
    noisy, _ = shared(made, signals)
    for level, of_noisy in zip(certain[1:], noisy[1:], strict=True):
        for kind in (DIRECT, UNSHADOWED):
            assert (level[:, kind] - is_lit).abs().max() < 0.05
        torch.testing.assert_close(level[:, SKY], of_noisy[:, SKY])
        torch.testing.assert_close(of_noisy[:, DIRECT], of_noisy[:, SKY], rtol=1e-5, atol=1e-6)
        assert (of_noisy[:, DIRECT] - is_lit).abs().max() > 0.2


def test_shadows_of_what_surfaces_send_are_not_filled_by_the_last_step_but_for_noise():
    """As of a frosted lamp on a floor; smaller steps share all the same."""
    made = picture(FLAT)
    edge = WIDTH // 2
    signals = torch.zeros(len(made.shown), SIGNALS)
    signals[:, SURFACES : SURFACES + 3] = (made.column < edge).float()[:, None]
    certain, _ = shared(made, signals)
    signals[:, INDIRECT_VARIANCE] = 1.0
    noisy, _ = shared(made, signals)
    farther = made.column >= edge + REACH - ALL_STEPS[-1]
    assert certain[-1][farther, SURFACES].max() < 0.001
    assert noisy[-1][farther, SURFACES].max() > 0.1
    for level, of_noisy in zip(certain[:-1], noisy[:-1], strict=True):
        torch.testing.assert_close(level[:, SURFACES], of_noisy[:, SURFACES], rtol=0, atol=0)


def test_the_edge_of_a_light_is_as_soft_as_a_pixel_and_no_glow():
    """As of the sun's on a floor; what may be noise is shared farther."""
    made = picture(FLAT)
    edge = WIDTH // 2
    is_lit = (made.column < edge).float()
    signals = torch.zeros(len(made.shown), SIGNALS)
    signals[:, UNSHADOWED : UNSHADOWED + 3] = 1.0
    signals[:, DIRECT : DIRECT + 3] = is_lit[:, None]
    certain, _ = shared(made, signals)
    signals[:, DIRECT_VARIANCE] = 1.0
    noisy, _ = shared(made, signals)
    beyond = made.column > edge
    for level in certain[1:]:
        assert level[beyond, DIRECT].max() < 0.01
        assert 0.2 < level[made.column == edge, DIRECT].mean() < 0.6
    for of_noisy in noisy[2:]:
        assert of_noisy[made.column == edge + 1, DIRECT].mean() > 0.15
