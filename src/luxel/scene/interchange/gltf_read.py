"""The scene of a glTF 2.0 file: nodes whose meshes are spheres, boxes, cylinders or panels, and the first camera."""

import base64
import json
import math
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from luxel import InputError
from luxel.scene.camera import rotation_matrix
from luxel.scene.description import Camera, Material, Object, Scene
from luxel.scene.errors import SceneError
from luxel.scene.interchange.gltf_material import material_from_gltf
from luxel.scene.interchange.gltf_write import LUXEL
from luxel.scene.interchange.meshes import recognised
from luxel.scene.interchange.placing import (
    Z_UP_FROM_Y_UP,
    NotAShapeError,
    camera_for,
    camera_of,
    check_not_empty,
    looking_distance,
    object_of,
)
from luxel.scene.placing import Matrix, affine

SHAPES = ("ball", "box", "cylinder", "rectangle", "ellipse", "plane")
COMPONENTS = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
TRIANGLES = 4
MAX_DEPTH = 200


def read_gltf(path: Path) -> tuple[Scene, list[str]]:
    """The scene, and a line for what is left out, naming its node. Raises InputError, naming the file."""
    try:
        return _Reader(path).scene()
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, RecursionError, struct.error) as error:
        if isinstance(error, SceneError):
            raise InputError(f"{path}: {error}") from None
        if isinstance(error, InputError):
            raise
        what = f"{type(error).__name__}: {error}" if isinstance(error, KeyError | IndexError) else str(error)
        raise InputError(f"{path}: is not valid glTF 2.0: {what}") from None


