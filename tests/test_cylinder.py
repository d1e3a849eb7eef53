"""Cylinders: hits against a quadratic and two discs in float64, directions against their density."""

import numpy as np
import pytest
from kernels import DEVICES
from shapes import SETTINGS, Images, check_hits, check_leaving, check_samples, probes, random_objects

from luxel.core.intersect import MISS
from luxel.scene import Cylinder


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("setting", list(SETTINGS))
def test_hits_are_those_of_float64(setting, device):
    ratio, spread, distance = SETTINGS[setting]
    images = Images.of("cylinder", random_objects("cylinder", 53, 0, ratio, spread), device)
    check_hits(images, probes(images, 6007, distance, 1))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("ratio", [10.0, 1000.0])
def test_a_ray_never_meets_the_point_it_leaves(ratio, device):
    check_leaving(Images.of("cylinder", random_objects("cylinder", 53, 2, ratio), device), 6007, 3)


PLACE = {"center": (0.3, -0.2, 0.1), "rotation": (0.6, 0.3, -0.5, 0.4)}
ITEMS = {
    "can": Cylinder(radius=0.5, half_height=0.7, **PLACE),
    "coin": Cylinder(radius=1.0, half_height=0.02, **PLACE),
    "pole": Cylinder(radius=0.1, half_height=1.0, **PLACE),
}
POINTS = [  # in unit space: before a cap, the mantle, the rim; where one is seen, both; far
    *([0.3, -0.4, 1.05], [0.6, 0.85, 0.2], [0.01, 1.05, 1.05]),
    *([0.1, 0.2, -4], [3, 0.5, 0.4], [-3, 2, 5], [40, 10, -50]),
]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", ["can", "coin", "pole"])
def test_directions_follow_their_density(name, device):
    """The solid angle, which only weighs lights, may be off by the factor of 30."""
    check_samples(Images.of("cylinder", [ITEMS[name]], device), np.array(POINTS), 30, 4)


@pytest.mark.parametrize("device", DEVICES)
def test_hits_by_hand(device):
    """Mantle and caps from outside and from within; away from it, past it, along the axis within and beside."""
    images = Images.of("cylinder", [Cylinder(center=(0, 2, 0), radius=0.5, half_height=3)], device)
    origin = np.array([[0.3, -3, 0], [0, 2, 0], [0, 4, 0], [0.6, -3, 0], [0.1, 2, 9], [0, 2, 0], [0, 2.6, 9]])
    direction = np.array([[0, 1, 0], [0, 1, 0], [0, 1, 0], [0, 1, 0], [0, 0, -1], [0, 0, -1], [0, 0, -1]])
    found = images.interact(np.zeros(7, int), origin, direction)
    np.testing.assert_allclose(found.distance, [4.6, 0.5, np.inf, np.inf, 6, 3, np.inf], rtol=1e-6)
    hit = [0, 1, 4, 5]
    np.testing.assert_allclose(found.normal[hit], [[0.6, -0.8, 0], [0, 1, 0], [0, 0, 1], [0, 0, -1]], atol=1e-6)
    np.testing.assert_allclose(found.point[hit], [[0.3, 1.6, 0], [0, 2.5, 0], [0.1, 2, 3], [0, 2, -3]], atol=1e-6)


@pytest.mark.parametrize("device", DEVICES)
def test_a_point_found_at_a_slant_stays_where_it_was_found(device):
    """Rays that lie in a cap but for rounding are put back on it, and not elsewhere."""
    images = Images.of("cylinder", random_objects("cylinder", 53, 5), device)
    which = np.arange(6007) % 53
    random = np.random.default_rng(6)
    start = random.uniform(-1, 1, (6007, 3)) * [0.7, 0.7, 0] + [0, 0, 1]
    end = random.uniform(-1, 1, (6007, 3)) * [0.7, 0.7, 0] + [0, 0, 1]
    origin = images.center[which] + images.to_world(which, 5 * start - 4 * end)
    direction = images.to_world(which, end - start)
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    origin, direction = (array.astype(np.float32).astype(np.float64) for array in (origin, direction))
    found = images.interact(which, origin, direction)
    hit = (found.object_id != MISS).numpy()
    assert hit.sum() > 1000
    off_ray = np.linalg.norm(np.cross(found.point.double().numpy() - origin, direction), axis=1)
    assert off_ray[hit].max() < 1e-4
