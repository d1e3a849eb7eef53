import math

import numpy as np
import pytest

from luxel.scene.description import Camera, SceneError
from luxel.viewer.cameras import MARGIN, Window, camera_of

UP = (0.0, 0.0, 1.0)


def test_a_picture_as_wide_as_its_window_has_its_field_of_view():
    window = Window(1.5, 1.5)
    assert window.picture_fov(0.7) == pytest.approx(0.7)
    pixels = np.zeros((20, 30, 3), np.uint8)
    assert window.framed(pixels) is pixels


def test_a_wide_picture_is_lower_than_its_window():
    window = Window(1.0, 2.0)  # half as high
    assert math.tan(window.picture_fov(math.radians(90)) / 2) == pytest.approx(0.5)
    assert window.canvas_fov(window.picture_fov(1.1)) == pytest.approx(1.1)
    framed = window.framed(np.full((7, 14, 3), 200, np.uint8))
    assert framed.shape == (14, 14, 3)
    assert (framed[:3] == MARGIN).all()
    assert (framed[3:10] == 200).all()


def test_a_narrow_picture_has_margins_beside_it():
    window = Window(2.0, 1.0)
    assert window.picture_fov(0.7) == pytest.approx(0.7)
    framed = window.framed(np.full((8, 8, 3), 200, np.uint8))
    assert framed.shape == (8, 16, 3)
    assert (framed[:, :4] == MARGIN).all()
    assert (framed[:, 4:12] == 200).all()


def test_a_tab_is_a_camera():
    camera = camera_of((0.0, -5.0, 1.0), UP, UP, math.radians(40), Window(1.5, 1.5))
    assert camera == Camera(position=(0, -5, 1), look_at=(0, 0, 1), vertical_fov_degrees=40)
    with pytest.raises(SceneError, match="look_at must differ from position"):
        camera_of((1.0, 1.0, 1.0), (1.0, 1.0, 1.0), UP, 0.7, Window(1.0, 1.0))


def test_at_the_pole_up_is_tilted_so_that_there_is_a_camera():
    for up in (UP, (0.0, 1.0, 0.0)):
        position = tuple(5 * component for component in up)
        camera = camera_of(position, (0.0, 0.0, 0.0), up, 0.7, Window(1.0, 1.0))
        assert np.dot(camera.up, up) == pytest.approx(1.0)
