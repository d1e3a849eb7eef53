"""Videos after CATER (Girdhar and Ramanan, CATER: A diagnostic dataset for Compositional Actions and TEmporal
Reasoning, ICLR 2020, arXiv 1910.04744).

What is published is kept: 5 to 10 things, among them the golden snitch, a medium cone and a large one; sizes, colours
and materials; 24 frames a second and slots of 30; that cubes, cylinders and the snitch rotate, all slide and are picked
up and placed, and cones come down over smaller spheres, cones and the snitch, and take these along when they slide.

What differs, as Luxel has neither cones nor tori: a cone is a tall upright cylinder, the shell game's cup, and the
snitch an ellipsoid. What is turned about a horizontal axis is lifted for it, what nobody has room for is left out of
its slot, and things keep apart on their way as well as at its ends. The camera stands still.
"""

import json
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import Field

from luxel import InputError
from luxel.configuration import Configuration
from luxel.scene.animation import Animation
from luxel.scene.cater.motion import Frame
from luxel.scene.cater.plan import Actor, Movement, planned
from luxel.scene.cater.things import Words, things_of
from luxel.scene.description import Scene
from luxel.scene.draws import Draws
from luxel.scene.stage import BACKGROUND, GROUND, camera_of, lamps_of
from luxel.scene.visible_pixels import visible_pixels

FPS = 24.0
MIN_PIXELS = 40  # of each thing in the first frame, at 320 × 240
ARRANGEMENTS = 10_000
"""Tries of a first frame."""


@dataclass(frozen=True)
class CaterVideo:
    """A video: what is in it, what that does, and how all of it looks at any time."""

    frames: int
    words: tuple[Words, ...]
    """Of the scenes' first objects, in order; the ground and the lamps follow."""
    movements: tuple[tuple[Movement, ...], ...]
    """Of each of these, in order of time."""
    values: dict[str, Any]
    """The video in the movie format: JSON with keyframes, which last as long as the video."""
    animation: Animation
    """The same, to be asked for scenes."""

    def scene(self, frame: int) -> Scene:
        """The scene of a frame."""
        return self.animation(frame / FPS)


@dataclass(frozen=True)
class Cater(Configuration):
    """Videos of 5 to 10 things that slide, rotate, are picked up and placed, and cover each other: docs/datasets.md."""

    frames: Annotated[int, Field(ge=30, le=100_000)] = 300
    """Of a video, 24 a second."""
    max_objects: Annotated[int, Field(ge=5, le=10)] = 10
    """Beside ground and lamps."""
    max_moving: Annotated[int, Field(ge=1, le=10)] = 10
    """Things that may act in a slot of 30 frames; of 2, as in CATER's max2action, videos are calmer."""
    name: ClassVar[str] = "cater"

    def __call__(self, seed: int, index: int) -> CaterVideo:
        """Video number `index`, a function of both numbers alone. Raises InputError if there is no room."""
        draws = Draws(seed, index)
        camera, lamps = camera_of(draws), lamps_of(draws)
        count = draws.integer(5, self.max_objects)
        for _ in range(ARRANGEMENTS):
            things = things_of(draws, count, camera)
            if things and visible_pixels([thing.solid for thing in things], camera).min() >= MIN_PIXELS:
                break
        else:
            raise InputError(
                f"max_objects is {self.max_objects}: for the {count} of video {index} of seed {seed} there was no "
                f"room in {ARRANGEMENTS} tries; give fewer"
            )
        actors = planned(draws, things, self.frames, self.max_moving)
        first = Scene(
            objects=(*(thing.solid for thing in things), GROUND, *lamps), camera=camera, background=BACKGROUND
        )
        values = json.loads(first.to_json())
        for actor, item in zip(actors, values["objects"], strict=False):
            item.update(keyframes_of(actor, self.frames))
        return CaterVideo(
            frames=self.frames,
            words=tuple(thing.words for thing in things),
            movements=tuple(tuple(actor.movements) for actor in actors),
            values=values,
            animation=Animation.from_json(json.dumps(values), f"cater {seed}/{index}"),
        )


def keyframes_of(actor: Actor, frames: int) -> dict[str, Any]:
    """The fields that change, with keys at the video's beginning and end, before and after which nothing moves."""
    start = actor.thing.solid
    places = ((0.0, start.center), *actor.places, (float(frames), actor.solid.center))
    changing: dict[str, Any] = {"center": {"keyframes": keys(places), "interpolation": "smooth"}}
    if actor.turns:
        changing["rotation"] = {"keyframes": keys(actor.turns), "interpolation": "linear"}
    return changing


def keys(values: tuple[tuple[Frame, Any], ...]) -> list[list[Any]]:
    """[time in seconds, value] of each (frame, value)."""
    return [[frame / FPS, list(value)] for frame, value in values]
