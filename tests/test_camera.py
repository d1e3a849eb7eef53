"""The camera's frame and rays against hand-computed ones."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pinhole import primary_rays

from luxel.scene import Scene, SceneError, Sphere
from luxel.scene.camera import frame, pixel_size, tan_half_fov
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


ORTHOGRAPHIC = {"position": (1, -5, 2), "look_at": (1, 0, 2), "projection": "orthographic", "vertical_extent": 3.0}


def test_a_perspective_camera_is_written_as_before_there_were_others():
    assert ALONG_Y.model_dump() == {
        **{"position": (1, -5, 2), "look_at": (1, 0, 2), "up": (0, 0, 1)},
        "vertical_fov_degrees": 90,
    }


def test_an_orthographic_camera_has_an_extent_and_no_field_of_view():
    camera = Camera(**ORTHOGRAPHIC)
    assert camera.model_dump() == {**ORTHOGRAPHIC, "up": (0, 0, 1)}
    assert tan_half_fov(camera) == 1.5
    assert pixel_size(camera, 7.0, 5) == pixel_size(camera, 1.0, 5) == 0.6
    np.testing.assert_allclose(pixel_size(ALONG_Y, 7.0, 5), 2 * 7 / 5)
    scene = Scene(objects=(Sphere(center=(0, 0, 0), radius=1),), camera=ALONG_Y)
    changed = scene.with_camera(projection="orthographic", vertical_extent=3.0)
    assert changed.camera == ALONG_Y.model_copy(update=ORTHOGRAPHIC) == camera
    assert changed.with_camera(vertical_extent=2.0).camera.vertical_extent == 2
    assert pickle.loads(pickle.dumps(camera)) == camera
    assert Scene.from_json(changed.to_json()) == changed


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"projection": "orthographic"}, "vertical_extent is missing; an orthographic camera needs it"),
        (
            {"projection": "orthographic", "vertical_extent": 2.0, "vertical_fov_degrees": 20},
            "vertical_fov_degrees is 20.0, but an orthographic camera has none; leave it out, as vertical_extent says",
        ),
        ({"vertical_extent": 2.0}, 'vertical_extent is 2.0, but only a camera of "projection": "orthographic" has one'),
        ({"projection": "fisheye"}, "projection is 'fisheye': input should be 'perspective' or 'orthographic'"),
        ({"projection": "orthographic", "vertical_extent": 0.0}, r"vertical_extent is 0.0, must be a number in \[1e-6"),
    ],
)
def test_what_no_projection_is_told(fields, told):
    with pytest.raises(SceneError, match=told):
        Camera(position=(0, -5, 0), look_at=(0, 0, 0), **fields)
