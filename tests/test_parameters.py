"""Names of a scene's numbers, their ranges, and vectors of those that are free."""

import math

import numpy as np
import pytest

from luxel import InputError
from luxel.fit.parameters import Parameters, Views, find_leaf, leaf_names
from luxel.scene import (
    Box,
    Camera,
    Cylinder,
    GradientSky,
    MapSky,
    Material,
    Panel,
    Plane,
    Scene,
    SceneError,
    Sphere,
    Sun,
)

CAMERA = Camera(position=(0, -5, 0), look_at=(0, 0, 0))
SCENE = Scene(
    objects=(
        Sphere(center=(1, 2, 3), radius=0.5, material=Material(base_color=(0.2, 0.3, 0.4))),
        Panel(center=(0, 0, 2), half_extents=(1, 2)),
    ),
    camera=CAMERA,
    background=(0.1, 0.2, 0.3),
)
MATERIAL = ["base_color", "metallic", "specular", "roughness", "transmission", "emission"]


def test_every_number_of_a_scene_has_a_name():
    """But a panel's transmission, which is 0, and what is no number: shape, outline, version."""
    assert leaf_names(SCENE) == [
        *("objects[0].center", "objects[0].radius", *(f"objects[0].material.{name}" for name in MATERIAL)),
        *("objects[1].center", "objects[1].rotation", "objects[1].half_extents"),
        *(f"objects[1].material.{name}" for name in MATERIAL if name != "transmission"),
        *("camera.position", "camera.look_at", "camera.up", "camera.vertical_fov_degrees", "background"),
    ]
    two = leaf_names(SCENE, [CAMERA, CAMERA])
    assert [name for name in two if name.startswith("camera")] == [
        f"cameras[{index}].{field}"
        for index in (0, 1)
        for field in ("position", "look_at", "up", "vertical_fov_degrees")
    ]


def test_skies_and_suns_have_numbers_where_there_are_any():
    far = SCENE.model_copy(
        update={
            "sky": GradientSky(zenith=(1, 2, 3), horizon=(4, 5, 6)),
            "sun": Sun(direction=(0, 3, 4), radiance=(7, 8, 9)),
        }
    )
    gradient, sun = ("zenith", "horizon", "ground"), ("direction", "angular_radius_degrees", "radiance")
    names = leaf_names(far)[len(leaf_names(SCENE)) :]
    assert names == [*(f"sky.{name}" for name in gradient), *(f"sun.{name}" for name in sun)]
    parameters = Parameters.of(Views.of(far), ["sky.horizon[1]", "sun.direction"])
    np.testing.assert_allclose(parameters.read(parameters.start), [5, 0, 0.6, 0.8])
    found = parameters.at(np.array([50.0, 2, 3, 6])).scene
    assert found.sky == GradientSky(zenith=(1, 2, 3), horizon=(4, 50, 6))
    np.testing.assert_allclose(found.sun.direction, [2 / 7, 3 / 7, 6 / 7])
    turned = SCENE.model_copy(update={"sky": MapSky.of(np.ones((2, 4, 3)))})
    assert leaf_names(turned)[-2:] == ["sky.rotation_degrees", "sky.scale"]


@pytest.mark.parametrize(
    ("name", "values", "low", "high"),
    [
        ("objects[0].center", (1, 2, 3), -1e6, 1e6),
        ("objects[0].center[2]", (3,), -1e6, 1e6),
        ("objects[0].radius", (0.5,), 1e-6, 1e6),
        ("objects[0].material.base_color", (0.2, 0.3, 0.4), 0, 1),
        ("objects[0].material.roughness", (0.5,), 0, 1),
        ("objects[1].material.emission", (0, 0, 0), 0, 1e6),
        ("objects[1].half_extents", (1, 2), 1e-6, 1e6),
        ("objects[1].rotation", (1, 0, 0, 0), -1e6, 1e6),
        ("camera.vertical_fov_degrees", (40,), 1, 170),
        ("background[1]", (0.2,), 0, 1e6),
    ],
)
def test_a_leaf_has_its_values_and_the_range_that_its_field_declares(name, values, low, high):
    views = Views.of(SCENE)
    leaf = find_leaf(views, name)
    assert leaf.read(views) == values
    assert (leaf.low, leaf.high) == ((low,) * len(values), (high,) * len(values))
    assert leaf.written(views, list(map(float, values))) == views


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("objects[0].centre", r"'objects\[0\]\.centre' is no parameter .*; did you mean objects\[0\]\.center"),
        ("objects[1].radius", r"'objects\[1\]\.radius' is no parameter of this scene; did you mean"),
        ("objects[1].material.transmission", "is no parameter of this scene; did you mean"),
        ("objects[0].material.base_colour", r"did you mean objects\[0\]\.material\.base_color"),
        ("objects[2].center", r"objects\[2\]\.center: there is no objects\[2\]; the objects are 0 to 1"),
        ("objects[0].center[3]", r"objects\[0\]\.center\[3\]: objects\[0\]\.center has the components 0 to 2"),
        ("objects[0].radius[0]", r"'objects\[0\]\.radius\[0\]' is no parameter of this scene; did you mean"),
        ("camera.positon", "did you mean camera.position"),
        ("cameras[0].position", "did you mean camera.position"),
        ("objects[0].shape", "is no parameter of this scene"),
        ("schema_version", "is no parameter of this scene"),
        ("", "'' is no parameter of this scene; known are objects"),
    ],
)
def test_a_name_that_there_is_not_is_told_with_what_may_be_meant(name, message):
    with pytest.raises(InputError, match=message):
        Parameters.of(Views.of(SCENE), [name])


