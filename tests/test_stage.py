"""The stage of CLEVR and CATER: where things may stand, and what lights them."""

import math

import numpy as np
import pytest

from luxel.scene.camera import rotation_matrix
from luxel.scene.description import Camera
from luxel.scene.draws import Draws
from luxel.scene.stage import CAMERA_AT, LAMPS, SPOTS, Spot, camera_of, free_spot, lamps_of, material_of, turned

AHEAD = Camera(position=(0, -10, 5), look_at=(0, 0, 0))
"""Behind is +y, and left is −x."""


class At(Draws):
    """Draws that try one place, again and again."""

    def __init__(self, x: float, y: float) -> None:
        self._numbers, self.tries = (x, y), 0

    def uniform(self, low: float, high: float) -> float:
        self.tries += 1
        return self._numbers[(self.tries - 1) % 2]


@pytest.mark.parametrize(
    ("x", "y", "is_free"),
    [
        (1.5, 1.5, True),
        (0.3, 2.5, False),  # 0.3 beside the other, which is no clear left or right
        (2.5, -0.3, False),  # 0.3 behind it
        (0.41, 2.5, True),
        (0.6, 0.6, False),  # 0.85 away, less than both sizes and a quarter
        (0.9, 0.9, True),  # 1.27 away
    ],
)
def test_objects_stand_apart_and_on_clear_sides_of_each_other(x, y, is_free):
    draws = At(x, y)
    spot = free_spot(draws, 0.5, [Spot(0.0, 0.0, 0.5)], AHEAD)
    assert spot == ((x, y, 0.5) if is_free else None)
    assert draws.tries == 2 * (1 if is_free else SPOTS)


def test_lamps_face_the_middle_from_about_their_places():
    for lamp, (place, radiance) in zip(lamps_of(Draws(3, 0)), LAMPS.items(), strict=True):
        center = np.array(lamp.center)
        assert np.abs(center - place).max() <= 1
        front = rotation_matrix(lamp.rotation)[:, 2]
        np.testing.assert_allclose(front, -center / np.linalg.norm(center), atol=1e-5)
        assert lamp.material.emission == (radiance,) * 3
        assert lamp.half_extents == (1, 1)


def test_the_camera_moves_by_half_a_unit_at_most():
    for index in range(9):
        assert max(abs(a - b) for a, b in zip(camera_of(Draws(3, index)).position, CAMERA_AT, strict=True)) <= 0.5


def test_a_turn_is_about_the_vertical():
    np.testing.assert_allclose(rotation_matrix(turned(math.pi / 2)), [[0, -1, 0], [1, 0, 0], [0, 0, 1]], atol=2e-6)


def test_a_material_is_of_a_published_colour():
    cyan = material_of("cyan", "metal")
    assert cyan.base_color == pytest.approx((41 / 255, 208 / 255, 208 / 255), abs=1e-6)
    assert (cyan.metallic, cyan.roughness) == (1.0, 0.2)
