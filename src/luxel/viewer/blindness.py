"""What a tab is told whose camera is inside of something."""

from luxel.scene.description import Camera, Scene
from luxel.scene.enclosing import enclosing_object


def blindness(scene: Scene, camera: Camera) -> str | None:
    """Why a camera sees nothing, and what to do about it; None where it is in the open or in glass."""
    number = enclosing_object(scene, camera)
    if number is None:
        return None
    is_scenes_own = enclosing_object(scene, scene.camera) is not None
    way_out = "or move the object" if is_scenes_own else "or press Look through it under Scene"
    shape = scene.objects[number].shape
    return f"The camera is inside objects[{number}] ({shape}), which is opaque: orbit or zoom out of it, {way_out}"
