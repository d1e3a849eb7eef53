"""Where cameras are put: within bounds, out of objects, and as far away as fills the picture."""

import math

import numpy as np
import pytest

from luxel.scene.description import Box, Camera, Plane, Sphere
from luxel.scene.draws import Draws
from luxel.scene.surroundings import Site
from luxel.scene.views import distance_to_fill, glass_about, is_free, view, within

BALL = Sphere(center=(0, 0, 1), radius=1)
IN_THE_OPEN = Site((0.0, 0.0, 1.0), 1.0)
ON_GROUND = Site((0.0, 0.0, 1.0), 1.0, (-math.inf, -math.inf, 0.0))
ROOM = Site((0.0, 0.0, 1.0), 1.0, (-2.0, -3.0, 0.0), (2.0, 3.0, 2.5))


def test_a_ball_fills_its_share_of_the_angle():
    """sin 30° = 1/2: half of 120° or all of 60°."""
    assert distance_to_fill(3.0, 0.5, 120.0) == pytest.approx(6.0)
    assert distance_to_fill(3.0, 1.0, 60.0) == pytest.approx(6.0)


def test_bounds_are_kept_with_room_to_spare():
    """4 % of the reach, or of a room's side where that is less."""
    np.testing.assert_allclose(within(ROOM, np.array([9.0, -9.0, 9.0])), (1.96, -2.96, 2.46))
    np.testing.assert_allclose(within(ON_GROUND, np.array([9.0, -9.0, -9.0])), (9.0, -9.0, 0.04))


@pytest.mark.parametrize(("x", "margin", "is_so"), [(1.1, 0.05, True), (1.1, 0.2, False), (0.5, 0.0, False)])
def test_a_place_is_free_if_no_object_is_there_or_near(x, margin, is_so):
    assert is_free(np.array([x, 0.0, 1.0]), [BALL], margin) == is_so


@pytest.mark.parametrize("site", [IN_THE_OPEN, ON_GROUND, ROOM], ids=["in the open", "on the ground", "in a room"])
def test_cameras_are_in_bounds_and_in_no_object(site):
    around = [Plane(center=(0, 0, 0))] if site.has_ground else []
    for index in range(60):
        camera = view(Draws(2, index), site, [BALL], around)
        position = np.array(camera.position)
        assert (position >= site.lower).all()
        assert (position <= site.upper).all()
        assert is_free(position, [BALL, *around], 0.0)
        assert math.dist(camera.look_at, BALL.center) < 1.0, "it looks at the group"


def test_among_objects_everywhere_a_camera_goes_out():
    """A box that holds the site's ball and much beside it."""
    block = Box(center=(0, 0, 1), half_extents=(3, 3, 3))
    camera = view(Draws(4, 0), IN_THE_OPEN, [block], [])
    assert is_free(np.array(camera.position), [block], 0.0)


def test_glass_about_a_camera_holds_it_and_touches_nothing():
    camera = Camera(position=(0, -4, 1), look_at=(0, 0, 1))
    for index in range(20):
        glass = glass_about(Draws(5, index), camera, ROOM, [BALL])
        assert glass is None or math.dist(glass.center, camera.position) < glass.radius
        assert glass is None or math.dist(glass.center, BALL.center) > glass.radius
    made = [glass_about(Draws(5, index), camera, IN_THE_OPEN, [BALL]) for index in range(20)]
    assert any(made)
    assert all(math.dist(glass.center, camera.position) < glass.radius for glass in made if glass)
    tight = Sphere(center=(0, -4, 1), radius=0.5)
    assert glass_about(Draws(5, 0), camera, IN_THE_OPEN, [tight]) is None
