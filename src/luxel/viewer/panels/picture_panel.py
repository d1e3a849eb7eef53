"""The panel of the picture: its size, how it is shown, and what it is compared with."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated, Any, TypeAlias

import viser
from pydantic import Field

from luxel.configuration import Configuration, PathCount
from luxel.image.tonemap import TONE_MAPS
from luxel.viewer.compose import LAYERS, Look
from luxel.viewer.panels.fields import Fields, Tell

NOTHING = "nothing"
DEFAULT_WIDTH, DEFAULT_PATHS = 512, 1024
Side: TypeAlias = Annotated[int, Field(ge=1, le=8192)]


@dataclass(frozen=True)
class Settings(Configuration):
    """How pictures are made and shown, in every tab."""

    height: Side = 360
    """Of the picture at rest, in pixels."""
    width: Side | None = None
    """None: as the window has it."""
    most_paths: PathCount = DEFAULT_PATHS
    """A pixel, at which a picture is done."""
    look: Look = Look()


class PicturePanel:
    """Inputs for `Settings`; `changed` is called with new ones, `tell` with what can't be."""

    def __init__(
        self, gui: viser.GuiApi, settings: Settings, changed: Callable[[Settings], object], tell: Tell
    ) -> None:
        self.settings, self._changed, self._gui = settings, changed, gui
        self._width = settings.width or DEFAULT_WIDTH
        self._fields = Fields(self, tell)
        with gui.add_folder("Display"):
            self._display_inputs(settings.look)
        with gui.add_folder("Compare"):
            self._compare_inputs(settings.look)
        with gui.add_folder("Size and quality"):
            self._size_inputs(settings)
        self._enable()

    @property
    def state(self) -> Settings:
        """What the inputs show."""
        return self.settings

    def _display_inputs(self, look: Look) -> None:
        gui = self._gui
        hint = "Stops: 1 is twice as bright"
        self._bind_look(gui.add_slider("Exposure", -8.0, 8.0, 0.1, look.exposure, hint=hint), "exposure")
        self._bind_look(gui.add_dropdown("Tone map", tuple(TONE_MAPS), initial_value=look.tone), "tone")

    def _compare_inputs(self, look: Look) -> None:
        gui = self._gui
        self._bind_look(gui.add_dropdown("Left", LAYERS, initial_value=look.left), "left")
        right = gui.add_dropdown(
            "Right",
            (NOTHING, *LAYERS),
            initial_value=look.right or NOTHING,
            hint="truth: traced paths alone; error: FLIP of the network against them",
        )
        self._fields.bind(
            right,
            lambda settings: settings.look.right or NOTHING,
            lambda layer: self._look(right=None if layer == NOTHING else layer),
        )
        self._split = gui.add_slider("Split", 0.0, 1.0, 0.005, look.split, hint="1: left alone; 0: right alone")
        self._bind_look(self._split, "split")

    def _size_inputs(self, settings: Settings) -> None:
        gui, fields = self._gui, self._fields
        fields.bind(
            gui.add_checkbox("Fill the window", settings.width is None),
            lambda settings: settings.width is None,
            lambda fills: self._set(width=None if fills else self._width),
        )
        self._wide: Any = fields.bind_numbers(
            gui, "Width", lambda settings: settings.width or self._width, lambda width: self._set(width=width)
        )
        fields.bind_numbers(gui, "Height", lambda settings: settings.height, lambda height: self._set(height=height))
        fields.bind_numbers(
            gui,
            "Paths a pixel",
            lambda settings: settings.most_paths,
            lambda paths: self._set(most_paths=paths),
            hint="At most; 0: the network alone",
        )

    def _bind_look(self, handle: Any, name: str) -> None:
        self._fields.bind(
            handle, lambda settings: getattr(settings.look, name), lambda value: self._look(**{name: value})
        )

    def _look(self, **changes: Any) -> None:
        self._set(look=self.settings.look._replace(**changes))

    def _set(self, **changes: Any) -> None:
        """Take new settings. Raises InputError for what they can't be."""
        self.settings = replace(self.settings, **changes)
        self._width = self.settings.width or self._width
        self._enable()
        self._fields.refresh(self.settings)
        self._changed(self.settings)

    def _enable(self) -> None:
        """Only what has an effect can be changed."""
        self._wide.disabled, self._split.disabled = self.settings.width is None, self.settings.look.right is None
