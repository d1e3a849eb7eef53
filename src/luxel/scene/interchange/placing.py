"""From a matrix to an object and back: every object is the image of a unit shape under a rotation and a scale."""

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
from jaxtyping import Float64

from luxel import InputError
from luxel.scene.camera import frame, rotation_matrix
from luxel.scene.description import (
    Box,
    Camera,
    Cylinder,
    Ellipsoid,
    Material,
    Object,
    Panel,
    Plane,
    Scene,
    Sphere,
)
from luxel.scene.figures.looks import View, fitted_camera
from luxel.scene.placing import Matrix, affine, vector

Shape: TypeAlias = Literal["ball", "box", "cylinder", "rectangle", "ellipse", "plane"]
"""A unit shape: the unit ball, [−1, 1]³, x² + y² ≤ 1 and |z| ≤ 1, [−1, 1]² or x² + y² ≤ 1 at z = 0, z ≤ 0."""
TOLERANCE = 1e-3
"""Relative, within which axes are at right angles, lengths are the same, and a mesh is a shape's."""
PLANE_HALF_EXTENT = 1000.0
"""Scene units, of the square that stands for a plane where there are no planes."""


Z_UP_FROM_Y_UP: Matrix = np.array([[1.0, 0, 0, 0], [0, 0, -1, 0], [0, 1, 0, 0], [0, 0, 0, 1]])
DEFAULT_INDEX_OF_REFRACTION = 1.5
"""Of glTF's and of USD's materials."""


class NotAShapeError(ValueError):
    """Why something is no object of a scene, in words."""


def unit_shape(item: Object) -> Shape:
    """The unit shape that the object is an image of."""
    match item:
        case Sphere() | Ellipsoid():
            return "ball"
        case Box():
            return "box"
        case Cylinder():
            return "cylinder"
        case Panel():
            return item.outline
        case Plane():
            return "plane"


def scale_of(item: Object) -> tuple[float, float, float]:
    """Of the unit shape along its axes, before it is turned; a plane's is that of the square that stands for it."""
    return (PLANE_HALF_EXTENT, PLANE_HALF_EXTENT, 1.0) if isinstance(item, Plane) else item.scale


def world_from_unit(item: Object) -> Matrix:
    """Columns times points; a plane's is that of the square that stands for it."""
    return affine(rotation_matrix(item.rotation) * np.array(scale_of(item)), item.center)


def object_of(shape: Shape, matrix: Matrix, material: Material) -> Object:
    """The image of a unit shape. Raises NotAShapeError if it is none, and SceneError for numbers out of range."""
    if shape in ("rectangle", "ellipse") and material.transmission > 0:
        raise NotAShapeError("a panel that transmits, which has no inside; make it a thin box")
    center, linear = vector(matrix[:3, 3]), matrix[:3, :3].copy()
    if shape in ("rectangle", "ellipse", "plane"):
        normal = np.cross(linear[:, 0], linear[:, 1])
        linear[:, 2] = normal / max(float(np.linalg.norm(normal)), 1e-300)
    lengths = np.linalg.norm(linear, axis=0)
    if not (lengths > 0).all():
        raise NotAShapeError("it is scaled to nothing")
    axes = linear / lengths
    if np.abs(axes.T @ axes - np.eye(3)).max() > TOLERANCE:
        raise NotAShapeError("it is sheared")
    if np.linalg.det(axes) < 0:  # mirrored, which no unit shape shows
        axes[:, 0] *= -1
    x, y, z = lengths.tolist()
    if shape == "ball" and max(x, y, z) - min(x, y, z) <= 1e-6 * max(x, y, z):
        return Sphere(center=center, radius=x, material=material)
    rotation = quaternion_of(axes)
    match shape:
        case "ball":
            return Ellipsoid(center=center, rotation=rotation, semi_axes=(x, y, z), material=material)
        case "box":
            return Box(center=center, rotation=rotation, half_extents=(x, y, z), material=material)
        case "cylinder":
            if abs(x - y) > TOLERANCE * max(x, y):
                raise NotAShapeError("it is a cylinder of elliptic section")
            return Cylinder(center=center, rotation=rotation, radius=x, half_height=z, material=material)
        case "plane":
            return Plane(center=center, normal=vector(axes[:, 2]), material=material)
        case _:
            return Panel(center=center, rotation=rotation, half_extents=(x, y), outline=shape, material=material)


