"""How far numbers move to take differences."""

import math

import numpy as np
import pytest

from luxel.fit.parameters import Parameters, Vector, Views
from luxel.fit.steps import steps
from luxel.scene import Box, Camera, GradientSky, MapSky, Material, Plane, Scene, Sphere, Sun

WIDE = 2 * math.degrees(math.atan(1.0))  # of which a picture's height at distance d is 2 d
CAMERA = Camera(position=(0, -10, 0), look_at=(0, 0, 0), vertical_fov_degrees=WIDE)
LAMP = Material(emission=(2, 4, 8))
SCENE = Scene(
    objects=(
        Sphere(center=(0, 0, 0), radius=2),
        Box(center=(0, 0, 0), half_extents=(2, 3, 6)),
        Plane(center=(0, 0, -3)),
        Sphere(center=(0, 0, 50), radius=20, material=LAMP),
        Sphere(center=(0, 0, 0), radius=0.01),
    ),
    camera=CAMERA,
    background=(0, 0, 0),
)


def of(name: str, height: int = 20, pixels: float = 0.5, scene: Scene = SCENE) -> Vector:
    parameters = Parameters.of(Views.of(scene), [name])
    return steps(parameters, parameters.start, height, pixels)


def test_geometry_moves_by_a_share_of_a_pixel_where_it_is_seen():
    """A pixel, one of 20 over 90°, is a tenth of the distance, 8 to the ball; but a tenth of the ball at most."""
    np.testing.assert_allclose(of("objects[0].center", pixels=0.2), [0.2 * 0.8] * 3)
    np.testing.assert_allclose(of("objects[0].center"), [0.2] * 3)


def test_what_is_infinitely_far_turns_and_brightens():
    sky = GradientSky(zenith=(1, 2, 3), horizon=(10, 4, 4))
    sun = Sun(direction=(0, 3, 4), angular_radius_degrees=2, radiance=(400, 300, 200))
    scene = SCENE.model_copy(update={"sky": sky, "sun": sun})
    found = {name: of(name, scene=scene)[0] for name in ("sky.zenith", "sky.ground", "sun.radiance", "sun.direction")}
    assert found == pytest.approx(
        {"sky.zenith": 0.15, "sky.ground": 0.1, "sun.radiance": 0.05 * 400, "sun.direction": 0.02}
    )
    assert of("sun.angular_radius_degrees", scene=scene) == pytest.approx(0.1)
    turned = SCENE.model_copy(update={"sky": MapSky.of(np.ones((2, 4, 3)), scale=2.0)})
    assert of("sky.rotation_degrees", scene=turned) == pytest.approx(1)
    assert of("sky.scale", scene=turned) == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("objects[1].rotation", 0.5 * 3 * 0.1 / (2 * 7)),
        ("objects[2].center", 0.5 * 10 * 0.1),
        ("objects[2].normal", 0.5 * 0.1),
        ("objects[3].center", 0.1 * 20),
        ("objects[3].radius", 0.1 * 20),
        ("objects[4].center", 0.001),
        ("camera.position", 0.5),
        ("camera.look_at", 0.5),
        ("camera.up", 0.05),
        ("objects[3].material.emission", 0.05 * 8),
        ("objects[0].material.emission", 0.01 * 8),
        ("background", 0.01 * 8),
        ("objects[0].material.base_color", 0.08),
    ],
)
def test_each_kind_of_leaf_has_its_step(name, expected):
    np.testing.assert_allclose(of(name), np.full_like(of(name), expected), rtol=1e-6)


def test_the_field_of_view_moves_the_rim_by_its_share_of_a_pixel():
    (step,) = of("camera.vertical_fov_degrees")
    rim = [math.tan(math.radians(WIDE + sign * step) / 2) for sign in (1, -1)]
    assert (rim[0] - rim[1]) / 2 * 10 == pytest.approx(0.5, rel=1e-3)


@pytest.mark.parametrize("name", ["objects[0].center", "camera.position", "objects[1].rotation", "camera.up"])
def test_of_twice_the_pixels_steps_are_half_as_long(name):
    np.testing.assert_allclose(of(name, height=80), 2 * of(name, height=160))
    np.testing.assert_allclose(of(name, height=160, pixels=1.0), of(name, height=80))


def test_in_the_dark_there_are_steps():
    dark = SCENE.with_material(3, emission=(0.0, 0.0, 0.0))
    np.testing.assert_allclose(of("background", scene=dark), [0.01] * 3)
