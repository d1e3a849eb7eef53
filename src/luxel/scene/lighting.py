"""Scenes whose pictures are black: that nothing lights, or whose camera is inside of something."""

import sys
import warnings
from collections.abc import Sequence

from luxel import InputWarning
from luxel.scene.description import Plane, Scene
from luxel.scene.enclosing import enclosing_object


def warn_of_black_pictures(scenes: Sequence[Scene]) -> None:
    """Warn, with InputWarning, of scenes without light and of cameras inside of what is opaque: once a call of each."""
    for warning in (darkness(scenes), enclosure(scenes)):
        if warning is not None:
            warnings.warn(warning, InputWarning, stacklevel=_frames_within() + 1)


def darkness(scenes: Sequence[Scene]) -> str | None:
    """That nothing gives light in some of the scenes; None where something does in all."""
    dark = [number for number, scene in enumerate(scenes) if not scene.is_lit]
    if not dark:
        return None
    return (
        f"nothing gives light in {_which(dark, scenes)}, so that its picture is black; give the background, a sky, a "
        "sun, or an object's material.emission some radiance"
    )


def enclosure(scenes: Sequence[Scene]) -> str | None:
    """That the cameras of some scenes are inside of objects that let no light in; None where none is."""
    enclosing = {number: enclosing_object(scene, scene.camera) for number, scene in enumerate(scenes)}
    inside = [(number, object_number) for number, object_number in enclosing.items() if object_number is not None]
    if not inside:
        return None
    (first, object_number), *_ = inside
    item = scenes[first].objects[object_number]
    place = f"{'behind' if isinstance(item, Plane) else 'inside'} objects[{object_number}] ({item.shape})"
    remedy = f"move the camera, or {'turn the plane' if isinstance(item, Plane) else 'the object'}"
    return (
        f"the camera of {_which([number for number, _ in inside], scenes)} is {place}, which is opaque, so that "
        f"nothing beyond it is seen; {remedy}"
    )


def _which(chosen: Sequence[int], scenes: Sequence[Scene]) -> str:
    """Which of the scenes are meant."""
    if len(scenes) == 1:
        return "the scene"
    return f"{len(chosen)} of {len(scenes)} scenes (the first is number {chosen[0]})"


def _frames_within() -> int:
    """How many of the callers from here on are Luxel's own, or of torch's decorators; the next is the user's."""
    frame, count = sys._getframe(1), 1
    while frame.f_back is not None and frame.f_globals.get("__name__", "").split(".")[0] in ("luxel", "torch"):
        frame, count = frame.f_back, count + 1
    return count - 1
