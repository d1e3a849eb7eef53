"""The handles by which the selected object is moved and turned."""

import math
from typing import Any

import viser

from luxel import InputError
from luxel.scene.description import Object, Sphere
from luxel.scene.limits import MAX_LENGTH
from luxel.viewer import edits
from luxel.viewer.cameras import rounded
from luxel.viewer.document import Document, State
from luxel.viewer.panels.fields import Tell

PIXELS = 90.0
"""Length of an axis, whatever the distance."""


class Gizmo:
    """viser's transform controls at the selected object. A drag, from press to release, is one change to undo."""

    def __init__(self, scene: viser.SceneApi, document: Document, tell: Tell) -> None:
        self._scene, self._document, self._tell = scene, document, tell
        self._handle: Any = None
        self._shown: tuple[int, bool] | None = None
        self._drag = 0
        self._is_dragged = False

    def refresh(self, state: State) -> None:
        """Stand where the selected object is, unless it is the one that moves it."""
        item = None if state.selected is None else state.scene.objects[state.selected]
        shown = None if item is None or state.selected is None else (state.selected, isinstance(item, Sphere))
        if shown != self._shown:
            self._shown, self._is_dragged = shown, False
            if self._handle is not None:
                self._handle.remove()
            self._handle = None if item is None else self._added(item)
        elif item is not None and not self._is_dragged:
            self._handle.position, self._handle.wxyz = item.center, item.rotation

    def _added(self, item: Object) -> Any:
        handle = self._scene.add_transform_controls(
            "/selected",
            scale=PIXELS,
            fixed=True,
            depth_test=False,
            disable_rotations=isinstance(item, Sphere),
            translation_limits=((-MAX_LENGTH, MAX_LENGTH),) * 3,
            position=item.center,
            wxyz=item.rotation,
        )

        @handle.on_update
        async def moved(event: Any) -> None:  # in the event loop, so that phases keep their order
            self._move(event)

        return handle

    def _move(self, event: Any) -> None:
        if event.phase == "start":
            self._drag += 1
        self._is_dragged = event.phase != "end"
        scene, number = self._document.state
        if number is None:
            return
        try:
            item = edits.posed(scene.objects[number], rounded(event.target.position), event.target.wxyz)
            changed = edits.with_item(scene, number, item)
            self._document.edit(changed, gesture=("gizmo", self._drag), merge_s=math.inf)
        except InputError as error:
            self._tell(event.client, str(error))
        if event.phase == "end":
            self.refresh(self._document.state)
