"""Scenes to glTF and USD and back, values by hand, other people's files, and RenderFormer's scenes."""

import json
import math

import numpy as np
import pytest
import trimesh
from outside import GRADIENT, SUN
from pxr import Gf, Usd, UsdGeom, UsdLux, UsdShade
from tracer_scenes import GROUND, PARALLEL, SIDE_LAMP, gravel, scene

from luxel import InputError
from luxel.scene import Box, Camera, Cylinder, Ellipsoid, Material, Panel, Plane, Scene, Sphere, Sun
from luxel.scene.camera import frame, rotation_matrix, tan_half_fov
from luxel.scene.interchange.gltf_read import read_gltf
from luxel.scene.interchange.gltf_write import to_gltf
from luxel.scene.interchange.meshes import recognised, unit_mesh
from luxel.scene.interchange.placing import NotAShapeError, index_of_refraction, specular_of
from luxel.scene.interchange.renderformer import MAX_TRIANGLES, write_renderformer
from luxel.scene.interchange.usd_read import read_usd
from luxel.scene.interchange.usd_write import write_usd

PERSPECTIVE = Camera(position=(1, -5, 0.5), look_at=(0.2, 0, 0.1), vertical_fov_degrees=35)
MIXED = scene(GROUND, SIDE_LAMP, *gravel(23, lamps=3), background=(0.1, 0.2, 1 / 3), camera=PARALLEL)
TURN = (math.sqrt(0.5), 0.0, 0.0, math.sqrt(0.5))  # a quarter about z


def assert_same(found: Scene, expected: Scene, tolerance: float) -> None:
    assert [type(item) for item in found.objects] == [type(item) for item in expected.objects]
    for one, other in zip(found.objects, expected.objects, strict=True):
        np.testing.assert_allclose(one.center, other.center, atol=tolerance)
        np.testing.assert_allclose(one.scale, other.scale, rtol=tolerance)
        np.testing.assert_allclose(rotation_matrix(one.rotation), rotation_matrix(other.rotation), atol=tolerance)
        for field in Material.model_fields:
            np.testing.assert_allclose(getattr(one.material, field), getattr(other.material, field), atol=tolerance)
        assert getattr(one, "outline", None) == getattr(other, "outline", None)
    for (_, now), (_, then) in zip([frame(found.camera)], [frame(expected.camera)], strict=True):
        np.testing.assert_allclose(now, then, atol=tolerance)
    assert found.camera.is_orthographic == expected.camera.is_orthographic
    np.testing.assert_allclose(found.camera.look_at, expected.camera.look_at, atol=tolerance)
    np.testing.assert_allclose(tan_half_fov(found.camera), tan_half_fov(expected.camera), rtol=tolerance)
    np.testing.assert_allclose(found.background, expected.background, atol=tolerance)


@pytest.mark.parametrize("camera", [PERSPECTIVE, PARALLEL], ids=["perspective", "orthographic"])
@pytest.mark.parametrize("suffix", ["glb", "gltf"])
def test_what_goes_to_gltf_comes_back(suffix, camera, tmp_path):
    world = MIXED.model_copy(update={"camera": camera})
    path = tmp_path / f"scene.{suffix}"
    path.write_bytes(to_gltf(world, suffix == "glb")[0])
    found, left_out = read_gltf(path)
    assert left_out == []
    assert_same(found, world, 1e-9)


@pytest.mark.parametrize("camera", [PERSPECTIVE, PARALLEL], ids=["perspective", "orthographic"])
@pytest.mark.parametrize("suffix", ["usda", "usdc", "usd"])
def test_what_goes_to_usd_comes_back(suffix, camera, tmp_path):
    world = MIXED.model_copy(update={"camera": camera})
    path = tmp_path / f"scene.{suffix}"
    notes = write_usd(world, path)
    assert [note.split(":")[0] for note in notes] == ["transmission", "planes"]
    found, left_out = read_usd(path)
    assert left_out == []
    assert_same(found, world, 1e-6)  # float32


GLASS = Material(base_color=(0.9, 0.8, 0.7), transmission=0.75, specular=0.5, roughness=0.2)
LAMP = Material(base_color=(0.0, 0.0, 0.0), emission=(2.0, 8.0, 4.0))
TWO = Scene(
    objects=(
        Box(center=(1, 2, 3), half_extents=(0.5, 0.25, 2), rotation=TURN, material=GLASS),
        Panel(center=(0, 0, 5), half_extents=(1, 2), rotation=(0, 1, 0, 0), material=LAMP),
    ),
    camera=Camera(position=(0, -5, 0), look_at=(0, 0, 0), vertical_fov_degrees=90),
)


