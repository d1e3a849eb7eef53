"""Scenes: JSON round trip, identity, and what every wrong one is told."""

import copy
import json
import math
import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from luxel import InputError
from luxel.scene import (
    Box,
    Camera,
    Cylinder,
    Ellipsoid,
    Material,
    Panel,
    Plane,
    Scene,
    SceneError,
    Sphere,
    Varied,
    scene_id,
)
from luxel.scene.camera import rotation_matrix

CAMERA = Camera(position=(0, -5, 1), look_at=(0, 0, 0))
SCENE = Scene(
    objects=(
        Sphere(center=(1, 2, 3), radius=0.5, material=Material(emission=(0, 0, 2))),
        Ellipsoid(center=(0, 0, 0), rotation=(0.5, 0.5, 0.5, 0.5), semi_axes=(1, 2, 3)),
    ),
    camera=CAMERA,
    background=(0.1, 0.2, 0.3),
)

TURNED = (0.5, -0.5, 0.5, 0.5)
SHAPES = Scene(
    objects=(
        Box(center=(1, 2, 3), rotation=TURNED, half_extents=(2, 3, 6)),
        Cylinder(center=(3, 1, 2), rotation=TURNED, radius=5, half_height=12),
        Panel(center=(2, 3, 1), rotation=TURNED, half_extents=(3, 4)),
        Panel(center=(2, 3, 1), half_extents=(3, 4), outline="ellipse", material=Material(emission=(1, 2, 3))),
        Plane(center=(5, 7, 11), normal=(0.6, 0, 0.8)),
        *SCENE.objects,
    ),
    camera=CAMERA,
)


def changed(path: str, value: Any, scene: Scene = SCENE) -> str:
    """The scene's JSON with one value replaced; DELETE takes the field away."""
    data = json.loads(scene.to_json())
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
    assert Scene.from_json(SHAPES.to_json()) == SHAPES


def test_the_name_of_a_scene_of_round_things_stays_what_it_was():
    """Data sets are split by scene_id, a hash of every byte, so the first two shapes get no new field."""
    assert json.loads(SCENE.to_json())["objects"][0].keys() == {"shape", "center", "radius", "material"}
    assert json.loads(SCENE.to_json())["objects"][1].keys() == {"shape", "center", "rotation", "semi_axes", "material"}
    assert scene_id(SCENE).startswith("36b49ca93dae0165")
    assert scene_id(Varied()(0, 3)).startswith("4d9eb5d7e3859f7e")


@pytest.mark.parametrize(
    ("index", "rotation", "scale", "bounding_radius"),
    [
        (0, TURNED, (2, 3, 6), 7),
        (1, TURNED, (5, 5, 12), 13),
        (2, TURNED, (3, 4, 1), 5),
        (3, (1, 0, 0, 0), (3, 4, 1), 4),
        (4, (math.sqrt(0.9), 0, math.sqrt(0.1), 0), (1, 1, 1), math.inf),  # cos θ = 0.8, so cos² θ/2 = 0.9
        (5, (1, 0, 0, 0), (0.5, 0.5, 0.5), 0.5),
        (6, (0.5, 0.5, 0.5, 0.5), (1, 2, 3), 3),
    ],
)
def test_every_object_is_the_image_of_a_unit_shape(index, rotation, scale, bounding_radius):
    item = SHAPES.objects[index]
    np.testing.assert_allclose(item.rotation, rotation, rtol=1e-14)
    assert item.scale == scale
    assert item.bounding_radius == bounding_radius
    assert len(item.center) == 3
    with pytest.raises(SceneError, match="cannot be set"):
        item.center = (0, 0, 0)


@pytest.mark.parametrize(
    "normal",
    [
        (0, 0, 1),
        (0, 0, -1),
        (0, 0, -7),
        (1e-9, 0, -1),
        (1e-300, 0, -1),
        (0, -1e-4, -1),
        (3e-6, 0, 0),
        (0, 1, 0),
        (-2, 3, -5),
        (1e6, 1e6, -1e6),
    ],
)
def test_a_plane_is_turned_the_shortest_way(normal):
    plane = Plane(center=(1, 2, 3), normal=normal)
    unit = np.array(normal) / np.linalg.norm(normal)
    np.testing.assert_allclose(plane.normal, unit, atol=1e-12)
    w, x, y, z = plane.rotation
    assert math.hypot(w, x, y, z) == pytest.approx(1, abs=1e-15)
    np.testing.assert_allclose(rotation_matrix((w, x, y, z)) @ (0, 0, 1), unit, rtol=0, atol=1e-15)
    assert z == 0  # the axis is across both
    assert w == pytest.approx(math.cos(math.acos(unit[2]) / 2), abs=1e-8)  # acos loses half the digits near −1
    assert "-0.0" not in str(plane.rotation)


