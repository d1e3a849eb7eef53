"""A scene as glTF 2.0 (.gltf with its data within, or .glb): tessellated unit shapes, each placed by a node.

Objects of one shape share their vertices, so that a hundred thousand spheres are as many nodes and one mesh a
material. A node's `extras.luxel` names the shape, by which `gltf_read` knows it again wherever it was moved to; glTF
has y up, so that one node above all turns the scene.
"""

import base64
import json
import math
import struct
from collections.abc import Sequence
from typing import Any

import numpy as np

from luxel.scene.camera import frame
from luxel.scene.description import Camera, Material, Scene
from luxel.scene.interchange.gltf_material import EXTENSIONS, material_to_gltf
from luxel.scene.interchange.meshes import unit_mesh
from luxel.scene.interchange.placing import (
    Shape,
    light_from_outside,
    quaternion_of,
    scale_of,
    unit_shape,
)
from luxel.scene.limits import MAX_LENGTH

LUXEL = "luxel"
"""The name of what Luxel adds in `extras`."""
Z_UP = [-math.sqrt(0.5), 0.0, 0.0, math.sqrt(0.5)]
"""The quaternion (x, y, z, w) that takes (x, y, z) to (x, z, −y)."""
FLOAT, UNSIGNED_INT = 5126, 5125
ARRAY_BUFFER, ELEMENT_ARRAY_BUFFER = 34962, 34963
NEAR = 1e-3
FLAT = ("rectangle", "ellipse", "plane")


class _Document:
    """The JSON part and the binary part, as they grow."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.views: list[dict[str, Any]] = []
        self.accessors: list[dict[str, Any]] = []
        self.materials: list[dict[str, Any]] = []
        self.meshes: list[dict[str, Any]] = []
        self._material_of: dict[tuple[Material, bool], int] = {}
        self._mesh_of: dict[tuple[Shape, int], int] = {}
        self._vertices_of: dict[Shape, dict[str, Any]] = {}

    def mesh(self, shape: Shape, material: Material) -> int:
        """The number of the mesh of this shape and material."""
        key = (material, shape in FLAT)
        if key not in self._material_of:
            self._material_of[key] = len(self.materials)
            self.materials.append(material_to_gltf(*key))
        number = self._material_of[key]
        if (shape, number) not in self._mesh_of:
            self._mesh_of[shape, number] = len(self.meshes)
            self.meshes.append({"primitives": [{**self._vertices(shape), "material": number}]})
        return self._mesh_of[shape, number]

    def _vertices(self, shape: Shape) -> dict[str, Any]:
        if shape not in self._vertices_of:
            mesh = unit_mesh(shape)
            attributes = {
                "POSITION": self._accessor(mesh.positions.astype(np.float32), FLOAT, "VEC3"),
                "NORMAL": self._accessor(mesh.normals.astype(np.float32), FLOAT, "VEC3"),
            }
            indices = self._accessor(mesh.faces.astype(np.uint32).ravel(), UNSIGNED_INT, "SCALAR")
            self._vertices_of[shape] = {"attributes": attributes, "indices": indices}
        return self._vertices_of[shape]

    def _accessor(self, array: np.ndarray, component: int, kind: str) -> int:
        target = ELEMENT_ARRAY_BUFFER if kind == "SCALAR" else ARRAY_BUFFER
        self.views.append({"buffer": 0, "byteOffset": len(self.data), "byteLength": array.nbytes, "target": target})
        self.data += array.tobytes()
        entry = {"bufferView": len(self.views) - 1, "componentType": component, "count": len(array), "type": kind}
        if kind == "VEC3":
            entry |= {"min": array.min(0).tolist(), "max": array.max(0).tolist()}
        self.accessors.append(entry)
        return len(self.accessors) - 1


def to_gltf(scene: Scene, binary: bool) -> tuple[bytes, list[str]]:
    """The file, and what glTF has no words for."""
    document = _Document()
    nodes: list[dict[str, Any]] = []
    for number, item in enumerate(scene.objects):
        shape = unit_shape(item)
        nodes.append(
            {
                "name": f"objects[{number}]",
                "mesh": document.mesh(shape, item.material),
                **_placed(item.center, item.rotation, scale_of(item)),
                "extras": {LUXEL: {"shape": shape}},
            }
        )
    distance = math.dist(scene.camera.position, scene.camera.look_at)
    origin, axes = frame(scene.camera)
    placed = _placed(origin.tolist(), quaternion_of(axes), (1.0, 1.0, 1.0))
    nodes.append({"name": "camera", "camera": 0, **placed, "extras": {LUXEL: {"distance": distance}}})
    root = {"name": "z up", "rotation": Z_UP, "children": list(range(len(nodes)))}
    used = sorted({name for material in document.materials for name in material["extensions"]})
    content: dict[str, Any] = {
        "asset": {"version": "2.0", "generator": "Luxel"},
        "extensionsUsed": [name for name in EXTENSIONS if name in used],
        "scene": 0,
        "scenes": [{"nodes": [len(nodes)], "extras": {LUXEL: {"background": list(scene.background)}}}],
        "nodes": [*nodes, root],
        "cameras": [_camera(scene.camera)],
        "meshes": document.meshes,
        "materials": document.materials,
        "accessors": document.accessors,
        "bufferViews": document.views,
        "buffers": [{"byteLength": len(document.data)}],
    }
    notes = []
    if any(scene.background):
        notes.append("background: glTF has no sky; other programs see none")
    notes += light_from_outside(scene, "glTF")
    if any(item.shape == "plane" for item in scene.objects):
        notes.append("planes: glTF has none; other programs see squares of 2000 scene units")
    return _packed(content, bytes(document.data), binary), notes


def _placed(center: Sequence[float], rotation: Sequence[float], scale: Sequence[float]) -> dict[str, Any]:
    """A node's translation, rotation, of a quaternion (w, x, y, z), and scale."""
    w, *axis = rotation
    return {"translation": list(center), "rotation": [*axis, w], "scale": list(scale)}


def _camera(camera: Camera) -> dict[str, Any]:
    if camera.vertical_extent is not None:
        half = camera.vertical_extent / 2
        return {"type": "orthographic", "orthographic": {"xmag": half, "ymag": half, "znear": NEAR, "zfar": MAX_LENGTH}}
    angle = math.radians(camera.vertical_fov_degrees)
    return {"type": "perspective", "perspective": {"yfov": angle, "znear": NEAR, "zfar": MAX_LENGTH}}


def _packed(content: dict[str, Any], data: bytes, binary: bool) -> bytes:
    """The bytes of the file: glTF 2.0, section 4.4, of .glb."""
    if not binary:
        content["buffers"][0]["uri"] = f"data:application/octet-stream;base64,{base64.b64encode(data).decode()}"
        return json.dumps(content, indent=1).encode()
    text = json.dumps(content, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    data += b"\0" * (-len(data) % 4)
    chunks = struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", len(data), b"BIN\0") + data
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks
