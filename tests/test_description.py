"""Scenes: JSON round trip, identity, and what every wrong one is told."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from luxel.scene import Camera, Ellipsoid, Material, Scene, SceneError, Sphere, scene_id

CAMERA = Camera(position=(0, -5, 1), look_at=(0, 0, 0))
SCENE = Scene(
    objects=(
        Sphere(center=(1, 2, 3), radius=0.5, material=Material(emission=(0, 0, 2))),
        Ellipsoid(center=(0, 0, 0), rotation=(0.5, 0.5, 0.5, 0.5), semi_axes=(1, 2, 3)),
    ),
    camera=CAMERA,
    background=(0.1, 0.2, 0.3),
)


def changed(path: str, value: Any) -> str:
    """SCENE's JSON with one value replaced; DELETE takes the field away."""
    data = json.loads(SCENE.to_json())
    target, names = data, [int(name) if name.isdigit() else name for name in path.split(".")]
    for name in names[:-1]:
        target = target[name]
    if value is DELETE:
        del target[names[-1]]
    else:
        target[names[-1]] = value
    return json.dumps(data)


DELETE = object()


def test_json_round_trip(tmp_path):
    assert Scene.from_json(SCENE.to_json()) == SCENE
    SCENE.save(tmp_path / "scene.json")
    assert Scene.load(tmp_path / "scene.json") == SCENE
    assert json.loads(SCENE.to_json())["schema_version"] == 1


@given(
    numbers=st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=3),
    radius=st.floats(1e-6, 1e6),
    quaternion=st.lists(st.floats(-10, 10), min_size=4, max_size=4).filter(lambda q: np.linalg.norm(q) > 1e-3),
)
def test_any_valid_scene_survives_json_exactly(numbers, radius, quaternion):
    ellipsoid = Ellipsoid(center=numbers, rotation=quaternion, semi_axes=(radius, 1, radius))
    scene = Scene(objects=(Sphere(center=numbers, radius=radius), ellipsoid), camera=CAMERA)
    again = Scene.from_json(scene.to_json())
    assert again == scene
    assert scene_id(again) == scene_id(scene)
    np.testing.assert_allclose(np.linalg.norm(ellipsoid.rotation), 1, atol=1.1e-5)


def test_identity_is_of_content():
    spelled_otherwise = Scene.from_json(json.dumps(json.loads(SCENE.to_json()), indent=3))
    assert scene_id(spelled_otherwise) == scene_id(SCENE)
    assert scene_id(SCENE.model_copy(update={"background": (0.1, 0.2, 0.300001)})) != scene_id(SCENE)
    negative_zero = Sphere(center=(-0.0, 0, 0), radius=1)
    assert str(negative_zero.center) == "(0.0, 0.0, 0.0)"


def test_scenes_are_immutable():
    with pytest.raises(ValidationError):
        SCENE.objects[0].radius = 2  # type: ignore[misc]


def test_a_sphere_is_an_ellipsoid():
    sphere = SCENE.objects[0]
    assert sphere.semi_axes == (0.5, 0.5, 0.5)
    assert sphere.rotation == (1, 0, 0, 0)
    assert sphere.material.is_emissive
    assert not SCENE.objects[1].material.is_emissive


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("objects.0.radius", 0, "objects[0].radius is 0, must be a number in [1e-6, 1e6]"),
        ("objects.0.radius", DELETE, "objects[0].radius is missing"),
        ("objects.0.center", [0, 1], "objects[0].center[2] is missing"),
        ("objects.0.radius", "1", "objects[0].radius is '1': input should be a valid number"),
        ("objects.0.radius", True, "objects[0].radius is True: input should be a valid number"),
        ("objects.1.rotation", [1e308, 0, 0, 0], "rotation[0] is 1e+308, must be a number in [-1e6, 1e6]"),
        ("objects.0.center.1", float("nan"), "objects[0].center[1] is nan, must be a number in [-1e6, 1e6]"),
        ("objects.0.center.1", "x", "objects[0].center[1] is 'x': input should be a valid number"),
        (
            "objects.1.semi_axes.2",
            -1,
            "objects[1].semi_axes[2] is -1, must be a number in [1e-6, 1e6]",
        ),
        ("objects.1.rotation", [0, 0, 0, 0], "must be a quaternion (w, x, y, z) other than zero"),
        ("objects.1.material.roughness", 1.5, "objects[1].material.roughness is 1.5, must be in [0, 1]"),
        ("objects.1.material.base_color.0", -0.1, "base_color[0] is -0.1, must be in [0, 1]"),
        ("objects.1.material.emission.0", -1, "emission[0] is -1, must be a number in [0, 1e6]"),
        ("objects.1.material.emission.0", float("inf"), "must be a number in [0, 1e6]"),
        ("objects.1.material.roughnes", 1, "roughnes is not a known field; did you mean roughness?"),
        ("objects.1.radius", 1, "objects[1].radius is not a known field; known are"),
        ("objects.1.shape", "cube", "objects[1].shape is 'cube', must be one of sphere, ellipsoid"),
        ("objects.1.shape", DELETE, "objects[1].shape is missing, must be one of sphere, ellipsoid"),
        ("objects", [], "objects is [], must have at least one object"),
        ("camera.up", [0, 0, 0], "camera: up must not be zero, it is (0.0, 0.0, 0.0)"),
        ("camera.up", [0, 5, -1], "camera: up must not be parallel to the viewing direction, it is (0.0, 5.0, -1.0)"),
        ("camera.look_at", [0, -5, 1], "camera: look_at must differ from position, both are (0.0, -5.0, 1.0)"),
        ("camera.vertical_fov_degrees", 180, "is 180, must be in [1, 170] degrees"),
        ("camera.fov", 30, "camera.fov is not a known field; known are position, look_at"),
        ("colour", 1, "colour is not a known field; known are schema_version, objects"),
        ("schema_version", 2, "schema_version is 2, must be 1"),
        ("schema_version", DELETE, "schema_version is missing, must be 1"),
    ],
)
def test_a_wrong_scene_is_told_where_and_why(path, value, message):
    with pytest.raises(SceneError) as error:
        Scene.from_json(changed(path, value), "my.json")
    assert message in str(error.value)
    assert str(error.value).startswith("my.json: ")
    assert "\n" not in str(error.value)


def test_every_mistake_has_its_line(tmp_path):
    data = json.loads(changed("objects.0.radius", -1))
    data["objects"][1]["material"]["metallic"] = 2
    path = tmp_path / "two.json"
    path.write_text(json.dumps(data))
    with pytest.raises(SceneError) as error:
        Scene.load(path)
    first, second = str(error.value).splitlines()
    assert first == f"{path}: objects[0].radius is -1, must be a number in [1e-6, 1e6]"
    assert second == f"{path}: objects[1].material.metallic is 2, must be in [0, 1]"


@pytest.mark.parametrize("text", ["{", "[1]", b"\xff\xfe\xff", "null"])
def test_what_is_no_scene_at_all(text):
    with pytest.raises(SceneError, match=r"my\.json: "):
        Scene.from_json(text, "my.json")
