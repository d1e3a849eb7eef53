"""A scene as USD: UsdGeom's Sphere, Cube and Cylinder as they are, meshes for panels and planes, UsdPreviewSurface.

Many spheres that differ in place, radius and colour alone are Points; an ellipsoid is a Sphere scaled unevenly. What
emits has an emissive colour; the background is a dome light, the sun a distant one. Attributes `luxel:shape` and
`luxel:distance` tell `usd_read` what a mesh stands for and how far the camera looks.
"""

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from luxel.scene.camera import rotation_matrix
from luxel.scene.description import Camera, Material, Scene, Sphere, Sun
from luxel.scene.figures.extra import optional_module
from luxel.scene.interchange.meshes import unit_mesh
from luxel.scene.interchange.placing import (
    Shape,
    frame_matrix,
    index_of_refraction,
    light_from_outside,
    unit_shape,
    world_from_unit,
)
from luxel.scene.limits import MAX_LENGTH
from luxel.scene.placing import affine, facing

SHAPE, DISTANCE = "luxel:shape", "luxel:distance"
APERTURE = 24.0
"""Of the camera's picture, vertically, in USD's tenths of a scene unit."""
TENTHS = 10.0
"""Of a scene unit that USD's camera measures its lens in."""
MIN_POINTS = 64
"""Spheres of a material, but for its colour, from which on they are Points: 100 000 prims take minutes."""
PRIMVAR_READER = "UsdPrimvarReader_float3"
DISPLAY_COLOR = "displayColor"


def write_usd(scene: Scene, path: Path) -> list[str]:
    """Write the file, of the format that its ending says (.usda, .usdc, .usd); what USD has no words for."""
    pxr = usd_modules(path)
    stage = pxr.Usd.Stage.CreateInMemory()
    pxr.UsdGeom.SetStageUpAxis(stage, pxr.UsdGeom.Tokens.z)
    pxr.UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    stage.SetDefaultPrim(pxr.UsdGeom.Xform.Define(stage, "/scene").GetPrim())
    materials: dict[Material, Any] = {}
    clouds = _clouds(scene)
    within = {id(sphere) for spheres in clouds.values() for sphere in spheres}
    for number, item in enumerate(scene.objects):
        if id(item) in within:
            continue
        shape = unit_shape(item)
        prim = _shape(pxr, stage, f"/scene/object_{number}", shape)
        matrix = world_from_unit(item)
        if isinstance(item, Sphere):
            prim.GetRadiusAttr().Set(item.radius)
            prim.GetExtentAttr().Set([(-item.radius,) * 3, (item.radius,) * 3])
            matrix[:3, :3] = np.eye(3)
        prim.AddTransformOp().Set(pxr.Gf.Matrix4d(*matrix.T.ravel().tolist()))
        if item.material not in materials:
            materials[item.material] = _material(pxr, stage, f"/scene/material_{len(materials)}", item.material)
        pxr.UsdShade.MaterialBindingAPI.Apply(prim.GetPrim()).Bind(materials[item.material])
    for number, (material, spheres) in enumerate(clouds.items()):
        _points(pxr, stage, f"/scene/points_{number}", material, spheres)
    _camera(pxr, stage, scene)
    if any(scene.background):
        dome = pxr.UsdLux.DomeLight.Define(stage, "/scene/background")
        dome.CreateColorAttr(pxr.Gf.Vec3f(*scene.background))
        dome.CreateIntensityAttr(1.0)
    if scene.sun is not None:
        _sun(pxr, stage, scene.sun)
    stage.GetRootLayer().Export(str(path))
    notes = light_from_outside(scene, "this USD", ("sky",))
    if any(item.material.transmission > 0 for item in scene.objects):
        notes.append("transmission: UsdPreviewSurface has none; it is an opacity of 1 − transmission there")
    if any(item.shape == "plane" for item in scene.objects):
        notes.append("planes: USD has no endless ones; other programs see squares of 2000 scene units")
    return notes


def _clouds(scene: Scene) -> dict[Material, list[Sphere]]:
    """Spheres that are to be Points, by their material without its colour."""
    clouds: dict[Material, list[Sphere]] = {}
    plain: dict[Material, Material] = {}
    for item in scene.objects:
        if isinstance(item, Sphere):
            if item.material not in plain:
                plain[item.material] = item.material.model_copy(update={"base_color": Material().base_color})
            clouds.setdefault(plain[item.material], []).append(item)
    return {material: spheres for material, spheres in clouds.items() if len(spheres) >= MIN_POINTS}


def _points(pxr: Any, stage: Any, path: str, material: Material, spheres: list[Sphere]) -> None:
    """Points with a width and a displayColor each, which their material shows."""
    array = pxr.Vt.Vec3fArray.FromNumpy
    centers = np.array([sphere.center for sphere in spheres], np.float32)
    radii = np.array([sphere.radius for sphere in spheres], np.float32)[:, None]
    colors = np.array([sphere.material.base_color for sphere in spheres], np.float32)
    points = pxr.UsdGeom.Points.Define(stage, path)
    points.CreatePointsAttr(array(centers))
    points.CreateWidthsAttr(pxr.Vt.FloatArray.FromNumpy(2 * radii[:, 0]))
    points.SetWidthsInterpolation(pxr.UsdGeom.Tokens.vertex)
    points.CreateDisplayColorPrimvar(pxr.UsdGeom.Tokens.vertex).Set(array(colors))
    points.CreateExtentAttr(array(np.stack([(centers - radii).min(0), (centers + radii).max(0)])))
    made = _material(pxr, stage, f"{path}_material", material)
    reader = pxr.UsdShade.Shader.Define(stage, f"{path}_material/color")
    reader.CreateIdAttr(PRIMVAR_READER)
    reader.CreateInput("varname", pxr.Sdf.ValueTypeNames.String).Set(DISPLAY_COLOR)
    shown = reader.CreateOutput("result", pxr.Sdf.ValueTypeNames.Float3)
    surface = pxr.UsdShade.Shader.Get(stage, f"{path}_material/surface")
    surface.GetInput("diffuseColor").ConnectToSource(shown)
    pxr.UsdShade.MaterialBindingAPI.Apply(points.GetPrim()).Bind(made)


