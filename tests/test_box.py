"""Boxes: hits against the planes of their faces in float64, directions against their density."""

import numpy as np
import pytest
from kernels import DEVICES
from shapes import SETTINGS, Images, check_hits, check_leaving, check_samples, probes, random_objects

from luxel.core.intersect import MISS
from luxel.scene import Box


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("setting", SETTINGS)
def test_hits_are_those_of_float64(setting, device):
    ratio, spread, distance = SETTINGS[setting]
    images = Images.of("box", random_objects("box", 53, 0, ratio, spread), device)
    check_hits(images, probes(images, 6007, distance, 1))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("ratio", [10.0, 1000.0])
def test_a_ray_never_meets_the_point_it_leaves(ratio, device):
    check_leaving(Images.of("box", random_objects("box", 53, 2, ratio), device), 6007, 3)


PLACE = {"center": (0.3, -0.2, 0.1), "rotation": (0.6, 0.3, -0.5, 0.4)}
ITEMS = {
    "brick": Box(half_extents=(1.1, 0.5, 0.23), **PLACE),
    "plate": Box(half_extents=(1.1, 0.9, 0.02), **PLACE),
    "pole": Box(half_extents=(0.1, 0.2, 1.3), **PLACE),
}
POINTS = [  # in unit space: before a face, an edge, a corner; where one face, two, three are seen; far
    *([0.3, -0.4, 1.05], [1.05, 0.2, 1.05], [-1.05, 1.05, 1.05]),
    *([0.2, 3, -0.1], [4, 0.5, 2], [-3, 2, 5], [40, 10, -50]),
]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", ITEMS)
def test_directions_follow_their_density(name, device):
    check_samples(Images.of("box", [ITEMS[name]], device), np.array(POINTS), 1.04, 4)


@pytest.mark.parametrize("device", DEVICES)
def test_hits_by_hand(device):
    """Along axes: from outside, from within, away from it, past it, and along a face."""
    images = Images.of("box", [Box(center=(0, 2, 0), half_extents=(1, 0.5, 3))], device)
    origin = np.array([[0.9, -3, -2.9], [0, 2, 0], [0, 4, 0], [1.5, -3, 0], [0, 2, 0], [5, 2, 2]])
    direction = np.array([[0, 1, 0], [0, 1, 0], [0, 1, 0], [0, 1, 0], [0, 0, -1], [-2, 0, 0]])
    found = images.interact(np.zeros(6, int), origin, direction)
    np.testing.assert_allclose(found.distance, [4.5, 0.5, np.inf, np.inf, 3, 4], rtol=1e-6)
    hit = [0, 1, 4, 5]
    np.testing.assert_allclose(found.normal[hit], [[0, -1, 0], [0, 1, 0], [0, 0, -1], [1, 0, 0]], atol=1e-6)
    np.testing.assert_allclose(found.point[hit], [[0.9, 1.5, -2.9], [0, 2.5, 0], [0, 2, -3], [1, 2, 2]], atol=1e-6)


@pytest.mark.parametrize("device", DEVICES)
def test_a_point_found_at_a_slant_stays_where_it_was_found(device):
    """Rays that lie in a face but for rounding are put back on it, and not elsewhere."""
    images = Images.of("box", random_objects("box", 53, 5), device)
    which = np.arange(6007) % 53
    random = np.random.default_rng(6)
    start = random.uniform(-1, 1, (6007, 3)) * [1, 1, 0] + [0, 0, 1]
    end = random.uniform(-1, 1, (6007, 3)) * [1, 1, 0] + [0, 0, 1]
    origin = images.center[which] + images.to_world(which, 5 * start - 4 * end)
    direction = images.to_world(which, end - start)
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    origin, direction = (array.astype(np.float32).astype(np.float64) for array in (origin, direction))
    found = images.interact(which, origin, direction)
    hit = (found.object_id != MISS).numpy()
    assert hit.sum() > 1000
    off_ray = np.linalg.norm(np.cross(found.point.double().numpy() - origin, direction), axis=1)
    assert off_ray[hit].max() < 1e-4
