"""One tab of a browser: its window, where it looks from, and the frame that it shows."""

import math
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import viser

from luxel.scene.camera import frame
from luxel.scene.description import Camera, Scene
from luxel.viewer.cameras import Stand, Window, camera_of, parallel_ray, rounded, stand_of, with_projection
from luxel.viewer.compose import composed, errors_of
from luxel.viewer.panels.picture_panel import Settings
from luxel.viewer.render_loop import Frame, View
from luxel.viewer.status import Status

QUALITY = 80
"""Of JPEG, while something moves; at rest pixels are sent as they are."""
PATIENCE_S = 2.0
"""After which a browser is believed that went elsewhere than where it was put."""
NEAR_TARGET = 1e-3
"""How near to where it was put, over the distance of its target, a browser is there."""
MAX_TELLINGS = 5
"""How often a browser is told where to be, at most, if it speaks meanwhile."""
MAX_ZOOM = 1e3
"""Factor by which a browser's camera may come nearer to its target, or go away from it, than where it was put."""


@dataclass
class Put:
    """Where a browser was told to be: what it says until it is there is of before, however long that takes."""

    stand: Stand
    before: tuple[Stand, ...]
    """Where it was, and was told to be, until then."""
    left_at: float = math.inf
    """When it was first seen at none of these, seconds of `time.monotonic`."""

    def hear(self, there: Stand) -> None:
        """Note when a browser says that it is elsewhere than where it may be, late or on time.

        A browser that is told a position, a target and an angle takes them one by one, and tells of each.
        """
        parts = zip(*(near_parts(there, place) for place in (self.stand, *self.before)), strict=True)
        if self.left_at == math.inf and not all(map(any, parts)):
            self.left_at = time.monotonic()


class Tab:
    """A client of viser's and its picture. `fixed_side` is that of a model which renders one size alone."""

    def __init__(self, client: viser.ClientHandle, status: Status, camera: Camera) -> None:
        self.client, self.status = client, status
        self._stood = camera
        """Where it stood last: what projection it has, and how far an orthographic camera is from its target."""
        self._put: Put | None = None
        self._placing = threading.RLock()
        """Held where `_stood` and `_put` are read or set: what a browser says is heard by many threads."""
        self.request_turn = threading.Lock()
        """Held from a look at where it is to the request of that view, so that the last look makes the last request."""
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
        with self._placing:
            if self._put is not None and time.monotonic() < self._put.left_at + PATIENCE_S:
                return self._stood
            self._put = None
            return camera_of(self._stand(), window, self._stood)

    def moved(self) -> None:
        """The browser has said where its camera is."""
        with self._placing:
            there = self._stand()
            if self._put is None or is_near(there, self._put.stand):
                self._put = None
            else:
                self._put.hear(there)

    def _stand(self) -> Stand:
        there = self.client.camera
        return Stand(rounded(there.position), rounded(there.look_at), rounded(there.up_direction), there.fov)

    def view(self, scene: Scene, camera: Camera, settings: Settings, fixed_side: int | None) -> View:
        """What the tab is to show of a scene from there. Raises SceneError for one whose map can't be read any more."""
        _, width, height = self.window(settings, fixed_side)
        return View(scene.model_copy(update={"camera": camera}), width, height, settings.most_paths)

    def stand(self, camera: Camera, window: Window) -> None:
        """Look from where a camera is, in its projection."""
        there, stand = self.client.camera, stand_of(camera, window)
        away = math.dist(stand.position, stand.look_at)
        with self._placing, self.client.atomic():
            put, now = self._put, self._stand()
            before = (now,) if put is None else (now, put.stand, *put.before)
            self._stood = camera
            self._put = None if put is None and is_near(now, stand) else Put(stand, before)
            there.max_orbit_distance = math.inf  # which viser never lets be less than the other
            there.min_orbit_distance, there.max_orbit_distance = away / MAX_ZOOM, away * MAX_ZOOM
            there.near, there.far = 0.1 * away / MAX_ZOOM, 10 * away * MAX_ZOOM
            there.up_direction = frame(camera).rotation[:, 1] if looks_along_up(camera) else camera.up
            self._tell(stand)

    def _tell(self, stand: Stand) -> None:
        """Tell the browser where to be.

        viser sends nothing for a value that the browser has said itself, and setting a position moves its target: what
        a browser says between the two keeps the right target from being sent. So it is told again.
        """
        for _ in range(MAX_TELLINGS):
            there = self.client.camera
            there.position, there.look_at, there.fov = stand.position, stand.look_at, stand.fov
            if is_near(self._stand(), stand):
                return

    def take_projection(self, scene_camera: Camera, window: Window) -> None:
        """Show in the projection of the scene's camera what the tab shows in another one."""
        with self._placing:
            if self._stood.projection != scene_camera.projection:
                self.stand(with_projection(self.camera(window), scene_camera.projection), window)

    def ray(self, window: Window, origin: Iterable[float], direction: Iterable[float]) -> tuple[np.ndarray, np.ndarray]:
        """Origin and direction of what the tab's camera sees where a ray of the browser's is."""
        ray, camera = (np.array([*origin], float), np.array([*direction], float)), self.camera(window)
        return parallel_ray(camera, *ray) if camera.is_orthographic else ray

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
        self.status.show(found, errors, time.perf_counter() - started, look.needs_paths)


def is_near(there: Stand, put: Stand) -> bool:
    """Whether a browser's camera is where it was put, but for rounding."""
    return all(near_parts(there, put))


def near_parts(there: Stand, put: Stand) -> tuple[bool, bool, bool]:
    """Whether position, target and angle of a browser's camera are where it was put."""
    slack = NEAR_TARGET * math.dist(put.position, put.look_at)
    return (
        math.dist(there.position, put.position) <= slack,
        math.dist(there.look_at, put.look_at) <= slack,
        math.isclose(there.fov, put.fov, rel_tol=NEAR_TARGET),
    )


def looks_along_up(camera: Camera) -> bool:
    """Whether the camera looks along its `up` nearly, where viser's orbit would turn it about."""
    forward = [b - a for a, b in zip(camera.position, camera.look_at, strict=True)]
    length = math.hypot(*forward) * math.hypot(*camera.up)
    return abs(sum(a * b for a, b in zip(forward, camera.up, strict=True))) > 0.999 * length
