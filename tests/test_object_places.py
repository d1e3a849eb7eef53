import numpy as np
import pytest

from luxel.scene import Camera, Plane, Scene, Sphere
from luxel.trace.object_places import object_places, places_of


def test_places_of_a_small_picture_by_hand():
    """Object 7 is the frame of a 5×7 window on object 2, whose middle pixel is row 4, column 5."""
    numbers = np.full((9, 11), 7)
    numbers[2:7, 2:9] = 2
    frame, window = places_of(numbers)
    assert (frame.object_number, frame.area, window.object_number, window.area) == (7, 99 - 35, 2, 35)
    assert (window.column, window.row) == (5.5, 4.5)
    assert numbers[int(frame.row), int(frame.column)] == 7, "its centroid is in the window"


def test_the_sky_has_no_place():
    numbers = np.full((3, 5), -1)
    assert places_of(numbers) == []
    numbers[1, 3] = 0
    ((number, column, row, area),) = places_of(numbers)
    assert (number, column, row, area) == (0, 3.5, 1.5, 1)


def test_a_spheres_place_is_its_centre_and_a_hidden_object_has_none():
    """Seen along y from 10 with 2·atan(0.5) of view, a unit is 2.1 of 21 pixels at the origin's distance."""
    ball = Sphere(center=(2.0, 0.0, 1.0), radius=1.0)
    hidden = Sphere(center=(3.0, 5.0, 1.5), radius=0.2)
    ground = Plane(center=(0, 0, -2))
    camera = Camera(position=(0, -10, 0), look_at=(0, 0, 0), vertical_fov_degrees=2 * np.degrees(np.arctan(0.5)))
    scene = Scene(objects=(hidden, ball, ground), camera=camera, background=(1, 1, 1))
    places = {place.object_number: place for place in object_places(scene, 41, 21)}
    assert places.keys() == {1, 2}
    assert places[1].column == pytest.approx(20.5 + 2 * 2.1, abs=1)
    assert places[1].row == pytest.approx(10.5 - 2.1, abs=1)
