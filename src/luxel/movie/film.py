"""The scenes of a movie, one a frame: of an animation, of a folder, or of a camera that goes round."""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeAlias, overload

import numpy as np
from pydantic import Field

from luxel import InputError
from luxel.configuration import checker
from luxel.scene.animation import Animation
from luxel.scene.binary import SUFFIX
from luxel.scene.camera import rotation_matrix
from luxel.scene.description import Scene, parsed_json, read_scene_file
from luxel.scene.figures.figure import Figure, check_no_figure, load_scene
from luxel.scene.figures.readers import is_particle_file
from luxel.scene.figures.trajectory import Trajectory
from luxel.scene.folder import NO_SCENES, scene_files
from luxel.scene.keyframes import keyframed_place
from luxel.scene.placing import about_z

FrameRate: TypeAlias = Annotated[float, Field(ge=0.01, le=240)]
FrameCount: TypeAlias = Annotated[int, Field(ge=1, le=1_000_000)]
check_frames, check_fps = checker(FrameCount), checker(FrameRate)


@dataclass(frozen=True)
class Film(Sequence[Scene]):
    """Scenes that are made when asked for, as those of all frames at once may be too many for the memory."""

    frames: int
    scene_of_frame: Callable[[int], Scene]

    def __len__(self) -> int:
        return self.frames

    @overload
    def __getitem__(self, frame: int) -> Scene: ...
    @overload
    def __getitem__(self, frame: slice) -> "Film": ...
    def __getitem__(self, frame: int | slice) -> "Scene | Film":
        chosen = range(self.frames)[frame]
        if isinstance(chosen, int):
            return self.scene_of_frame(chosen)
        return Film(len(chosen), lambda number: self.scene_of_frame(chosen[number]))


def film_of_animation(animation: Animation, fps: float) -> Film:
    """Frames at 0, 1/fps, 2/fps … s, before the last key's time.

    At that the movie is over: one whose last key is as its first one goes on without a stop when it is repeated. Raises
    InputError for more than a million frames, and for what has no keyframes.
    """
    check_fps("fps", fps)
    if not animation.tracks:
        raise InputError(
            f"{animation.source}: has no keyframes (docs/movie.md); for a camera that goes round give --turntable 120"
        )
    frames = check_frames("the number of frames", max(1, round(animation.duration * fps)))
    return Film(frames, lambda frame: animation(frame / fps))


def turntable(scene: Scene, frames: int) -> Film:
    """The camera goes once round what it looks at, about the vertical z and to the right.

    The last frame is as far from the first as from the one before it, so that the movie can be repeated.
    """
    check_frames("frames", frames)
    camera = scene.camera

    def scene_of_frame(frame: int) -> Scene:
        turn, target = rotation_matrix(about_z(2 * math.pi * frame / frames)), np.array(camera.look_at)
        position, up = target + turn @ (np.array(camera.position) - target), turn @ camera.up
        return scene.with_camera(position=tuple(position.tolist()), up=tuple(up.tolist()))

    return Film(frames, scene_of_frame)


def film_of_folder(folder: Path) -> Film:
    """The scenes of a folder's files, a frame each, in natural order: 2.json is before 10.json.

    Raises InputError for a folder without any, and SceneError, when its frame is asked for, for a file that is none.
    """
    files = sorted(scene_files(folder), key=lambda path: natural_order(path.name))
    if not files:
        raise InputError(f"{folder}: {NO_SCENES}")
    return Film(len(files), lambda frame: Scene.load(files[frame]))


def natural_order(name: str) -> list[tuple[bool, int, str]]:
    """What sorts names with numbers in them by the numbers."""
    return [(part.isdigit(), int(part) if part.isdigit() else 0, part) for part in re.split(r"(\d+)", name)]


def film_of_file(
    path: Path, fps: float, turns: int | None = None, figure: Figure | None = None, aspect: float = 1.0
) -> Film:
    """The film that a file or folder is of: see `luxel movie --help`.

    With `turns`, frames of a turntable about the one scene that there is. Raises InputError.
    """
    figure = figure or Figure()
    if not is_particle_file(path):
        check_no_figure(path, figure)
    if path.is_dir():
        if turns is not None:
            raise InputError(f"{path}: is a folder, whose scenes are the frames; give one file, or no --turntable")
        return film_of_folder(path)
    if turns is not None:
        check_still(path)
        return turntable(load_scene(path, figure, aspect), turns)
    if is_particle_file(path):
        trajectory = Trajectory.of(path, figure, aspect)
        if trajectory.frames == 1:
            raise InputError(f"{path}: has one frame; for a camera that goes round it give --turntable 120")
        return Film(trajectory.frames, trajectory)
    if path.suffix == SUFFIX:
        raise InputError(f"{path}: stands still; for a camera that goes round it give --turntable 120")
    return film_of_animation(Animation.load(path), fps)


def check_still(path: Path) -> None:
    """Raise InputError for a file with keyframes, whose scene moves by itself."""
    if path.suffix == SUFFIX or is_particle_file(path):
        return
    if (place := keyframed_place(parsed_json(read_scene_file(path), str(path)))) is not None:
        raise InputError(
            f"{path}: {place} has keyframes, but on a turntable the scene stands still; leave out --turntable; where "
            "the camera is to go round give its position keyframes"
        )
