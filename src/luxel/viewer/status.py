"""What a tab says of its picture: size, paths, errors, speed, and whether the scene is saved."""

import html
import math
import threading
import time
from contextlib import suppress

import viser

from luxel import InputError
from luxel.scene.description import Scene
from luxel.viewer.compose import Errors
from luxel.viewer.document import Document
from luxel.viewer.render_loop import Frame

PERIOD_S = 0.2
"""Between two texts while something moves."""
SLOW_S = 0.5
"""From which on a frame's time is told, and not how many there are in a second."""
RED, AMBER = "#e66", "#fb4"
FIRST = "the first picture is on its way, and takes longer where Luxel has not run before"
NO_PATHS = "error and truth need paths: give Paths a pixel; the network's picture is shown instead"
STYLE = "padding: 0 0.8em 0.5em; font-size: 0.85em; line-height: 1.5"


class Status:
    """A few lines at the top of a tab's panel; `weights` are called what str makes of them."""

    def __init__(self, gui: viser.GuiApi, weights: object, document: Document) -> None:
        self._weights, self._document = weights, document
        self._html = gui.add_html("", order=-1000)
        self._picture, self._warning = FIRST, ""
        self._told_at = -math.inf
        self._lock = threading.Lock()
        self.refresh()

    def refresh(self) -> None:
        """Say what is so now."""
        saved = "" if self._document.is_saved else " · not saved"
        dark = "<br>nothing gives light" if is_dark(self._document.scene) else ""
        text = f"{html.escape(self._document.path.name)}{saved} · {html.escape(str(self._weights))}"
        with self._lock:
            self._html.content = f'<div style="{STYLE}">{text}<br>{self._picture}{dark}{self._warning}</div>'

    def show(self, frame: Frame, errors: Errors | None, sending_s: float, needs_paths: bool = False) -> None:
        """Say what a frame is, and how long it took; of frames that come fast, not of each.

        `needs_paths` is of what is asked to be seen: without any the network's picture stands for it.
        """
        now = time.monotonic()
        if not frame.spp and now - self._told_at < PERIOD_S:
            return
        self._told_at = now
        self._picture = described(frame, sending_s)
        if errors is not None:
            self._picture += f"<br>network to paths: PSNR {errors.psnr:.1f} dB, FLIP {errors.flip:.3f}"
        if needs_paths and not frame.view.most_paths:
            self._picture += f"<br>{coloured(NO_PATHS, AMBER)}"
        self.refresh()

    def fail(self, message: str) -> None:
        """Say why there is no picture."""
        self._picture = coloured(message, RED)
        self.refresh()

    def warn(self, message: str | None) -> None:
        """Say from now on what makes the picture worthless though it is right; None: nothing does."""
        warning = f"<br>{coloured(message, AMBER)}" if message else ""
        if warning != self._warning:
            self._warning = warning
            self.refresh()


def coloured(message: str, color: str) -> str:
    """The message in HTML."""
    return f'<span style="color: {color}">{html.escape(message)}</span>'


def is_dark(scene: Scene) -> bool:
    """Whether nothing gives light, as far as can be told: the file of a map may be gone."""
    with suppress(InputError):
        return not scene.is_lit
    return False


def described(frame: Frame, sending_s: float) -> str:
    """A frame in words, in HTML."""
    height, width, _ = frame.best.shape
    seconds = frame.seconds + sending_s
    if not frame.spp:
        is_slow = frame.is_whole or seconds > SLOW_S
        speed = f"{seconds:.1f} s" if is_slow else f"{1 / seconds:.0f} frames/s"
        return f"{width}×{height}, network alone<br>{speed}"
    mean = float(frame.best.mean())
    relative = f" ({100 * frame.error / mean:.1f} %)" if mean else ""
    error = f"estimated error {frame.error:.2g}{relative}"
    return f"{width}×{height}, {frame.spp} paths a pixel<br>{error}, {seconds:.1f} s a pass"
