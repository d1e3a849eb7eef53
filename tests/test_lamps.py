"""Lamps: how much light they bring, and where they stand."""

import math

import numpy as np
import pytest

from luxel.scene import Box, Cylinder, Ellipsoid, Panel, Sphere
from luxel.scene.draws import Draws
from luxel.scene.lamps import (
    IN_A_ROOM,
    LUMINANCE,
    OPEN_AIR,
    emission,
    lamp,
    light_color,
    lit,
    projected_area,
    solid_angle,
)
from luxel.scene.limits import MAX_RADIANCE
from luxel.scene.surroundings import Site

ORIGIN = (0.0, 0.0, 0.0)
SITE = Site(focus=ORIGIN, reach=1.0, lower=(-math.inf, -math.inf, 0.0))


@pytest.mark.parametrize(
    ("item", "outward", "area"),
    [
        (Sphere(center=ORIGIN, radius=2), (0, 0, 1), 4 * math.pi),
        (Ellipsoid(center=ORIGIN, semi_axes=(2, 3, 5)), (0, 0, 1), 6 * math.pi),
        (Ellipsoid(center=ORIGIN, semi_axes=(2, 3, 5)), (1, 0, 0), 15 * math.pi),
        (Box(center=ORIGIN, half_extents=(2, 3, 5)), (0, 1, 0), 40),
        (Box(center=ORIGIN, half_extents=(1, 1, 1)), (1, 1, 1), 4 * math.sqrt(3)),
        (Cylinder(center=ORIGIN, radius=2, half_height=3), (0, 0, 1), 4 * math.pi),
        (Cylinder(center=ORIGIN, radius=2, half_height=3), (1, 0, 0), 24),
        (Panel(center=ORIGIN, half_extents=(2, 3)), (0, 0, 1), 24),
        (Panel(center=ORIGIN, half_extents=(2, 3), outline="ellipse"), (0, 0, 1), 6 * math.pi),
        (Panel(center=ORIGIN, half_extents=(2, 3)), (0, 0, -1), 0),
    ],
)
def test_areas_of_shadows(item, outward, area):
    unit = np.array(outward, float)
    assert projected_area(item, unit / np.linalg.norm(unit)) == pytest.approx(area)


def test_a_solid_angle_is_the_small_ones_far_away_and_a_hemisphere_close_by():
    item = Sphere(center=(0, 0, 10), radius=0.1)
    assert solid_angle(item, ORIGIN) == pytest.approx(math.pi * 1e-4, rel=1e-4)
    wall = Panel(center=(0, 0, 1), half_extents=(1e4, 1e4), rotation=(0, 1, 0, 0))
    assert solid_angle(wall, ORIGIN) == pytest.approx(2 * math.pi, rel=1e-6)


def test_a_lamp_is_lit_to_the_irradiance_that_is_asked_for():
    """Irradiance over π is radiance times solid angle over π."""
    bulbs = [Sphere(center=(0, 0, 10), radius=0.1), Sphere(center=(10, 0, 0), radius=0.2)]
    made = lit(Draws(0, 0), bulbs, SITE, 0.7)
    radiance = np.array([item.material.emission for item in made]) @ LUMINANCE
    angles = [solid_angle(item, ORIGIN) for item in bulbs]
    assert radiance @ angles / math.pi == pytest.approx(0.7, rel=1e-4)
    assert [item.center for item in made] == [item.center for item in bulbs]


def test_radiance_stays_within_what_scenes_allow():
    assert max(emission((1.0, 2.0, 3.0), MAX_RADIANCE)) <= MAX_RADIANCE
    assert emission((1.0, 0.5, 0.25), 1.23456789) == (1.23457, 0.617284, 0.308642)


def test_colors_of_light_have_luminance_1():
    colors = np.array([light_color(Draws(3, index)) for index in range(200)])
    np.testing.assert_allclose(colors @ LUMINANCE, 1, atol=1e-9)
    assert len(np.unique(colors, axis=0)) > 10


@pytest.mark.parametrize("kinds", [OPEN_AIR, IN_A_ROOM], ids=["open air", "in a room"])
def test_no_lamp_hides_the_group_or_holds_the_camera(kinds):
    eye = (4.0, -3.0, 1.5)
    made = {}
    for index in range(300):
        found = lamp(Draws(5, index), SITE, eye, kinds, [Sphere(center=(0, 0, 0.5), radius=0.5)], 16)
        assert 1 <= len(found.emitters) <= 16
        assert not any(item.material.is_emissive for item in found.emitters), "dark until it is lit"
        for item in found.emitters:
            made.setdefault(item.shape, 0)
            made[item.shape] += 1
            for point in (eye, ORIGIN):
                if isinstance(item, Sphere):
                    assert math.dist(item.center, point) > item.radius
    assert made.keys() >= {"sphere", "panel", "cylinder"}
