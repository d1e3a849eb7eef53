"""Rays that go to windows, and to lamps and suns behind rough glass: their density, and pictures, as without them."""

import numpy as np
import pytest
import warp as wp
from kernels import DEVICES, run, uniform_numbers, unit_vectors
from test_openings import closed, holed
from tracer_scenes import LAMP, WHITE, ball, glass, scene

from luxel import Renderer
from luxel.core import scene_tables
from luxel.core.emitters import LightSampleContext
from luxel.core.guide_targets import GuideTargets, guide_table
from luxel.core.guiding import guide_density, guide_weight, sample_target, target_weight
from luxel.core.scene_batch import SceneBatch
from luxel.core.scenes import Scenes, launchable
from luxel.scene import Box, Camera, Cylinder, Material, Panel, Plane, Scene, Sun
from luxel.trace.path import PathTracer

TURN = (0.6, 0.3, -0.5, 0.4)
FROSTED = glass(0.4)
BULB, GLOBE = ball(0, 0, 0, 0.15, LAMP), ball(0, 0, 0, 0.5, FROSTED)
TOWARDS_SUN, ANGLE = (0, 0.6, 0.8), np.radians(0.25)
SUNLIT = Scene(
    objects=[
        Box(center=(0, 0, 0), half_extents=(2, 0.05, 1), material=glass(0.25)),
        Plane(center=(0, 0, -1.2), material=WHITE),
    ],
    camera=Camera(position=(1, -4, 1), look_at=(0, -0.8, -1.2), vertical_fov_degrees=9),
    sun=Sun(direction=TOWARDS_SUN, radiance=(10_500, 9000, 7500), angular_radius_degrees=0.25),
)
"""A frosted pane, and the ground in its shadow."""
TUBE = Cylinder(center=(2, 1, 0), radius=0.1, half_height=0.8, rotation=TURN, material=LAMP)
SHADE = Cylinder(center=(2, 1, 0), radius=0.3, half_height=1, rotation=TURN, material=FROSTED)


@wp.kernel(enable_backward=False)
def samples(
    scenes: Scenes,
    point: wp.vec3,
    normal: wp.vec3,
    u: wp.array[wp.vec3],
    direction: wp.array[wp.vec3],
    density: wp.array[float],
):
    i = wp.tid()
    at = LightSampleContext(point, normal, -1, True)
    weight_sum = guide_weight(scenes, 0, at)
    direction[i] = sample_target(scenes, 0, at, weight_sum, u[i][0], wp.vec2(u[i][1], u[i][2]))
    density[i] = guide_density(scenes, 0, at, weight_sum, direction[i])


@wp.kernel(enable_backward=False)
def densities(scenes: Scenes, point: wp.vec3, normal: wp.vec3, direction: wp.array[wp.vec3], density: wp.array[float]):
    i = wp.tid()
    at = LightSampleContext(point, normal, -1, True)
    density[i] = guide_density(scenes, 0, at, guide_weight(scenes, 0, at), direction[i])


@wp.kernel(enable_backward=False)
def weights(
    scenes: Scenes, point: wp.array[wp.vec3], normal: wp.array[wp.vec3], one: wp.array[float], together: wp.array[float]
):
    i = wp.tid()
    at = LightSampleContext(point[i], normal[i], -1, True)
    one[i] = target_weight(scenes.guide_targets[0], at)
    together[i] = guide_weight(scenes, 0, at)


@pytest.mark.parametrize("device", DEVICES)
def test_density_is_that_of_the_samples(device):
    """It integrates to 1 over the sphere; the mean of 1 over it, over samples, is the solid angle where it is not 0."""
    batch = SceneBatch.of([scene(BULB, GLOBE, TUBE, SHADE)], device)
    place = (wp.vec3(-1.5, -2.0, -0.6), wp.vec3(0.0, 0.6, 0.8))
    everywhere = unit_vectors(1 << 20, 1)
    (density,) = run(densities, launchable(batch), *place, everywhere, device=device)
    assert 4 * np.pi * density.mean() == pytest.approx(1, abs=0.02)
    direction, at_samples = run(samples, launchable(batch), *place, uniform_numbers(1 << 14, 3, 2), device=device)
    np.testing.assert_allclose(np.linalg.norm(direction, axis=1), 1, atol=1e-5)
    assert (at_samples > 0).all()
    solid_angle = 4 * np.pi * (density > 0).mean()
    assert (1 / at_samples).mean() == pytest.approx(solid_angle, rel=0.03)
    moment = 4 * np.pi * (density[:, None] * everywhere).mean(0)
    np.testing.assert_allclose(direction.mean(0), moment, atol=0.02)


@pytest.mark.parametrize("device", DEVICES)
def test_weights_by_hand(device):
    """Intensity times cosine over the squared distance; nothing behind, within what the lamp fills, or in daylight."""
    batch = SceneBatch.of([scene(BULB, GLOBE)], device)
    points = np.array([(0, 0, -3), (0, 0, -3), (0, 0, -0.2), (3, 0, 0)], np.float32)
    normals = np.array([(0, 0, 1), (0, 0, -1), (0, 0, 1), (-0.6, 0.8, 0)], np.float32)
    intensity = np.mean(LAMP.emission) * np.pi * 0.15**2
    reach = 0.15 + 2 * 0.4**2 * 0.5
    expected = intensity / 9 * np.array([1, 0, 0, 0.6 + reach / 3])
    for found in run(weights, launchable(batch), points, normals, device=device):
        np.testing.assert_allclose(found, expected, rtol=1e-5)
    day = SceneBatch.of([scene(BULB, GLOBE, background=(9, 9, 9))], device)
    assert not run(weights, launchable(day), points, normals, device=device)[1].any()


