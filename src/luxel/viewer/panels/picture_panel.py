"""The panel of the picture: its size, how it is shown, and what it is compared with."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import viser

from luxel.image.tonemap import TONE_MAPS
from luxel.viewer.compose import LAYERS, Look

DEFAULT_PATHS = 1024
MOST_PATHS = 1 << 24
MOST_PIXELS = 8192
"""A side."""


@dataclass(frozen=True)
class Settings:
    """How pictures are made and shown, in every tab."""

    height: int = 360
    """Of the picture at rest, in pixels."""
    width: int | None = None
    """None: as the window has it."""
    most_paths: int = DEFAULT_PATHS
    """A pixel, at which a picture is done."""
    look: Look = Look()


class PicturePanel:
    """Inputs for `Settings`; `changed` is called with new ones."""

    def __init__(self, gui: viser.GuiApi, settings: Settings, changed: Callable[[Settings], object]) -> None:
        look, self._changed = settings.look, changed
        with gui.add_folder("Display"):
            self._exposure = gui.add_slider(
                "Exposure", -8.0, 8.0, 0.1, look.exposure, hint="Stops: 1 is twice as bright"
            )
            self._tone = gui.add_dropdown("Tone map", tuple(TONE_MAPS), initial_value=look.tone)
        with gui.add_folder("Compare"):
            self._left = gui.add_dropdown("Left", LAYERS, initial_value=look.left)
            self._right = gui.add_dropdown(
                "Right",
                LAYERS,
                initial_value=look.right,
                hint="truth: traced paths alone; error: FLIP of the network against them",
            )
            self._split = gui.add_slider("Split", 0.0, 1.0, 0.005, look.split, hint="1: left alone; 0: right alone")
        with gui.add_folder("Size and quality"):
            self._fills = gui.add_checkbox("Fill the window", settings.width is None)
            self._width = gui.add_number("Width", settings.width or 512, min=1, max=MOST_PIXELS, step=1, disabled=True)
            self._height = gui.add_number("Height", settings.height, min=1, max=MOST_PIXELS, step=1)
            self._paths = gui.add_number(
                "Paths a pixel",
                settings.most_paths,
                min=0,
                max=MOST_PATHS,
                step=1,
                hint="At most; 0: the network alone",
            )
        inputs = (self._exposure, self._tone, self._left, self._right, self._split)
        for handle in (*inputs, self._fills, self._width, self._height, self._paths):
            handle.on_update(self._update)

    async def _update(self, _: Any) -> None:
        self._width.disabled = self._fills.value
        self._changed(self.settings)

    @property
    def settings(self) -> Settings:
        """What the inputs say; a browser keeps to their limits only once a number is typed in."""
        return Settings(
            height=within(self._height.value, 1, MOST_PIXELS),
            width=None if self._fills.value else within(self._width.value, 1, MOST_PIXELS),
            most_paths=within(self._paths.value, 0, MOST_PATHS),
            look=Look(
                left=self._left.value,
                right=self._right.value,
                split=self._split.value,
                tone=self._tone.value,
                exposure=self._exposure.value,
            ),
        )


def within(value: int | float, low: int, high: int) -> int:
    """The nearest whole number between these."""
    return min(max(int(value), low), high)
