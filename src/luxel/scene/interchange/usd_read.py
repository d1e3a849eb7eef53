"""The scene of a USD stage: spheres, points, cubes, cylinders, planes, meshes of those, lights, a camera."""

import math
from pathlib import Path
from typing import Any

import numpy as np

from luxel import InputError
from luxel.scene.description import Camera, Color, Material, Object, Scene, Sphere, Sun
from luxel.scene.errors import SceneError
from luxel.scene.interchange.meshes import recognised
from luxel.scene.interchange.placing import (
    DEFAULT_INDEX_OF_REFRACTION,
    TOLERANCE,
    Z_UP_FROM_Y_UP,
    NotAShapeError,
    Shape,
    camera_for,
    camera_of,
    check_not_empty,
    looking_distance,
    object_of,
    specular_of,
    triple,
)
from luxel.scene.interchange.usd_write import DISPLAY_COLOR, DISTANCE, PRIMVAR_READER, SHAPE, TENTHS, usd_modules
from luxel.scene.limits import MAX_RADIANCE
from luxel.scene.placing import Matrix

ALONG = {"X": [1, 2, 0], "Y": [2, 0, 1], "Z": [0, 1, 2]}
"""Columns of the identity that take z to an axis."""
FLIPPED = np.diag([1.0, -1.0, -1.0, 1.0])
"""Half a turn about x: USD's lights shine along −z, Luxel's panels along z."""
INPUTS = {"diffuseColor": "base_color", "emissiveColor": "emission", "metallic": "metallic", "roughness": "roughness"}
PREVIEW_DEFAULTS: dict[str, Any] = {"base_color": (0.18, 0.18, 0.18), "roughness": 0.5}
MAX_EXPOSURE = 1000
"""In stops: far more than MAX_RADIANCE, and its power of 2 is still a number."""


def read_usd(path: Path) -> tuple[Scene, list[str]]:
    """The scene, and a line for what is left out, naming its prim. Raises InputError, naming the file."""
    pxr = usd_modules(path)
    try:
        stage = pxr.Usd.Stage.Open(str(path))
    except pxr.Tf.ErrorException as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{path}: cannot be read as USD: {reason[:200]}") from None
    return _Reader(pxr, path, stage).scene()


