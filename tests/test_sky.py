"""The sun and gradient skies: sampling, radiance and irradiance, by hand."""

import math

import numpy as np
import pytest
import torch
import warp as wp
from chi_square import cells_of, p_value, probabilities
from kernels import DEVICES, run
from outside import GRADIENT, SMALL_SUN, SUN, under
from scipy.stats import qmc
from tracer_scenes import ball

from luxel.core.emitters import environment_radiance
from luxel.core.scene_batch import SceneBatch
from luxel.core.scenes import Scenes, launchable
from luxel.core.sky import is_in_sun, mean_gradient_radiance, sample_sun, sun_solid_angle
from luxel.scene import Camera, Material, Plane, Sun
from luxel.trace.path import PathTracer


@wp.kernel(enable_backward=False)
def towards_the_sun(scenes: Scenes, u: wp.array[wp.vec2], direction: wp.array[wp.vec3], angle: wp.array[float]):
    i = wp.tid()
    direction[i] = sample_sun(scenes.scenes[0], u[i])
    angle[i] = sun_solid_angle(scenes.scenes[0])


@wp.kernel(enable_backward=False)
def seen(scenes: Scenes, direction: wp.array[wp.vec3], radiance: wp.array[wp.vec3], in_sun: wp.array[int]):
    i = wp.tid()
    radiance[i] = environment_radiance(scenes, 0, direction[i])
    in_sun[i] = wp.where(is_in_sun(scenes.scenes[0], direction[i]), 1, 0)


@wp.kernel(enable_backward=False)
def mean_seen(scenes: Scenes, normal: wp.array[wp.vec3], mean: wp.array[wp.vec3]):
    i = wp.tid()
    mean[i] = mean_gradient_radiance(scenes.scenes[0], normal[i])


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("degrees", [0.01, 0.265, 3.0, 40.0, 90.0])
def test_the_sun_is_sampled_evenly_over_its_disc(degrees, device):
    """1 − cos of the angle off its middle is uniform up to the disc's, in every direction alike."""
    sun = Sun(direction=(2, -3, 6), angular_radius_degrees=degrees, radiance=(1, 1, 1))
    batch = SceneBatch.of([under(ball(0, 0, 0, 1), sun=sun)], device)
    u = np.random.default_rng(0).random((20_011, 2)).astype(np.float32)
    found, angle = run(towards_the_sun, launchable(batch), u, device=device)
    middle, most = np.array([2, -3, 6]) / 7, 2 * math.sin(math.radians(degrees) / 2)
    np.testing.assert_allclose(angle, math.pi * most**2, rtol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-6)
    chord = ((found.astype(np.float64) - middle) ** 2).sum(1) / most**2
    rounding = 4e-7 / most
    assert chord.max() < 1 + 3 * rounding
    if degrees >= 3:
        counts = np.histogram(chord, np.linspace(0, 1, 33))[0]
        assert p_value(counts, np.full(32, len(u) / 32)) > 1e-3

        def density(directions: np.ndarray) -> np.ndarray:
            return (((directions - middle) ** 2).sum(1) < most**2) / (math.pi * most**2)

        if degrees >= 40:
            expected = len(u) * probabilities(density, 6, 12, 40)
            observed = np.bincount(cells_of(found, 6, 12), minlength=72)
            assert p_value(observed, expected, (0.01 * expected) ** 2) > 1e-3
    else:
        assert np.abs(chord.mean() - 0.5) < 0.01 + rounding


@pytest.mark.parametrize("device", DEVICES)
def test_radiance_by_hand(device):
    """Up, level, down, at 30° and −30°, in the sun and just beside it."""
    fields = {"sky": GRADIENT, "sun": SUN, "background": (0.5, 0.25, 0.125)}
    batch = SceneBatch.of([under(ball(0, 0, 0, 1), **fields)], device)
    middle = np.array(SUN.direction)
    across = np.cross(middle, [0, 0, 1]) / np.linalg.norm(np.cross(middle, [0, 0, 1]))
    inside, outside = (middle * math.cos(a) + across * math.sin(a) for a in np.radians([2.95, 3.05]))
    directions = [(0, 0, 1), (0, 1, 0), (0, 0, -1), (0, math.sqrt(0.75), 0.5), (math.sqrt(0.75), 0, -0.5)]
    found, in_sun = run(seen, launchable(batch), np.array([*directions, inside, outside], np.float32), device=device)
    zenith, horizon, ground = (np.array(v) for v in (GRADIENT.zenith, GRADIENT.horizon, GRADIENT.ground))
    root, high = math.sqrt(0.5), math.sqrt(outside[2])
    expected = [zenith, horizon, ground, horizon + (zenith - horizon) * root, horizon + (ground - horizon) * root]
    np.testing.assert_allclose(found[:5], np.array(expected) + fields["background"], rtol=1e-6)
    assert in_sun.tolist() == [0] * 5 + [1, 0]
    np.testing.assert_allclose(found[6], horizon + (zenith - horizon) * high + fields["background"], rtol=1e-5)
    np.testing.assert_allclose(found[5] - found[6], SUN.radiance, rtol=1e-3)