@given(normal=st.tuples(*[st.floats(-10, 10)] * 3).filter(lambda n: math.hypot(*n) > 1e-3))
def test_any_normal_is_where_z_goes(normal):
    plane = Plane(center=(0, 0, 0), normal=normal)
    z = rotation_matrix(plane.rotation) @ (0, 0, 1)
    np.testing.assert_allclose(z, np.array(normal) / math.hypot(*normal), rtol=0, atol=1e-15)
    assert Plane.model_validate(plane.model_dump()) == plane


def test_a_panel_is_for_all_that_does_not_transmit():
    metal = Material(metallic=1, emission=(1, 1, 1))
    assert Panel(center=(0, 0, 0), half_extents=(1, 1), material=metal).material == metal
    with pytest.raises(SceneError, match=r"transmission is 0\.2, must be 0, .* use a thin box"):
        Panel(center=(0, 0, 0), half_extents=(1, 1), material=Material(transmission=0.2))


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
    with pytest.raises(SceneError, match="cannot be set"):
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
        ("objects.0.radius", "1", "objects[0].radius is '1', must be a number"),
        ("objects.0.radius", True, "objects[0].radius is True, must be a number"),
        ("objects.1.rotation", [1e308, 0, 0, 0], "rotation[0] is 1e+308, must be a number in [-1e6, 1e6]"),
        ("objects.0.center.1", float("nan"), "objects[0].center[1] is nan, must be a number in [-1e6, 1e6]"),
        ("objects.0.center.1", "x", "objects[0].center[1] is 'x', must be a number"),
        (
            "objects.1.semi_axes.2",
            -1,
            "objects[1].semi_axes[2] is -1, must be a number in [1e-6, 1e6]",
        ),
        ("objects.1.rotation", [0, 0, 0, 0], "must be a quaternion (w, x, y, z) other than zero"),
        ("objects.1.rotation", [0, 90, 0], "rotation[3] is missing; a rotation is a quaternion (w, x, y, z)"),
        ("objects.1.center", [0, 0, 0, 1], "objects[1].center is [0, 0, 0, 1], must be a list of 3 numbers"),
        ("objects.1.material.roughness", 1.5, "objects[1].material.roughness is 1.5, must be in [0, 1]"),
        ("objects.1.material.base_color.0", -0.1, "base_color[0] is -0.1, must be in [0, 1]"),
        ("objects.1.material.emission.0", -1, "emission[0] is -1, must be a number in [0, 1e6]"),
        ("objects.1.material.emission.0", float("inf"), "must be a number in [0, 1e6]"),
        ("objects.1.material.roughnes", 1, "roughnes is not a known field; did you mean roughness?"),
        ("objects.1.radius", 1, "objects[1].radius is not a known field; known are"),
        (
            "objects.1.shape",
            "cube",
            "objects[1].shape is 'cube', must be one of sphere, ellipsoid, box, cylinder, panel, plane",
        ),
        ("objects.1.shape", "cilinder", "box, cylinder, panel, plane; did you mean cylinder?"),
        ("objects.1.shape", 7, "objects[1].shape is 7, must be one of sphere, ellipsoid, box, cylinder, panel, plane"),
        (
            "objects.1.shape",
            DELETE,
            "objects[1].shape is missing, must be one of sphere, ellipsoid, box, cylinder, panel, plane",
        ),
        ("objects", [], "objects is [], must have at least one object"),
        ("camera.up", [0, 0, 0], "camera: up must not be zero, it is (0.0, 0.0, 0.0)"),
        ("camera.up", [0, 5, -1], "it is (0.0, 5.0, -1.0); give another up, such as (1.0, 0.0, 0.0)"),
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


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("objects.0.half_extents.1", 0, "objects[0].half_extents[1] is 0, must be a number in [1e-6, 1e6]"),
        ("objects.0.half_extents", [1, 2], "objects[0].half_extents[2] is missing"),
        ("objects.0.half_extent", 1, "objects[0].half_extent is not a known field; did you mean half_extents?"),
        ("objects.0.material.rough", 1, "objects[0].material.rough is not a known field; did you mean roughness?"),
        ("objects.1.radius", DELETE, "objects[1].radius is missing"),
        ("objects.1.half_height", math.inf, "objects[1].half_height is inf, must be a number in [1e-6, 1e6]"),
        ("objects.1.height", 1, "objects[1].height is not a known field; did you mean half_height?"),
        ("objects.1.rotation", [0, 0, 0, 0], "[0, 0, 0, 0], must be a quaternion (w, x, y, z) other than zero"),
        ("objects.2.half_extents", [1, 2, 3], "objects[2].half_extents is"),
        ("objects.2.outline", "round", "objects[2].outline is 'round': input should be 'rectangle' or 'ellipse'"),
        (
            "objects.2.material.transmission",
            0.5,
            "objects[2].material.transmission is 0.5, must be 0, as a panel has no inside; for glass use a thin box",
        ),
        ("objects.2.material.transmission", 2, "objects[2].material.transmission is 2, must be in [0, 1]"),
        ("objects.4.normal", [0, 0, 0], "objects[4].normal is [0, 0, 0], must be a vector other than zero"),
        ("objects.4.normal.2", math.nan, "objects[4].normal[2] is nan, must be a number in [-1e6, 1e6]"),
        ("objects.4.norml", [0, 0, 1], "objects[4].norml is not a known field; did you mean normal?"),
        ("objects.4.rotation", TURNED, "objects[4].rotation is not a known field; known are shape, center, normal"),
    ],
)
def test_a_wrong_shape_is_told_where_and_why(path, value, message):
    with pytest.raises(SceneError) as error:
        Scene.from_json(changed(path, value, SHAPES), "my.json")
    assert str(error.value).startswith("my.json: objects[")
    assert message in str(error.value)
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


