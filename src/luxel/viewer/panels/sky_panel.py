"""The panel of the background and the sky: none, a gradient, or an environment map."""

from pathlib import Path
from typing import Any

import viser

from luxel import InputError
from luxel.files.atomic import write_atomically
from luxel.scene.description import GradientSky, MapSky, Scene, Sky
from luxel.scene.environment import is_within_scene
from luxel.viewer.document import Document, State
from luxel.viewer.files import Files, free
from luxel.viewer.panels.fields import Fields, Tell
from luxel.viewer.panels.part_fields import PartFields

NONE, GRADIENT, MAP = KINDS = ("none", "gradient", "map")
ENDINGS = (".hdr", ".exr")
IN_THE_SCENE = "(in the scene)"
NEW_GRADIENT = GradientSky(zenith=(0.12, 0.25, 0.6), horizon=(0.45, 0.55, 0.7), ground=(0.2, 0.18, 0.15))
"""That of docs/scene.md."""


class SkyPanel:
    """Inputs for background and sky; those of the sky are made anew when it is of another kind."""

    def __init__(self, gui: viser.GuiApi, document: Document, tell: Tell, files: Files) -> None:
        self._gui, self._document, self._tell, self._files = gui, document, tell, files
        self._choices, self._inputs = Fields(document, tell), Fields(document, tell)
        self._background = PartFields(document, tell, None, Scene)
        self._kind = NONE
        self._map: MapSky | None = None
        """The last one, to come back to."""
        with gui.add_folder("Background"):
            self._background.radiance(gui, "background")
        with gui.add_folder("Sky") as self._folder:
            self._add_choices()
        self.refresh(document.state)

    def refresh(self, state: State) -> None:
        """Show the state."""
        sky, kind = state.scene.sky, kind_of(state.scene.sky)
        if isinstance(sky, MapSky):
            if self._map is None or sky.file != self._map.file:
                self._file.value = IN_THE_SCENE if is_within_scene(sky.file) else self._files.shown(Path(sky.file))
            self._map = sky
        self._background.refresh(state)
        self._choices.refresh(state)
        if kind == self._kind:
            return self._inputs.refresh(state)
        self._kind = kind
        self._inputs.clear()
        if sky is not None:
            with self._folder:
                self._add_inputs(sky)

    def _add_choices(self) -> None:
        gui = self._gui
        kind = gui.add_dropdown("Sky", KINDS, initial_value=NONE)
        self._choices.bind(kind, lambda state: kind_of(state.scene.sky), self._choose)
        self._file: Any = gui.add_text(
            "Map", "", hint="An .hdr or .exr picture of all directions, latitude by longitude"
        )
        button = gui.add_button("Use this map", icon=viser.Icon.MAP)
        self._choices.button(button, lambda _: self._use(self._file.value))
        upload = gui.add_upload_button("Upload a map …", icon=viser.Icon.UPLOAD)
        self._choices.upload(upload, lambda _, name, content: self._take(name, content))

    def _add_inputs(self, sky: Sky) -> None:
        """What this kind of sky has."""
        gui, inputs = self._gui, PartFields(self._document, self._tell, "sky", type(sky))
        if isinstance(sky, GradientSky):
            for name in ("zenith", "horizon", "ground"):
                inputs.radiance(gui, name, label=name)
        else:
            inputs.numbers(gui, "Rotation °", "rotation_degrees", hint="Anticlockwise from above")
            inputs.numbers(gui, "Strength", "scale")
        self._inputs = inputs

    def _choose(self, kind: str) -> None:
        if kind == MAP and self._map is None:
            raise InputError("sky is map: name its file below, or upload one")
        sky: dict[str, Sky | None] = {NONE: None, GRADIENT: NEW_GRADIENT, MAP: self._map}
        if kind != self._kind:
            self._set(sky[kind])

    def _use(self, name: str) -> None:
        """Take the map of a file. Raises InputError for none."""
        if name == IN_THE_SCENE and self._map is not None:
            return self._set(self._map)
        self._show(MapSky(file=str(self._files.named(name, ENDINGS))))

    def _take(self, name: str, content: bytes) -> None:
        """Take a map that a browser sent, kept beside the scene that was opened first. Raises InputError for none."""
        path = free(self._files.uploaded(name, ENDINGS))
        write_atomically(path, content)
        try:
            self._show(MapSky(file=str(path)))
        except InputError:
            path.unlink()
            raise

    def _show(self, sky: MapSky) -> None:
        """Make this the sky's map, turned and as strong as the last one."""
        last = self._map or sky
        self._set(sky.model_copy(update={"rotation_degrees": last.rotation_degrees, "scale": last.scale}))

    def _set(self, sky: Sky | None) -> None:
        self._document.edit(self._document.scene.model_copy(update={"sky": sky}))


def kind_of(sky: Sky | None) -> str:
    """How the panel calls it."""
    return NONE if sky is None else sky.kind