def quaternion_of(rotation: Float64[np.ndarray, "3 3"]) -> tuple[float, float, float, float]:
    """(w, x, y, z) of a rotation, w ≥ 0."""
    from scipy.spatial.transform import Rotation

    x, y, z, w = Rotation.from_matrix(rotation).as_quat(canonical=True).tolist()
    return (w + 0.0, x + 0.0, y + 0.0, z + 0.0)


def camera_of(matrix: Matrix, distance: float, **projection: Any) -> Camera:
    """The camera whose frame, looking along −z with y up, has this matrix; it looks at a point in this distance."""
    axes = matrix[:3, :3] / np.linalg.norm(matrix[:3, :3], axis=0)
    position = matrix[:3, 3]
    look_at = position - distance * axes[:, 2]
    return Camera(position=vector(position), look_at=vector(look_at), up=vector(axes[:, 1]), **projection)


def looking_distance(matrix: Matrix, objects: list[Object]) -> float:
    """How far, along a camera's view, the middle of the finite objects is; 1 if that is behind it."""
    centers = [item.center for item in objects if not isinstance(item, Plane)]
    if not centers:
        return 1.0
    backward = matrix[:3, 2] / np.linalg.norm(matrix[:3, 2])
    distance = float(-(np.mean(centers, 0) - matrix[:3, 3]) @ backward)
    return distance if distance > 1e-3 else 1.0


def camera_for(objects: list[Object]) -> Camera:
    """A camera that shows all finite objects, where a file has none."""
    finite = [item for item in objects if not isinstance(item, Plane)] or objects
    radii = np.array([item.bounding_radius if np.isfinite(item.bounding_radius) else 1.0 for item in finite])
    return fitted_camera(View.of("30,25"), np.array([item.center for item in finite], float), radii, 1.0)


def frame_matrix(scene: Scene) -> Matrix:
    """World from the scene's camera, which looks along −z with y up."""
    origin, rotation = frame(scene.camera)
    return affine(rotation, origin)


def check_not_empty(path: Path, objects: list[Object], left_out: list[str]) -> None:
    """Raise InputError, with a line for all that was left out of a file, if no object is left."""
    if not objects:
        lines = "".join(f"\n{line}" for line in left_out)
        raise InputError(f"{path}: has nothing that a scene can have: spheres, boxes, cylinders, panels{lines}")


def triple(values: Iterable[float], factor: float = 1.0) -> tuple[float, float, float]:
    """Three channels, times a factor."""
    red, green, blue = (factor * float(value) for value in values)
    return red, green, blue


def index_of_refraction(specular: float) -> float:
    """Whose reflectance at normal incidence is 8 % of `specular` (Burley 2015)."""
    return float(2 / (1 - np.sqrt(0.08 * specular)) - 1)


def specular_of(index: float) -> float:
    """The inverse of `index_of_refraction`, at most 1, which is an index of 1.79."""
    return float(min(((index - 1) / (index + 1)) ** 2 / 0.08, 1.0))


def far_fields(scene: Scene) -> list[str]:
    """The fields of what is infinitely far, beside the background, that the scene has."""
    return [field for field in ("sky", "sun") if getattr(scene, field) is not None]


def light_from_outside(scene: Scene, form: str, without: Collection[str] = ("sky", "sun")) -> list[str]:
    """Notes of such fields, for a format that is written without those."""
    return [f"{field}: left out, as {form} has none" for field in far_fields(scene) if field in without]