WRONG: list[tuple[Any, str]] = [
    (lambda: Sphere(center=(0, 0, 0), radius=-1), "Sphere: radius is -1, must be a number in [1e-6, 1e6]"),
    (lambda: Sphere(center=(0, 0, 0), radius=1, colour=3), "Sphere: colour is not a known field; known are shape"),
    (lambda: Sphere(center=(0, 0, 0), radis=1), "Sphere: radis is not a known field; did you mean radius?"),
    (lambda: Material(roughnes=1), "Material: roughnes is not a known field; did you mean roughness?"),
    (lambda: Camera(position=(0, 0, 0), look_at=(0, 0, 0)), "Camera: look_at must differ from position"),
    (lambda: Camera(position="here", look_at=(0, 0, 0)), "Camera: position is 'here', must be a list of numbers"),
    (lambda: Material(base_color="#ff0000"), "Material: base_color is '#ff0000', must be a list of numbers"),
    (lambda: Scene(objects=SCENE.objects[0], camera=CAMERA), "must be a list of objects"),
    (
        lambda: Scene(objects=(3,), camera=CAMERA),
        "Scene: objects[0] is 3, must be an object whose shape is one of",
    ),
    (lambda: Scene(objects=SCENE.objects, camera=3), "Scene: camera is 3, must be an object of position, look_at, up"),
    (lambda: Scene.model_construct(objects=(), camera=CAMERA), "Scene: objects is (), must have at least one object"),
    (lambda: SCENE.objects[0].model_copy(update={"radius": math.nan}), "Sphere: radius is nan, must be a number in"),
    (
        lambda: SCENE.model_copy(update={"backgroud": (1, 1, 1)}),
        "backgroud is not a known field; did you mean",
    ),
    (lambda: SCENE.objects[0].copy(update={"radius": -1}), "Sphere: radius is -1, must be a number in [1e-6, 1e6]"),
    (lambda: SCENE.copy(exclude={"camera"}), "Scene: some of its fields are no Scene; take model_dump(include=…)"),
    (lambda: SCENE.objects[0].__replace__(radius=-1), "Sphere: radius is -1, must be a number in [1e-6, 1e6]"),
    (lambda: pickle.loads(damaged_pickle()), "Sphere: radius is -0.5, must be a number in [1e-6, 1e6]"),
    (
        lambda: setattr(copy.deepcopy(SCENE).objects[0], "radius", -1),
        "Sphere.radius cannot be set, as a Sphere does not change; take model_copy(update={'radius': -1}), which",
    ),
    (lambda: delattr(SCENE, "camera"), "Scene.camera cannot be deleted, as a Scene does not change"),
    (lambda: SCENE.with_object(0, radius=-1), "Scene: objects[0].radius is -1, must be a number in [1e-6, 1e6]"),
    (lambda: SCENE.with_object(-1, radius=1), "Scene: objects[1].radius is not a known field; known are shape"),
    (
        lambda: SCENE.with_object(2, radius=1),
        "objects[2] is none of its objects; they are 0 to 1, or from the end -1 to -2",
    ),
    (lambda: SCENE.with_material(1, roughness=7), "Scene: objects[1].material.roughness is 7, must be in [0, 1]"),
    (lambda: SCENE.with_material(9, roughness=0), "Scene: objects[9] is none of its objects; they are 0 to 1"),
    (lambda: SCENE.with_camera(fov=30), "Scene: camera.fov is not a known field; known are position"),
    (
        lambda: SCENE.with_camera(vertical_fov_degrees=0),
        "camera.vertical_fov_degrees is 0, must be in [1, 170] degrees",
    ),
    (lambda: SCENE.with_camera(look_at=(0, -5, 1)), "Scene: camera: look_at must differ from position, both are"),
    (lambda: SCENE.without(0, 1), "Scene: objects is (), must have at least one object"),
    (lambda: SCENE.without(2), "Scene: objects[2] is none of its objects"),
    (lambda: SCENE.without(-3), "Scene: objects[-3] is none of its objects; they are 0 to 1, or from the end -1 to -2"),
    (lambda: SCENE.with_material(-3, roughness=0), "Scene: objects[-3] is none of its objects; they are 0 to 1"),
]