def test_gltf_by_hand():
    """An index of 1.5 reflects 4 %, 8 % of a half; y is up; factors of emission are at most 1."""
    content = json.loads(to_gltf(TWO, binary=False)[0])
    glass, lamp = content["materials"]
    assert glass["extensions"]["KHR_materials_ior"]["ior"] == pytest.approx(1.5)
    assert glass["extensions"]["KHR_materials_transmission"] == {"transmissionFactor": 0.75}
    assert glass["pbrMetallicRoughness"]["baseColorFactor"] == [0.9, 0.8, 0.7, 1.0]
    assert lamp["emissiveFactor"] == [0.25, 1.0, 0.5]
    assert lamp["extensions"]["KHR_materials_emissive_strength"] == {"emissiveStrength": 8.0}
    assert "doubleSided" in lamp
    assert "doubleSided" not in glass
    box = content["nodes"][0]
    assert (box["translation"], box["scale"]) == ([1, 2, 3], pytest.approx([0.5, 0.25, 2]))
    assert box["rotation"] == pytest.approx([0, 0, math.sqrt(0.5), math.sqrt(0.5)])
    assert content["cameras"][0]["perspective"]["yfov"] == pytest.approx(math.pi / 2)


def test_another_program_sees_the_same_gltf(tmp_path):
    """By trimesh: a box of 0.5 × 1 × 4 (turned about z) at (1, 2, 3), which with y up is (1, 3, −2)."""
    (tmp_path / "scene.glb").write_bytes(to_gltf(TWO, binary=True)[0])
    loaded = trimesh.load_scene(tmp_path / "scene.glb")
    matrix, name = loaded.graph["objects[0]"]
    box = loaded.geometry[name].copy().apply_transform(matrix)
    np.testing.assert_allclose(box.bounds, [[0.75, 1, -2.5], [1.25, 5, -1.5]], atol=1e-6)
    assert box.volume == pytest.approx(8 * 0.5 * 0.25 * 2)
    matrix, name = loaded.graph["objects[1]"]
    panel = loaded.geometry[name].copy().apply_transform(matrix)
    np.testing.assert_allclose(panel.face_normals, [[0, -1, 0]] * 2, atol=1e-6)  # its front looks down


def test_usd_by_hand(tmp_path):
    write_usd(TWO, tmp_path / "scene.usda")
    stage = Usd.Stage.Open(str(tmp_path / "scene.usda"))
    assert UsdGeom.GetStageUpAxis(stage) == "Z"
    cube = UsdGeom.Cube.Get(stage, "/scene/object_0")
    assert cube.GetSizeAttr().Get() == 2
    corner = UsdGeom.XformCache().GetLocalToWorldTransform(cube.GetPrim()).Transform(Gf.Vec3d(1, 1, 1))
    np.testing.assert_allclose(corner, [1 - 0.25, 2 + 0.5, 3 + 2])
    bound, _ = UsdShade.MaterialBindingAPI(cube).ComputeBoundMaterial()
    shader, _, _ = bound.ComputeSurfaceSource()
    read = {name: shader.GetInput(name).Get() for name in ("opacity", "ior", "roughness")}
    assert read == pytest.approx({"opacity": 0.25, "ior": 1.5, "roughness": 0.2})
    camera = UsdGeom.Camera.Get(stage, "/scene/camera").GetCamera()
    assert camera.GetFieldOfView(Gf.Camera.FOVVertical) == pytest.approx(90)


