"""Infinite planes: hits from both sides against float64."""

import numpy as np
import pytest
from kernels import DEVICES
from shapes import SETTINGS, Images, check_hits, check_leaving, probes, random_objects

from luxel.scene import Plane


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("setting", SETTINGS)
def test_hits_are_those_of_float64(setting, device):
    ratio, spread, distance = SETTINGS[setting]
    images = Images.of("plane", random_objects("plane", 53, 0, ratio, spread), device)
    check_hits(images, probes(images, 6007, distance, 1))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("ratio", [10.0, 1000.0])
def test_a_ray_never_meets_the_point_it_leaves(ratio, device):
    check_leaving(Images.of("plane", random_objects("plane", 53, 2, ratio), device), 6007, 3)


@pytest.mark.parametrize("device", DEVICES)
def test_hits_by_hand(device):
    """From above and below, away from it, along it, at a slant; below is inside, and the normal points out of it."""
    images = Images.of("plane", [Plane(center=(7, -9, 2))], device)
    origin = np.array([[0.9, 0.1, 5], [0.9, 0.1, -1], [0, 0, 3], [-5, 0, 2.5], [0, 0, 6]])
    direction = np.array([[0, 0, -1], [0, 0, 1], [0, 0, 1], [1, 0, 0], [0.6, 0, -0.8]])
    found = images.interact(np.zeros(5, int), origin, direction)
    np.testing.assert_allclose(found.distance, [3, 3, np.inf, np.inf, 5], rtol=1e-6)
    hit = [0, 1, 4]
    np.testing.assert_array_equal(found.normal[hit], np.tile([0, 0, 1], (3, 1)))
    np.testing.assert_allclose(found.point[hit], [[0.9, 0.1, 2], [0.9, 0.1, 2], [3, 0, 2]], atol=1e-6)


@pytest.mark.parametrize("device", DEVICES)
def test_it_has_no_end(device):
    images = Images.of("plane", [Plane(center=(0, 0, 0))], device)
    direction = np.array([[1.0, 0.0, -1e-6]])
    found = images.interact(np.zeros(1, int), np.array([[0.0, 0.0, 1.0]]), direction)
    np.testing.assert_allclose(found.distance, [1e6], rtol=1e-5)
    np.testing.assert_allclose(found.point, [[1e6, 0, 0]], rtol=1e-5, atol=1e-3)
