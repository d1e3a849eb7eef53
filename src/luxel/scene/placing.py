"""Where objects are and what room they take: extents, contact, containment, moves."""

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from jaxtyping import Bool, Float64

from luxel.scene.camera import rotation_matrix
from luxel.scene.description import Box, Cylinder, Object, Panel, Plane, Quaternion, Sphere, Vector

Components: TypeAlias = Float64[np.ndarray, "4 *rows"]
Matrix: TypeAlias = Float64[np.ndarray, "4 4"]


def vector(values: Sequence[float] | Float64[np.ndarray, "3"], decimals: int = 12) -> Vector:
    """Three numbers, rounded, none of them −0."""
    x, y, z = (round(float(value), decimals) + 0.0 for value in values)
    return x, y, z


def direction(azimuth: float, elevation: float) -> Vector:
    """The unit vector at these angles (radians), z up."""
    across = math.cos(elevation)
    return across * math.cos(azimuth), across * math.sin(azimuth), math.sin(elevation)


def about_z(angle: float) -> Quaternion:
    """A rotation by `angle` radians about the vertical."""
    return math.cos(angle / 2), 0.0, 0.0, math.sin(angle / 2)


def facing(normal: Vector) -> Quaternion:
    """The shortest rotation that takes z to `normal`."""
    return Plane(center=(0, 0, 0), normal=normal).rotation


def product(p: Quaternion | Components, q: Quaternion | Components) -> tuple[Any, Any, Any, Any]:
    """Hamilton's product pq of quaternions (w, x, y, z): the rotation q, then p; of numbers, or of NumPy's arrays."""
    (a, b, c, d), (e, f, g, h) = p, q
    return (
        a * e - b * f - c * g - d * h,
        a * f + b * e + c * h - d * g,
        a * g - b * h + c * e + d * f,
        a * h + b * g - c * f + d * e,
    )


def affine(linear: Float64[np.ndarray, "3 3"], shift: Sequence[float] | Float64[np.ndarray, "3"]) -> Matrix:
    """The matrix of x ↦ linear x + shift in homogeneous coordinates."""
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = linear, shift
    return matrix


def world_from_unit(item: Object) -> Matrix:
    """The matrix that makes an object of its unit shape: see `luxel.scene.description.shapes`."""
    return affine(rotation_matrix(item.rotation) * np.array(item.scale), item.center)


def extents(item: Object) -> Float64[np.ndarray, "3"]:
    """Half the object's extent along the world's axes, scene units; not of a plane."""
    if isinstance(item, Sphere):
        return np.full(3, item.radius)
    rotation = rotation_matrix(item.rotation)
    scale = np.array(item.scale)
    if isinstance(item, Panel):
        scale[2] = 0.0
    if isinstance(item, Cylinder):
        cosine = np.abs(rotation[:, 2])
        return item.radius * np.sqrt(np.maximum(1 - cosine**2, 0)) + item.half_height * cosine
    if isinstance(item, Box) or (isinstance(item, Panel) and item.outline == "rectangle"):
        return np.abs(rotation) @ scale
    return np.sqrt(((rotation * scale) ** 2).sum(1))


def footprint(item: Object) -> float:
    """Radius of an upright cylinder about the centre that holds the object."""
    if isinstance(item, Sphere):
        return item.radius
    width, depth, _ = extents(item)
    return min(math.hypot(width, depth), item.bounding_radius)


def moved(item: Object, center: Sequence[float] | Float64[np.ndarray, "3"]) -> Object:
    """The object with its centre there."""
    return item.model_copy(update={"center": vector(center)})


def resting(item: Object, x: float, y: float, z: float = 0.0) -> Object:
    """The object above (x, y) with its lowest point at height z."""
    return moved(item, (x, y, z + extents(item)[2]))


def on_ball(item: Object, radius: float) -> Object:
    """What stands on z = 0, bent onto a ball below the origin: heights stay, and z becomes the ball's normal."""
    x, y, z = item.center
    outward = np.array([x, y, radius]) / math.hypot(x, y, radius)
    bent = moved(item, outward * (radius + z) - (0, 0, radius))
    if isinstance(item, Sphere):
        return bent
    return bent.model_copy(update={"rotation": product(facing(vector(outward)), item.rotation)})


def contains(
    item: Object, points: Float64[np.ndarray, "n 3"], margin: float | Float64[np.ndarray, " n"] = 0.0
) -> Bool[np.ndarray, " n"]:
    """Whether points are in the object, or nearer to it than about `margin`; a panel has no inside but its margin."""
    away = points - np.array(item.center)
    if isinstance(item, Sphere):
        return (away**2).sum(1) < (item.radius + margin) ** 2
    local = away @ rotation_matrix(item.rotation)
    margins = np.broadcast_to(margin, len(points))
    if isinstance(item, Plane):
        return local[:, 2] < margins
    scale = np.array(item.scale)
    if isinstance(item, Panel):
        scale[2] = 0.0
    unit = np.abs(local) / np.maximum(scale + margins[:, None], 1e-12)
    if isinstance(item, Box) or (isinstance(item, Panel) and item.outline == "rectangle"):
        return np.asarray(unit.max(1) < 1)
    if isinstance(item, Cylinder | Panel):
        return (np.hypot(unit[:, 0], unit[:, 1]) < 1) & (unit[:, 2] < 1)
    return (unit**2).sum(1) < 1


def transformed(item: Object, factor: float, offset: Vector, decimals: int) -> Object:
    """The object scaled by `factor` about the origin, then moved; lengths are rounded, rotations to 6 decimals."""
    fields = type(item).model_fields
    changes: dict[str, object] = {"center": vector(np.array(item.center) * factor + offset, decimals)}
    for name in {"radius", "half_height"} & fields.keys():
        changes[name] = round(getattr(item, name) * factor, decimals)
    for name in {"semi_axes", "half_extents"} & fields.keys():
        changes[name] = tuple(round(length * factor, decimals) for length in getattr(item, name))
    for name in {"rotation", "normal"} & fields.keys():
        changes[name] = tuple(round(component, 6) + 0.0 for component in getattr(item, name))
    return item.model_copy(update=changes)
