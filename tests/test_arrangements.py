"""Arrangements: objects stand on the ground and beside one another, as many as there is room for."""

import math
from itertools import combinations

import numpy as np
import pytest

from luxel.scene import Panel
from luxel.scene.arrangements import (
    IN_THE_AIR,
    ON_THE_GROUND,
    crowd,
    grid,
    lying,
    mirrors,
    nested,
    pile,
    single,
    spin,
)
from luxel.scene.camera import rotation_matrix
from luxel.scene.draws import Draws
from luxel.scene.finishes import Palette
from luxel.scene.placing import extents

ARRANGEMENTS = [*ON_THE_GROUND, *IN_THE_AIR]


def made(arrangement, index, count=12):
    draws = Draws(7, index)
    return arrangement(draws, Palette(draws), count)


@pytest.mark.parametrize("arrangement", ARRANGEMENTS, ids=lambda arrangement: arrangement.__name__)
@pytest.mark.parametrize("count", [1, 2, 5, 64])
def test_there_is_at_least_one_object_and_no_more_than_is_allowed(arrangement, count):
    for index in range(12):
        assert 1 <= len(made(arrangement, index, count)) <= count


@pytest.mark.parametrize("arrangement", [single, grid, pile, nested], ids=lambda arrangement: arrangement.__name__)
def test_what_stands_touches_the_ground_and_reaches_not_below(arrangement):
    for index in range(20):
        bottoms = [item.center[2] - extents(item)[2] for item in made(arrangement, index)]
        assert min(bottoms) == pytest.approx(0, abs=1e-5)


def test_balls_of_a_pile_touch_but_do_not_overlap():
    for index in range(10):
        balls = made(pile, index)
        for number, one in enumerate(balls):
            gaps = [math.dist(one.center, other.center) - one.radius - other.radius for other in balls[:number]]
            assert min(gaps, default=0) > -1e-6
            assert min([*gaps, one.center[2] - one.radius]) == pytest.approx(0, abs=1e-5), "it fell until it touched"


def test_objects_of_a_grid_are_alike_in_size_and_a_pitch_apart():
    for index in range(10):
        items = made(grid, index)
        assert len({item.scale for item in items}) == 1
        for one, other in combinations(items, 2):
            apart = [abs(a - b) for a, b in zip(one.center, other.center, strict=True)]
            assert max(apart[:2]) >= 2 * max(extents(one)[:2]) - 1e-6 or apart[2] >= 2 * extents(one)[2] - 1e-6


def test_two_mirrors_face_each_other_with_what_is_reflected_between():
    for index in range(20):
        *between, left, right = made(mirrors, index)
        for panel, side in ((left, -1), (right, 1)):
            assert isinstance(panel, Panel)
            assert (panel.material.metallic, panel.material.roughness) == (1.0, 0.0)
            assert side * panel.center[0] > 0
            normal = rotation_matrix([panel.rotation])[0, :, 2]
            assert -side * normal[0] > 0.99
        assert all(left.center[0] < item.center[0] - extents(item)[0] for item in between)
        assert all(item.center[0] + extents(item)[0] < right.center[0] for item in between)


def test_crowds_are_mostly_of_a_dozen_at_most_and_never_more_than_allowed():
    numbers = np.array([crowd(Draws(1, index), 1000) for index in range(500)])
    assert (numbers.min(), numbers.max() <= 1000) == (1, True)
    assert 0.75 < (numbers <= 12).mean() < 0.95
    assert {crowd(Draws(1, index), 3) for index in range(99)} == {1, 2, 3}


def test_rotations_are_about_what_they_say():
    turned = rotation_matrix([Draws(2, index).quaternion() for index in range(400)])
    np.testing.assert_allclose(turned[:, :, 2].mean(0), 0, atol=0.1)  # uniform: no direction is preferred
    upright = rotation_matrix([spin(Draws(2, index)) for index in range(50)])
    np.testing.assert_allclose(upright[:, :, 2], np.tile([0, 0, 1], (50, 1)), atol=1e-6)
    flat = rotation_matrix([lying(Draws(2, index)) for index in range(50)])
    np.testing.assert_allclose(flat[:, 2, 2], 0, atol=1e-6)
