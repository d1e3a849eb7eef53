"""What a camera is inside of, and therefore sees nothing."""

import numpy as np
from jaxtyping import Float64

from luxel.scene.camera import rotation_matrix
from luxel.scene.description import Box, Camera, Cylinder, Material, Object, Panel, Plane, Scene


def blindness(scene: Scene, camera: Camera) -> str | None:
    """Why a camera sees nothing, and what to do about it; None where it is in the open or in glass."""
    number = enclosing_object(scene, camera)
    if number is None:
        return None
    is_scenes_own = enclosing_object(scene, scene.camera) is not None
    way_out = "or move the object" if is_scenes_own else "or press Look through it under Scene"
    shape = scene.objects[number].shape
    return f"The camera is inside objects[{number}] ({shape}), which is opaque: orbit or zoom out of it, {way_out}"


def enclosing_object(scene: Scene, camera: Camera) -> int | None:
    """The first object that has the camera inside and lets no light out; None without one."""
    position = np.array(camera.position)
    numbers = (i for i, item in enumerate(scene.objects) if is_opaque(item.material) and encloses(item, position))
    return next(numbers, None)


def is_opaque(material: Material) -> bool:
    """Whether no light passes: transmission is the dielectric's alone (`luxel.core.principled`)."""
    return material.transmission == 0 or material.metallic == 1


def encloses(item: Object, position: Float64[np.ndarray, "3"]) -> bool:
    """Whether a point of the world is inside an object, in whose unit space that is decided."""
    x, y, z = rotation_matrix(item.rotation).T @ (position - np.array(item.center)) / np.array(item.scale)
    match item:
        case Panel():
            return False
        case Plane():
            return bool(z < 0)
        case Box():
            return bool(max(abs(x), abs(y), abs(z)) < 1)
        case Cylinder():
            return bool(np.hypot(x, y) < 1 and abs(z) < 1)
        case _:
            return bool(x * x + y * y + z * z < 1)
