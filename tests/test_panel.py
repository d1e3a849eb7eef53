"""Panels: hits from both sides against float64, directions against their density."""

import numpy as np
import pytest
import warp as wp
from kernels import DEVICES, run, uniform_numbers
from shapes import SETTINGS, Images, check_hits, check_leaving, check_samples, probes, random_objects

from luxel.core.shapes.panel import sample_disc_along
from luxel.scene import Panel

KINDS = ["rectangle", "disc"]


@wp.kernel(enable_backward=False)
def disc_points(u: wp.array[wp.vec2], point: wp.array[wp.vec2]):
    i = wp.tid()
    point[i] = sample_disc_along(u[i])


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("setting", SETTINGS)
def test_hits_are_those_of_float64(setting, kind, device):
    ratio, spread, distance = SETTINGS[setting]
    images = Images.of(kind, random_objects(kind, 53, 0, ratio, spread), device)
    check_hits(images, probes(images, 6007, distance, 1))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ratio", [10.0, 1000.0])
def test_a_ray_never_meets_the_point_it_leaves(ratio, kind, device):
    check_leaving(Images.of(kind, random_objects(kind, 53, 2, ratio), device), 6007, 3)


ITEMS = {
    "rectangle": {"square": (1.0, 1.0), "ribbon": (1.1, 0.01)},
    "disc": {"circle": (1.0, 1.0), "oval": (1.1, 0.3), "sliver": (0.05, 1.1)},
}
# In unit space, all before the front: close to its middle, above an edge, beside it, at a slant; far.
POINTS = [[0.3, -0.4, 0.01], [0.97, 0.0, 0.02], [1.5, 0.2, 0.05], [0.1, 0.2, 3], [-3, 2, 1], [40, 10, 50]]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind in ITEMS for name in ITEMS[kind]])
def test_directions_follow_their_density(kind, name, device):
    """The solid angle of a disc, which only weighs lights, is that of a rectangle: less above the disc's edge."""
    outline = {"rectangle": "rectangle", "disc": "ellipse"}[kind]
    place = {"center": (0.3, -0.2, 0.1), "rotation": (0.6, 0.3, -0.5, 0.4)}
    item = Panel(half_extents=ITEMS[kind][name], outline=outline, **place)
    check_samples(Images.of(kind, [item], device), np.array(POINTS), 1.04 if kind == "rectangle" else 20, 4)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("kind", KINDS)
def test_hits_by_hand(kind, device):
    """From before and behind, away from it, past it, and within its plane; the normal is the front's."""
    outline = {"rectangle": "rectangle", "disc": "ellipse"}[kind]
    images = Images.of(kind, [Panel(center=(0, 0, 2), half_extents=(1, 0.5), outline=outline)], device)
    origin = np.array([[0.9, 0.1, 5], [0.9, 0.1, -1], [0, 0, 3], [0, 0.6, 5], [-5, 0, 2], [0.9, 0.4, 5]])
    direction = np.array([[0, 0, -1], [0, 0, 1], [0, 0, 1], [0, 0, -1], [1, 0, 0], [0, 0, -1]])
    found = images.interact(np.zeros(6, int), origin, direction)
    corner = 3 if kind == "rectangle" else np.inf
    np.testing.assert_allclose(found.distance, [3, 3, np.inf, np.inf, np.inf, corner], rtol=1e-6)
    np.testing.assert_array_equal(found.normal[:2], [[0, 0, 1], [0, 0, 1]])
    np.testing.assert_allclose(found.point[:2], [[0.9, 0.1, 2], [0.9, 0.1, 2]], atol=1e-6)


@pytest.mark.parametrize("device", DEVICES)
def test_a_disc_is_filled_chord_by_chord(device):
    """Left of the chord lies the share u[0] of the disc, at all u[0], and u[1] goes evenly along the chord."""
    u = uniform_numbers(100_003, 2, 5)
    u[:1009, 0], u[1009:2018, 0] = np.arange(1009) * 2.0**-24, 1 - (1 + np.arange(1009)) * 2.0**-24  # the ends
    u[2018:3027, 0] = 0.5 + (np.arange(1009) - 504) * 2.0**-24
    x, y = run(disc_points, u, device=device)[0].astype(np.float64).T
    half_chord = np.sqrt(np.maximum(1 - x * x, 0))
    share = 0.5 + (x * half_chord + np.arcsin(x)) / np.pi
    np.testing.assert_allclose(share, u[:, 0], atol=2e-6)
    np.testing.assert_allclose(y, (2 * u[:, 1].astype(np.float64) - 1) * half_chord, atol=5e-4)
    order = np.argsort(u[:, 0])
    assert (np.diff(x[order]) >= -2e-7).all()
    assert np.hypot(x, y).max() < 1 + 1e-6
