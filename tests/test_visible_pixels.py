"""Pixels of 320 × 240 against outlines in closed form; the focal length is 120 pixels."""

import math

import pytest

from luxel.scene.description import Box, Camera, Cylinder, Ellipsoid, Sphere
from luxel.scene.placing import facing
from luxel.scene.visible_pixels import visible_pixels

CAMERA = Camera(position=(0, -5, 0), look_at=(0, 0, 0), vertical_fov_degrees=90)
FACE = Box(center=(0, 1, 0), half_extents=(1.5, 1, 0.75))
"""Its front is 5 away: 72 × 36 pixels."""


def test_a_boxs_front_has_its_pixels():
    assert visible_pixels([FACE], CAMERA).tolist() == [72 * 36]


def test_what_is_nearer_hides_what_is_behind():
    """A box before the right half of the other's front, and one that is wholly hidden."""
    before = Box(center=(0.9, -2, 0), half_extents=(0.9, 0.5, 0.9))  # its front 2.5 away: 0 to 86 pixels to the right
    hidden = Sphere(center=(0.5, 1, 0), radius=0.3)
    shown = visible_pixels([FACE, before, hidden], CAMERA)
    assert shown[0] == 36 * 36
    assert shown[2] == 0


def test_round_objects_have_the_pixels_of_their_outlines():
    """A ball's is a circle of radius f r / √(d² − r²); stretched across the view, it has as many times the pixels."""
    ball = math.pi * (120 * 1 / math.sqrt(25 - 1)) ** 2
    egg = Ellipsoid(center=(0, 0, 0), semi_axes=(3, 1, 1))
    end_on = Cylinder(center=(0, 0, 0), rotation=facing((0.0, 1.0, 0.0)), radius=1, half_height=2)  # its end 3 away
    for item, pixels in ((Sphere(center=(0, 0, 0), radius=1), ball), (egg, 3 * ball), (end_on, math.pi * 40**2)):
        assert visible_pixels([item], CAMERA)[0] == pytest.approx(pixels, rel=0.01)


def test_what_is_out_of_the_picture_has_no_pixels():
    beside, behind = (Sphere(center=center, radius=1) for center in ((20, 0, 0), (0, -10, 0)))
    assert visible_pixels([beside, behind, FACE], CAMERA).tolist() == [0, 0, 72 * 36]
