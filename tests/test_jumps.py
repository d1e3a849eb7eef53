"""Where differences of pictures do not go: over a jump."""

import numpy as np
import pytest

from luxel.fit.jumps import ROUNDING, on_jump, smooth_range
from luxel.fit.parameters import Parameters, Views
from luxel.scene import Camera, Material, Scene, Sphere


def of(field: str, **material: float) -> Parameters:
    """That field of a ball's material."""
    ball = Sphere(center=(0, 0, 0), radius=1, material=Material(**material))
    scene = Scene(objects=(ball,), camera=Camera(position=(0, -5, 0), look_at=(0, 0, 0)))
    return Parameters.of(Views.of(scene), [f"objects[0].material.{field}"])


@pytest.mark.parametrize(
    ("field", "material", "expected"),
    [
        ("roughness", {"roughness": 0.05}, (0, 0.02**0.5)),
        ("roughness", {"roughness": 0.3}, (0.02**0.5, 0.47)),
        ("roughness", {"roughness": 0.1, "transmission": 0.5}, (0.008**0.5, 0.47)),
        ("roughness", {"roughness": 0.5}, (0.47, 1)),
        ("metallic", {"metallic": 0.2}, (0, 0.47)),
        ("metallic", {"metallic": 0.5}, (0.47, 1)),
        ("specular", {"specular": 0.5}, (0, 1)),
        ("transmission", {"transmission": 0.5}, (0, 1)),
        ("base_color[0]", {}, (0, 1)),
    ],
)
def test_a_number_stays_between_the_jumps_about_it(field, material, expected):
    parameters = of(field, **material)
    vector = parameters.read(parameters.start)
    low, high = smooth_range(parameters, vector)
    np.testing.assert_allclose([low[0], high[0]], expected, atol=1.01 * ROUNDING)
    assert not on_jump(parameters, vector).any()


@pytest.mark.parametrize(
    ("field", "value", "is_apart"),
    [
        *(("transmission", 0.0, True), ("transmission", 1.0, True), ("metallic", 1.0, True), ("specular", 0.0, True)),
        *(("metallic", 0.0, False), ("specular", 1.0, False), ("roughness", 0.0, False)),
    ],
)
def test_where_a_lobe_comes_or_goes_a_number_is_apart_and_has_room_beside(field, value, is_apart):
    parameters = of(field, **{field: value})
    vector = parameters.read(parameters.start)
    low, high = smooth_range(parameters, vector)
    assert on_jump(parameters, vector).tolist() == [is_apart]
    assert low[0] <= value <= high[0]
    assert high[0] - low[0] > 0.1