DOWN = Camera(position=(0, 0, 5), look_at=(0, 0, 0), up=(0, 1, 0), vertical_fov_degrees=1)
CHALK = Plane(center=(0, 0, 0), material=Material(base_color=(1, 1, 1), specular=0.0, roughness=0.5))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("sun", [SUN, SMALL_SUN], ids=["wide", "small"])
def test_level_ground_has_the_suns_irradiance(sun, device):
    """π sin²θ L cos: of Burley's diffuse lobe, as dark as its Fresnel factors say where light and view are steep."""
    one = under(CHALK, camera=DOWN, sun=sun)
    found = PathTracer(max_depth=2, device=device).trace([one], 1, 1, 1024, 0)
    height = sun.direction[2]
    irradiance = math.pi * math.sin(math.radians(sun.angular_radius_degrees)) ** 2 * height * np.array(sun.radiance)
    # F_D90 = 1/2 + 2 roughness cos²θ_d of the half angle, half of that between the sun and the view (Burley 2012).
    f_d90 = 0.5 + 2 * 0.5 * (1 + height) / 2
    burley = 1 + (f_d90 - 1) * (1 - height) ** 5
    np.testing.assert_allclose(found.mean[0, 0, 0], irradiance / math.pi * burley, rtol=2e-3)


@pytest.mark.parametrize("device", DEVICES)
def test_a_gradient_adds_up_over_the_hemisphere(device):
    """The mean of the cosine-weighted radiance is 0.2 horizon + 0.8 zenith."""
    u = np.random.default_rng(1).random((100_000, 2))
    across, turn = np.sqrt(u[:, 0]), 2 * math.pi * u[:, 1]
    directions = np.stack([across * np.cos(turn), across * np.sin(turn), np.sqrt(1 - u[:, 0])], 1).astype(np.float32)
    batch = SceneBatch.of([under(ball(0, 0, 0, 1), sky=GRADIENT)], device)
    found = run(seen, launchable(batch), directions, device=device)[0].astype(np.float64).mean(0)
    np.testing.assert_allclose(found, 0.2 * np.array(GRADIENT.horizon) + 0.8 * np.array(GRADIENT.zenith), rtol=3e-3)


@pytest.mark.parametrize("device", DEVICES)
def test_the_mean_of_a_gradient_is_known_for_any_slope(device):
    """Exactly for level ground, and to 0.3 % elsewhere: 2^16 well-spread directions about each normal."""
    slopes = np.linspace(0, math.pi, 7)
    normals = np.stack([np.sin(slopes), np.zeros(7), np.cos(slopes)], 1)
    u = qmc.Sobol(2, rng=np.random.default_rng(1)).random(1 << 16)
    across, turn = np.sqrt(u[:, 0]), 2 * math.pi * u[:, 1]
    x, y, z = across * np.cos(turn), across * np.sin(turn), np.sqrt(1 - u[:, 0])
    batch = SceneBatch.of([under(ball(0, 0, 0, 1), sky=GRADIENT, background=(0.1, 0.2, 0.3))], device)
    (found,) = run(mean_seen, launchable(batch), normals.astype(np.float32), device=device)
    for slope, mean in zip(slopes, found, strict=True):
        sine, cosine = math.sin(slope), math.cos(slope)
        directions = np.stack([x * cosine + z * sine, y, z * cosine - x * sine], 1).astype(np.float32)
        expected = run(seen, launchable(batch), directions, device=device)[0].astype(np.float64).mean(0)
        np.testing.assert_allclose(mean, expected, rtol=3e-3)
    level = 0.2 * np.array(GRADIENT.horizon) + 0.8 * np.array(GRADIENT.zenith) + [0.1, 0.2, 0.3]
    np.testing.assert_allclose(found[0], level, rtol=1e-5)


@pytest.mark.parametrize("device", DEVICES)
def test_what_is_in_the_way_hides_the_sun(device):
    low = Sun(direction=(1, 0, 0.001), angular_radius_degrees=0.05, radiance=(1e5, 1e5, 1e5))
    one = under(CHALK, ball(3, 0, 0, 2.0), camera=DOWN, sun=low)
    assert PathTracer(max_depth=2, device=device).trace([one], 1, 1, 64, 0).mean.max() == 0
    clear = under(CHALK, ball(-3, 0, 0, 2.0), camera=DOWN, sun=low)
    assert PathTracer(max_depth=2, device=device).trace([clear], 1, 1, 64, 0).mean.min() > 0


def test_scenes_without_them_have_constant_skies():
    plain = under(ball(0, 0, 0, 1), background=(1, 2, 3))
    assert SceneBatch.of([plain]).has_constant_skies
    for fields in ({"sun": SUN}, {"sky": GRADIENT}):
        assert not SceneBatch.of([plain, under(ball(0, 0, 0, 1), **fields)]).has_constant_skies
    both = SceneBatch.of([plain.model_copy(update={"sky": GRADIENT, "sun": SUN})])
    np.testing.assert_allclose(both.brightest_sky, [[402, 302.8, 204]], rtol=1e-6)
    assert torch.equal(SceneBatch.of([plain]).sun_radiance, torch.zeros(1, 3))
