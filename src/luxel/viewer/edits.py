"""Changes of a scene's objects: scene in, scene out. What would be no scene raises SceneError, as everywhere."""

import math
from collections.abc import Iterable
from typing import Any

from scipy.spatial.transform import Rotation

from luxel import InputError
from luxel.scene.description import (
    Box,
    Camera,
    Cylinder,
    Ellipsoid,
    Material,
    Object,
    Panel,
    Plane,
    Quaternion,
    Scene,
    Sphere,
    Vector,
)
from luxel.scene.limits import MAX_LENGTH, MIN_LENGTH

SHAPES = ("sphere", "ellipsoid", "box", "cylinder", "panel", "plane")
SHARE_OF_VIEW = 0.08
"""Size of an added object, relative to the distance from the camera to what it looks at."""
Z: Vector = (0.0, 0.0, 1.0)


def posed(item: Object, center: Iterable[float], rotation: Iterable[float]) -> Object:
    """The object at another place, turned so (a quaternion w, x, y, z), as far as its shape can be turned."""
    changes: dict[str, Any] = {"center": tuple(map(float, center))}
    if "rotation" in type(item).model_fields:
        changes["rotation"] = tuple(map(float, rotation))
    elif isinstance(item, Plane):
        changes["normal"] = turned_z(rotation)
    return item.model_copy(update=changes)


def scaled(item: Object, factor: float) -> Object:
    """The object larger by a factor in all directions; a plane stays as it is."""
    changes = {
        name: tuple(factor * length for length in value) if isinstance(value, tuple) else factor * value
        for name, value in item
        if name in ("radius", "half_height", "semi_axes", "half_extents")
    }
    return item.model_copy(update=changes)


def with_half_extent(item: Object, axis: int, length: float) -> Object:
    """The object with half its extent along one of its own axes changed, and what its shape ties to that."""
    match item:
        case Sphere():
            changes: dict[str, Any] = {"radius": length}
        case Cylinder():
            changes = {"half_height" if axis == 2 else "radius": length}
        case Ellipsoid():
            changes = {"semi_axes": replaced(item.semi_axes, axis, length)}
        case Box() | Panel():
            changes = {"half_extents": replaced(item.half_extents, axis, length)}
        case _:
            changes = {}
    return item.model_copy(update=changes)


def replaced(numbers: tuple[float, ...], index: int, value: float) -> tuple[float, ...]:
    """The numbers with one of them another."""
    return *numbers[:index], value, *numbers[index + 1 :]


def sized_axes(item: Object) -> tuple[int, ...]:
    """The axes along which an object has an extent."""
    if isinstance(item, Plane):
        return ()
    return (0, 1) if isinstance(item, Panel) else (0, 1, 2)


def size_of(item: Object) -> float:
    """One length for how large an object is: the geometric mean of its half extents; 1 for a plane."""
    lengths = item.scale[:2] if isinstance(item, Panel) else item.scale
    return math.prod(lengths) ** (1 / len(lengths))


def reshaped(item: Object, shape: str) -> Object:
    """The object in another shape, as large and turned as the new one can be. Raises InputError for an unknown one."""
    x, y, z = item.scale if not isinstance(item, Panel) else (*item.scale[:2], min(item.scale[:2]))
    common: dict[str, Any] = {"center": item.center, "material": item.material}
    turned = {**common, "rotation": item.rotation}
    match shape:
        case "sphere":
            return Sphere(radius=(x * y * z) ** (1 / 3), **common)
        case "ellipsoid":
            return Ellipsoid(semi_axes=(x, y, z), **turned)
        case "box":
            return Box(half_extents=(x, y, z), **turned)
        case "cylinder":
            return Cylinder(radius=math.sqrt(x * y), half_height=z, **turned)
        case "panel":
            return Panel(half_extents=(x, y), **{**turned, "material": opaque(item.material)})
        case "plane":
            return Plane(normal=turned_z(item.rotation), **common)
    raise InputError(f"shape is {shape!r}, must be one of {', '.join(SHAPES)}")


def opaque(material: Material) -> Material:
    """The material without transmission, which a panel cannot have."""
    return material.model_copy(update={"transmission": 0.0})


def turned_z(rotation: Iterable[float]) -> Vector:
    """Where a rotation takes the z axis."""
    x, y, z = map(float, Rotation.from_quat([*rotation], scalar_first=True).apply(Z))
    return x, y, z


def euler_degrees(rotation: Quaternion) -> Vector:
    """Turns about the world's x, then y, then z axis, in degrees, rounded to 1/1000."""
    angles = Rotation.from_quat(rotation, scalar_first=True).as_euler("xyz", degrees=True)
    x, y, z = (round(float(angle), 3) + 0.0 for angle in angles)
    return x, y, z


def quaternion_of(degrees: Iterable[float]) -> Quaternion:
    """The inverse of `euler_degrees`."""
    w, x, y, z = map(float, Rotation.from_euler("xyz", [*degrees], degrees=True).as_quat(scalar_first=True))
    return w, x, y, z


def with_item(scene: Scene, number: int, item: Object) -> Scene:
    """The scene with one of its objects replaced."""
    objects = list(scene.objects)
    objects[number] = item
    return scene.model_copy(update={"objects": tuple(objects)})


def with_added(scene: Scene, item: Object) -> Scene:
    """The scene with one more object, its last."""
    return scene.model_copy(update={"objects": (*scene.objects, item)})


def added(scene: Scene, shape: str, camera: Camera) -> Scene:
    """The scene with a new object, its last, where the camera looks at."""
    distance = math.dist(camera.position, camera.look_at)
    size = min(max(float(f"{SHARE_OF_VIEW * distance:.2g}"), MIN_LENGTH), MAX_LENGTH)
    return with_added(scene, reshaped(Sphere(center=camera.look_at, radius=size), shape))


def duplicated(scene: Scene, number: int) -> Scene:
    """The scene with a copy of an object, its last, a width beside it along x; of a plane, above it."""
    item = scene.objects[number]
    x, y, z = item.center
    center = (x, y, z + 0.1) if isinstance(item, Plane) else (x + 2 * item.bounding_radius, y, z)
    return with_added(scene, item.model_copy(update={"center": center}))
