import math

import numpy as np
import pytest
import torch
from viewer_scenes import SCENE

from luxel.core.rays import image_plane_rays
from luxel.core.scene_batch import SceneBatch
from luxel.scene.camera import tan_half_fov
from luxel.scene.description import Camera, SceneError
from luxel.viewer.cameras import (
    MARGIN,
    PARALLEL_FOV,
    Stand,
    Window,
    camera_of,
    parallel_ray,
    stand_of,
    with_projection,
)

UP = (0.0, 0.0, 1.0)
PERSPECTIVE = Camera(position=(0, -5, 1), look_at=(0, 0, 1))
PARALLEL = Camera(position=(3, -4, 2), look_at=(0, 0, 2), projection="orthographic", vertical_extent=1.75)


def rays_of(camera):
    """Origins and directions [9, 3] through nine points all over a square picture."""
    points = tan_half_fov(camera) * torch.cartesian_prod(*2 * [torch.tensor([-0.9, 0.0, 0.7])])
    rays = image_plane_rays(
        SceneBatch.of([SCENE.model_copy(update={"camera": camera})]), points, torch.zeros(9, dtype=torch.int32)
    )
    return rays.origin.double().numpy(), rays.direction.double().numpy()


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
    camera = camera_of(Stand((0.0, -5.0, 1.0), UP, UP, math.radians(40)), Window(1.5, 1.5), PERSPECTIVE)
    assert camera == Camera(position=(0, -5, 1), look_at=(0, 0, 1), vertical_fov_degrees=40)
    with pytest.raises(SceneError, match="look_at must differ from position"):
        camera_of(Stand((1.0, 1.0, 1.0), (1.0, 1.0, 1.0), UP, 0.7), Window(1.0, 1.0), PERSPECTIVE)


def test_at_the_pole_up_is_tilted_so_that_there_is_a_camera():
    for up in (UP, (0.0, 1.0, 0.0)):
        position = tuple(5 * component for component in up)
        camera = camera_of(Stand(position, (0.0, 0.0, 0.0), up, 0.7), Window(1.0, 1.0), PERSPECTIVE)
        assert np.dot(camera.up, up) == pytest.approx(1.0)


@pytest.mark.parametrize("camera", [PERSPECTIVE, PARALLEL], ids=["perspective", "orthographic"])
def test_a_browsers_camera_stands_for_any(camera):
    window = Window(1.0, 2.0)
    found = camera_of(stand_of(camera, window), window, camera)
    np.testing.assert_allclose(found.position, camera.position, atol=1e-8)
    assert found.model_copy(update={"position": camera.position}) == camera


def test_parallel_rays_come_from_afar_and_zooming_changes_the_extent():
    stand = stand_of(PARALLEL, Window(1.5, 1.5))
    away = math.dist(stand.position, stand.look_at)
    assert 2 * away * math.tan(PARALLEL_FOV / 2) == pytest.approx(1.75)
    for factor, depth in ((0.5, 5), (2.0, 10)):  # farther off where more is seen, else as the scene's
        target, position = np.array(stand.look_at), np.array(stand.position)
        zoomed = stand._replace(position=tuple(target + factor * (position - target)))
        camera = camera_of(zoomed, Window(1.5, 1.5), PARALLEL)
        assert camera.vertical_extent == pytest.approx(1.75 * factor)
        np.testing.assert_allclose(camera.position, target + depth * np.array((0.6, -0.8, 0)), atol=1e-8)


def test_a_click_is_on_what_the_parallel_camera_sees_there():
    stand = stand_of(PARALLEL, Window(1.0, 1.0))
    pinhole = Camera(position=stand.position, look_at=stand.look_at, vertical_fov_degrees=math.degrees(stand.fov))
    seen, expected = (rays_of(camera) for camera in (pinhole, PARALLEL))
    for pixel in range(9):
        origin, direction = parallel_ray(PARALLEL, seen[0][pixel], seen[1][pixel])
        np.testing.assert_allclose(direction, expected[1][pixel], atol=1e-6)
        np.testing.assert_allclose(origin, expected[0][pixel], atol=2e-5)


def test_another_projection_shows_the_target_as_large():
    parallel = with_projection(PERSPECTIVE, "orthographic")
    assert parallel.vertical_extent == pytest.approx(2 * 5 * math.tan(math.radians(20)))
    assert with_projection(parallel, "perspective") == PERSPECTIVE
    wide = PARALLEL.model_copy(update={"vertical_extent": 100.0})  # 90° is the most, from as far as shows all of that
    camera = with_projection(wide, "perspective")
    assert camera.vertical_fov_degrees == 90
    np.testing.assert_allclose(camera.position, (30, -40, 2))
