"""All frames of a file of particles as figures: before one camera, on one ground, with one range of colours."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from jaxtyping import Float64

from luxel import InputError
from luxel.scene.description import Scene
from luxel.scene.figures.drawing import field_of, radii_of
from luxel.scene.figures.figure import (
    Figure,
    Stage,
    bounds,
    moved_to_file_radius,
    scene_of,
    stage_of,
    to_file_radius,
)
from luxel.scene.figures.particles import Particles
from luxel.scene.figures.readers import read_trajectory


@dataclass
class FramesInTurn:
    """The particles of a file's frames, read one after the other; asking for an earlier frame begins anew."""

    path: Path
    _next: int = 0
    _frames: Iterator[Particles] = field(default_factory=lambda: iter(()))

    def __getitem__(self, frame: int) -> Particles:
        if frame < self._next or self._next == 0:
            self._next, self._frames = 0, read_trajectory(self.path)
        for particles in self._frames:
            self._next += 1
            if self._next == frame + 1:
                return particles
        raise InputError(f"{self.path}: ends before frame {frame}, which was there before; repeat the command")


@dataclass(frozen=True)
class Trajectory:
    """Scenes of a file's frames, `trajectory(0)` the first, of whose particles a figure's look is the same in all."""

    particles: FramesInTurn
    frames: int
    figure: Figure
    aspect: float
    move: tuple[Float64[np.ndarray, "3"], float]
    """The offset and factor from the file's unit to the scenes'."""
    stage: Stage

    @staticmethod
    def of(path: Path, figure: Figure, aspect: float = 1.0) -> "Trajectory":
        """Read the file twice: for what all frames take up and their colours' range, and for the camera.

        `aspect` is the pictures' width over their height. Raises InputError, also for the option --frame.
        """
        if figure.frame != Figure.frame:
            raise InputError(f"{path}: --frame is {figure.frame}, but a movie shows all frames; leave it out")
        corners: list[tuple[np.ndarray, np.ndarray]] = []
        values: list[float] = []
        for particles in read_trajectory(path):
            figure = figure if corners else with_radius(figure, particles)
            corners.append(bounds(figure.drawing(particles)))
            if figure.color_by not in (None, "kind"):
                of_frame = field_of(figure.selected(particles), str(figure.color_by))
                values += [float(of_frame.min()), float(of_frame.max())]
        if not corners:
            raise InputError(f"{path}: has no frame")
        if figure.color_range is None and values and min(values) < max(values):
            figure = replace(figure, color_range=(min(values), max(values)))
        move = to_file_radius(np.min([low for low, _ in corners], 0), np.max([high for _, high in corners], 0))
        stages = [
            stage_of(moved_to_file_radius(figure.drawing(each), *move), figure, aspect)
            for each in read_trajectory(path)
        ]
        lows, highs, outlines = zip(*stages, strict=True)
        stage = Stage(np.min(lows, 0), np.max(highs, 0), np.min(outlines, 0))
        return Trajectory(FramesInTurn(path), len(corners), figure, aspect, move, stage)

    def __call__(self, frame: int) -> Scene:
        """The scene of a frame, from 0 on."""
        drawing = self.figure.drawing(self.particles[frame]).moved(*self.move)
        return scene_of(drawing, self.figure, self.aspect, self.stage)


def with_radius(figure: Figure, first: Particles) -> Figure:
    """The figure with a radius for points that have none: by the first frame's spacing, not by each one's own."""
    if figure.radius is not None or not all(each is None for each in (first.radii, first.semi_axes, first.numbers)):
        return figure
    return replace(figure, radius=float(radii_of(figure.selected(first), None)[0]))
