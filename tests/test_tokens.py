"""Tokens by hand and by a slow reference, and that they do not depend on where the whole scene stands."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from kernels import DEVICES

from luxel.core.scene_batch import SceneBatch
from luxel.models.tokens import FAR, FIELDS, OBJECT_FEATURES, Tokens, encode
from luxel.scene import Box, Camera, Cylinder, Ellipsoid, Ellipsoids, Material, Panel, Plane, Scene, Sphere, Spheres
from luxel.scene.camera import frame, rotation_matrix, tan_half_fov
from luxel.scene.distributions import Varied

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


def tokens_of(*scenes: Scene, objects: int | None = None) -> Tokens:
    return encode(SceneBatch.of(scenes), objects)


def field(tokens: Tokens, scene: int, item: int, name: str) -> np.ndarray:
    return tokens.objects[scene, item, FIELDS[name]].numpy()


def test_layout():
    assert OBJECT_FEATURES == 31
    covered = [index for offsets in FIELDS.values() for index in range(offsets.start, offsets.stop)]
    assert covered == list(range(31))
    assert list(FIELDS)[:3] == ["center", "rotation", "semi_axes"]


def test_by_hand():
    ellipsoid = Ellipsoid(center=(1, 2, 3), rotation=QUARTER_TURN_ABOUT_Z, semi_axes=(1, 2, 3), material=MATERIAL)
    tokens = tokens_of(
        Scene(objects=(Sphere(center=(0, 0, 0), radius=0.5),), camera=CAMERA, background=(1, 2, 3)),
        Scene(objects=(Sphere(center=(0, 0, 0), radius=0.5), ellipsoid), camera=CAMERA),
    )
    assert tokens.objects.shape == (2, 2, 31)
    assert tokens.mask.tolist() == [[True, False], [True, True]]
    assert not tokens.objects[0, 1].any()
    np.testing.assert_allclose(tokens.camera, [[1], [1]])
    np.testing.assert_array_equal(tokens.background, [[1, 2, 3], [0, 0, 0]])

    np.testing.assert_allclose(field(tokens, 0, 0, "center"), [0, 0, -5])
    np.testing.assert_array_equal(field(tokens, 0, 0, "rotation"), np.eye(3).ravel())
    np.testing.assert_array_equal(field(tokens, 0, 0, "semi_axes"), [0.5, 0.5, 0.5])

    other = {name: field(tokens, 1, 1, name) for name in FIELDS}
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


def slow_features(scene: Scene, item: Sphere | Ellipsoid) -> np.ndarray:
    """One object at a time, in float64."""
    origin, world_from_camera = frame(scene.camera)
    center = (np.array(item.center) - origin) @ world_from_camera
    rotation = np.eye(3) if item.shape == "sphere" else world_from_camera.T @ rotation_matrix(item.rotation)
    half_height = max(-center[2], 1e-6) * tan_half_fov(scene.camera)
    projection = np.clip([center[0] / half_height, center[1] / half_height, max(item.semi_axes) / half_height], -10, 10)
    material = item.material
    scalars = [material.metallic, material.specular, material.roughness, material.transmission]
    parts = [center, rotation.ravel(), item.semi_axes, projection, material.base_color, scalars, material.emission]
    return np.concatenate([*parts, np.log1p(material.emission)])


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("distribution", [Spheres(), Ellipsoids(), Varied()], ids=lambda one: one.name)
def test_they_are_the_slow_references(distribution, device):
    scenes = [distribution(3, index) for index in range(17)]
    tokens = encode(SceneBatch.of(scenes, device), 19)
    for row, scene in enumerate(scenes):
        expected = np.zeros((19, OBJECT_FEATURES))
        expected[: len(scene.objects)] = [slow_features(scene, item) for item in scene.objects]
        # Centres come rounded to float32, and so do the camera's axes: 6e-8 of a ground's 100 units.
        np.testing.assert_allclose(tokens.objects[row].cpu(), expected, rtol=1e-6, atol=2e-5)
        assert tokens.mask[row].tolist() == [True] * len(scene.objects) + [False] * (19 - len(scene.objects))


SHAPES = [
    (Box(center=(0, 0, 0), half_extents=(1, 2, 4)), (1, 2, 4), 4 / 5),
    (Cylinder(center=(0, 0, 0), radius=0.5, half_height=1.5), (0.5, 0.5, 1.5), 1.5 / 5),
    (Panel(center=(0, 0, 0), half_extents=(0.25, 0.5)), (0.25, 0.5, 1), 0.5 / 5),
    (Panel(center=(0, 0, 0), half_extents=(0.75, 0.5), outline="ellipse"), (0.75, 0.5, 1), 0.75 / 5),
    (Plane(center=(0, 0, 0)), (1, 1, 1), FAR),
]


@pytest.mark.parametrize(("item", "scale", "size"), SHAPES, ids=[f"{one[0].shape}{one[2]:.2g}" for one in SHAPES])
def test_other_shapes_have_the_same_fields(item, scale, size):
    """Their axes are seen from the camera, which looks along y; an infinite plane's size is clipped."""
    tokens = tokens_of(Scene(objects=(item,), camera=CAMERA))
    np.testing.assert_array_equal(field(tokens, 0, 0, "semi_axes"), scale)
    np.testing.assert_allclose(field(tokens, 0, 0, "projection"), [0, 0, size], atol=1e-7)
    camera_from_world = np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]])
    np.testing.assert_allclose(field(tokens, 0, 0, "rotation").reshape(3, 3), camera_from_world, atol=1e-7)


