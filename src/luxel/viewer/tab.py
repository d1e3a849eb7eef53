"""One tab of a browser: its window, where it looks from, and the frame that it shows."""

import math
import threading
import time
from typing import Literal

import viser

from luxel.scene.camera import frame
from luxel.scene.description import Camera, Scene
from luxel.viewer.cameras import Window, camera_of
from luxel.viewer.compose import composed, errors_of
from luxel.viewer.panels.picture_panel import Settings
from luxel.viewer.render_loop import Frame, View
from luxel.viewer.status import Status

QUALITY = 80
"""Of JPEG, while something moves; at rest pixels are sent as they are."""


class Tab:
    """A client of viser's and its picture. `fixed_side` is that of a model which renders one size alone."""

    def __init__(self, client: viser.ClientHandle, status: Status) -> None:
        self.client, self.status = client, status
        self.frame: Frame | None = None
        self._lock = threading.Lock()

    def window(self, settings: Settings, fixed_side: int | None) -> tuple[Window, int, int]:
        """How the picture lies in the tab, and the picture's width and height in pixels."""
        canvas = self.client.camera.aspect
        if fixed_side is not None:
            return Window(canvas, 1.0), fixed_side, fixed_side
        if settings.width is None:
            return Window(canvas, canvas), max(1, round(settings.height * canvas)), settings.height
        return Window(canvas, settings.width / settings.height), settings.width, settings.height

    def camera(self, window: Window) -> Camera:
        """Where the tab looks from. Raises SceneError for what no camera can be."""
        there = self.client.camera
        return camera_of(there.position, there.look_at, there.up_direction, there.fov, window)

    def view(self, scene: Scene, settings: Settings, fixed_side: int | None) -> View:
        """What the tab is to show of a scene. Raises SceneError as `camera` does."""
        window, width, height = self.window(settings, fixed_side)
        seen = scene.model_copy(update={"camera": self.camera(window)})
        return View(seen, width, height, settings.most_paths)

    def stand(self, camera: Camera, window: Window) -> None:
        """Look from where a camera is."""
        there = self.client.camera
        with self.client.atomic():
            there.up_direction = frame(camera).rotation[:, 1] if looks_along_up(camera) else camera.up
            there.position = camera.position
            there.look_at = camera.look_at
            there.fov = window.canvas_fov(math.radians(camera.vertical_fov_degrees))

    def show(self, found: Frame, settings: Settings, fixed_side: int | None) -> None:
        """Send a frame, unless a later one was shown, and say what it is."""
        started, look = time.perf_counter(), settings.look
        errors = errors_of(found, look) if look.compares else None
        window, _, _ = self.window(settings, fixed_side)
        pixels = window.framed(composed(found, look, errors))
        with self._lock:
            if self.frame is not None and (found.version, found.spp) < (self.frame.version, self.frame.spp):
                return
            self.frame = found
            kind: Literal["png", "jpeg"] = "png" if found.is_whole else "jpeg"
            self.client.scene.set_background_image(pixels, format=kind, jpeg_quality=QUALITY)
            self.client.flush()
        self.status.show(found, errors, time.perf_counter() - started)


def looks_along_up(camera: Camera) -> bool:
    """Whether the camera looks along its `up` nearly, where viser's orbit would turn it about."""
    forward = [b - a for a, b in zip(camera.position, camera.look_at, strict=True)]
    length = math.hypot(*forward) * math.hypot(*camera.up)
    return abs(sum(a * b for a, b in zip(forward, camera.up, strict=True))) > 0.999 * length
