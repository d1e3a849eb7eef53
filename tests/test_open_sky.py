"""What the ray model shows of light from outside: the sky in pixels, sunlight, mirror images, bounds."""

import math

import numpy as np
import pytest
import torch
from kernels import DEVICES
from outside import FEATURES, GRADIENT, SPOTS, SUN, under
from tracer_scenes import ball, glass, metal

from luxel import InputError, Renderer
from luxel.core.rays import Rays
from luxel.core.scene_batch import SceneBatch
from luxel.models.image_model import ImageModel
from luxel.models.ray_model import brightest
from luxel.models.tokens import encode
from luxel.scene import Camera, Material, Plane, Sun
from luxel.trace.path import PathTracer

RENDERER = Renderer.from_pretrained("ray-small")
AHEAD = Sun(direction=(-0.3, 1, 0.1), angular_radius_degrees=4, radiance=(30, 20, 10))
SPECK = ball(0.2, 0, 0.1, 0.05)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("fields", [{"sky": GRADIENT}, {"sky": SPOTS}, {"sky": GRADIENT, "sun": AHEAD}])
def test_pixels_of_the_sky_are_those_of_path_tracing(fields, device):
    one = under(SPECK, **fields)
    renderer = Renderer.from_pretrained("ray-small", device)
    found, truth = renderer(one, 17, 13), PathTracer(device=device).trace([one], 17, 13, 1024, 0).mean[0]
    sky = np.ones((13, 17), bool)
    sky[5:9, 6:12] = False  # where the ball is
    off = np.abs(found - truth)[sky] / truth[sky]
    assert np.median(off) < 0.005
    assert off.max() < 0.6  # at the sun's edge, and in steep texels, of 16 points
    assert found[sky].mean(0) == pytest.approx(truth[sky].mean(0), rel=0.02)


@pytest.mark.parametrize("device", DEVICES)
def test_rows_that_are_rendered_apart_are_the_same(device, monkeypatch):
    one = under(SPECK, sky=SPOTS, sun=AHEAD)
    renderer = Renderer.from_pretrained("ray-small", device)
    whole = renderer(one, 23, 41)
    monkeypatch.setattr("luxel.models.ray_model.PIXELS_AT_ONCE", 23 * 11)
    np.testing.assert_allclose(renderer(one, 23, 41), whole, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", [name for name in FEATURES if "tree" not in name])
def test_pictures_are_near_path_traced_ones(name, device):
    """By weights that have seen no such light: within some percent in the mean, and in most pixels."""
    one = FEATURES[name][0]
    found = Renderer.from_pretrained("ray-small", device)(one, 32)
    truth = PathTracer(device=device).trace([one], 32, 32, 256, 0).mean[0]
    assert found.mean((0, 1)) == pytest.approx(truth.mean((0, 1)), rel=0.08)
    assert np.median(np.abs(found - truth).mean(2) / truth.mean(2)) < 0.05


@pytest.mark.parametrize("device", DEVICES)
def test_a_single_ray_sees_sky_and_sun(device):
    batch = SceneBatch.of([under(SPECK, sky=GRADIENT, sun=AHEAD)], device)
    directions = torch.tensor([AHEAD.direction, (0.0, 0.0, 1.0)], device=device)
    rays = Rays(torch.tensor([[0.0, 0.0, 3.0]] * 2, device=device), directions, torch.zeros(2, dtype=torch.int32))
    model = Renderer.from_pretrained("ray-small", device).model
    with torch.no_grad():
        found = model(batch, rays.to(device)).cpu()
    behind = np.array(GRADIENT.horizon) + (np.array(GRADIENT.zenith) - GRADIENT.horizon) * AHEAD.direction[2] ** 0.5
    np.testing.assert_allclose(found, [behind + AHEAD.radiance, GRADIENT.zenith], rtol=1e-5)


def test_a_mirror_shows_the_sun():
    """Straight above a level mirror, the sun's image is as wide as the sun and as bright, times its colour."""
    mirror = Plane(center=(0, 0, 0), material=metal(0.0))
    up = Camera(position=(0, 0, 5), look_at=(0, 0, 0), up=(0, 1, 0), vertical_fov_degrees=40)
    sun = Sun(direction=(0, 0, 1), angular_radius_degrees=10, radiance=(1, 1, 1))
    found = RENDERER(under(mirror, sun=sun).model_copy(update={"camera": up}), 32)
    np.testing.assert_allclose(found[14:18, 14:18].mean((0, 1)), (0.9, 0.6, 0.3), rtol=0.03)
    share = math.pi * (math.tan(math.radians(10)) / math.tan(math.radians(20)) * 16) ** 2 / 32**2
    assert found[..., 0].mean() == pytest.approx(0.9 * share, rel=0.05)


def test_glass_gathers_sunlight_as_it_does_a_far_lamps():
    """The bright spot below a ball of clear glass, by refracted lines to infinity, and to a lamp 400 away."""
    floor = Plane(center=(0, 0, -1), material=Material(base_color=(0.5, 0.5, 0.5), specular=0.0))
    clear = ball(0, 0, 0.2, 0.5, glass(0.0))
    above = Camera(position=(0, -4, 1.2), look_at=(0, 0, -0.6), vertical_fov_degrees=30)
    sun = Sun(direction=(0, 0, 1), angular_radius_degrees=2, radiance=(300, 300, 300))
    lamp = ball(0, 0, 400, 400 * math.sin(math.radians(2)), Material(emission=(300, 300, 300)))
    one = under(floor, clear, sun=sun).model_copy(update={"camera": above})
    other = under(floor, clear, lamp).model_copy(update={"camera": above})
    found, expected = RENDERER.render([one, other], 48)[..., 0]
    below = np.s_[24:34, 19:29]  # the spot and the shadow about it
    assert expected[below].max() > 1.4 * np.median(expected)
    np.testing.assert_allclose(found[below].mean(), expected[below].mean(), rtol=0.05)
    np.testing.assert_allclose(np.median(found), np.median(expected), rtol=0.02)


def test_nothing_is_brighter_than_the_brightest_light():
    scenes = [one for one, _ in FEATURES.values()]
    batch = SceneBatch.of(scenes)
    limits = brightest(batch).numpy()
    found = RENDERER.render(scenes, 24)
    for picture, limit in zip(found, limits, strict=True):
        assert (picture <= limit * 2.3).all()  # times η² in glass
    spots = np.array(SPOTS.map.texels.max((0, 1)))
    np.testing.assert_allclose(brightest(SceneBatch.of([under(SPECK, sky=SPOTS)]))[0], spots, rtol=1e-6)
    both = brightest(SceneBatch.of([under(SPECK, sky=SPOTS.model_copy(update={"scale": 0.5}), sun=SUN)]))
    np.testing.assert_allclose(both[0], 0.5 * spots + SUN.radiance, rtol=1e-6)


def test_an_image_model_refuses_them():
    one = under(SPECK, sky=GRADIENT)
    renderer = Renderer(ImageModel(ImageModel.config_type(width=16)))
    with pytest.raises(InputError, match=r"sky is GradientSky.*, but an image model knows no light from outside but"):
        renderer(one)
    with pytest.raises(InputError, match=r"^scene 1: sun is Sun"):
        renderer.render([under(SPECK, background=(1, 1, 1)), under(SPECK, sun=SUN)])
    with pytest.raises(InputError, match="a scene has a sky or a sun, but an image model"):
        encode(SceneBatch.of([one]))
