"""The camera's frame and rays against hand-computed ones."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from pinhole import primary_rays

from luxel.scene.camera import frame, tan_half_fov
from luxel.scene.description import Camera

ALONG_Y = Camera(position=(1, -5, 2), look_at=(1, 0, 2), vertical_fov_degrees=90)


def test_frame_by_hand():
    origin, rotation = frame(ALONG_Y)
    np.testing.assert_allclose(origin, [1, -5, 2])
    np.testing.assert_allclose(rotation[:, 0], [1, 0, 0], atol=1e-15)  # right
    np.testing.assert_allclose(rotation[:, 1], [0, 0, 1], atol=1e-15)  # up
    np.testing.assert_allclose(rotation[:, 2], [0, -1, 0], atol=1e-15)  # backward


@given(st.tuples(*[st.floats(-3, 3)] * 3), st.floats(5, 20))
def test_frame_is_a_rotation(position, distance):
    camera = Camera(position=position, look_at=(distance, distance, 1), up=(0.1, 0.2, 1))
    rotation = frame(camera).rotation
    np.testing.assert_allclose(rotation.T @ rotation, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(np.linalg.det(rotation), 1)


def test_rays_by_hand():
    assert tan_half_fov(ALONG_Y) == np.tan(np.pi / 4)
    rays = primary_rays(ALONG_Y, width=5, height=3)
    assert rays.directions.shape == (3, 5, 3)
    np.testing.assert_allclose(rays.directions[1, 2], [0, 1, 0], atol=1e-15)
    top_left = np.array([-4 / 3, 1, 2 / 3])  # the top row's centre is 2/3 up, pixels are 2/3 wide
    np.testing.assert_allclose(rays.directions[0, 0], top_left / np.linalg.norm(top_left))
    np.testing.assert_allclose(np.linalg.norm(rays.directions, axis=-1), 1)
