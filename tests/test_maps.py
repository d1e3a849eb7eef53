"""Environment maps in kernels: radiance against NumPy, sampling against its density, furnaces, rotation."""

import math

import numpy as np
import pytest
import warp as wp
from chi_square import cells_of, p_value, probabilities
from kernels import DEVICES, run
from outside import SPOTS, texels, under
from tracer_scenes import ball

from luxel.core.maps import map_density, map_radiance, sample_map
from luxel.core.scene_batch import SceneBatch
from luxel.core.scenes import Scenes, launchable
from luxel.scene import Camera, MapSky, Material
from luxel.trace.mitsuba_sky import sky_radiance
from luxel.trace.path import PathTracer


@wp.kernel(enable_backward=False)
def in_direction(
    scenes: Scenes,
    scene: int,
    direction: wp.array[wp.vec3],
    sampled: wp.array[wp.vec3],
    unsampled: wp.array[wp.vec3],
    density: wp.array[float],
):
    i = wp.tid()
    found = map_radiance(scenes, scenes.scenes[scene], direction[i])
    sampled[i] = found.sampled
    unsampled[i] = found.unsampled
    density[i] = map_density(scenes, scenes.scenes[scene], direction[i])


@wp.kernel(enable_backward=False)
def sampled(scenes: Scenes, scene: int, u: wp.array[wp.vec2], direction: wp.array[wp.vec3]):
    i = wp.tid()
    direction[i] = sample_map(scenes, scenes.scenes[scene], u[i])


BALL = ball(0, 0, 0, 1)
TALL = MapSky.of(texels(11, 13), rotation_degrees=-200, scale=0.5)
BATCH = [under(BALL, sky=SPOTS), under(BALL), under(BALL, sky=TALL), under(BALL, sky=SPOTS.model_copy())]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("scene", [0, 2, 3])
def test_radiance_is_that_of_other_code(scene, device):
    """Of several maps in a batch; scenes of one map share its texels."""
    batch = SceneBatch.of(BATCH, device)
    assert batch.map.tolist() == [0, -1, 1, 0]
    directions = np.random.default_rng(0).normal(size=(4001, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    sampled, unsampled, _ = run(in_direction, launchable(batch), scene, directions.astype(np.float32), device=device)
    expected = sky_radiance(BATCH[scene], directions)
    np.testing.assert_allclose(sampled + unsampled, expected, rtol=2e-4, atol=2e-3)
    assert sampled.max() > 1
    assert unsampled.mean(1).max() <= 2 * expected.mean() * 1.3  # the sphere's mean, estimated


@pytest.mark.parametrize("device", DEVICES)
def test_the_middle_of_a_map_lies_towards_y_and_its_right_half_towards_x(device):
    """Turned by 90° anticlockwise, the middle lies towards −x."""
    left, right = np.zeros((4, 8, 3), np.float32), np.zeros((4, 8, 3), np.float32)
    left[:, 3:5], right[:, 5:7] = 1.0, 1.0
    directions = np.array([(0, 1, 0), (1, 0, 0), (0, -1, 0), (-1, 0, 0)], np.float32)
    for picture, turn, expected in ((left, 0, [1, 0, 0, 0]), (right, 0, [0, 1, 0, 0]), (left, 90, [0, 0, 0, 1])):
        batch = SceneBatch.of([under(BALL, sky=MapSky.of(picture, rotation_degrees=turn))], device)
        sampled, unsampled, _ = run(in_direction, launchable(batch), 0, directions, device=device)
        np.testing.assert_allclose((sampled + unsampled)[:, 0], expected, atol=0.005)
    upper = np.zeros((4, 8, 3), np.float32)
    upper[0] = 1.0
    batch = SceneBatch.of([under(BALL, sky=MapSky.of(upper))], device)
    up = run(in_direction, launchable(batch), 0, np.array([(0, 0, 1), (0, 0, -1)], np.float32), device=device)
    np.testing.assert_allclose((up[0] + up[1])[:, 0], [1, 0], atol=0.005)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("scene", [0, 2])
def test_directions_follow_their_density(scene, device):
    """χ² over cells of the sphere; and the density is about in proportion to what is sampled."""
    scenes = launchable(batch := SceneBatch.of(BATCH, device))
    assert len(batch) == 4
    u = np.random.default_rng(3).random((60_000, 2)).astype(np.float32)
    found = run(sampled, scenes, scene, u, device=device)[0]
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-6)

    def density(directions: np.ndarray) -> np.ndarray:
        return run(in_direction, scenes, scene, directions, device=device)[2]

    expected = len(u) * probabilities(density, 12, 24, 24)
    assert expected.sum() == pytest.approx(len(u), rel=0.01)
    observed = np.bincount(cells_of(found, 12, 24), minlength=288)
    assert p_value(observed, expected, (0.03 * expected) ** 2 + 4) > 1e-3
    radiance, _, at_samples = run(in_direction, scenes, scene, found, device=device)
    assert (at_samples > 0).mean() > 0.9999
    flux = float(batch.map_moments[batch.map[scene], 0] * batch.map_scale[scene])
    estimate = radiance.mean(1) / np.maximum(at_samples, 1e-9)
    assert estimate.mean() == pytest.approx(flux, rel=0.1)


@pytest.mark.parametrize("device", DEVICES)
def test_a_white_ball_under_a_map_is_as_bright_as_the_map(device):
    """Furnace: of a map that is 1 everywhere; and of spots, a mirror ball shows them all once."""
    white = Material(base_color=(1, 1, 1), metallic=1, specular=1, roughness=0.05)
    even = under(ball(0.2, 0, 0.1, 0.8, white), sky=MapSky.of(np.ones((8, 16, 3), np.float32)))
    light = PathTracer(max_depth=128, device=device).trace([even], 9, 9, 256, 0)
    np.testing.assert_allclose(light.mean, 1, atol=0.02)


@pytest.mark.parametrize("device", DEVICES)
def test_level_ground_has_the_maps_irradiance(device):
    """∫ L cos dω / π over the upper half, as matte ground without Fresnel factors shows it: roughness 0.25 has few."""
    camera = Camera(position=(0, 0, 5), look_at=(0, 0, 0), up=(0, 1, 0), vertical_fov_degrees=1)
    flat = ball(0, 0, -1e4, 1e4, Material(base_color=(1, 1, 1), specular=0.0, roughness=0.0))
    one = under(flat, sky=SPOTS).model_copy(update={"camera": camera})
    found = PathTracer(max_depth=2, device=device).trace([one], 1, 1, 8192, 0)
    u = (np.stack(np.meshgrid(np.arange(700), np.arange(700)), 2).reshape(-1, 2) + 0.5) / 700
    across, turn = np.sqrt(u[:, 0]), 2 * math.pi * u[:, 1]
    directions = np.stack([across * np.cos(turn), across * np.sin(turn), np.sqrt(1 - u[:, 0])], 1)
    height = directions[:, 2]
    # Burley's factor of each direction, seen from straight above: F_D90 = 1/2 where roughness is 0.
    burley = 1 - 0.5 * (1 - height) ** 5
    expected = (sky_radiance(one, directions) * burley[:, None]).mean(0)
    error = np.sqrt(found.variance[0, 0, 0])
    assert np.all(np.abs(found.mean[0, 0, 0] - expected) < 4 * error + 2e-3 * expected)
    assert error.max() < 0.02 * expected.max()
