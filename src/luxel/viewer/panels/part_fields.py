"""Inputs for one part of the scene: its camera, its sky, its sun, or what the scene itself has."""

from collections.abc import Callable
from typing import Any

import viser
from pydantic import BaseModel

from luxel.scene.description import Scene
from luxel.scene.limits import MAX_RADIANCE
from luxel.viewer import colours
from luxel.viewer.document import Document, State
from luxel.viewer.panels.fields import Fields, Tell, floats


class PartFields(Fields):
    """Inputs that show and change fields of `scene.part`, or of the scene without a `part`, while it is of a `kind`."""

    def __init__(self, document: Document, tell: Tell, part: str | None, kind: type[BaseModel]) -> None:
        super().__init__(document, tell)
        self._part, self._kind = part, kind

    def bind_to_part(self, handle: Any, read: Callable[[Any], Any], changes: Callable[[Any], dict[str, Any]]) -> Any:
        """Let an input show what `read` says of the part, and make the `changes` of its fields that a value means."""

        def read_part(state: State) -> Any:
            part = self._part_of(state.scene)
            return read(part) if isinstance(part, self._kind) else handle.value

        def write_part(value: Any) -> None:
            part = self._part_of(self.document.scene)
            if isinstance(part, self._kind):
                changed = part.model_copy(update=changes(value))
                self.document.edit(self._with_part(changed), gesture=(self._part, handle.label))

        return self.bind(handle, read_part, write_part)

    def numbers(self, handle: Any, name: str) -> Any:
        """Bind an input to a field of numbers."""
        return self.bind_to_part(handle, lambda part: getattr(part, name), lambda value: {name: floats(value)})

    def radiance(self, gui: viser.GuiApi, name: str, step: float, hint: str | None = None, label: str = "") -> None:
        """A colour and a number for a field of radiance, whose strongest channel the number is.

        What is black keeps the hue that it had.
        """
        now = getattr(self._part_of(self.document.scene), name)
        hue = gui.add_rgb(f"{label} color".lstrip().capitalize(), colours.hue_of(now))
        most = colours.strength_of(now)
        strength = gui.add_number(
            f"{label} radiance".lstrip().capitalize(), most, min=0.0, max=MAX_RADIANCE, step=step, hint=hint
        )

        def hue_shown(part: Any) -> colours.Picked:
            radiance = getattr(part, name)
            return colours.hue_of(radiance) if any(radiance) else hue.value

        def changes(_: Any) -> dict[str, Any]:
            return {name: colours.radiance_of(hue.value, strength.value)}

        self.bind_to_part(hue, hue_shown, changes)
        self.bind_to_part(strength, lambda part: colours.strength_of(getattr(part, name)), changes)

    def _part_of(self, scene: Scene) -> Any:
        return scene if self._part is None else getattr(scene, self._part)

    def _with_part(self, part: Any) -> Scene:
        if self._part is None:
            changed: Scene = part
            return changed
        return self.document.scene.model_copy(update={self._part: part})