class _Reader:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.content, self.within = _parts(path)
        self.left_out: list[str] = []
        self.objects: list[Object] = []
        self.camera: tuple[Matrix, dict[str, Any], float | None] | None = None
        self.read_materials: dict[int, Material] = {}

    def scene(self) -> tuple[Scene, list[str]]:
        scenes = self.content.get("scenes", [])
        if not scenes:
            raise InputError(f"{self.path}: has no scene")
        chosen = scenes[self.content.get("scene", 0)]
        for node in chosen.get("nodes", []):
            self._visit(node, Z_UP_FROM_Y_UP, "", 0)
        if self.content.get("animations"):
            self.left_out.append("animations: of what moves its place at rest is taken")
        check_not_empty(self.path, self.objects, self.left_out)
        background = chosen.get("extras", {}).get(LUXEL, {}).get("background", (0.0, 0.0, 0.0))
        if LUXEL not in chosen.get("extras", {}):
            self.left_out.append("camera's surroundings: glTF has no sky, so that the background is black")
        scene = Scene(objects=tuple(self.objects), camera=self._camera(), background=tuple(background))
        return scene, self.left_out

    def _camera(self) -> Camera:
        if self.camera is None:
            self.left_out.append("camera: the file has none; one that shows all objects is taken")
            return camera_for(self.objects)
        matrix, entry, distance = self.camera
        distance = looking_distance(matrix, self.objects) if distance is None else distance
        if entry["type"] == "orthographic":
            extent = 2 * float(entry["orthographic"]["ymag"]) * float(np.linalg.norm(matrix[:3, 1]))
            return camera_of(matrix, distance, projection="orthographic", vertical_extent=extent)
        return camera_of(matrix, distance, vertical_fov_degrees=math.degrees(entry["perspective"]["yfov"]))

    def _visit(self, number: int, parent: Matrix, path: str, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise ValueError(f"nodes are nested more than {MAX_DEPTH} deep")
        node = self.content["nodes"][number]
        name = f"{path}/{node.get('name', f'nodes[{number}]')}"
        matrix = parent @ _local(node)
        extras = node.get("extras", {}).get(LUXEL, {}) if isinstance(node.get("extras"), dict) else {}
        if "mesh" in node:
            self._mesh(node["mesh"], matrix, name, extras)
        if "camera" in node and self.camera is None:
            self.camera = matrix, self.content["cameras"][node["camera"]], extras.get("distance")
        elif "camera" in node:
            self.left_out.append(f"{name}: a scene has one camera")
        if "KHR_lights_punctual" in node.get("extensions", {}):
            self.left_out.append(f"{name}: a light of no size, which a scene has not; make it a small emissive sphere")
        if "skin" in node:
            self.left_out.append(f"{name}: its skin; it is taken as it is modelled")
        for child in node.get("children", []):
            self._visit(child, matrix, name, depth + 1)

    def _mesh(self, number: int, matrix: Matrix, name: str, extras: dict[str, Any]) -> None:
        for primitive in self.content["meshes"][number]["primitives"]:
            try:
                shape, local = (extras["shape"], np.eye(4)) if extras.get("shape") in SHAPES else self._shape(primitive)
                material = self._material(primitive.get("material"), name)
                self.objects.append(object_of(shape, matrix @ local, material))
            except NotAShapeError as error:
                self.left_out.append(f"{name}: {error}")
            except SceneError as error:
                self.left_out.append(f"{name}: {str(error).splitlines()[0]}")

    def _shape(self, primitive: dict[str, Any]) -> tuple[Any, Matrix]:
        if primitive.get("mode", TRIANGLES) != TRIANGLES:
            raise NotAShapeError("points, lines or strips, not triangles")
        if "KHR_draco_mesh_compression" in primitive.get("extensions", {}):
            raise NotAShapeError("a mesh that is compressed by Draco; export it without")
        positions = self._accessor(primitive["attributes"]["POSITION"]).astype(np.float64)
        indices = self._accessor(primitive["indices"]).ravel() if "indices" in primitive else np.arange(len(positions))
        a, b, c = positions[indices[:3].astype(np.int64)]
        return recognised(positions[np.unique(indices)], np.cross(b - a, c - a))

    def _material(self, number: int | None, name: str) -> Material:
        if number is None:
            return Material()
        if number not in self.read_materials:
            self.read_materials[number], left_out = material_from_gltf(self.content["materials"][number])
            self.left_out += [f"{name}: {what} of its material" for what in left_out]
        return self.read_materials[number]

    def _accessor(self, number: int) -> np.ndarray:
        entry = self.content["accessors"][number]
        if "sparse" in entry or "bufferView" not in entry:
            raise NotAShapeError("a mesh in sparse accessors")
        view = self.content["bufferViews"][entry["bufferView"]]
        width = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4}[entry["type"]]
        dtype = np.dtype(COMPONENTS[entry["componentType"]])
        begin = view.get("byteOffset", 0) + entry.get("byteOffset", 0)
        stride = view.get("byteStride", width * dtype.itemsize)
        data = self._buffer(view["buffer"])
        end = begin + stride * (entry["count"] - 1) + width * dtype.itemsize
        if not 0 <= begin <= end <= len(data):
            raise ValueError(f"accessors[{number}] reaches beyond its buffer")
        return np.ndarray((entry["count"], width), dtype, data, begin, (stride, dtype.itemsize))

    def _buffer(self, number: int) -> bytes:
        uri = self.content["buffers"][number].get("uri")
        if uri is None:
            return self.within
        if uri.startswith("data:"):
            return base64.b64decode(uri.partition(",")[2])
        if "://" in uri or Path(uri).is_absolute() or ".." in Path(uri).parts:
            raise ValueError(f"buffers[{number}].uri is {uri!r}, must be a file beside it")
        return (self.path.parent / uri).read_bytes()


def _parts(path: Path) -> tuple[dict[str, Any], bytes]:
    """The JSON part and the binary part, b"" if there is none."""
    data = path.read_bytes()
    if data[:4] != b"glTF":
        content = json.loads(data)
        within = b""
    else:
        (size,) = struct.unpack_from("<I", data, 8)
        if len(data) < size:
            raise ValueError(f"it is cut off after {len(data)} of its {size} bytes")
        chunks = dict(_chunks(data))
        content, within = json.loads(chunks[b"JSON"]), chunks.get(b"BIN\0", b"")
    if not isinstance(content, dict) or content.get("asset", {}).get("version") != "2.0":
        raise ValueError("it does not say that it is")
    return content, within


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = 12
    while place + 8 <= len(data):
        length, kind = struct.unpack_from("<I4s", data, place)
        yield kind, data[place + 8 : place + 8 + length]
        place += 8 + length


def _local(node: dict[str, Any]) -> Matrix:
    """A node's matrix: its own, or T · R · S."""
    if "matrix" in node:
        return np.array(node["matrix"], np.float64).reshape(4, 4).T
    x, y, z, w = node.get("rotation", (0.0, 0.0, 0.0, 1.0))
    linear = rotation_matrix((w, x, y, z)) * np.array(node.get("scale", (1.0, 1.0, 1.0)))
    return affine(linear, np.array(node.get("translation", (0.0, 0.0, 0.0)), np.float64))