def test_gltf_of_other_programs(tmp_path):
    """Meshes that trimesh makes and writes, some of which are no shapes of a scene's."""
    made = trimesh.Scene()
    turned = trimesh.transformations.rotation_matrix(0.3, (1, 2, 3), (0, 1, 0))
    made.add_geometry(trimesh.creation.icosphere(subdivisions=2, radius=2), node_name="ball", transform=turned)
    made.add_geometry(trimesh.creation.box(extents=(1, 2, 4)), node_name="box")
    made.add_geometry(trimesh.creation.cylinder(radius=0.5, height=3), node_name="can")
    made.add_geometry(trimesh.creation.torus(1, 0.2), node_name="ring")
    shear = np.eye(4)
    shear[0, 1] = 0.5
    made.add_geometry(trimesh.creation.box(extents=(1, 1, 1)), node_name="skewed", transform=shear)
    made.export(tmp_path / "others.glb")
    found, left_out = read_gltf(tmp_path / "others.glb")
    ball, box, can = sorted(found.objects, key=lambda item: ["sphere", "box", "cylinder"].index(item.shape))
    center = (turned @ [0, 0, 0, 1])[:3]
    np.testing.assert_allclose(ball.center, [center[0], -center[2], center[1]], atol=1e-5)
    assert ball.radius == pytest.approx(2, rel=1e-3)
    assert isinstance(box, Box)
    np.testing.assert_allclose(sorted(box.half_extents), [0.5, 1, 2], rtol=1e-5)
    assert isinstance(can, Cylinder)
    assert (can.radius, can.half_height) == pytest.approx((0.5, 1.5), rel=1e-3)
    np.testing.assert_allclose(np.abs(rotation_matrix(can.rotation)[:, 2]), [0, 1, 0], atol=1e-5)
    told = "\n".join(left_out)
    assert "ring: a mesh of" in told
    assert "skewed: it is sheared" in told
    assert "camera: the file has none" in told


def test_gltf_that_moves_is_taken_at_rest_and_told(tmp_path):
    content = json.loads(to_gltf(PLAIN, binary=False)[0]) | {"animations": [{"channels": [], "samplers": []}]}
    (tmp_path / "a.gltf").write_text(json.dumps(content))
    found, left_out = read_gltf(tmp_path / "a.gltf")
    assert_same(found, PLAIN, 1e-9)
    assert left_out == ["animations: of what moves its place at rest is taken"]


def test_usd_of_other_programs(tmp_path):
    """y up, an axis of x, lights with a size, a texture, and what a scene has not."""
    stage = Usd.Stage.CreateNew(str(tmp_path / "others.usda"))
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.y)
    can = UsdGeom.Cylinder.Define(stage, "/world/can")
    can.CreateAxisAttr("X")
    can.CreateRadiusAttr(0.5)
    can.CreateHeightAttr(4.0)
    can.AddTranslateOp().Set(Gf.Vec3d(1, 2, 3))
    can.CreateDisplayColorAttr([(0.25, 0.5, 0.75)])
    UsdGeom.Cone.Define(stage, "/world/cone")
    hidden = UsdGeom.Sphere.Define(stage, "/world/hidden")
    hidden.MakeInvisible()
    lamp = UsdLux.RectLight.Define(stage, "/world/lamp")
    lamp.CreateWidthAttr(2.0)
    lamp.CreateHeightAttr(6.0)
    lamp.CreateIntensityAttr(3.0)
    lamp.CreateExposureAttr(1.0)
    UsdLux.GeometryLight.Define(stage, "/world/glow")
    stage.Save()
    found, left_out = read_usd(tmp_path / "others.usda")
    cylinder, panel = found.objects
    np.testing.assert_allclose(cylinder.center, (1, -3, 2))
    np.testing.assert_allclose(np.abs(rotation_matrix(cylinder.rotation)[:, 2]), [1, 0, 0], atol=1e-9)
    assert (cylinder.radius, cylinder.half_height) == (0.5, 2.0)
    assert cylinder.material.base_color == (0.25, 0.5, 0.75)
    assert panel.material.emission == (6.0, 6.0, 6.0)
    assert panel.half_extents == (1.0, 3.0)
    np.testing.assert_allclose(rotation_matrix(panel.rotation)[:, 2], [0, 1, 0], atol=1e-9)  # −z with y up
    assert [line.split(":")[0] for line in left_out] == ["/world/cone", "/world/glow", "camera"]


def test_many_spheres_are_points_of_usd_and_come_back(tmp_path):
    random = np.random.default_rng(0)
    greens, metals = (Material(base_color=(0.25, 0.75, 0.5)), Material(base_color=(0.5, 0.25, 0), metallic=1))
    balls = [
        Sphere(center=tuple(random.uniform(-1, 1, 3)), radius=random.uniform(0.1, 0.2), material=material)
        for material in [greens, Material(base_color=(1, 0, 0.125))] * 37 + [metals] * 5
    ]
    scene = Scene(objects=(*balls, Box(center=(0, 0, 3), half_extents=(1, 2, 3))), camera=PERSPECTIVE)
    write_usd(scene, tmp_path / "a.usda")
    stage = Usd.Stage.Open(str(tmp_path / "a.usda"))
    points = UsdGeom.Points(stage.GetPrimAtPath("/scene/points_0"))
    np.testing.assert_allclose(points.GetPointsAttr().Get(), [ball.center for ball in balls[:74]], rtol=1e-6)
    np.testing.assert_allclose(points.GetWidthsAttr().Get(), [2 * ball.radius for ball in balls[:74]], rtol=1e-6)
    assert sum(prim.IsA(UsdGeom.Sphere) for prim in stage.Traverse()) == 5
    found, left_out = read_usd(tmp_path / "a.usda")
    assert left_out == []
    assert_same(found, scene.model_copy(update={"objects": (*scene.objects[74:], *balls[:74])}), 1e-6)


