"""The limits are what validation holds scenes to, and all that float32 tells apart there."""

import numpy as np
import pytest

from luxel.scene.description import Camera, Material, Scene, Sphere
from luxel.scene.errors import SceneError
from luxel.scene.limits import MAX_LENGTH, MAX_RADIANCE, MIN_LENGTH


def scene(x: float = 0.0, radius: float = 1.0, radiance: float = 0.0) -> Scene:
    ball = Sphere(center=(x, 0, 0), radius=radius, material=Material(emission=(0, radiance, 0)))
    return Scene(camera=Camera(position=(0, -5, 0), look_at=(0, 0, 0)), objects=[ball])


LIMITS = [("x", -MAX_LENGTH), ("x", MAX_LENGTH), ("radius", MAX_LENGTH), ("radiance", MAX_RADIANCE)]


@pytest.mark.parametrize(("field", "limit"), LIMITS)
def test_a_limit_is_allowed_and_what_is_beyond_is_not(field, limit):
    scene(**{field: limit})
    with pytest.raises(SceneError, match="must be a number in "):
        scene(**{field: 1.000001 * limit})


def test_lengths_have_a_least():
    scene(radius=MIN_LENGTH)
    with pytest.raises(SceneError, match=r"radius is 9\.9e-07, must be a number in \[1e-6, 1e6\]"):
        scene(radius=9.9e-7)


def test_single_precision_resolves_a_sixteenth_at_the_largest_coordinate():
    assert np.spacing(np.float32(MAX_LENGTH)) == 1 / 16