def damaged_pickle() -> bytes:
    """Of a scene whose first radius, 0.5, has its sign flipped."""
    whole, radius = pickle.dumps(SCENE), struct.pack(">d", 0.5)
    name = whole.index(b"radius")
    damaged = whole[:name] + whole[name:].replace(radius, struct.pack(">d", -0.5), 1)
    assert damaged != whole
    return damaged


def test_copies_are_what_they_are_of():
    for made in (pickle.loads(pickle.dumps(SHAPES)), copy.copy(SHAPES), copy.deepcopy(SHAPES), SHAPES.copy()):
        assert made == SHAPES
        assert made.to_json() == SHAPES.to_json()
    assert SCENE.copy(update={"background": (1, 1, 1)}).background == (1, 1, 1)


@pytest.mark.parametrize(("make", "message"), WRONG, ids=[message for _, message in WRONG])
def test_a_scene_that_exists_is_valid(make, message):
    """Constructors and copies say what a file with the same mistake is told."""
    with pytest.raises(InputError) as error:
        make()
    assert message in str(error.value)
    assert isinstance(error.value, SceneError)
    assert "pydantic" not in str(error.value)


def test_scenes_are_edited():
    smaller = SCENE.with_object(0, radius=0.3)
    assert smaller.objects == (SCENE.objects[0].model_copy(update={"radius": 0.3}), SCENE.objects[1])
    assert smaller.objects[0].material == SCENE.objects[0].material
    assert (smaller.camera, smaller.background) == (SCENE.camera, SCENE.background)
    assert SCENE.objects[0].radius == 0.5
    assert SCENE.with_object(-1, semi_axes=(3, 2, 1)).objects[1].semi_axes == (3, 2, 1)
    assert SCENE.with_material(0, roughness=0.1).objects[0].material == Material(emission=(0, 0, 2), roughness=0.1)
    assert SCENE.with_camera(up=(1, 0, 0)).camera == CAMERA.model_copy(update={"up": (1, 0, 0)})
    assert SCENE.without(0).objects == SCENE.without(-2).objects == SCENE.objects[1:]
    assert SCENE.with_material(-1, roughness=0.3) == SCENE.with_material(1, roughness=0.3) != SCENE
    assert SHAPES.without(0, -1, 3).objects == (*SHAPES.objects[1:3], *SHAPES.objects[4:-1])
    assert SCENE.without() == SCENE.model_copy() == SCENE
    turned = SHAPES.with_object(0, rotation=(2, 0, 0, 0))
    assert turned.objects[0].rotation == (1, 0, 0, 0), "normalised as in a file"
    assert Scene.from_json(turned.to_json()) == turned