def test_what_is_free_is_free_once():
    views = Views.of(SCENE)
    for names in (["background", "background[1]"], ["background[1]", "background"], ["background"] * 2):
        with pytest.raises(InputError, match="is free twice"):
            Parameters.of(views, names)
    assert Parameters.of(views, ["background[2]", "background[1]"]).names == ["background[2]", "background[1]"]
    with pytest.raises(InputError, match="nothing is free"):
        Parameters.of(views, [])
    with pytest.raises(InputError, match="free is 'background', must be a list of names"):
        Parameters.of(views, "background")


def test_a_vector_is_the_scene_with_these_numbers():
    names = ["camera.position[1]", "objects[0].material.base_color", "objects[1].half_extents", "background"]
    parameters = Parameters.of(Views.of(SCENE), names)
    vector = np.array([-7, 0.5, 0.6, 0.7, 3, 4, 1, 2, 3], np.float64)
    (found,) = parameters.at(vector).scenes
    expected = SCENE.with_camera(position=(0, -7, 0)).with_material(0, base_color=(0.5, 0.6, 0.7))
    expected = expected.with_object(1, half_extents=(3, 4)).model_copy(update={"background": (1, 2, 3)})
    assert found == expected
    assert parameters.read(parameters.at(vector)).tolist() == vector.tolist()
    assert parameters.at(parameters.read(parameters.start)).scenes == [SCENE]
    vector[1] = 1.5
    with pytest.raises(SceneError, match=r"base_color\[0\] is 1\.5, must be in \[0, 1\]"):
        parameters.at(vector)


def test_rotations_stay_rotations():
    parameters = Parameters.of(Views.of(SCENE), ["objects[1].rotation"])
    there = parameters.at(np.array([2.0, 0.0, 2.0, 0.0]))
    np.testing.assert_allclose(parameters.read(there), [math.sqrt(0.5), 0, math.sqrt(0.5), 0])


def test_of_several_cameras_each_is_its_own_views():
    cameras = [CAMERA, Camera(position=(5, 0, 1), look_at=(0, 0, 0)), CAMERA]
    parameters = Parameters.of(Views.of(SCENE, cameras), ["background[0]", "cameras[1].position"])
    assert [list(seen) for seen in parameters.views_seen()] == [[0, 1, 2], [1], [1], [1]]
    there = parameters.at(np.array([0.5, 6, 0, 1]))
    assert [scene.background[0] for scene in there.scenes] == [0.5] * 3
    assert [scene.camera.position[0] for scene in there.scenes] == [0, 6, 0]
    with pytest.raises(InputError, match=r"there is no cameras\[3\]; the cameras are 0 to 2"):
        Parameters.of(Views.of(SCENE, cameras), ["cameras[3].up"])


def test_bounds_of_the_users_are_within_the_fields():
    views = Views.of(SCENE)
    names = ["objects[0].material.base_color", "objects[0].radius"]
    parameters = Parameters.of(views, names, {names[0]: (0.1, 2.0), names[1]: (0.2, 0.7)})
    assert parameters.low.tolist() == [0.1] * 3 + [0.2]
    assert parameters.high.tolist() == [1.0] * 3 + [0.7]
    for given, message in [
        ({"background": (0.0, 1.0)}, r"bounds of 'background', which is not free; free are objects\[0\]\.material"),
        ({"objects[0].radiu": (0.0, 1.0)}, r"which is not free; did you mean objects\[0\]\.radius\?"),
        ({names[1]: (0.5, 0.5)}, "must be low < high"),
        ({names[1]: (1.0, 0.2)}, r"bounds of objects\[0\]\.radius are \(1\.0, 0\.2\), must be low < high"),
        ({names[1]: (math.nan, 1.0)}, "must be low < high"),
        ({names[1]: (0.6, 1.0)}, r"objects\[0\]\.radius is 0\.5 at the start, must be in its bounds \[0\.6, 1\]"),
        ({names[0]: (1.0, 2.0)}, r"base_color\[0\] is free, but its bounds leave it 1 alone; widen them"),
        ({names[0]: (0.25, 1.0)}, r"base_color\[0\] is 0\.2 at the start"),
    ]:
        with pytest.raises(InputError, match=message):
            Parameters.of(views, names, given)


def test_every_shape_has_its_own_fields():
    shapes = (Plane(center=(0, 0, 0)), Box(center=(0, 0, 0), half_extents=(1, 1, 1)))
    scene = Scene(objects=(*shapes, Cylinder(center=(0, 0, 0), radius=1, half_height=1)), camera=CAMERA)
    own = {name for name in leaf_names(scene) if "material" not in name and name.startswith("objects")}
    assert own == {
        *(f"objects[{index}].center" for index in range(3)),
        *("objects[0].normal", "objects[1].rotation", "objects[1].half_extents", "objects[2].rotation"),
        *("objects[2].radius", "objects[2].half_height"),
    }


def test_an_orthographic_camera_has_an_extent_to_find():
    parallel = Camera(position=(0, -5, 0), look_at=(0, 0, 0), projection="orthographic", vertical_extent=3)
    world = Scene(objects=(Sphere(center=(0, 0, 0), radius=1),), camera=parallel)
    names = [name for name in leaf_names(world) if name.startswith("camera")]
    assert names == ["camera.position", "camera.look_at", "camera.up", "camera.vertical_extent"]
    leaf = find_leaf(Views.of(world), "camera.vertical_extent")
    assert (leaf.read(Views.of(world)), leaf.low, leaf.high) == ((3,), (1e-6,), (1e6,))
    assert leaf.written(Views.of(world), [4.0]).scenes[0].camera.vertical_extent == 4