@pytest.mark.parametrize("device", DEVICES)
def test_weights_behind_a_pane_by_hand(device):
    """The sun's irradiance times the cosine where the sun's ray, with what blurs it, passes the pane's ball."""
    batch = SceneBatch.of([SUNLIT], device)
    radius, blur = np.linalg.norm((2, 0.05, 1)), 2 * 0.25**2 + ANGLE
    across = np.array((0, 0.8, -0.6))  # at right angles to the sun
    edge = radius + blur * 4
    offsets = [np.zeros(3), 0.98 * edge * across, 1.02 * edge * across, (0, 0, 0), 8 * np.array(TOWARDS_SUN)]
    points = (np.array(offsets) - 4 * np.array(TOWARDS_SUN)).astype(np.float32)
    normals = np.array([(0, 0, 1)] * 3 + [(1, 0, 0)] + [(0, 0, 1)], np.float32)
    irradiance = 9000 * np.pi * np.sin(ANGLE) ** 2
    expected = irradiance * np.array([0.8 + blur, 0.8 + blur, 0, blur, 0])
    one, together = run(weights, launchable(batch), points, normals, device=device)
    np.testing.assert_allclose(one, expected, rtol=2e-3)
    np.testing.assert_array_equal(together, one)


def unguided(monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on no scene's tables have targets."""
    monkeypatch.setattr(scene_tables, "guide_table", lambda _, scenes: guide_table(GuideTargets.none(), scenes))


BRIGHT = ball(0, 0, 0, 0.1, Material(emission=(40, 36, 30)))
ROOM = scene(
    Plane(center=(0, 0, -1), material=WHITE),
    Box(center=(0, 1.5, 1), half_extents=(6, 0.1, 2), material=WHITE),
    BRIGHT,
    GLOBE,
    ball(-1, -0.5, -0.7, 0.3),
)


WINDOWED = Scene(
    objects=closed("+x") + holed((-0.5, 1.5), (-0.2, 0.8)) + [ball(-1, 0, -2, 1)],
    camera=Camera(position=(2.5, -1.5, 0.3), look_at=(-1, 0.5, -0.8), vertical_fov_degrees=50),
    background=(20, 20, 20),
)
PANELLED = scene(
    Plane(center=(0, 0, -1), material=WHITE),
    Panel(center=(0, 0, 1.5), half_extents=(3, 3), rotation=(0, 1, 0, 0), material=Material(emission=(1, 1, 1))),
    ball(1.5, 0, -0.5, 0.1, Material(emission=(60, 60, 60))),
    ball(1.5, 0, -0.5, 0.3, FROSTED),
    camera=Camera(position=(0, -3, 0.5), look_at=(0, 0, -1), vertical_fov_degrees=30),
)
"""A frosted globe, and a lamp that light sampling and rays find about as well."""
SCENES = {
    "a frosted globe": (ROOM, 0.01),
    "a window": (WINDOWED, 0.01),
    "a globe and a panel": (PANELLED, 0.01),
    "a pane": (SUNLIT, 0.02),
}
"""And the noise that is left in the mean of pictures, at most, over that mean."""


@pytest.mark.parametrize(("one", "most_noise"), SCENES.values(), ids=SCENES.keys())
def test_path_tracing_is_as_without_guiding_but_for_less_noise(monkeypatch, one, most_noise):
    """The picture's mean, to within noise; of single pixels the one or the other may be what few paths have found."""
    tracer = PathTracer(max_depth=6)
    guided = tracer.trace([one], 24, 24, 1024, 1)
    unguided(monkeypatch)
    plain = tracer.trace([one], 24, 24, 4096, 2)
    means = [found.mean.mean((0, 1, 2)) for found in (guided, plain)]
    noise = np.sqrt(np.mean(guided.variance + plain.variance) / 24**2)
    np.testing.assert_allclose(*means, atol=4 * noise)
    assert noise < most_noise * means[0].mean()
    assert guided.variance.mean() * 1024 < 0.5 * plain.variance.mean() * 4096


@pytest.mark.parametrize("one", [ROOM, WINDOWED], ids=["a frosted globe", "a window"])
def test_one_pass_is_nearer_to_the_truth(monkeypatch, one):
    """By the product of the distances to two truths, whose noise is then without effect."""
    one_truth, other = (PathTracer().trace([one], 48, 48, 1024, seed).mean[0].clip(0, 1) for seed in (1, 2))
    renderer = Renderer.from_pretrained("ray-small")

    def squared_error() -> float:
        picture = renderer(one, 48).clip(0, 1)
        return float(((picture - one_truth) * (picture - other)).mean())

    guided = squared_error()
    unguided(monkeypatch)
    assert 0 < guided < 0.5 * squared_error()
