"""A scene for RenderFormer (Zeng et al., "RenderFormer", SIGGRAPH 2025): its scene configuration in JSON, and meshes.

That model was trained on scenes of a certain kind, which its README states. A scene is moved and scaled into its ranges
as a whole, with all radiance times one factor, and what is still beyond them is refused. The keys are of version 1.0.
"""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from luxel import InputError
from luxel.files.atomic import write_atomically, writing
from luxel.scene.description import Material, Object, Panel, Plane, Scene
from luxel.scene.interchange.meshes import Mesh, unit_mesh
from luxel.scene.interchange.placing import far_fields, unit_shape, world_from_unit
from luxel.scene.placing import bounds

SUFFIX = ".renderformer.json"
HALF_BOX = 0.5
"""Its scenes' bounding box reaches so far from the origin along x, y and z."""
CAMERA_DISTANCE, FOV_DEGREES = (1.5, 2.0), (30.0, 60.0)
LIGHT_DISTANCE, LIGHT_TRIANGLES = (2.1, 2.7), 8
EMISSION = 3750.0
"""Of all lights together: the middle of [2500, 5000], per channel."""
MAX_TRIANGLES = 4096
MIN_ROUGHNESS = 0.01
SLACK = 1e-6
AROUND = (32, 24, 16, 12)
"""Segments of a circle, finest first, of which the first is taken that keeps within MAX_TRIANGLES."""


def write_renderformer(scene: Scene, path: Path) -> list[str]:
    """Write the configuration, and a mesh for each object in a folder beside it; what was changed, in words.

    Raises InputError, with every reason, for a scene beyond the ranges.
    """
    center, factor = _fit(scene)
    meshes = _checked_meshes(scene, path, center, factor)
    total = sum(item.material.emission[0] for item in scene.objects)
    gain = EMISSION / total
    folder = path.with_name(path.name.removesuffix(SUFFIX) + "_meshes")
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    objects = {}
    for number, (item, mesh) in enumerate(zip(scene.objects, meshes, strict=True)):
        file = folder / f"object_{number}.obj"
        placed = (mesh.positions - center) * factor
        write_atomically(
            file, _obj(placed.clip(-HALF_BOX, HALF_BOX) if isinstance(item, Plane) else placed, mesh.faces)
        )
        objects[f"object_{number}"] = {
            "mesh_path": f"{folder.name}/{file.name}",
            "transform": {"translation": [0, 0, 0], "rotation": [0, 0, 0], "scale": [1, 1, 1], "normalize": False},
            "material": _material(item.material, gain, unit_shape(item) in ("ball", "cylinder")),
        }
    camera = scene.camera
    configuration = {
        "scene_name": path.name.removesuffix(SUFFIX),
        "version": "1.0",
        "objects": objects,
        "cameras": [
            {
                "position": ((np.array(camera.position) - center) * factor).tolist(),
                "look_at": ((np.array(camera.look_at) - center) * factor).tolist(),
                "up": list(camera.up),
                "fov": camera.vertical_fov_degrees,
            }
        ],
    }
    write_atomically(path, json.dumps(configuration, indent=1).encode() + b"\n")
    notes = [f"all radiance is times {gain:.6g}; divide its pictures by that"]
    if any(isinstance(item, Plane) for item in scene.objects):
        notes.append("planes: cut off at the bounding box, 1 wide")
    return notes


def _checked_meshes(scene: Scene, path: Path, center: np.ndarray, factor: float) -> list[Mesh]:
    """The finest meshes that are not too many triangles. Raises InputError, with all that is wrong with the scene."""
    problems = [*_problems_of_scene(scene, center, factor)]
    for number, item in enumerate(scene.objects):
        problems += [f"objects[{number}] {problem}" for problem in _problems_of(item, center, factor)]
    meshes = next((found for around in AROUND if _triangles(found := _meshes(scene, around)) <= MAX_TRIANGLES), None)
    if meshes is None:
        least = _triangles(_meshes(scene, AROUND[-1]))
        problems.append(f"the scene has {least} triangles at the coarsest, must have at most {MAX_TRIANGLES}")
    if problems or meshes is None:
        lines = "\n".join(f"{path}: {problem}" for problem in problems)
        raise InputError(f"{lines}\n{path}: RenderFormer was not trained on such scenes; nothing is written")
    return meshes


