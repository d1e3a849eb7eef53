import math

import numpy as np
import pytest
from viewer_scenes import BALL, LAMP, SCENE

from luxel import InputError
from luxel.scene.camera import rotation_matrix
from luxel.scene.description import Box, Camera, Cylinder, Ellipsoid, Material, Panel, Plane, SceneError, Sphere
from luxel.viewer import edits

QUARTER_ABOUT_Y = (math.sqrt(0.5), 0.0, math.sqrt(0.5), 0.0)
GLASS = Material(transmission=1.0)
BOX = Box(center=(1, 2, 3), half_extents=(0.5, 1, 4), rotation=QUARTER_ABOUT_Y, material=GLASS)


def test_what_can_be_turned_is_moved_and_turned():
    moved = edits.posed(BOX, (4.0, 5.0, 6.0), (1.0, 0.0, 0.0, 0.0))
    assert moved == Box(center=(4, 5, 6), half_extents=(0.5, 1, 4), material=GLASS)
    ball = SCENE.objects[BALL]
    assert edits.posed(ball, (4.0, 5.0, 6.0), QUARTER_ABOUT_Y) == ball.model_copy(update={"center": (4, 5, 6)})
    plane = edits.posed(Plane(center=(0, 0, 0)), (0.0, 0.0, 1.0), QUARTER_ABOUT_Y)
    assert plane.center == (0, 0, 1)
    np.testing.assert_allclose(plane.normal, (1, 0, 0), atol=1e-12)  # where a quarter turn about y takes z


def test_all_lengths_scale_and_nothing_else():
    assert edits.scaled(BOX, 2.0) == BOX.model_copy(update={"half_extents": (1, 2, 8)})
    cylinder = Cylinder(center=(1, 1, 1), radius=0.5, half_height=2)
    assert edits.scaled(cylinder, 0.5) == Cylinder(center=(1, 1, 1), radius=0.25, half_height=1)
    assert edits.scaled(Plane(center=(1, 1, 1)), 2.0) == Plane(center=(1, 1, 1))
    panel = Panel(center=(0, 0, 0), half_extents=(1, 4))
    assert edits.size_of(panel) == 2
    assert edits.size_of(edits.scaled(panel, 3.0)) == pytest.approx(6)
    assert edits.size_of(BOX) == pytest.approx(2 ** (1 / 3))
    with pytest.raises(SceneError, match="radius"):
        edits.scaled(SCENE.objects[BALL], 1e9)


@pytest.mark.parametrize("shape", edits.SHAPES)
def test_any_shape_becomes_any_other_in_its_place(shape):
    for item in (BOX, SCENE.objects[BALL], Panel(center=(1, 2, 3), half_extents=(2, 3)), Plane(center=(0, 0, 7))):
        other = edits.reshaped(item, shape)
        assert (other.shape, other.center) == (shape, item.center)
        assert other.material.base_color == item.material.base_color


def test_shapes_keep_as_much_as_they_can():
    assert edits.reshaped(BOX, "ellipsoid").semi_axes == (0.5, 1, 4)
    assert edits.reshaped(BOX, "ellipsoid").rotation == BOX.rotation
    assert edits.reshaped(BOX, "sphere").radius == pytest.approx(2 ** (1 / 3))  # of the same volume
    cylinder = edits.reshaped(BOX, "cylinder")
    assert (cylinder.radius, cylinder.half_height) == (pytest.approx(math.sqrt(0.5)), 4)
    panel = edits.reshaped(BOX, "panel")
    assert (panel.half_extents, panel.material.transmission) == ((0.5, 1), 0)
    np.testing.assert_allclose(edits.reshaped(BOX, "plane").normal, (1, 0, 0), atol=1e-12)
    assert edits.reshaped(Panel(center=(0, 0, 0), half_extents=(2, 3)), "box").half_extents == (2, 3, 2)
    with pytest.raises(InputError, match="shape is 'cone', must be one of sphere, "):
        edits.reshaped(BOX, "cone")


def test_angles_are_turns_about_the_worlds_axes_in_their_order():
    rotation = edits.quaternion_of((90.0, 0.0, 90.0))  # y to z, then about z, which leaves that
    np.testing.assert_allclose(rotation_matrix(rotation) @ (0, 1, 0), (0, 0, 1), atol=1e-12)
    np.testing.assert_allclose(rotation_matrix(rotation) @ (1, 0, 0), (0, 1, 0), atol=1e-12)
    assert edits.euler_degrees(rotation) == (90, 0, 90)
    assert edits.euler_degrees((1.0, 0.0, 0.0, 0.0)) == (0, 0, 0)


def test_objects_are_added_duplicated_and_replaced():
    camera = Camera(position=(0, -10, 0), look_at=(0, 0, 1))
    scene = edits.added(SCENE, "box", camera)
    assert scene.objects[:2] == SCENE.objects
    assert scene.objects[2] == Box(center=(0, 0, 1), half_extents=(0.8, 0.8, 0.8))  # 0.08 of √101
    twice = edits.duplicated(SCENE, BALL).objects
    assert twice[2] == Sphere(center=(1.6, 0, 0), radius=0.8, material=SCENE.objects[BALL].material)
    assert edits.duplicated(edits.with_added(SCENE, Plane(center=(0, 0, 0))), 2).objects[3].center == (0, 0, 0.1)
    other = Ellipsoid(center=(0, 0, 0), semi_axes=(1, 2, 3))
    assert edits.with_item(SCENE, LAMP, other).objects == (SCENE.objects[BALL], other)
