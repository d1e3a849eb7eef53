"""Knobs at the selected object's surface, by which it is made longer and shorter along its own axes."""

import math
from typing import Any, NamedTuple

import numpy as np
import viser
from jaxtyping import Float64

from luxel import InputError
from luxel.scene.camera import rotation_matrix
from luxel.scene.description import Object
from luxel.scene.limits import MAX_LENGTH, MIN_LENGTH
from luxel.viewer import edits
from luxel.viewer.document import Document, State
from luxel.viewer.panels.fields import Tell

COLORS = ((255, 32, 96), (32, 223, 128), (45, 140, 255))
"""Of x, y and z, much as the arrows have them."""
KNOB_RADIUS_SHARE = 0.06
"""A knob's radius over the object's size (`edits.size_of`)."""
MIN_SQUARED_SINE = 0.1
"""Squared sine of the angle between an axis and the view, below which a drag has no more effect than there."""
Vector = Float64[np.ndarray, "3"]


class Grab(NamedTuple):
    """What a drag began with."""

    item: Object
    axis: int
    pressed_at: Vector
    view: Vector
    """Direction of the view, a unit vector."""


class SizeHandles:
    """A knob for each axis, on the side where no arrow is. With Shift, all axes are scaled alike.

    A drag, from press to release, is one change to undo.
    """

    def __init__(self, scene: viser.SceneApi, document: Document, tell: Tell) -> None:
        self._scene, self._document, self._tell = scene, document, tell
        self._knobs: list[Any] = []
        self._shown: tuple[int, tuple[int, ...]] | None = None
        self._grab: Grab | None = None
        self._drag = 0

    def refresh(self, state: State) -> None:
        """Stand at the selected object's surface."""
        item = None if state.selected is None else state.scene.objects[state.selected]
        shown = None if item is None or state.selected is None else (state.selected, edits.sized_axes(item))
        if shown != self._shown:
            self._shown, self._grab = shown, None
            for knob in self._knobs:
                knob.remove()
            self._knobs = [] if shown is None else [self._added(axis) for axis in shown[1]]
        if item is not None:
            for axis, knob in zip(edits.sized_axes(item), self._knobs, strict=True):
                knob.position = tuple(np.array(item.center) - item.scale[axis] * axis_of(item, axis))
                knob.scale = KNOB_RADIUS_SHARE * edits.size_of(item)

    def _added(self, axis: int) -> Any:
        knob = self._scene.add_icosphere(f"/size/{'xyz'[axis]}", 1.0, COLORS[axis], cast_shadow=False)

        @knob.on_drag("left")
        async def dragged(event: Any) -> None:  # in the event loop, so that phases keep their order
            self._resize(event, axis, alike=False)

        @knob.on_drag("left", modifier="shift")
        async def dragged_alike(event: Any) -> None:
            self._resize(event, axis, alike=True)

        return knob

    def _resize(self, event: Any, axis: int, alike: bool) -> None:
        scene, number = self._document.state
        if event.phase == "start" and number is not None:
            self._drag += 1
            pressed_at = np.array(event.start_position, float)
            view = pressed_at - np.array(event.client.camera.position, float)
            self._grab = Grab(scene.objects[number], axis, pressed_at, view / np.linalg.norm(view))
        if self._grab is None or number is None:
            return
        try:
            item = resized(self._grab, np.array(event.end_position, float), alike)
            changed = edits.with_item(scene, number, item)
            self._document.edit(changed, gesture=("size", self._drag), merge_s=math.inf)
        except InputError as error:
            self._tell(event.client, str(error))
        if event.phase == "end":
            self._grab = None


def axis_of(item: Object, axis: int) -> Vector:
    """One of the object's own axes in the world."""
    direction: Vector = rotation_matrix(item.rotation)[:, axis]
    return direction


def resized(grab: Grab, pointer: Vector, alike: bool) -> Object:
    """The grabbed object when the pointer is there, in the plane through where it was pressed across the view.

    The point of the knob's axis that is seen where the pointer is moves by δ·a / (1 − (a·v)²) along the axis a, the
    pointer having moved by δ across the view v. Raises SceneError for what no shape can be.
    """
    outward = -axis_of(grab.item, grab.axis)
    across = max(1 - float(outward @ grab.view) ** 2, MIN_SQUARED_SINE)
    before = grab.item.scale[grab.axis]
    length = before + float((pointer - grab.pressed_at) @ outward) / across
    length = float(f"{min(max(length, 0.01 * before, MIN_LENGTH), MAX_LENGTH):.6g}")
    return edits.scaled(grab.item, length / before) if alike else edits.with_half_extent(grab.item, grab.axis, length)