def _fit(scene: Scene) -> tuple[np.ndarray, float]:
    """The middle and the scale that bring what does not emit into the bounding box, and the camera to its distance."""
    finite = [item for item in scene.objects if not isinstance(item, Plane) and not item.material.is_emissive]
    if not finite:
        return np.zeros(3), 1.0
    low, high = bounds(finite)
    center = (low + high) / 2
    largest = 2 * HALF_BOX / float((high - low).max())
    distance = float(np.linalg.norm(np.array(scene.camera.position) - center))
    return center, min(largest, CAMERA_DISTANCE[1] / distance) if distance > 0 else largest


def _problems_of_scene(scene: Scene, center: np.ndarray, factor: float) -> list[str]:
    camera, problems = scene.camera, []
    if any(scene.background):
        problems.append(f"background is {scene.background}, must be black: light comes from triangles alone")
    problems += [f"{field} is there, must not be: light comes from triangles alone" for field in far_fields(scene)]
    if camera.is_orthographic:
        problems.append("camera.projection is orthographic, must be perspective")
    low, high = FOV_DEGREES
    if not camera.is_orthographic and not low <= camera.vertical_fov_degrees <= high:
        problems.append(
            f"camera.vertical_fov_degrees is {camera.vertical_fov_degrees:g}, must be in [{low:g}, {high:g}]"
        )
    distance = factor * math.dist(camera.position, center)
    if not CAMERA_DISTANCE[0] - SLACK <= distance <= CAMERA_DISTANCE[1] + SLACK:
        problems.append(
            f"camera.position is {distance:.3g} from the middle if the objects fill the bounding box of 1, "
            f"must be in {list(CAMERA_DISTANCE)}"
        )
    lights = sum(2 for item in scene.objects if item.material.is_emissive)
    if not 0 < lights <= LIGHT_TRIANGLES:
        problems.append(f"the lights have {lights} triangles, must have 1 to {LIGHT_TRIANGLES}: up to four panels")
    return problems


def _problems_of(item: Object, center: np.ndarray, factor: float) -> list[str]:
    material, problems = item.material, []
    if material.transmission > 0:
        problems.append(f"has a transmission of {material.transmission:g}, must have none")
    if material.roughness < MIN_ROUGHNESS:
        problems.append(f"has a roughness of {material.roughness:g}, must be in [{MIN_ROUGHNESS}, 1]")
    if material.metallic > 0 and len(set(material.base_color)) > 1:
        problems.append("is a coloured metal; specular reflection must be white")
    if material.is_emissive:
        if len(set(material.emission)) > 1:
            problems.append(f"emits {material.emission}, must be white")
        if not isinstance(item, Panel) or item.outline != "rectangle":
            problems.append(f"is a {item.shape} that emits, must be a rectangular panel")
        distance = factor * float(np.linalg.norm(np.array(item.center) - center))
        if not LIGHT_DISTANCE[0] - SLACK <= distance <= LIGHT_DISTANCE[1] + SLACK:
            problems.append(f"is a light {distance:.3g} from the middle, must be in {list(LIGHT_DISTANCE)}")
    return problems


def _meshes(scene: Scene, around: int) -> list[Mesh]:
    """The objects' meshes in world space."""
    made = []
    for item in scene.objects:
        mesh, matrix = unit_mesh(unit_shape(item), around), world_from_unit(item)
        made.append(mesh._replace(positions=mesh.positions @ matrix[:3, :3].T + matrix[:3, 3]))
    return made


def _triangles(meshes: list[Mesh]) -> int:
    return sum(len(mesh.faces) for mesh in meshes)


def _material(material: Material, gain: float, is_round: bool) -> dict[str, Any]:
    """Diffuse and specular reflectances, which do not exceed 1 together."""
    base = np.array(material.base_color)
    dielectric = 0.08 * material.specular
    specular = (1 - material.metallic) * dielectric + material.metallic * float(base.mean())
    diffuse = ((1 - material.metallic) * base).clip(max=1 - specular)
    return {
        "diffuse": diffuse.tolist(),
        "specular": [specular] * 3,
        "roughness": material.roughness,
        "emissive": [gain * channel for channel in material.emission],
        "smooth_shading": is_round,
        "rand_tri_diffuse_seed": None,
        "random_diffuse_max": 1.0,
    }


def _obj(positions: np.ndarray, faces: np.ndarray) -> bytes:
    """Wavefront OBJ, whose vertices count from 1; equal vertices are one, so that the mesh is watertight."""
    unique, number = np.unique(np.round(positions, 9), axis=0, return_inverse=True)
    vertices = [f"v {x:.9g} {y:.9g} {z:.9g}" for x, y, z in unique.tolist()]
    triangles = [f"f {a} {b} {c}" for a, b, c in (number.ravel()[faces] + 1).tolist()]
    return "\n".join([*vertices, *triangles, ""]).encode()