def test_usd_points_of_other_programs(tmp_path):
    stage = Usd.Stage.CreateNew(str(tmp_path / "others.usda"))

    def points(name, scale, places, widths):
        made = UsdGeom.Points.Define(stage, f"/{name}")
        made.CreatePointsAttr(places)
        made.CreateWidthsAttr(widths)
        made.AddTranslateOp().Set(Gf.Vec3d(0, 1, 0))
        made.AddScaleOp().Set(Gf.Vec3f(*scale))
        return made

    cloud = points("cloud", (2, 2, 2), [(1, 0, 0), (0, 0, 1)], [0.5])
    cloud.SetWidthsInterpolation(UsdGeom.Tokens.constant)
    cloud.CreateDisplayColorPrimvar(UsdGeom.Tokens.vertex).Set([(1, 0, 0), (0, 0.5, 0)])
    grey = points("grey", (1, 1, 1), [(5, 0, 0)], [2.0])
    grey.CreateDisplayColorAttr([(0.25, 0.25, 0.25)])
    points("uneven", (1, 2, 1), [(0, 0, 0)], [1.0])
    sheared = points("sheared", (1, 1, 1), [(0, 0, 0)], [1.0])
    sheared.AddTransformOp().Set(Gf.Matrix4d(1, 0, 0, 0, 0.6, 0.8, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1))
    points("bare", (1, 1, 1), [(0, 0, 0), (1, 0, 0)], [])
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.z)
    stage.Save()
    found, left_out = read_usd(tmp_path / "others.usda")
    assert [(ball.center, ball.radius, ball.material.base_color) for ball in found.objects] == [
        ((2, 1, 0), 0.5, (1, 0, 0)),
        ((0, 1, 2), 0.5, (0, 0.5, 0)),
        ((5, 1, 0), 1.0, (0.25, 0.25, 0.25)),
    ]
    assert left_out[:3] == [
        "/uneven: points that are scaled unevenly, or sheared",
        "/sheared: points that are scaled unevenly, or sheared",
        "/bare: points of 2 places and 0 widths; each needs both",
    ]


def test_of_a_usd_that_moves_the_first_time_is_taken_and_told(tmp_path):
    stage = Usd.Stage.CreateNew(str(tmp_path / "moves.usda"))
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.z)
    ball = UsdGeom.Sphere.Define(stage, "/ball")
    place, pane = ball.AddTranslateOp(), UsdGeom.Mesh.Define(stage, "/pane")
    for time in (4, 5):
        place.Set(Gf.Vec3d(time, 0, 0), time)
        ball.GetRadiusAttr().Set(time / 8, time)
    pane.CreatePointsAttr().Set([(-2, -1, 0), (2, -1, 0), (2, 1, 0), (-2, 1, 0)], 4)
    pane.CreateFaceVertexIndicesAttr([0, 1, 2, 3])
    UsdGeom.Mesh.Define(stage, "/empty").CreateFaceVertexIndicesAttr([0, 1, 2, 3])
    stage.Save()
    found, left_out = read_usd(tmp_path / "moves.usda")
    assert (found.objects[0].center, found.objects[0].radius) == ((4, 0, 0), 0.5)
    assert found.objects[1].half_extents == (2, 1)
    assert left_out[:2] == [
        "/empty: a mesh without faces",
        "movement: of what changes with time its first value is taken",
    ]