def test_a_scene_knows_whether_anything_gives_light():
    assert SCENE.is_lit
    assert not SCENE.with_material(0, emission=(0, 0, 0)).model_copy(update={"background": (0, 0, 0)}).is_lit
    assert SCENE.with_material(0, emission=(0, 0, 0)).is_lit
    assert SCENE.model_copy(update={"background": (0, 0, 0)}).is_lit


def test_a_scene_is_shown_on_one_line():
    assert str(SHAPES) == repr(SHAPES)
    assert repr(SHAPES) == (
        "Scene(1 box, 1 cylinder, 2 panels, 1 plane, 1 sphere, 1 ellipsoid; "
        "camera at (0.0, -5.0, 1.0), background (0.0, 0.0, 0.0))"
    )
    assert repr(SCENE.objects[0]) == (
        "Sphere(center=(1.0, 2.0, 3.0), radius=0.5, material=Material(emission=(0.0, 0.0, 2.0)))"
    )
    assert eval(repr(SHAPES.objects[4])) == SHAPES.objects[4]


HEAD = '{"schema_version": 1, "camera": {"position": [0, -5, 1], "look_at": [0, 0, 0]}, "objects": '
BALL = '{"shape": "sphere", "center": [0, 0, 0], "radius": 1'


@pytest.mark.parametrize(
    ("objects", "message"),
    [
        (f'[{BALL}}}, {BALL}, "radius": 2}}]}}', "my.json: objects[1].radius is given twice; give it once"),
        (f'[{BALL}, "material": {{"metallic": 0, "metallic": 0}}}}]}}', "objects[0].material.metallic is given twice"),
        (f'[{BALL}}}], "objects": [{BALL}}}]}}', "my.json: objects is given twice"),
        ("[" * 100_000, "my.json: nested too deeply; a scene has five levels"),
        ("[" * 700 + "]" * 700 + "}", "my.json: objects[0] is [[[["),
        (f'[{BALL}, "x": {"[" * 700 + "]" * 700}}}]}}', "my.json: objects[0].x is not a known field; known are shape"),
        (f'[{BALL}, "\\u001b[2J": 1}}]}}', "my.json: objects[0].\\x1b[2J is not a known field"),
        (f'[{BALL}, "\\ud800": 1}}]}}', "my.json: objects[0].\\ud800 is not a known field; known are shape, center"),
        (
            f'[{BALL}, "material": {{"\\ud800x": 1}}}}]}}',
            "objects[0].material.\\ud800x is not a known field; known",
        ),
        (f'[{BALL}}}], "\\ud800": 1}}', "my.json: \\ud800 is not a known field; known are schema_version"),
        ('[{"shape": "\\ud800"}]}', "my.json: objects[0].shape is '\\ud800', must be one of sphere"),
        (f"[{BALL.replace('1', chr(34) + 'x' * 9999 + chr(34))}}}]}}", "…, must be a number"),
    ],
)
def test_what_json_allows_and_scenes_do_not(objects, message):
    with pytest.raises(SceneError) as error:
        Scene.from_json(HEAD + objects, "my.json")
    assert message in str(error.value)
    assert str(error.value).isprintable(), "one line, of nothing that a terminal would obey"
    assert len(str(error.value)) < 300


A_SCENE = "; a scene is a JSON file such as examples/scenes/six_objects.json; docs/scene.md is its format"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "is empty, must be JSON"),
        (b"\n \n", "is empty, must be JSON"),
        (b"\x89PNG\r\n\x1a\n", "is not text but binary, from byte 0 on, must be JSON in UTF-8"),
        (b"glTF\x02\x00\x00\x00", "is not text but binary, from byte 5 on, must be JSON in UTF-8"),
        (b"# A title\n", "not valid JSON: Expecting value: line 1 column 1 (char 0)"),
        (
            b"// A\n{}",
            "not valid JSON: Expecting value: line 1 column 1 (char 0); leave out the comment, of which JSON has none",
        ),
        (b'{"objects": [', "not valid JSON: Expecting value: line 1 column 14 (char 13)"),
        (b"[3]", "must be a JSON object with objects, camera and background"),
    ],
)
def test_what_is_no_scene_is_told_what_one_is(content, problem, tmp_path):
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(SceneError) as error:
        Scene.load(path)
    assert str(error.value) == f"{path}: {problem}{A_SCENE}"