class _Reader:
    def __init__(self, pxr: Any, path: Path, stage: Any) -> None:
        self.pxr, self.path, self.stage = pxr, path, stage
        is_y_up = pxr.UsdGeom.GetStageUpAxis(stage) == pxr.UsdGeom.Tokens.y
        self.world = Z_UP_FROM_Y_UP if is_y_up else np.eye(4)
        self.time = pxr.Usd.TimeCode.EarliestTime()
        self.cache = pxr.UsdGeom.XformCache(self.time)
        self.moves = False
        self.left_out: list[str] = []
        self.objects: list[Object] = []
        self.camera: tuple[Matrix, Any] | None = None
        self.background = (0.0, 0.0, 0.0)
        self.sun: Sun | None = None
        self.materials: dict[str, Material] = {}
        self.shows_display_color: set[str] = set()

    def scene(self) -> tuple[Scene, list[str]]:
        geometry = self.pxr.UsdGeom
        instances = self.pxr.Usd.TraverseInstanceProxies(self.pxr.Usd.PrimDefaultPredicate)
        prims = iter(self.pxr.Usd.PrimRange(self.stage.GetPseudoRoot(), instances))
        for prim in prims:
            if prim.IsA(geometry.Imageable) and geometry.Imageable(prim).ComputeVisibility(self.time) == "invisible":
                prims.PruneChildren()
                continue
            self.moves = self.moves or any(each.GetNumTimeSamples() > 1 for each in prim.GetAuthoredAttributes())
            try:
                self._prim(prim)
            except NotAShapeError as error:
                self.left_out.append(f"{prim.GetPath()}: {error}")
            except SceneError as error:
                self.left_out.append(f"{prim.GetPath()}: {str(error).splitlines()[0]}")
        if self.moves:
            self.left_out.append("movement: of what changes with time its first value is taken")
        check_not_empty(self.path, self.objects, self.left_out)
        scene = Scene(objects=tuple(self.objects), camera=self._camera(), background=self.background, sun=self.sun)
        return scene, self.left_out

    def _prim(self, prim: Any) -> None:
        """Add what the prim is to the scene. Raises NotAShapeError if it is something that a scene has not."""
        geometry, lux = self.pxr.UsdGeom, self.pxr.UsdLux
        if prim.IsA(geometry.Camera):
            if self.camera is not None:
                raise NotAShapeError("a scene has one camera")
            self.camera = self._matrix(prim), geometry.Camera(prim)
        elif prim.IsA(lux.DomeLight):
            if prim.GetAttribute("inputs:texture:file").Get():
                raise NotAShapeError("a dome light with a picture; give the scene a sky with its file")
            self.background = self._radiance(prim)
        elif prim.IsA(lux.DistantLight):
            if self.sun is not None:
                raise NotAShapeError("a scene has one sun")
            self.sun = self._sun(prim)
        elif prim.HasAPI(lux.LightAPI) and not prim.IsA(geometry.Gprim):
            shape, matrix = self._light(prim)
            emission = self._radiance(prim)
            material = Material(base_color=(0.0, 0.0, 0.0), emission=emission)
            self.objects.append(object_of(shape, matrix, material))
        elif prim.IsA(geometry.Points):
            self._points(prim)
        elif prim.IsA(geometry.Gprim):
            shape, local = self._shape(prim)
            material, _ = self._material(prim)
            self.objects.append(object_of(shape, self._matrix(prim) @ local, material))
        elif prim.IsA(geometry.PointInstancer):
            raise NotAShapeError("a point instancer; export its instances as prims")

    def _points(self, prim: Any) -> None:
        """Add a sphere for every point, of its width and colour."""
        geometry = self.pxr.UsdGeom.Points(prim)
        places, widths = (
            np.array(each.Get(self.time) or [], np.float64)
            for each in (geometry.GetPointsAttr(), geometry.GetWidthsAttr())
        )
        count = len(places)
        if count == 0 or len(widths) not in (1, count):
            raise NotAShapeError(f"points of {count} places and {len(widths)} widths; each needs both")
        matrix = self._matrix(prim)
        squares = matrix[:3, :3].T @ matrix[:3, :3]
        square = squares.trace() / 3
        if np.abs(squares - square * np.eye(3)).max() > TOLERANCE * square or square == 0:
            raise NotAShapeError("points that are scaled unevenly, or sheared")
        material, colors = self._material(prim)
        tints = dict.fromkeys(map(triple, colors))
        made = {tint: _tinted(material, tint) for tint in tints}
        shown = [made[triple(color)] for color in colors] if len(colors) == count else [material] * count
        centers = places @ matrix[:3, :3].T + matrix[:3, 3]
        radii = np.broadcast_to(widths / 2 * math.sqrt(square), count)
        self.objects += [
            Sphere(center=triple(center), radius=radius, material=each)
            for center, radius, each in zip(centers.tolist(), radii.tolist(), shown, strict=True)
        ]

    def _matrix(self, prim: Any) -> Matrix:
        """The scene's world from the prim; USD's are for row vectors."""
        return self.world @ np.array(self.cache.GetLocalToWorldTransform(prim)).T

    def _shape(self, prim: Any) -> tuple[Shape, Matrix]:
        def value(name: str) -> Any:
            return prim.GetAttribute(name).Get(self.time)

        match prim.GetTypeName():
            case "Sphere":
                return "ball", _scaled(value("radius"), value("radius"), value("radius"))
            case "Cube":
                half = value("size") / 2
                return "box", _scaled(half, half, half)
            case "Cylinder":
                return "cylinder", _turned(value("axis")) @ _scaled(
                    value("radius"), value("radius"), value("height") / 2
                )
            case "Plane":
                sides = (value("width") / 2, value("length") / 2)
                x, y = sides if value("axis") == "Z" else sides[::-1]
                return "rectangle", _turned(value("axis")) @ _scaled(x, y, 1.0)
            case "Mesh":
                marked = prim.GetAttribute(SHAPE)
                if marked and marked.Get() in ("rectangle", "ellipse", "plane"):
                    return marked.Get(), np.eye(4)
                points, indices = (np.array(value(name) or []) for name in ("points", "faceVertexIndices"))
                if len(indices) < 3 or indices.max() >= len(points):
                    raise NotAShapeError("a mesh without faces")
                a, b, c = points[indices[:3]].astype(np.float64)
                front = np.cross(b - a, c - a)
                return recognised(
                    points[np.unique(indices)].astype(np.float64),
                    -front if value("orientation") == "leftHanded" else front,
                )
        raise NotAShapeError(f"a {prim.GetTypeName()}, which a scene has not")

    def _light(self, prim: Any) -> tuple[Shape, Matrix]:
        def value(name: str) -> float:
            return float(prim.GetAttribute(f"inputs:{name}").Get(self.time))

        matrix = self._matrix(prim)
        match prim.GetTypeName():
            case "SphereLight":
                return "ball", matrix @ _scaled(*[value("radius")] * 3)
            case "RectLight":
                return "rectangle", matrix @ FLIPPED @ _scaled(value("width") / 2, value("height") / 2, 1.0)
            case "DiskLight":
                return "ellipse", matrix @ FLIPPED @ _scaled(value("radius"), value("radius"), 1.0)
        raise NotAShapeError(f"a {prim.GetTypeName()}, which a scene has not; make it a sphere, a disk or a rectangle")

    def _sun(self, prim: Any) -> Sun:
        """A distant light, which shines along −z. Normalised, its irradiance, π sin²(angular radius) L, is given."""
        towards = self._matrix(prim)[:3, 2]
        radius = float(prim.GetAttribute("inputs:angle").Get(self.time)) / 2
        flux = math.pi * math.sin(math.radians(radius)) ** 2
        return Sun(
            direction=triple(towards), angular_radius_degrees=radius, radiance=self._radiance(prim, flux or math.inf)
        )

    def _radiance(self, prim: Any, size: float | None = None) -> Color:
        """Color · intensity · 2^exposure, over the `size` of a light that is normalised, if it is known."""
        intensity, exposure, color = (
            prim.GetAttribute(f"inputs:{name}").Get(self.time) for name in ("intensity", "exposure", "color")
        )
        factor, remedy = intensity * 2.0 ** min(exposure, MAX_EXPOSURE), "lower its intensity or its exposure"
        if prim.GetAttribute("inputs:normalize").Get():
            if size is None:
                raise NotAShapeError("a light that is normalised by its area; switch that off")
            factor /= size
            remedy += ", or make it larger, as it is normalised"
        radiance = triple(tuple(color), factor)
        if max(radiance) > MAX_RADIANCE:
            raise NotAShapeError(f"a light of radiance {max(radiance):.3g}, must be at most {MAX_RADIANCE:g}; {remedy}")
        return radiance

    def _material(self, prim: Any) -> tuple[Material, list[list[float]]]:
        """The material, of the first displayColor where that is what it shows, and all of these."""
        bound, _ = self.pxr.UsdShade.MaterialBindingAPI(prim).ComputeBoundMaterial()
        path = str(bound.GetPath()) if bound else ""
        if bound and path not in self.materials:
            self.materials[path] = self._read_material(bound, path)
        material = self.materials.get(path, Material())
        colors = self.pxr.UsdGeom.Gprim(prim).GetDisplayColorPrimvar().ComputeFlattened(self.time)
        if not colors or (bound and path not in self.shows_display_color):
            return material, []
        all_colors = np.array(colors, np.float64).tolist()
        return _tinted(material, triple(all_colors[0])), all_colors

    def _read_material(self, bound: Any, path: str) -> Material:
        shader, _, _ = bound.ComputeSurfaceSource()
        if not shader or shader.GetIdAttr().Get() != "UsdPreviewSurface":
            self.left_out.append(f"{path}: is no UsdPreviewSurface; grey is taken")
            return Material()
        fields: dict[str, Any] = dict(PREVIEW_DEFAULTS)
        for name, field in INPUTS.items():
            value = self._input(shader, name, path)
            if value is not None:
                fields[field] = tuple(map(float, value)) if field in ("base_color", "emission") else float(value)
        index, opacity = (self._input(shader, name, path) for name in ("ior", "opacity"))
        fields["specular"] = specular_of(DEFAULT_INDEX_OF_REFRACTION if index is None else float(index))
        fields["transmission"] = 0.0 if opacity is None else 1 - float(opacity)
        return Material(**fields)

    def _input(self, shader: Any, name: str, path: str) -> Any:
        given = shader.GetInput(name)
        if given and given.HasConnectedSource():
            source = self.pxr.UsdShade.Shader(given.GetConnectedSource()[0].GetPrim())
            variable = source.GetInput("varname")
            is_read = source.GetIdAttr().Get() == PRIMVAR_READER and bool(variable)
            if name == "diffuseColor" and is_read and variable.Get() == DISPLAY_COLOR:
                self.shows_display_color.add(path)
                return None
            self.left_out.append(f"{path}: the texture of {name}")
            return None
        return given.Get(self.time) if given else None

    def _camera(self) -> Camera:
        if self.camera is None:
            self.left_out.append("camera: the stage has none; one that shows all objects is taken")
            return camera_for(self.objects)
        matrix, camera = self.camera
        marked = camera.GetPrim().GetAttribute(DISTANCE)
        distance = marked.Get() if marked else looking_distance(matrix, self.objects)
        aperture = camera.GetVerticalApertureAttr().Get(self.time)
        if camera.GetProjectionAttr().Get() == "orthographic":
            return camera_of(matrix, distance, projection="orthographic", vertical_extent=aperture / TENTHS)
        angle = 2 * math.atan(aperture / (2 * camera.GetFocalLengthAttr().Get(self.time)))
        return camera_of(matrix, distance, vertical_fov_degrees=math.degrees(angle))


def _scaled(x: float, y: float, z: float) -> Matrix:
    return np.diag([x, y, z, 1.0])


def _tinted(material: Material, color: Color) -> Material:
    """The material in this base colour. Raises SceneError for none."""
    return Material(**(material.model_dump() | {"base_color": color}))


def _turned(axis: str) -> Matrix:
    """The rotation that takes z to this axis."""
    return np.eye(4)[:, [*ALONG[axis], 3]]