def test_the_sun_is_a_distant_light_of_usd(tmp_path):
    sun = Sun(direction=(1, -2, 2), angular_radius_degrees=1.5, radiance=(500, 250, 125))
    write_usd(PLAIN.model_copy(update={"sun": sun}), tmp_path / "a.usda")
    found, left_out = read_usd(tmp_path / "a.usda")
    assert left_out == []
    np.testing.assert_allclose(np.array(found.sun.direction) * 3, (1, -2, 2), atol=1e-9)
    assert found.sun.angular_radius_degrees == 1.5
    np.testing.assert_allclose(found.sun.radiance, sun.radiance, rtol=1e-6)
    stage = Usd.Stage.Open(str(tmp_path / "a.usda"))
    light = UsdLux.DistantLight(stage.GetPrimAtPath("/scene/sun"))
    light.GetPrim().GetAttribute("inputs:normalize").Set(True)
    light.CreateIntensityAttr(2.0)
    UsdLux.DistantLight.Define(stage, "/scene/second")
    stage.Save()
    found, left_out = read_usd(tmp_path / "a.usda")
    irradiance = math.pi * math.sin(math.radians(1.5)) ** 2 * np.array(found.sun.radiance)
    np.testing.assert_allclose(irradiance, (2, 1, 0.5), rtol=1e-6)
    assert left_out == ["/scene/second: a scene has one sun"]


@pytest.mark.parametrize(
    ("attributes", "told"),
    [
        ({"intensity": 4e6}, "radiance 4e+06, must be at most 1e+06; lower its intensity or its exposure"),
        (
            {"exposure": 5000.0},
            f"radiance {5e4 * 2.0**1000:.3g}, must be at most 1e+06; lower its intensity or its exposure",
        ),
        (
            {"normalize": True, "angle": 0.01, "intensity": 1.0},  # π sin²(0.005°) = 2.39e-8
            "radiance 4.18e+07, must be at most 1e+06; lower its intensity or its exposure, or make it larger, as it "
            "is normalised",
        ),
    ],
)
def test_a_light_too_bright_for_a_scene_is_left_out_with_a_remedy(tmp_path, attributes, told):
    """A sun, whose intensity is 50 000 unless given, and of the same one a lamp and a sky, too."""
    write_usd(PLAIN, tmp_path / "a.usda")
    stage = Usd.Stage.Open(str(tmp_path / "a.usda"))
    kinds = ["Distant", "Sphere", "Dome"] if list(attributes) == ["intensity"] else ["Distant"]
    for kind in kinds:
        light = getattr(UsdLux, f"{kind}Light").Define(stage, f"/scene/{kind}").GetPrim()
        for name, value in attributes.items():
            light.GetAttribute(f"inputs:{name}").Set(value)
    stage.Save()
    found, left_out = read_usd(tmp_path / "a.usda")
    assert found.sun is None
    assert len(found.objects) == len(PLAIN.objects)
    assert left_out == [f"/scene/{kind}: a light of {told}" for kind in kinds]


@pytest.mark.parametrize("shape", ["ball", "box", "cylinder", "rectangle", "ellipse"])
def test_unit_meshes_face_outwards_and_are_recognised(shape):
    mesh = unit_mesh(shape)
    a, b, c = (mesh.positions[mesh.faces[:, corner]] for corner in range(3))
    normals = np.cross(b - a, c - a)
    assert (np.einsum("ij,ij->i", normals, mesh.normals[mesh.faces].sum(1)) > 0).all()
    np.testing.assert_allclose(np.linalg.norm(mesh.normals, axis=1), 1)
    found, matrix = recognised(mesh.positions * [2, 2, 2] + [1, 0, 0], np.array([0.0, 0, 1]))
    assert found == shape
    np.testing.assert_allclose(matrix[:3, 3], [1, 0, 0], atol=1e-12)
    if shape in ("rectangle", "ellipse"):
        _, behind = recognised(mesh.positions, np.array([0.0, 0, -1]))
        np.testing.assert_allclose(behind[:3, 2], [0, 0, -1])
    else:
        loaded = trimesh.Trimesh(mesh.positions, mesh.faces)
        loaded.merge_vertices(merge_norm=True)
        assert loaded.is_watertight


def test_what_is_off_by_more_than_the_tolerance_is_no_shape():
    ball = unit_mesh("ball").positions.copy()
    ball[500] *= 0.995
    with pytest.raises(NotAShapeError, match="a mesh of 1986 vertices that is no sphere"):
        recognised(ball, np.array([0.0, 0, 1]))


