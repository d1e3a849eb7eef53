"""Scenes whose light paths find by chance."""

import math

import pytest

from luxel.experiments.rare_light import has_lamps, is_lamp, polished, rare_light, shell, shrunk
from luxel.scene import Box, Material, Panel, Plane, Sphere
from luxel.scene.draws import Draws

LAMP = Material(base_color=(0, 0, 0), emission=(2.0, 4.0, 8.0))


def test_scenes_are_a_function_of_seed_and_index_and_have_lamps():
    found = [rare_light(7, index) for index in range(12)]
    assert found == [rare_light(7, index) for index in range(12)]
    assert rare_light(8, 0) != found[0]
    assert all(map(has_lamps, found))
    assert any(item.material.transmission > 0 for scene in found for item in scene.objects)


def test_a_smaller_lamp_gives_the_same_light():
    """Its surface is a quarter, and so its radiance four times what it was."""
    small = shrunk(Box(center=(1, 2, 3), half_extents=(1.0, 2.0, 4.0), material=LAMP), 0.5)
    assert small.half_extents == (0.5, 1.0, 2.0)
    assert small.center == (1, 2, 3)
    assert small.material.emission == pytest.approx((8.0, 16.0, 32.0))
    assert shrunk(Sphere(center=(0, 0, 0), radius=2.0, material=LAMP), 0.25).radius == 0.5
    matte = Sphere(center=(0, 0, 0), radius=2.0)
    assert shrunk(matte, 0.25) == matte


def test_a_lamp_is_inside_its_ball_of_glass():
    lamp = Box(center=(1, 2, 3), half_extents=(0.3, 0.2, 0.1), material=LAMP)
    ball = shell(Draws(0, 0), lamp)
    assert ball.center == lamp.center
    assert ball.radius > math.hypot(0.3, 0.2, 0.1)
    assert ball.material.transmission > 0


def test_what_is_flat_is_never_of_glass_and_lamps_stay_lamps():
    flat, lamp = Panel(center=(0, 0, 0), half_extents=(1, 1)), Plane(center=(0, 0, 0), material=LAMP)
    assert not is_lamp(lamp)
    for index in range(40):
        assert polished(Draws(1, index), flat).material.transmission == 0
        assert polished(Draws(1, index), lamp) == lamp
    assert {polished(Draws(1, index), flat).material.metallic for index in range(40)} == {0.0, 1.0}
