"""Extents and containment against each other, and moves against rotation matrices."""

import math

import numpy as np
import pytest

from luxel.scene.camera import rotation_matrix
from luxel.scene.description import Box, Cylinder, Ellipsoid, Panel, Plane, Sphere
from luxel.scene.placing import (
    about_z,
    contains,
    direction,
    extents,
    facing,
    footprint,
    on_ball,
    product,
    resting,
    transformed,
    vector,
)

SOLIDS = {
    "sphere": Sphere(center=(1, 2, 3), radius=0.7),
    "ellipsoid": Ellipsoid(center=(1, 2, 3), semi_axes=(0.3, 0.5, 1.1), rotation=(0.7, 0.1, 0.5, 0.5)),
    "box": Box(center=(1, 2, 3), half_extents=(0.3, 0.5, 1.1), rotation=(0.7, 0.1, 0.5, 0.5)),
    "cylinder": Cylinder(center=(1, 2, 3), radius=0.3, half_height=1.1, rotation=(0.7, 0.1, 0.5, 0.5)),
}
PANELS = {
    outline: Panel(center=(1, 2, 3), half_extents=(0.3, 1.1), outline=outline, rotation=(0.7, 0.1, 0.5, 0.5))
    for outline in ("rectangle", "ellipse")
}
TILT, TURN = (0.6, 0.0, 0.8, 0.0), (0.28, 0.96, 0.0, 0.0)


def test_vectors_are_rounded_and_without_negative_zero():
    assert vector([-1e-13, 1.23456, 2.0], 3) == (0.0, 1.235, 2.0)
    assert math.copysign(1, vector([-1e-13, 0.0, 0.0])[0]) == 1


def test_directions_are_by_azimuth_and_elevation():
    np.testing.assert_allclose(direction(0.0, 0.0), (1, 0, 0), atol=1e-15)
    np.testing.assert_allclose(direction(math.pi / 2, math.pi / 6), (0, math.sqrt(0.75), 0.5), atol=1e-15)


def test_rotations():
    """Hamilton's product is that of the matrices; a quarter turn takes x to y; `facing` takes z to the normal."""
    matrix = rotation_matrix(TILT) @ rotation_matrix(TURN)
    np.testing.assert_allclose(rotation_matrix(product(TILT, TURN)), matrix, atol=1e-12)
    both = np.stack(product(TILT, np.array([TURN, TILT]).T), -1)
    np.testing.assert_allclose(both, [product(TILT, TURN), product(TILT, TILT)], atol=1e-12)
    np.testing.assert_allclose(rotation_matrix(about_z(math.pi / 2)) @ (1, 0, 0), (0, 1, 0), atol=1e-12)
    np.testing.assert_allclose(rotation_matrix(facing((0.36, -0.48, 0.8))) @ (0, 0, 1), (0.36, -0.48, 0.8), atol=1e-12)


def test_a_footprint_is_the_radius_over_the_ground():
    assert footprint(Sphere(center=(1, 2, 3), radius=0.7)) == 0.7
    assert footprint(Box(center=(0, 0, 0), half_extents=(3, 4, 9))) == 5


def test_what_is_scaled_is_scaled_about_the_origin_and_then_moved():
    box = transformed(Box(center=(1, 2, 3), half_extents=(0.5, 1, 2), rotation=TILT), 2.0, (10.0, 0.0, -1.0), 3)
    assert box == Box(center=(12, 4, 5), half_extents=(1, 2, 4), rotation=TILT)
    plane = transformed(Plane(center=(0, 0, 1), normal=(0, 0.6, 0.8)), 3.0, (0.0, 0.0, 0.5), 3)
    assert plane == Plane(center=(0, 0, 3.5), normal=(0, 0.6, 0.8))


def test_below_a_plane_is_in_it():
    plane = Plane(center=(0, 0, 1))
    heights = np.array([[5.0, 5.0, 0.9], [5.0, 5.0, 1.1], [5.0, 5.0, 1.3]])
    assert contains(plane, heights).tolist() == [True, False, False]
    assert contains(plane, heights, 0.2).tolist() == [True, True, False]


def test_what_rests_touches_the_height_with_its_lowest_point():
    lying = resting(
        Cylinder(center=(7, 7, 7), radius=0.25, half_height=2, rotation=facing((1.0, 0.0, 0.0))), 1.0, 2.0, 3.0
    )
    np.testing.assert_allclose(lying.center, (1, 2, 3.25), atol=1e-9)


@pytest.mark.parametrize("name", [*SOLIDS, *PANELS])
def test_extents_are_those_of_the_surface(name):
    item = (SOLIDS | PANELS)[name]
    unit = np.random.default_rng(0).uniform(-1, 1, (60000, 3))
    unit[:, 2] *= name not in PANELS
    scale = np.where(np.arange(3) < 2, item.scale, item.scale[2] if name in SOLIDS else 0)
    points = unit * scale @ rotation_matrix(item.rotation).T
    points = points[contains(item, points + item.center, 1e-9)]
    np.testing.assert_allclose(np.abs(points).max(0), extents(item), rtol=0.08)
    assert (np.abs(points).max(0) <= extents(item) + 1e-9).all()


def test_what_rests_on_a_ball_touches_it():
    item = on_ball(resting(SOLIDS["sphere"], 2.0, -1.0), 5.0)
    assert math.isclose(math.dist(item.center, (0, 0, -5)), 5.7, abs_tol=1e-9)
    box = on_ball(resting(Box(center=(0, 0, 0), half_extents=(0.1, 0.2, 0.3)), 2.0, -1.0), 5.0)
    outward = (np.array(box.center) - (0, 0, -5)) / 5.3
    np.testing.assert_allclose(rotation_matrix(box.rotation)[:, 2], outward, atol=1e-9)
