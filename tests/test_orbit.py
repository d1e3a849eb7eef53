import math

import numpy as np
import pytest

from luxel.notebook.orbit import MAX_ELEVATION_DEGREES, Orbit, axes
from luxel.scene import Camera

UPRIGHT = Camera(position=(1.0, 2 + math.sqrt(8), 3 + math.sqrt(8)), look_at=(1, 2, 3), vertical_fov_degrees=31)
TILTED = Camera(position=(3, -1, 2), look_at=(0.5, 0, -1), up=(1.0, 0.3, -0.2))


def test_angles_of_an_upright_camera_by_hand():
    assert np.allclose(Orbit.of(UPRIGHT), (90, 45, 4))
    np.testing.assert_allclose(axes(UPRIGHT), np.eye(3), atol=1e-15)


def test_a_camera_is_moved_to_where_it_is_said():
    moved = Orbit(180.0, 30.0, 2.0).camera(UPRIGHT)
    np.testing.assert_allclose(moved.position, (1 - math.sqrt(3), 2, 4), atol=1e-12)
    assert (moved.look_at, moved.up, moved.vertical_fov_degrees) == ((1, 2, 3), (0, 0, 1), 31)


@pytest.mark.parametrize("camera", [UPRIGHT, TILTED])
def test_its_own_place_is_the_cameras(camera):
    np.testing.assert_allclose(Orbit.of(camera).camera(camera).position, camera.position, atol=1e-12)


def test_all_azimuths_of_a_tilted_camera_are_as_high_and_as_far():
    start, up = Orbit.of(TILTED), np.array(TILTED.up)
    for azimuth in (-170.0, 0.0, 77.0):
        offset = np.array(start._replace(azimuth_degrees=azimuth).camera(TILTED).position) - TILTED.look_at
        assert offset @ up == pytest.approx((np.array(TILTED.position) - TILTED.look_at) @ up)
        assert np.linalg.norm(offset) == pytest.approx(start.distance)


def test_elevation_stops_before_the_pole():
    high, highest = (Orbit(0.0, elevation, 1.0).camera(UPRIGHT) for elevation in (120.0, MAX_ELEVATION_DEGREES))
    assert high == highest


def test_what_parallel_rays_show_grows_as_the_camera_comes_nearer():
    camera = Camera(position=(0, -4, 0), look_at=(0, 0, 0), projection="orthographic", vertical_extent=3.0)
    nearer = Orbit.of(camera)._replace(distance=1.0).camera(camera)
    assert nearer.vertical_extent == 0.75
