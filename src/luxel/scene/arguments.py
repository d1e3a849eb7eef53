"""What functions that take scenes are given instead."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from luxel import InputError
from luxel.configuration import shortened
from luxel.scene.description import Scene


def check_scene(name: str, scene: Any) -> None:
    """Raise InputError, with what to do instead, for what is not a scene."""
    if isinstance(scene, Scene):
        return
    remedy = ""
    if isinstance(scene, str | Path):
        remedy = f"; read the file with Scene.load({str(scene)!r})"
    elif isinstance(scene, list | tuple):
        remedy = "; one is scenes[0]"
    raise InputError(f"{name} is {shortened(scene)}, must be a Scene{remedy}")


def check_scenes(scenes: Any) -> None:
    """Raise InputError for what is not a list of scenes."""
    if isinstance(scenes, str | Path | Scene) or not isinstance(scenes, Sequence):
        raise InputError(f"scenes is {shortened(scenes)}, must be a list of Scene; of one, [scene]")
    if not scenes:
        raise InputError("no scenes: give at least one")
    for number, scene in enumerate(scenes):
        check_scene(f"scenes[{number}]", scene)
