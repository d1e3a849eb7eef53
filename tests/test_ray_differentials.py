"""Ray differentials of segments that depend linearly on where in the pixel they begin: found exactly."""

import numpy as np
import pytest
import warp as wp
from kernels import DEVICES, run

from luxel.models.ray_differentials import (
    Segment,
    fit_ray_differential,
    follow_same_path,
    ray_through_pixel,
    same_path_mask,
)
from luxel.models.subpixels import subpixel_offset

ORIGIN, ORIGIN_X, ORIGIN_Y = wp.vec3(1.0, 2.0, 3.0), wp.vec3(0.5, 0.0, -0.25), wp.vec3(0.0, -0.75, 0.125)
DIRECTION, TURN_X, TURN_Y = wp.vec3(0.0, 0.6, 0.8), wp.vec3(0.03, 0.0, 0.0), wp.vec3(0.0, 0.02, -0.015)
OFFSETS = np.array([[1, 3], [-1, -3], [3, -1], [-3, 1]]) / 8


@wp.func
def segment_at(number: int, path_id: int) -> Segment:
    segment = Segment()
    segment.offset = subpixel_offset(number)
    segment.origin = ORIGIN + segment.offset[0] * ORIGIN_X + segment.offset[1] * ORIGIN_Y
    segment.direction = DIRECTION + segment.offset[0] * TURN_X + segment.offset[1] * TURN_Y
    segment.origin_object = 10 + number
    segment.path_id = path_id
    return segment


@wp.kernel(enable_backward=False)
def fits(
    weights: wp.array[wp.vec4],
    at: wp.array[wp.vec2],
    center: wp.array[wp.vec2],
    origin_x: wp.array[wp.vec3],
    turn_y: wp.array[wp.vec3],
    origin: wp.array[wp.vec3],
    direction: wp.array[wp.vec3],
    origin_object: wp.array[int],
    is_valid: wp.array[int],
):
    i = wp.tid()
    found = fit_ray_differential(weights[i], segment_at(0, 1), segment_at(1, 1), segment_at(2, 1), segment_at(3, 1))
    ray = ray_through_pixel(found, at[i])
    center[i] = found.center
    origin_x[i] = found.origin_x
    turn_y[i] = found.direction_y
    origin[i] = ray.origin
    direction[i] = ray.direction
    origin_object[i] = found.origin_object
    is_valid[i] = wp.where(found.is_valid, 1, 0)


@pytest.mark.parametrize("device", DEVICES)
def test_three_segments_or_four_tell_how_they_depend_on_the_pixel(device):
    """How large their weights are changes nothing."""
    weights = np.array([[1, 1, 1, 1], [0, 0.25, 1, 0.5]], np.float32)
    at = np.array([[0.875, 0.0], [0.25, 0.625]], np.float32)
    center, origin_x, turn_y, origin, direction, origin_object, is_valid = run(fits, weights, at, device=device)
    assert is_valid.all()
    assert origin_object.tolist() == [10, 11]
    np.testing.assert_allclose(center, [OFFSETS.mean(0), OFFSETS[1:].mean(0)], atol=1e-6)
    np.testing.assert_allclose(origin_x, np.tile(ORIGIN_X, (2, 1)), atol=1e-5)
    np.testing.assert_allclose(turn_y, np.tile(TURN_Y, (2, 1)), atol=1e-5)
    x, y = (at - 0.5).T[:, :, None]
    np.testing.assert_allclose(origin, np.array(ORIGIN) + x * np.array(ORIGIN_X) + y * np.array(ORIGIN_Y), atol=1e-5)
    expected = np.array(DIRECTION) + x * np.array(TURN_X) + y * np.array(TURN_Y)
    np.testing.assert_allclose(direction, expected / np.linalg.norm(expected, axis=1, keepdims=True), atol=1e-3)


@pytest.mark.parametrize("device", DEVICES)
def test_two_segments_tell_too_little(device):
    weights = np.array([[1, 1, 0, 0], [0, 0, 0, 1], [0, 0, 0, 0]], np.float32)
    assert not run(fits, weights, np.zeros((3, 2), np.float32), device=device)[-1].any()


@wp.kernel(enable_backward=False)
def compare_paths(paths: wp.array[wp.vec4i], mask: wp.array[wp.vec4], same: wp.array[int]):
    i = wp.tid()
    a = segment_at(0, paths[i][0])
    b = segment_at(1, paths[i][1])
    c = segment_at(2, paths[i][2])
    d = segment_at(3, paths[i][3])
    mask[i] = same_path_mask(paths[i][0], a, b, c, d)
    same[i] = wp.where(follow_same_path(a, b, c, d), 1, 0)


@pytest.mark.parametrize("device", DEVICES)
def test_segments_are_of_one_path_if_they_crossed_the_same_interfaces(device):
    """Path 0 is none."""
    paths = np.array([[7, 7, 7, 7], [7, 7, 5, 7], [0, 0, 0, 0]], np.int32)
    mask, same = run(compare_paths, paths, device=device)
    assert mask.tolist() == [[1, 1, 1, 1], [1, 1, 0, 1], [1, 1, 1, 1]]
    assert same.tolist() == [1, 0, 0]