def usd_modules(path: Path) -> SimpleNamespace:
    """The modules of usd-core. Raises InputError if it is not installed."""
    names = ("Gf", "Sdf", "Tf", "Usd", "UsdGeom", "UsdLux", "UsdShade", "Vt")
    return SimpleNamespace(**{name: optional_module(f"pxr.{name}", str(path), extra="exchange") for name in names})


def _shape(pxr: Any, stage: Any, path: str, shape: Shape) -> Any:
    """The unit shape as a prim."""
    if shape == "ball":
        ball = pxr.UsdGeom.Sphere.Define(stage, path)
        ball.CreateRadiusAttr(1.0)
        ball.CreateExtentAttr([(-1, -1, -1), (1, 1, 1)])
        return ball
    if shape == "box":
        box = pxr.UsdGeom.Cube.Define(stage, path)
        box.CreateSizeAttr(2.0)
        return box
    if shape == "cylinder":
        cylinder = pxr.UsdGeom.Cylinder.Define(stage, path)
        cylinder.CreateAxisAttr(pxr.UsdGeom.Tokens.z)
        cylinder.CreateRadiusAttr(1.0)
        cylinder.CreateHeightAttr(2.0)
        return cylinder
    flat, mesh = pxr.UsdGeom.Mesh.Define(stage, path), unit_mesh(shape)
    points = mesh.positions.astype(np.float32)
    flat.CreatePointsAttr(pxr.Vt.Vec3fArray.FromNumpy(points))
    flat.CreateFaceVertexCountsAttr([3] * len(mesh.faces))
    flat.CreateFaceVertexIndicesAttr(mesh.faces.ravel().tolist())
    flat.CreateSubdivisionSchemeAttr(pxr.UsdGeom.Tokens.none)
    flat.CreateDoubleSidedAttr(True)
    flat.CreateExtentAttr([(-1, -1, 0), (1, 1, 0)])
    flat.GetPrim().CreateAttribute(SHAPE, pxr.Sdf.ValueTypeNames.Token, custom=True).Set(shape)
    return flat


def _material(pxr: Any, stage: Any, path: str, material: Material) -> Any:
    made = pxr.UsdShade.Material.Define(stage, path)
    shader = pxr.UsdShade.Shader.Define(stage, f"{path}/surface")
    shader.CreateIdAttr("UsdPreviewSurface")
    number, color = pxr.Sdf.ValueTypeNames.Float, pxr.Sdf.ValueTypeNames.Color3f
    for name, kind, value in (
        ("diffuseColor", color, material.base_color),
        ("emissiveColor", color, material.emission),
        ("metallic", number, material.metallic),
        ("roughness", number, material.roughness),
        ("opacity", number, 1 - material.transmission),
        ("ior", number, index_of_refraction(material.specular)),
    ):
        shader.CreateInput(name, kind).Set(pxr.Gf.Vec3f(*value) if isinstance(value, tuple) else value)
    made.CreateSurfaceOutput().ConnectToSource(shader.ConnectableAPI(), "surface")
    return made


def _sun(pxr: Any, stage: Any, sun: Sun) -> None:
    """A light along −z, whose intensity is radiance and whose angle is the disc's from edge to edge."""
    light = pxr.UsdLux.DistantLight.Define(stage, "/scene/sun")
    brightest = max(*sun.radiance, 1e-30)
    light.CreateColorAttr(pxr.Gf.Vec3f(*(channel / brightest for channel in sun.radiance)))
    light.CreateIntensityAttr(brightest)
    light.CreateAngleAttr(2 * sun.angular_radius_degrees)
    matrix = affine(rotation_matrix(facing(sun.direction)), (0.0, 0.0, 0.0))
    light.AddTransformOp().Set(pxr.Gf.Matrix4d(*matrix.T.ravel().tolist()))


def _camera(pxr: Any, stage: Any, scene: Scene) -> None:
    camera = scene.camera
    prim = pxr.UsdGeom.Camera.Define(stage, "/scene/camera")
    prim.AddTransformOp().Set(pxr.Gf.Matrix4d(*frame_matrix(scene).T.ravel().tolist()))
    prim.CreateClippingRangeAttr(pxr.Gf.Vec2f(1e-3, MAX_LENGTH))
    for name, value in lens(camera).items():
        prim.GetPrim().GetAttribute(name).Set(value)
    distance = prim.GetPrim().CreateAttribute(DISTANCE, pxr.Sdf.ValueTypeNames.Double, custom=True)
    distance.Set(math.dist(camera.position, camera.look_at))


def lens(camera: Camera) -> dict[str, Any]:
    """UsdGeom.Camera's attributes for a square picture; apertures are in tenths of a scene unit."""
    if camera.vertical_extent is not None:
        aperture = TENTHS * camera.vertical_extent
        return {"projection": "orthographic", "verticalAperture": aperture, "horizontalAperture": aperture}
    focal = APERTURE / (2 * math.tan(math.radians(camera.vertical_fov_degrees) / 2))
    return {"verticalAperture": APERTURE, "horizontalAperture": APERTURE, "focalLength": focal}
