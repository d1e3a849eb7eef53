"""Where a tab of the browser looks from, as a camera of Luxel's, and how a picture lies in its window."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

from luxel.scene.description import Camera

MARGIN = 24
"""Grey value beside a picture that doesn't fill its window."""
NARROWEST, WIDEST = 1.0, 170.0
"""Degrees; see `luxel.scene.description.Camera`."""
LEAST_TILT = 1e-3
"""Radians between the viewing direction and `up`, as orbiting may end at the pole."""


@dataclass(frozen=True)
class Window:
    """A tab's canvas, and the picture in its middle, as large as it can be: width over height of both."""

    canvas_aspect: float
    picture_aspect: float

    @property
    def _lower(self) -> float:
        """The picture's height over the canvas's."""
        return min(1.0, self.canvas_aspect / self.picture_aspect)

    def picture_fov(self, canvas_fov: float) -> float:
        """Vertical field of view of the picture, of the canvas's, both in radians."""
        return 2 * math.atan(math.tan(canvas_fov / 2) * self._lower)

    def canvas_fov(self, picture_fov: float) -> float:
        """The inverse of `picture_fov`."""
        return 2 * math.atan(math.tan(picture_fov / 2) / self._lower)

    def framed(self, pixels: UInt8[np.ndarray, "height width 3"]) -> UInt8[np.ndarray, "rows columns 3"]:
        """The picture with what the canvas has beside it, above and below."""
        height, width, _ = pixels.shape
        rows = max(height, round(width / self.canvas_aspect))
        columns = max(width, round(height * self.canvas_aspect))
        if (rows, columns) == (height, width):
            return pixels
        framed = np.full((rows, columns, 3), MARGIN, np.uint8)
        top, left = (rows - height) // 2, (columns - width) // 2
        framed[top : top + height, left : left + width] = pixels
        return framed


def camera_of(
    position: Iterable[float], look_at: Iterable[float], up: Iterable[float], fov: float, window: Window
) -> Camera:
    """The camera of a tab, whose canvas has the vertical field of view `fov` in radians.

    Raises SceneError for what no camera can be.
    """
    degrees = min(max(math.degrees(window.picture_fov(fov)), NARROWEST), WIDEST)
    origin, target = np.array([*position], float), np.array([*look_at], float)
    return Camera(
        position=rounded(origin),
        look_at=rounded(target),
        up=rounded(tilted(np.array([*up], float), target - origin)),
        vertical_fov_degrees=round(degrees, 6),
    )


def tilted(up: np.ndarray, forward: np.ndarray) -> np.ndarray:
    """`up`, or one beside it where that is as good as the viewing direction."""
    across = np.linalg.norm(np.cross(up, forward))
    if across > LEAST_TILT * np.linalg.norm(up) * np.linalg.norm(forward):
        return up
    return up + np.linalg.norm(up) * np.array([0.0, 0.1, 0.0] if abs(up[1]) < 0.9 * np.linalg.norm(up) else [0.1, 0, 0])


def rounded(vector: Iterable[float]) -> tuple[float, float, float]:
    """To 1e-9, as a browser's rounding is nobody's wish."""
    x, y, z = (round(float(component), 9) + 0.0 for component in vector)
    return x, y, z
