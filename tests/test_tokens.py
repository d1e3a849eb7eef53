"""Tokens by hand, and that they do not depend on where the whole scene stands."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from luxel.scene import FIELDS, OBJECT_FEATURES, Camera, Ellipsoid, Material, Scene, Sphere, encode
from luxel.scene.camera import rotation_matrix
from luxel.scene.tokens import LAYOUT

MATERIAL = Material(
    base_color=(0.1, 0.2, 0.3),
    metallic=0.4,
    specular=0.6,
    roughness=0.7,
    transmission=0.8,
    emission=(0, math.e - 1, 9),
)
CAMERA = Camera(position=(0, -5, 0), look_at=(0, 0, 0), vertical_fov_degrees=90)
QUARTER_TURN_ABOUT_Z = (math.sqrt(0.5), 0, 0, math.sqrt(0.5))


def test_layout():
    assert OBJECT_FEATURES == 31
    covered = [index for offsets in FIELDS.values() for index in range(offsets.start, offsets.stop)]
    assert covered == list(range(31))
    assert LAYOUT.startswith("center:3,rotation:9,")


def test_by_hand():
    ellipsoid = Ellipsoid(center=(1, 2, 3), rotation=QUARTER_TURN_ABOUT_Z, semi_axes=(1, 2, 3), material=MATERIAL)
    scenes = [
        Scene(objects=(Sphere(center=(0, 0, 0), radius=0.5),), camera=CAMERA, background=(1, 2, 3)),
        Scene(objects=(Sphere(center=(0, 0, 0), radius=0.5), ellipsoid), camera=CAMERA),
    ]
    tokens = encode(scenes)
    assert tokens.objects.shape == (2, 2, 31)
    assert tokens.mask.tolist() == [[True, False], [True, True]]
    assert not tokens.objects[0, 1].any()
    np.testing.assert_allclose(tokens.camera, [[1], [1]])
    np.testing.assert_array_equal(tokens.background, [[1, 2, 3], [0, 0, 0]])

    sphere = {name: tokens.objects[0, 0, where] for name, where in FIELDS.items()}
    np.testing.assert_allclose(sphere["center"], [0, 0, -5])
    np.testing.assert_array_equal(sphere["rotation"], np.eye(3).ravel())
    np.testing.assert_array_equal(sphere["semi_axes"], [0.5, 0.5, 0.5])

    other = {name: tokens.objects[1, 1, where] for name, where in FIELDS.items()}
    np.testing.assert_allclose(other["center"], [1, 3, -7], atol=1e-6)
    # Its x axis points along world y, which is away from the camera: −z there. Its y along −x, its z up.
    columns = np.array([[0, 0, -1], [-1, 0, 0], [0, 1, 0]]).T
    np.testing.assert_allclose(other["rotation"].reshape(3, 3), columns, atol=1e-6)
    np.testing.assert_allclose(other["semi_axes"], [1, 2, 3])
    np.testing.assert_allclose(other["projection"], [1 / 7, 3 / 7, 3 / 7], rtol=1e-6)
    np.testing.assert_allclose(other["base_color"], [0.1, 0.2, 0.3])
    for name in ("metallic", "specular", "roughness", "transmission"):
        np.testing.assert_allclose(other[name], getattr(MATERIAL, name))
    np.testing.assert_allclose(other["emission"], MATERIAL.emission)
    np.testing.assert_allclose(other["log_emission"], [0, 1, np.log(10)], rtol=1e-6)


def test_projection_is_where_the_pixel_is_and_stays_finite_behind_the_camera():
    camera = Camera(position=(0, -5, 0), look_at=(0, 0, 0), vertical_fov_degrees=40)
    half = math.tan(math.radians(20))
    at_the_top_edge, behind = (0, 0, 5 * half), (0, -7, 1)
    scene = Scene(objects=[Sphere(center=at, radius=0.1) for at in (at_the_top_edge, behind)], camera=camera)
    projection = encode([scene]).objects[0, :, FIELDS["projection"]]
    np.testing.assert_allclose(projection[0], [0, 1, 0.1 / (5 * half)], atol=1e-6)
    np.testing.assert_allclose(projection[1], [0, 10, 10])


def test_padding():
    scene = Scene(objects=(Sphere(center=(0, 0, 0), radius=1),) * 3, camera=CAMERA)
    assert encode([scene], objects=7).objects.shape == (1, 7, 31)
    np.testing.assert_array_equal(encode([scene], objects=7).objects[:, :3], encode([scene]).objects)
    with pytest.raises(ValueError, match="3 objects, more than the 2"):
        encode([scene], objects=2)


@given(st.lists(st.floats(-2, 2), min_size=4, max_size=4).filter(lambda q: np.linalg.norm(q) > 0.1))
def test_rotation_matrix(quaternion):
    matrix = rotation_matrix(quaternion)
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(np.linalg.det(matrix), 1)
    np.testing.assert_allclose(matrix @ np.array(quaternion[1:]), quaternion[1:], atol=1e-9)  # the axis stays
    np.testing.assert_allclose(matrix, rotation_matrix([-x for x in quaternion]), atol=1e-15)


@given(st.floats(-math.pi, math.pi), st.tuples(*[st.floats(-3, 3)] * 3))
def test_moving_the_world_changes_nothing(angle, shift):
    """Scene and camera turned about z and moved: the tokens are in camera space."""
    turn = (math.cos(angle / 2), 0.0, 0.0, math.sin(angle / 2))
    matrix = rotation_matrix(turn)

    def moved(point):
        return tuple((matrix @ np.array(point) + shift).tolist())

    def scene(place, first):
        rotation = rotation_product(first, (0.5, 0.1, -0.7, 0.2))
        item = Ellipsoid(center=place((0.3, 0.4, 0.5)), rotation=rotation, semi_axes=(1, 2, 3))
        camera = Camera(position=place((1, -5, 2)), look_at=place((0, 0, 0)))
        return Scene(objects=(item,), camera=camera)

    still, turned = scene(lambda point: point, (1, 0, 0, 0)), scene(moved, turn)
    np.testing.assert_allclose(encode([still]).objects, encode([turned]).objects, atol=2e-5)


def rotation_product(p, q):
    """Hamilton's product."""
    (a, b), (c, d) = (p[0], np.array(p[1:])), (q[0], np.array(q[1:]))
    return (a * c - b @ d, *(a * d + c * b + np.cross(b, d)))
