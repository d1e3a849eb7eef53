"""Local frames: orthonormal, right-handed, ending in the normal; and lengths that neither vanish nor overflow."""

import numpy as np
import pytest
import warp as wp
from kernels import DEVICES, run, unit_vectors

from luxel.core.frames import frame, to_world, unit_length


@wp.kernel(enable_backward=False)
def make_frames(normal: wp.array[wp.vec3], frames: wp.array[wp.mat33]):
    i = wp.tid()
    frames[i] = frame(normal[i])


@wp.kernel(enable_backward=False)
def turn_to_world(frames: wp.array[wp.mat33], local: wp.array[wp.vec3], world: wp.array[wp.vec3]):
    i = wp.tid()
    world[i] = to_world(frames[i], local[i])


@wp.kernel(enable_backward=False)
def make_unit_length(vector: wp.array[wp.vec3], unit: wp.array[wp.vec3]):
    i = wp.tid()
    unit[i] = unit_length(vector[i])


AXES = np.concatenate([np.eye(3), -np.eye(3)]).astype(np.float32)
NEAR_THE_SEAM = np.array([[0.6, -0.8, 1e-8], [0.6, -0.8, -1e-8], [1e-6, 0, -1], [0, -1e-20, -1]], np.float32)


@pytest.mark.parametrize("device", DEVICES)
def test_frames_are_orthonormal_right_handed_and_end_in_the_normal(device):
    normal = np.concatenate([unit_vectors(499, 0), AXES, NEAR_THE_SEAM])
    frames = run(make_frames, normal, device=device)[0]
    identity = np.broadcast_to(np.eye(3), frames.shape)
    np.testing.assert_allclose(frames @ np.swapaxes(frames, 1, 2), identity, atol=1e-6)
    np.testing.assert_allclose(np.linalg.det(frames.astype(np.float64)), 1, atol=1e-6)
    np.testing.assert_array_equal(frames[:, 2], normal)


@pytest.mark.parametrize("device", DEVICES)
def test_to_world_turns_back_what_the_frame_turned(device):
    frames = run(make_frames, unit_vectors(101, 1), device=device)[0]
    world = unit_vectors(101, 2) * np.float32(7)
    local = (frames @ world[:, :, None])[:, :, 0]
    np.testing.assert_allclose(run(turn_to_world, frames, local, device=device)[0], world, atol=5e-6)
    up = np.tile(np.array([0, 0, 1], np.float32), (101, 1))
    np.testing.assert_array_equal(run(turn_to_world, frames, up, device=device)[0], frames[:, 2])


@pytest.mark.parametrize("device", DEVICES)
def test_unit_length_by_hand_keeps_zero(device):
    vectors = np.array([[3, 4, 0], [0, 0, 0], [0, -1e-17, 0], [1e18, 1e18, 0], [0, 0, 3e-19]], np.float32)
    expected = [[0.6, 0.8, 0], [0, 0, 0], [0, -1, 0], [0.5**0.5, 0.5**0.5, 0], [0, 0, 0.3]]
    np.testing.assert_allclose(run(make_unit_length, vectors, device=device)[0], expected, rtol=1e-6)
