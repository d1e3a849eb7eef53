"""Labels of pictures, against values computed by hand."""

import math

import numpy as np
import pytest

from luxel import InputError
from luxel.data.annotations import annotate, box_of, camera_from_world, project
from luxel.scene.clevr import Clevr
from luxel.scene.description import Box, Camera, Material, Plane, Scene, Sphere

# At 90° and 40 pixels the focal length is 20 pixels; the camera is 4 before the origin and looks along +y.
CAMERA = Camera(position=(0, -4, 0), look_at=(0, 0, 0), vertical_fov_degrees=90)
WIDTH, HEIGHT = 60, 40
RED = Material(base_color=(0.8, 0.1, 0.2))


@pytest.fixture(scope="module")
def labels():
    """A cube of edge 2, in front of the right half of which stands a sphere, above a plane."""
    cube = Box(center=(0, 0, 0), half_extents=(1, 1, 1), material=RED)
    sphere = Sphere(center=(0.5, -2, 0), radius=0.4)
    plane = Plane(center=(0, 0, -1.5), normal=(0, 0, 1))
    return annotate(Scene(camera=CAMERA, objects=(cube, sphere, plane)), WIDTH, HEIGHT)


def test_camera_matrices_are_opencv(labels):
    np.testing.assert_allclose(labels.intrinsics, [[20, 0, 30], [0, 20, 20], [0, 0, 1]], atol=1e-12)
    expected = [[1, 0, 0, 0], [0, 0, -1, 0], [0, 1, 0, 4], [0, 0, 0, 1]]
    np.testing.assert_allclose(labels.camera_from_world, expected, atol=1e-12)
    assert np.linalg.det(camera_from_world(CAMERA)) == pytest.approx(1)


def test_points_project_and_those_behind_do_not():
    """As worked out in docs/datasets.md."""
    np.testing.assert_allclose(camera_from_world(CAMERA) @ [1, -2, 1, 1], [1, -1, 2, 1], atol=1e-12)
    seen = project(CAMERA, np.array([[1.0, -2.0, 1.0], [0.0, -5.0, 0.0]]), WIDTH, HEIGHT)
    np.testing.assert_allclose(seen[0], [40, 10])  # 20 · 1 / 2 right of the middle, and above it
    assert np.isnan(seen[1]).all()


def test_boxes_of_a_cube(labels):
    # Its near face, at depth 3, is 2 · 20 / 3 pixels wide: from 30 − 6.67 to 30 + 6.67.
    assert labels.amodal_box[0].tolist() == [23, 13, 37, 27]
    assert labels.visible_box[0].tolist() == [23, 13, 37, 27]
    assert labels.amodal[0].sum() == pytest.approx((40 / 3) ** 2, rel=0.01)
    np.testing.assert_allclose(labels.box_corners[0, 0], [30 - 20 / 3, 20 + 20 / 3])
    np.testing.assert_allclose(labels.box_corners[0, 7], [30 + 4, 20 - 4])
    np.testing.assert_allclose(labels.box_half_extents[0], 1)


def test_hidden_parts_are_amodal_only(labels):
    hidden = labels.amodal[0] - labels.visible[0]
    assert hidden[20, 34] == pytest.approx(1)
    assert (labels.visible[1] == labels.amodal[1]).all()
    assert labels.visible.sum(0).max() <= 1 + 1e-5
    assert labels.object_number[20, 34] == 1
    assert labels.object_number[0, 0] == -1


def test_depth_is_along_the_viewing_direction(labels):
    assert labels.depth[20, 25] == pytest.approx(3, abs=1e-5)  # the same all over the cube's near face
    assert labels.depth[15, 24] == pytest.approx(3, abs=1e-5)
    assert labels.depth[0, 0] == math.inf
    np.testing.assert_allclose(labels.normal[20, 25], [0, -1, 0], atol=1e-6)
    np.testing.assert_allclose(labels.albedo[20, 25], [0.8, 0.1, 0.2], atol=1e-6)


def test_a_plane_has_no_corners(labels):
    assert np.isinf(labels.box_half_extents[2]).all()
    assert np.isnan(labels.box_corners[2]).all()


def test_nothing_has_an_empty_box():
    assert box_of(np.zeros((3, 5), np.float32)).tolist() == [0, 0, 0, 0]


def test_an_orthographic_camera_projects_along_its_view():
    camera = Camera(position=(0, -4, 0), look_at=(0, 0, 0), projection="orthographic", vertical_extent=4)
    seen = project(camera, np.array([[1.0, -2.0, 1.0], [1.0, 5.0, 1.0], [0.0, -5.0, 0.0]]), WIDTH, HEIGHT)
    np.testing.assert_allclose(seen[:2], [[40, 10], [40, 10]])  # 10 pixels a unit, at any depth
    assert np.isnan(seen[2]).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("a.json", 9, 7), "scene is 'a.json', must be a Scene; read a file with Scene.load"),
        ((Clevr()(0, 0), 0, 7), "width is 0, must be"),
    ],
)
def test_what_has_no_picture_is_told(arguments, message):
    with pytest.raises(InputError, match=message):
        annotate(*arguments)
