"""Scenes that nothing lights."""

import sys
import warnings
from collections.abc import Sequence

from luxel import InputWarning
from luxel.scene.description import Scene


def warn_of_darkness(scenes: Sequence[Scene]) -> None:
    """Warn once, with InputWarning, if nothing gives light in some of the scenes, whose pictures are black."""
    dark = [number for number, scene in enumerate(scenes) if not scene.is_lit]
    if not dark:
        return
    which = "the scene" if len(scenes) == 1 else f"{len(dark)} of {len(scenes)} scenes (the first is number {dark[0]})"
    warnings.warn(
        f"nothing gives light in {which}, so that its picture is black; give the background, a sky, a "
        "sun, or an object's material.emission some radiance",
        InputWarning,
        stacklevel=_frames_within() + 1,
    )


def _frames_within() -> int:
    """How many of the callers from here on are Luxel's own, or of torch's decorators; the next is the user's."""
    frame, count = sys._getframe(1), 1
    while frame.f_back is not None and frame.f_globals.get("__name__", "").split(".")[0] in ("luxel", "torch"):
        frame, count = frame.f_back, count + 1
    return count - 1
