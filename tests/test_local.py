"""What the shapes' files share: intervals of rays, and solid angles of rectangles."""

import math

import numpy as np
import pytest
import warp as wp
from kernels import DEVICES, run

from luxel.core.shapes.local import nearest_in_interval, rectangle_solid_angle, slab


@wp.kernel(enable_backward=False)
def slabs(start: wp.array[float], along: wp.array[float], interval: wp.array[wp.vec2]):
    i = wp.tid()
    interval[i] = slab(start[i], along[i])


@wp.kernel(enable_backward=False)
def firsts(interval: wp.array[wp.vec2], on_surface: wp.array[int], t: wp.array[float]):
    i = wp.tid()
    t[i] = nearest_in_interval(interval[i], on_surface[i] != 0)


@wp.kernel(enable_backward=False)
def solid_angles(point: wp.array[wp.vec3], a: wp.array[float], b: wp.array[float], angle: wp.array[float]):
    i = wp.tid()
    angle[i] = rectangle_solid_angle(point[i][0], point[i][1], point[i][2], a[i], b[i])


@pytest.mark.parametrize("device", DEVICES)
def test_a_slab_is_crossed_where_by_hand(device):
    """From outside, from within, backwards, and along it: for ever within, or never."""
    start, along = np.array([[-3, 0, 5, 0.5, 2], [2, 0.25, -2, 0, 0]], np.float32)
    found = run(slabs, start, along, device=device)[0]
    np.testing.assert_allclose(found[:3], [[1, 2], [-4, 4], [2, 3]], rtol=1e-6)
    assert (np.abs(found[3:]) > 1e19).all()
    assert found[3, 0] < 0 < found[3, 1]
    assert np.sign(found[4, 0]) == np.sign(found[4, 1])


@pytest.mark.parametrize("device", DEVICES)
def test_a_solid_is_met_at_the_first_end_ahead_that_is_not_where_the_ray_starts(device):
    interval = np.array([[1, 2], [-1, 2], [-2, -1], [2, 1], [1e-7, 3], [-3, 1e-7]], np.float32)
    on_surface = np.array([0, 0, 0, 0, 1, 1], np.int32)
    found = run(firsts, interval, on_surface, device=device)[0]
    np.testing.assert_allclose(found, [1, 2, math.inf, math.inf, 3, math.inf], rtol=1e-6)


@pytest.mark.parametrize("device", DEVICES)
def test_solid_angles_of_rectangles_by_hand(device):
    """A cube's face from its middle, and a quarter of that above a corner; area · cos θ / distance² from far away."""
    point = np.array([[0, 0, 1], [1, 1, 2], [0, 0, 7], [300, 0, 400]], np.float32)
    a, b = np.array([[1, 1, 2, 3], [1, 1, 3, 5]], np.float32)
    found = run(solid_angles, point, a, b, device=device)[0]
    of_seven = 4 * math.asin(2 * 3 / math.sqrt((2**2 + 7**2) * (3**2 + 7**2)))
    far = 4 * 3 * 5 * (400 / 500) / 500**2
    np.testing.assert_allclose(found, [2 * math.pi / 3, math.pi / 6, of_seven, far], rtol=2e-4)