def test_what_is_no_list_is_told_what_it_lists():
    text = '{"schema_version": 1, "camera": {"position": 3, "look_at": [0, 0, 0]}, "objects": {"a": 1}}'
    with pytest.raises(SceneError) as error:
        Scene.from_json(text, "a.json")
    problems = ["objects is {'a': 1}, must be a list of objects", "camera.position is 3, must be a list of numbers"]
    assert str(error.value).splitlines() == [f"a.json: {problem}" for problem in problems]


@pytest.mark.parametrize("text", ['{"objects": [1,\n]}', '{"objects": 1, }'])
def test_a_comma_too_many_is_told_of(text):
    with pytest.raises(SceneError, match=r"^a\.json: not valid JSON: .*comma before.*; a scene is a JSON file"):
        Scene.from_json(text, "a.json")


@pytest.mark.parametrize("digits", [300, 400, 5000])
def test_of_a_number_of_more_digits_than_python_reads_the_field_is_told(digits):
    """4300 of an integer."""
    text = SCENE.to_json().replace('"radius":0.5', f'"radius":1{"0" * digits}', 1)
    with pytest.raises(SceneError, match=r"a\.json: objects\[0\]\.radius is .*, must be a number (in|of at most)"):
        Scene.from_json(text, "a.json")
    with pytest.raises(SceneError, match=r"a\.json: objects\[\d\]\.radius is given twice"):
        Scene.from_json(text.replace('"radius":', '"radius":2,"radius":'), "a.json")


@pytest.mark.parametrize("name", ["a.glb", "a.USDA", "a.npy", "a.ply"])
def test_a_scene_is_not_saved_under_the_ending_of_something_else(tmp_path, name):
    with pytest.raises(SceneError) as error:
        SCENE.save(tmp_path / name)
    assert str(error.value) == (
        f"{tmp_path / name}: save a scene as .json or .safetensors; luxel convert writes glTF and USD"
    )
    assert not (tmp_path / name).exists()


@pytest.mark.parametrize("name", ["a.json", "a.safetensors"])
def test_a_scenes_folder_is_made_if_need_be(tmp_path, name):
    SCENE.save(tmp_path / "new" / "deep" / name)
    assert Scene.load(tmp_path / "new" / "deep" / name) == SCENE


def test_no_folder_is_made_below_a_file(tmp_path):
    (tmp_path / "new").touch()
    with pytest.raises(InputError, match=r"new: is a file, but a folder is meant; name another"):
        SCENE.save(tmp_path / "new" / "a.json")


def test_a_folder_is_no_scene(tmp_path):
    with pytest.raises(SceneError) as error:
        Scene.load(tmp_path)
    assert str(error.value) == f"{tmp_path}: is a folder{A_SCENE}"


def test_the_scene_that_messages_name_is_there():
    root = Path(__file__).parents[1]
    assert (root / "docs" / "scene.md").exists()
    Scene.load(root / "examples" / "scenes" / "six_objects.json")


def test_a_file_name_is_shown_as_it_can_be(tmp_path):
    with pytest.raises(SceneError, match=r"a\\x1b\[2J\.json: cannot be read as a scene") as error:
        Scene.load(tmp_path / "a\x1b[2J.json")
    assert str(error.value).isprintable()


@pytest.mark.parametrize(("device", "what"), [("/dev/zero", "is a device, must be a file"), (".", "is a folder")])
def test_what_is_no_file_is_no_scene(device, what):
    with pytest.raises(SceneError, match=rf"^{device}: {what}"):
        Scene.load(device)


def test_fields_without_names_are_told_their_names():
    with pytest.raises(SceneError, match=r"^Sphere takes its fields by name: Sphere\(center=…, radius=…\)$"):
        Sphere((0, 0, 0), 1)
