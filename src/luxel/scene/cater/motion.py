"""How things move: the keys of each action, and the room that a thing takes while it moves.

Legend: times in frames. Between keys a place eases in and out as the movie format's `smooth` does, and turns go at a
steady rate, as its `linear` does.
"""

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from jaxtyping import Float64

from luxel.scene.camera import rotation_matrix
from luxel.scene.description import Box, Cylinder, Quaternion, Vector
from luxel.scene.keyframes import smooth
from luxel.scene.placing import extents, product, vector
from luxel.scene.stage import turned
from luxel.scene.visible_pixels import Solid

Frame: TypeAlias = int | float
Places: TypeAlias = tuple[tuple[Frame, Vector], ...]
Turns: TypeAlias = tuple[tuple[Frame, Quaternion], ...]
LIFT = 2.0  # above the ground of what is carried; the tallest thing is 1.8 high
GAP = 0.1  # left between things
SAMPLES = 4  # a frame, at which the gaps are looked at
QUARTER = math.pi / 2


@dataclass(frozen=True)
class Move:
    """The keys of one action, from its first frame to its last."""

    start: int
    end: int
    places: Places = ()
    """Of the centre."""
    turns: Turns = ()
    tumbles: bool = False
    """Whether it is turned about anything but the vertical, so that it needs room all round."""

    @property
    def lifted(self) -> Frame:
        """When it has left the ground, if it is carried."""
        return self.places[1][0]

    def after(self, solid: Solid) -> Solid:
        """The solid where it is in the end."""
        changes: dict[str, object] = {"center": self.places[-1][1]} if self.places else {}
        if self.turns:
            changes["rotation"] = self.turns[-1][1]
        return solid.model_copy(update=changes)


def slide(solid: Solid, x: float, y: float, start: int, end: int) -> Move:
    """Along the ground to (x, y)."""
    return Move(start, end, ((start, solid.center), (end, (x, y, solid.center[2]))))


def carry(solid: Solid, x: float, y: float, start: int, end: int) -> Move:
    """Up, over, and down at (x, y), a third of the time each."""
    here, height = solid.center, solid.center[2] + LIFT
    third = (end - start) / 3
    above: Places = ((start + third, (here[0], here[1], height)), (end - third, (x, y, height)))
    return Move(start, end, ((start, here), *above, (end, (x, y, here[2]))))


def spin(solid: Solid, start: int, end: int) -> Move:
    """A quarter turn about the vertical."""
    return Move(start, end, turns=((start, solid.rotation), (end, _rounded(product(turned(QUARTER), solid.rotation)))))


def flip(solid: Solid, axis: int, start: int, end: int) -> Move:
    """A quarter turn about an axis of its own that is level, just high enough above the ground for all of the solid."""
    level = rotation_matrix(solid.rotation)[:, axis]
    azimuth, half = math.atan2(level[1], level[0]), QUARTER / 2
    turn = math.cos(half), math.cos(azimuth) * math.sin(half), math.sin(azimuth) * math.sin(half), 0.0
    after = _rounded(product(turn, solid.rotation))
    x, y, _ = solid.center
    quarter = (end - start) / 4
    up, down = start + quarter, end - quarter
    high: Vector = (x, y, round(solid.bounding_radius + GAP, 6))
    lands = vector((x, y, extents(solid.model_copy(update={"rotation": after}))[2]), 6)
    places: Places = ((start, solid.center), (up, high), (down, high), (end, lands))
    return Move(start, end, places, ((up, solid.rotation), (down, after)), tumbles=True)


def level_axes(solid: Solid) -> list[int]:
    """Of its own axes those that are level, but for the one about which a cylinder is the same at any angle."""
    upwards = np.abs(rotation_matrix(solid.rotation)[2])
    return [axis for axis in range(2 if isinstance(solid, Cylinder) else 3) if upwards[axis] < 0.5]


@dataclass(frozen=True)
class Course:
    """The upright cylinder that a thing keeps to itself, SAMPLES times a frame."""

    center: Float64[np.ndarray, "samples 3"]
    radius: Float64[np.ndarray, " samples"]
    half_height: Float64[np.ndarray, " samples"]

    @staticmethod
    def of_rest(solid: Solid, frames: int) -> "Course":
        """Of what stands still for so many frames."""
        samples = frames * SAMPLES + 1
        radius, half_height = circle_of(solid), float(extents(solid)[2])
        return Course(
            np.tile(np.array(solid.center, np.float64), (samples, 1)),
            np.full(samples, radius),
            np.full(samples, half_height),
        )

    def moved(self, move: Move, solid: Solid) -> "Course":
        """The course of a solid that then stays where the move has brought it."""
        begin, stop = move.start * SAMPLES, move.end * SAMPLES
        after = move.after(solid)
        center, radius, half_height = (np.copy(part) for part in (self.center, self.radius, self.half_height))
        center[begin:] = after.center
        if move.places:
            center[begin : stop + 1] = eased(move.places, np.arange(begin, stop + 1) / SAMPLES)
        radius[begin:], half_height[begin:] = circle_of(after), extents(after)[2]
        if move.tumbles:
            radius[begin : stop + 1] = half_height[begin : stop + 1] = solid.bounding_radius
        return Course(center, radius, half_height)

    def is_clear_of(self, other: "Course", begin: Frame) -> bool:
        """Whether the two are apart, beside or above one another, from a frame on."""
        later = slice(math.ceil(begin * SAMPLES), None)
        away = self.center[later] - other.center[later]
        beside = np.hypot(away[:, 0], away[:, 1]) - self.radius[later] - other.radius[later]
        above = np.abs(away[:, 2]) - self.half_height[later] - other.half_height[later]
        return bool((np.maximum(beside, above) >= GAP).all())


def eased(places: Places, frames: Float64[np.ndarray, " frames"]) -> Float64[np.ndarray, "frames 3"]:
    """The place at each of these times, of what stands still before and after its keys."""
    times = [float(time) for time in (places[0][0] - 1, *(time for time, _ in places), places[-1][0] + 1)]
    values = np.array([places[0][1], *(place for _, place in places), places[-1][1]], np.float64)
    return smooth(times, values)(frames)  # type: ignore[arg-type]


def circle_of(solid: Solid) -> float:
    """Radius of the upright cylinder about the centre that holds the solid."""
    rotation = rotation_matrix(solid.rotation)
    if isinstance(solid, Box):
        corners = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) * solid.half_extents
        turned_corners = corners @ rotation.T
        return float(np.hypot(turned_corners[:, 0], turned_corners[:, 1]).max())
    is_upright = isinstance(solid, Cylinder) and abs(rotation[2, 2]) > 1 - 1e-5
    return solid.radius if isinstance(solid, Cylinder) and is_upright else solid.bounding_radius


def _rounded(rotation: Quaternion) -> Quaternion:
    w, x, y, z = (round(part, 6) + 0.0 for part in rotation)
    return w, x, y, z