def test_projection_is_where_the_pixel_is_and_stays_finite_behind_the_camera():
    camera = Camera(position=(0, -5, 0), look_at=(0, 0, 0), vertical_fov_degrees=40)
    half = math.tan(math.radians(20))
    at_the_top_edge, behind = (0, 0, 5 * half), (0, -7, 1)
    scene = Scene(objects=[Sphere(center=at, radius=0.1) for at in (at_the_top_edge, behind)], camera=camera)
    tokens = tokens_of(scene)
    np.testing.assert_allclose(field(tokens, 0, 0, "projection"), [0, 1, 0.1 / (5 * half)], atol=1e-6)
    np.testing.assert_allclose(field(tokens, 0, 1, "projection"), [0, 10, 10])


def test_padding():
    scene = Scene(objects=(Sphere(center=(0, 0, 0), radius=1),) * 3, camera=CAMERA)
    assert tokens_of(scene, objects=7).objects.shape == (1, 7, 31)
    np.testing.assert_array_equal(tokens_of(scene, objects=7).objects[:, :3], tokens_of(scene).objects)
    with pytest.raises(ValueError, match="3 objects, more than the 2"):
        tokens_of(scene, objects=2)


LEAVES = [
    *("center", "rotation", "scale", "base_color", "metallic", "specular", "roughness", "transmission", "emission"),
    *("camera_position", "camera_rotation", "tan_half_fov", "background"),
]


@pytest.mark.parametrize("leaf", LEAVES)
def test_derivatives_are_those_of_differences(leaf):
    """By every leaf, in float64; of ellipsoids, a box and a plane."""
    shapes = (
        Ellipsoid(center=(0.3, 0.2, 0.4), rotation=(0.6, 0.3, -0.5, 0.4), semi_axes=(0.2, 0.5, 0.3), material=MATERIAL),
        Box(center=(-0.3, 0.1, 0.2), rotation=(0.5, 0.1, -0.7, 0.2), half_extents=(0.2, 0.4, 0.3)),
        Plane(center=(0, 0, -1)),
    )
    scenes = SceneBatch.of([Scene(objects=shapes, camera=CAMERA), Ellipsoids(max_objects=2)(0, 0)])
    values = getattr(scenes, leaf).double().requires_grad_()
    doubles = replace(scenes, **{name: getattr(scenes, name).double() for name in LEAVES})

    def encoded(values: torch.Tensor) -> tuple[torch.Tensor, ...]:
        objects, _, camera, background = encode(replace(doubles, **{leaf: values}))
        return objects, camera, background

    assert torch.autograd.gradcheck(encoded, (values,))


def test_a_sphere_grows_alike_along_its_three_axes():
    """Whose scales are equal, so that their largest has no derivative by itself: each takes a third."""
    scenes = SceneBatch.of([Scene(objects=(Sphere(center=(0, 0, 0), radius=0.5),), camera=CAMERA)])
    scale = scenes.scale.clone().requires_grad_()
    encode(replace(scenes, scale=scale)).objects[0, 0, FIELDS["projection"]][2].backward()
    assert scale.grad is not None
    torch.testing.assert_close(scale.grad, torch.full((1, 3), 1 / 15))


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
    np.testing.assert_allclose(tokens_of(still).objects, tokens_of(turned).objects, atol=2e-5)


def rotation_product(p, q):
    """Hamilton's product."""
    (a, b), (c, d) = (p[0], np.array(p[1:])), (q[0], np.array(q[1:]))
    return (a * c - b @ d, *(a * d + c * b + np.cross(b, d)))
