"""Inputs for one part of the scene: its camera, its sky, its sun, or what the scene itself has."""

from collections.abc import Callable
from typing import Any

import viser
from pydantic import BaseModel

from luxel.scene.description import Scene
from luxel.viewer import colours
from luxel.viewer.document import Document, State
from luxel.viewer.panels.fields import Fields, Tell


class PartFields(Fields):
    """Inputs that show and change fields of `scene.part`, or of the scene without a `part`, while it is of a `kind`."""

    def __init__(self, document: Document, tell: Tell, part: str | None, kind: type[BaseModel]) -> None:
        super().__init__(document, tell)
        self.document = document
        self._part, self._kind = part, kind

    def bind_to_part(self, handle: Any, read: Callable[[Any], Any], changes: Callable[[Any], dict[str, Any]]) -> Any:
        """Let an input show what `read` says of the part, and make the `changes` of its fields that a value means."""
        return self.bind(handle, self._reader(read, lambda: handle.value), self._writer(handle.label, changes))

    def numbers_of_part(
        self,
        gui: viser.GuiApi,
        label: str,
        read: Callable[[Any], Any],
        changes: Callable[[Any], dict[str, Any]],
        **options: Any,
    ) -> Any:
        """Add an input for a number, or a tuple of them, and bind it as `bind_to_part` does; returns it."""
        now = read(self._part_of(self.document.scene))
        return self.bind_numbers(gui, label, self._reader(read, lambda: now), self._writer(label, changes), **options)

    def numbers(self, gui: viser.GuiApi, label: str, name: str, **options: Any) -> Any:
        """Add an input for a field of numbers; returns it."""
        return self.numbers_of_part(
            gui, label, lambda part: getattr(part, name), lambda value: {name: value}, **options
        )

    def slider(self, handle: Any, name: str) -> Any:
        """Bind a slider to a field that is a number; returns it."""
        return self.bind_to_part(handle, lambda part: getattr(part, name), lambda value: {name: float(value)})

    def radiance(self, gui: viser.GuiApi, name: str, hint: str | None = None, label: str = "") -> None:
        """A colour and a number for a field of radiance, whose strongest channel the number is.

        What is black keeps the hue that it had.
        """

        def strength_of(part: Any) -> float:
            return colours.strength_of(getattr(part, name))

        def hue_shown(part: Any) -> colours.Picked:
            return colours.hue_of(getattr(part, name)) if strength_of(part) else hue.value

        def changes_of_hue(picked: colours.Picked) -> dict[str, Any]:
            return {name: colours.radiance_of(picked, strength_of(self._part_of(self.document.scene)))}

        now = getattr(self._part_of(self.document.scene), name)
        hue = gui.add_rgb(f"{label} color".lstrip().capitalize(), colours.hue_of(now))
        self.bind_to_part(hue, hue_shown, changes_of_hue)
        self.numbers_of_part(
            gui,
            f"{label} radiance".lstrip().capitalize(),
            strength_of,
            lambda strength: {name: colours.radiance_of(hue.value, strength)},
            hint=hint,
        )

    def _reader(self, read: Callable[[Any], Any], otherwise: Callable[[], Any]) -> Callable[[State], Any]:
        """What a state's part has, and what stands for that of a part of another kind."""

        def read_part(state: State) -> Any:
            part = self._part_of(state.scene)
            return read(part) if isinstance(part, self._kind) else otherwise()

        return read_part

    def _writer(self, label: str, changes: Callable[[Any], dict[str, Any]]) -> Callable[[Any], None]:
        def write_part(value: Any) -> None:
            part = self._part_of(self.document.scene)
            if isinstance(part, self._kind):
                changed = part.model_copy(update=changes(value))
                self.document.edit(self._with_part(changed), gesture=(self._part, label))

        return write_part

    def _part_of(self, scene: Scene) -> Any:
        return scene if self._part is None else getattr(scene, self._part)

    def _with_part(self, part: Any) -> Scene:
        if self._part is None:
            changed: Scene = part
            return changed
        return self.document.scene.model_copy(update={self._part: part})