def test_indices_of_refraction_by_hand():
    assert index_of_refraction(0.5) == pytest.approx(1.5)
    assert specular_of(4 / 3) == pytest.approx((1 / 7) ** 2 / 0.08)
    assert specular_of(2.4) == 1.0


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.glb", b"glTF", "is not valid glTF 2"),
        ("a.glb", b"glTF\x02\0\0\0\x40\0\0\0\x2c\0\0\0JSON{", "it is cut off after 21 of its 64 bytes"),
        ("a.gltf", b"{}", "it does not say that it is"),
        ("a.gltf", b'{"asset": {"version": "2.0"}}', "has no scene"),
        ("a.gltf", b'{"asset": {"version": "2.0"}, "scenes": [{"nodes": [3]}]}', "KeyError: 'nodes'"),
        ("a.gltf", b'{"asset": {"version": "2.0"}, "scenes": [{}]}', "has nothing that a scene can have"),
    ],
)
def test_files_that_are_no_gltf_are_told(name, content, told, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=told):
        read_gltf(tmp_path / name)


def test_files_that_are_no_usd_are_told(tmp_path):
    (tmp_path / "a.usda").write_text("nothing")
    with pytest.raises(InputError, match=r"a\.usda: cannot be read as USD"):
        read_usd(tmp_path / "a.usda")


WHITE = Material(base_color=(0.6, 0.5, 0.4), metallic=0.0, specular=0.5, roughness=0.5)
BRIGHT = Material(base_color=(1.0, 1.0, 1.0), emission=(10.0, 10.0, 10.0))
PLAIN = Scene(
    objects=(
        Sphere(center=(0, 0, 1), radius=1, material=WHITE),
        Ellipsoid(center=(1.5, 0, 1), semi_axes=(0.5, 0.5, 1), material=WHITE),
        Plane(center=(0, 0, 0), material=WHITE),
        Panel(center=(0.5, 0, 8), half_extents=(1, 1), rotation=(0, 1, 0, 0), material=BRIGHT),
    ),
    camera=Camera(position=(0.5, -5, 2), look_at=(0.5, 0, 1), vertical_fov_degrees=40),
)


def test_a_scene_for_renderformer(tmp_path):
    """The two balls are 3 wide, so that lengths are a third; a radiance of 10 becomes 3 750."""
    path = tmp_path / "plain.renderformer.json"
    notes = write_renderformer(PLAIN, path)
    assert [note.split(";")[0] for note in notes] == [
        "all radiance is times 375",
        "planes: cut off at the bounding box, 1 wide",
    ]
    written = json.loads(path.read_text())
    (camera,) = written["cameras"]
    np.testing.assert_allclose(camera["position"], [0, -5 / 3, 1 / 3])
    assert camera["fov"] == 40
    meshes = [trimesh.load_mesh(tmp_path / entry["mesh_path"]) for entry in written["objects"].values()]
    np.testing.assert_allclose(meshes[0].bounds, np.array([[-1.5, -1, -1], [0.5, 1, 1]]) / 3, atol=1e-6)
    np.testing.assert_allclose(meshes[2].bounds, [[-0.5, -0.5, -1 / 3], [0.5, 0.5, -1 / 3]], atol=1e-6)
    assert sum(len(mesh.faces) for mesh in meshes) <= MAX_TRIANGLES
    assert meshes[0].is_watertight
    ball, _, _, lamp = (entry["material"] for entry in written["objects"].values())
    assert (ball["diffuse"], ball["specular"]) == ([0.6, 0.5, 0.4], [0.04] * 3)
    assert lamp["emissive"] == [3750.0] * 3


def test_a_file_in_the_place_of_renderformers_meshes_is_named(tmp_path):
    (tmp_path / "plain_meshes").write_text("notes")
    with pytest.raises(InputError, match=r"plain_meshes: cannot be written: File exists"):
        write_renderformer(PLAIN, tmp_path / "plain.renderformer.json")


def test_scenes_beyond_renderformers_ranges_are_told_why(tmp_path):
    with pytest.raises(InputError) as error:
        write_renderformer(MIXED, tmp_path / "mixed.renderformer.json")
    told = str(error.value)
    for reason in ("background is", "orthographic", "must be white", "transmission of 1, must have none"):
        assert reason in told
    assert not any(tmp_path.iterdir())


def test_light_from_outside_is_told_where_a_format_has_none(tmp_path):
    outside = PLAIN.model_copy(update={"sky": GRADIENT, "sun": SUN})
    assert {note.split(":")[0] for note in to_gltf(outside, binary=False)[1]} >= {"sky", "sun"}
    noted = {note.split(":")[0] for note in write_usd(outside, tmp_path / "x.usda")}
    assert "sky" in noted
    assert "sun" not in noted
    with pytest.raises(InputError, match="sky is there, must not be: light comes from triangles alone"):
        write_renderformer(outside, tmp_path / "x.renderformer.json")
