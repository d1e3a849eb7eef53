"""Optical flow, against motion worked out by hand and against places that are followed one by one."""

import math

import numpy as np
import pytest

from luxel import InputError
from luxel.data.annotations import annotate, project
from luxel.data.flow import forward_flow
from luxel.scene.description import Box, Camera, Ellipsoid, Plane, Scene, Sphere

# At 90° and 40 pixels the focal length is 20 pixels; the camera is 4 before the origin and looks along +y.
CAMERA = Camera(position=(0, -4, 0), look_at=(0, 0, 0), vertical_fov_degrees=90)
WIDTH, HEIGHT = 60, 40
CUBE = Box(center=(0, 0, 0), half_extents=(1, 1, 1))
GROUND = Plane(center=(0, 0, -1.5), normal=(0, 0, 1))
SCENE = Scene(camera=CAMERA, objects=(CUBE, GROUND))


def flow_of(scene: Scene, later: Scene) -> tuple[np.ndarray, np.ndarray]:
    """The flow, and the number of each pixel's object."""
    labels = annotate(scene, WIDTH, HEIGHT)
    found = forward_flow(labels, scene, later)
    assert (found.dtype, found.shape) == (np.float32, (HEIGHT, WIDTH, 2))
    return found, labels.object_number


def moved(**changes) -> Scene:
    return Scene(camera=CAMERA, objects=(CUBE.model_copy(update=changes), GROUND))


def test_what_goes_sideways_moves_by_focal_length_over_depth():
    """The cube's near face is at depth 3: by 0.3 to the right and 0.15 up, 20 · 0.3 / 3 = 2 pixels and −1."""
    found, number = flow_of(SCENE, moved(center=(0.3, 0, 0.15)))
    np.testing.assert_allclose(found[number == 0], [[2, -1]] * (number == 0).sum(), atol=1e-5)
    assert (found[number != 0] == 0).all()


def test_what_comes_nearer_grows_from_the_middle():
    """From depth 3 to 2: every pixel of the near face goes away from the principal point by half its distance."""
    found, number = flow_of(SCENE, moved(center=(0, -1, 0)))
    rows, columns = np.nonzero(number == 0)
    np.testing.assert_allclose(found[rows, columns], np.stack([columns - 29.5, rows - 19.5], 1) / 2, atol=1e-5)


def test_a_camera_that_turns_moves_the_sky_as_it_does_things():
    """By 10° to the left about its own place: what was at the angle a right of the middle is at a + 10°."""
    turn = math.radians(10)
    camera = CAMERA.model_copy(update={"look_at": (-4 * math.sin(turn), -4 + 4 * math.cos(turn), 0)})
    found, number = flow_of(SCENE, SCENE.model_copy(update={"camera": camera}))
    columns = np.arange(WIDTH) + 0.5
    expected = 30 + 20 * np.tan(np.arctan((columns - 30) / 20) + turn) - columns
    assert {-1, 0, 1} == set(np.unique(number).tolist())
    x, y = (20.5 - 20) / 20, np.hypot(1, (columns - 30) / 20)
    np.testing.assert_allclose(found[20, :, 0], expected, atol=1e-4)
    later_y = 20 + 20 * x / (y * np.cos(np.arctan((columns - 30) / 20) + turn))
    np.testing.assert_allclose(found[20, :, 1], later_y - 20.5, atol=1e-4)


@pytest.mark.parametrize("view", [{}, {"projection": "orthographic", "vertical_extent": 5.0}])
def test_places_on_what_turns_and_grows_are_followed(view):
    """Of an ellipsoid in motion before a camera in motion: places of its unit sphere, wherever they are seen."""
    camera = Camera(position=(0, -4, 0), look_at=(0, 0, 0), **(view or {"vertical_fov_degrees": 90}))
    camera_later = camera.model_copy(update={"position": (0.4, -4.2, 0.1)})
    axes, later_axes = (1.1, 0.9, 0.7), (1.2, 0.8, 0.9)
    half = math.radians(9) / 2
    thing = Ellipsoid(center=(0.1, 0, 0), semi_axes=axes)
    turned = Ellipsoid(center=(0.2, 0.3, 0.1), semi_axes=later_axes, rotation=(math.cos(half), 0, 0, math.sin(half)))
    scene = Scene(camera=camera, objects=(thing,), background=(1, 1, 1))
    later = Scene(camera=camera_later, objects=(turned,), background=(1, 1, 1))
    found, number = flow_of(scene, later)
    labels = annotate(scene, WIDTH, HEIGHT)
    for unit in ([0.0, -1.0, 0.0], [0.3, -math.sqrt(1 - 0.3**2 - 0.2**2), 0.2]):
        first = np.array(thing.center) + np.array(axes) * unit
        x, y = project(camera, first, WIDTH, HEIGHT)
        row, column = int(y), int(x)
        local = np.array(unit) * later_axes
        c, s = math.cos(2 * half), math.sin(2 * half)
        then = turned.center + np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ local
        expected = project(camera_later, then, WIDTH, HEIGHT) - [x, y]
        assert number[row, column] == 0
        # the place is between pixels' centres, and so is its flow between theirs
        around = found[row - 1 : row + 2, column - 1 : column + 2].reshape(-1, 2)
        assert (around.min(0) - 0.02 <= expected).all()
        assert (expected <= around.max(0) + 0.02).all()
    sky = found[labels.object_number == -1]
    assert np.isnan(sky).all() == bool(view)


def test_what_is_behind_the_later_camera_is_not_a_number():
    found, number = flow_of(SCENE, moved(center=(0, -6, 0)))
    assert np.isnan(found[number == 0]).all()
    assert (found[number != 0] == 0).all()


def test_other_objects_are_told():
    other = Scene(camera=CAMERA, objects=(Sphere(center=(0, 0, 0), radius=1),))
    with pytest.raises(InputError, match="later has 1 objects, must have those of scene, 2, in the same order"):
        flow_of(SCENE, other)
