"""Ellipsoids and spheres: hits against the textbook quadratic in float64, directions against their density."""

import numpy as np
import pytest
import warp as wp
from kernels import DEVICES, run
from shapes import SETTINGS, Images, check_hits, check_leaving, check_samples, probes, random_objects

from luxel.core.shapes.ellipsoid import one_minus_cosine
from luxel.scene import Ellipsoid, Sphere


@wp.kernel(enable_backward=False)
def cones(square_distance: wp.array[float], result: wp.array[float]):
    i = wp.tid()
    result[i] = one_minus_cosine(square_distance[i])


KINDS = ["sphere", "ellipsoid"]


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


POINTS = np.array([[0, 0, 1.001], [0.6, 0.7, 0.6], [0, 2, 0], [3, -2, 5], [40, 10, -50]])  # in unit space
PLACE = {"center": (0.3, -0.2, 0.1), "rotation": (0.6, 0.3, -0.5, 0.4)}
ITEMS = {  # with the factor by which the solid angle, which only weighs lights, may be off
    "sphere": (Sphere(center=(0.3, -0.2, 0.1), radius=0.7), 1.03),
    "egg": (Ellipsoid(semi_axes=(1.1, 0.5, 0.23), **PLACE), 15),
    "needle": (Ellipsoid(semi_axes=(0.05, 1.0, 0.05), **PLACE), 5000),
    "flat": (Ellipsoid(semi_axes=(1.1, 0.9, 0.02), **PLACE), 5000),
}


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", ITEMS)
def test_directions_follow_their_density(name, device):
    kind = "sphere" if name == "sphere" else "ellipsoid"
    item, within = ITEMS[name]
    check_samples(Images.of(kind, [item], device), POINTS, within, 4)


@pytest.mark.parametrize("device", DEVICES)
def test_cones_of_far_spheres_keep_their_size(device):
    """1 − cos = sin²/2 to first order, where cos itself is 1 in float32; a hemisphere at and in the sphere."""
    found = run(cones, np.array([1e10, 1.0, 0.3], np.float32), device=device)[0]
    np.testing.assert_allclose(found, [0.5e-10, 1, 1], rtol=1e-6)


@pytest.mark.parametrize("device", DEVICES)
def test_hits_by_hand(device):
    """Along the y axis: from outside, from within, away from it, and past it."""
    egg = Ellipsoid(center=(0, 2, 0), semi_axes=(1, 0.5, 3))
    images = Images.of("ellipsoid", [egg], device)
    origin = np.array([[0, -3, 0], [0, 2, 0], [0, 4, 0], [1.5, -3, 0], [0, 2, 0]])
    direction = np.array([[0, 1, 0], [0, 1, 0], [0, 1, 0], [0, 1, 0], [0, 0, -1]])
    found = images.interact(np.zeros(5, int), origin, direction)
    np.testing.assert_allclose(found.distance, [4.5, 0.5, np.inf, np.inf, 3], rtol=1e-6)
    np.testing.assert_allclose(found.normal[[0, 1, 4]], [[0, -1, 0], [0, 1, 0], [0, 0, -1]], atol=1e-6)
    np.testing.assert_allclose(found.point[[0, 1, 4]], [[0, 1.5, 0], [0, 2.5, 0], [0, 2, -3]], atol=1e-6)
