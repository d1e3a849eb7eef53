"""Flicker: what holds still has none, what moves steadily hardly any, and noise has all of it."""

import math

import pytest
import torch
from tracer_scenes import GREY, ball, scene

from luxel.core.scene_batch import SceneBatch
from luxel.evaluation.stability import (
    carried,
    pixel_centres,
    reprojected_difference,
    second_difference,
    seen_at,
    tracking_shot,
)
from luxel.scene import Camera, Ellipsoid, Material, Plane, Scene

CHALK = Material(base_color=(0.8, 0.5, 0.3), roughness=0.8, specular=0.0)
SIDE = 48
STONES = Scene(
    objects=(Plane(center=(0, 0, 0), material=CHALK), ball(0.3, 0.2, 0.7, 0.7, CHALK)),
    camera=Camera(position=(1.0, -5.0, 3.0), look_at=(0.2, 0.1, 0.3), up=(0, 0, 1), vertical_fov_degrees=40),
    background=GREY,
)


def painted(film: list[Scene], steepness: float = 1.0) -> torch.Tensor:
    """Pictures whose colours are smooth functions of the place in the world."""
    frames = []
    for frame in film:
        place, _ = pixel_centres(frame, SIDE, SIDE)
        frames.append((0.5 + 0.5 * torch.sin(steepness * place)).reshape(SIDE, SIDE, 3))
    return torch.stack(frames)


def test_a_tracking_shot_moves_what_it_looks_at_by_pixels():
    film = tracking_shot(STONES, 4, 0.5, SIDE)
    target = torch.tensor([STONES.camera.look_at])
    columns = []
    for frame in film:
        pixel, _ = seen_at(SceneBatch.of([frame]), target, torch.zeros(1, dtype=torch.int32), SIDE, SIDE)
        columns.append(pixel[0, 0].item())
        assert pixel[0, 1] == pytest.approx(SIDE / 2 - 0.5, abs=1e-3)
        assert frame.objects == STONES.objects
    assert columns == pytest.approx([SIDE / 2 - 0.5 - 0.5 * number for number in range(4)], abs=1e-3)


def test_places_that_keep_their_colour_do_not_change():
    """What is left is the bilinear reading: a second derivative times 1/8 of a pixel's width squared."""
    film = tracking_shot(STONES, 3, 0.7, SIDE)
    changes = reprojected_difference(film, painted(film))
    assert len(changes) > 0.8 * 2 * (SIDE * SIDE) * 0.7  # of the pixels most show an object, and but few its edge
    assert changes.mean() < 1e-3
    assert changes.max() < 2e-2


def test_colours_that_stay_on_the_screen_change_at_places():
    """As much as a place moves over it: by the shift, where the camera looks at."""
    film = tracking_shot(STONES, 2, 2.0, SIDE)
    ramp = torch.arange(SIDE).float().expand(SIDE, SIDE)[None, :, :, None].expand(2, -1, -1, 3)
    changes = reprojected_difference(film, ramp.contiguous())
    assert changes.median() == pytest.approx(2.0, rel=0.25)


def test_noise_of_its_own_in_every_frame_is_found_whole():
    film = tracking_shot(STONES, 3, 1e-3, SIDE)  # so little that a place is read at its own pixel
    noise = torch.randn(3, SIDE, SIDE, 1, generator=torch.Generator().manual_seed(1)).expand(-1, -1, -1, 3)
    changes = reprojected_difference(film, noise.contiguous())
    assert changes.mean() == pytest.approx(2 / math.sqrt(math.pi), rel=0.05)  # E|x − y| of standard normals


def test_places_move_with_their_objects():
    """By hand: a quarter turn about z takes x to y; twice as long, the end of an axis is twice as far."""
    half = math.sqrt(0.5)
    egg = Ellipsoid(center=(1, 0, 0), semi_axes=(2, 1, 1))
    turned = Ellipsoid(center=(0, 5, 1), semi_axes=(4, 1, 1), rotation=(half, 0, 0, half))
    before, after = (SceneBatch.of([scene(item, STONES.objects[0])]) for item in (egg, turned))
    places = torch.tensor([[3.0, 0, 0], [1, 1, 0], [1, 0, -1], [7, 8, 0], [0, 0, 0]])
    moved = carried(before, after, places, torch.tensor([0, 0, 0, 1, -1], dtype=torch.int32))
    expected = torch.tensor([[0.0, 9, 1], [-1, 5, 1], [0, 5, 0], [7, 8, 0]])
    torch.testing.assert_close(moved[:4], expected, atol=1e-6, rtol=0)


def test_colours_that_move_with_an_object_do_not_change():
    """Of a ball that rolls and a camera that moves; painted on the place, they would be by 0.01."""
    film = [
        Scene(
            objects=(Ellipsoid(center=(0.1 * t, 0, 0.7), semi_axes=(0.7, 0.7, 0.7), rotation=(1, 0, 0.05 * t, 0)),),
            camera=STONES.camera.model_copy(update={"position": (1.0 + 0.05 * t, -5.0, 3.0)}),
            background=GREY,
        )
        for t in range(3)
    ]
    batches, frames = [SceneBatch.of([frame]) for frame in film], []
    for frame, batch in zip(film, batches, strict=True):
        place, seen = pixel_centres(frame, SIDE, SIDE)
        frames.append((0.5 + 0.5 * torch.sin(carried(batch, batches[0], place, seen))).reshape(SIDE, SIDE, 3))
    assert reprojected_difference(film, torch.stack(frames)).mean() < 2e-3
    assert reprojected_difference(film, painted(film)).mean() > 1e-2


def test_what_hides_in_the_next_frame_is_left_out():
    """Of a wall behind a ball that moves before it, the strip that is hidden; and no sky."""
    ball_alone = scene(ball(0, 0, 0, 1.0, CHALK), background=GREY)
    film = tracking_shot(ball_alone, 2, 0.5, SIDE)
    _, seen = pixel_centres(ball_alone, SIDE, SIDE)
    found = reprojected_difference(film, torch.zeros(2, SIDE, SIDE, 3))
    on_ball = int((seen >= 0).sum())
    assert 0.7 * on_ball < len(found) < on_ball


def test_the_second_difference_of_steady_change_is_none_and_of_a_jump_the_jump():
    steady = torch.linspace(0, 1, 5)[:, None, None, None].expand(5, 2, 2, 3).clone()
    assert second_difference(steady).abs().max() < 1e-6
    steady[2, 0, 1] += 0.25
    found = second_difference(steady)
    assert found.shape == (3, 2, 2)
    assert found[1, 0, 1] == pytest.approx(0.25, abs=1e-6)
    assert found[0, 0, 1] == pytest.approx(0.125, abs=1e-6)
    assert found[:, 1].abs().max() < 1e-6
