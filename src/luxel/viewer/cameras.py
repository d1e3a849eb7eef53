"""Where a tab of the browser looks from, as a camera of Luxel's, and how a picture lies in its window.

A browser's camera is a pinhole. For an orthographic one it stands so far away that its rays are parallel nearly, and
what it sees at the distance of its target is what the picture shows.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
from jaxtyping import Float64, UInt8

from luxel.scene.camera import tan_half_fov
from luxel.scene.description import Camera
from luxel.scene.limits import MAX_LENGTH, MIN_LENGTH

Projection: TypeAlias = Literal["perspective", "orthographic"]
Triple: TypeAlias = tuple[float, float, float]
MARGIN = 24
"""Grey value beside a picture that doesn't fill its window."""
MIN_FOV, MAX_FOV = 1.0, 170.0
"""Degrees; see `luxel.scene.description.Camera`."""
MIN_USUAL_FOV, MAX_USUAL_FOV = 15.0, 90.0
"""Degrees of a camera that was orthographic; beyond them it changes its place instead."""
PARALLEL_FOV = math.radians(1.0)
"""Of the canvas, for parallel rays: at its edge what is as far behind the target as the picture is high is 1 % off."""
MIN_TILT = 1e-3
"""Radians between the viewing direction and `up`, as orbiting may end at the pole."""


@dataclass(frozen=True)
class Window:
    """A tab's canvas, and the picture in its middle, as large as it can be: width over height of both."""

    canvas_aspect: float
    picture_aspect: float

    @property
    def lower(self) -> float:
        """The picture's height over the canvas's."""
        return min(1.0, self.canvas_aspect / self.picture_aspect)

    def picture_fov(self, canvas_fov: float) -> float:
        """Vertical field of view of the picture, of the canvas's, both in radians."""
        return 2 * math.atan(math.tan(canvas_fov / 2) * self.lower)

    def canvas_fov(self, picture_fov: float) -> float:
        """The inverse of `picture_fov`."""
        return 2 * math.atan(math.tan(picture_fov / 2) / self.lower)

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


class Stand(NamedTuple):
    """A browser's camera: where it is, what it looks at, what is up, and the canvas's vertical field in radians."""

    position: Triple
    look_at: Triple
    up: Triple
    fov: float


def camera_of(there: Stand, window: Window, scene_camera: Camera) -> Camera:
    """The camera of a tab that shows the scene in the projection of its camera.

    An orthographic one stands as far before its target as the scene's, and farther where it shows more than that.
    Raises SceneError for what no camera can be.
    """
    origin, target = np.array(there.position, float), np.array(there.look_at, float)
    up = rounded(tilted(np.array(there.up, float), target - origin))
    if not scene_camera.is_orthographic:
        degrees = min(max(math.degrees(window.picture_fov(there.fov)), MIN_FOV), MAX_FOV)
        return Camera(position=rounded(origin), look_at=rounded(target), up=up, vertical_fov_degrees=round(degrees, 6))
    away = float(np.linalg.norm(target - origin))
    seen = 2 * away * math.tan(there.fov / 2) * window.lower
    extent = min(max(float(f"{seen:.9g}"), MIN_LENGTH), MAX_LENGTH)
    depth = distance(scene_camera) * max(1.0, extent / extent_of(scene_camera))
    return Camera(
        position=rounded(target + (origin - target) * (depth / away) if away else target),
        look_at=rounded(target),
        up=up,
        projection="orthographic",
        vertical_extent=extent,
    )


def stand_of(camera: Camera, window: Window) -> Stand:
    """The inverse of `camera_of`."""
    if not camera.is_orthographic:
        fov = window.canvas_fov(math.radians(camera.vertical_fov_degrees))
        return Stand(camera.position, camera.look_at, camera.up, fov)
    away = extent_of(camera) / window.lower / (2 * math.tan(PARALLEL_FOV / 2))
    return Stand(backed(camera, away), camera.look_at, camera.up, PARALLEL_FOV)


def with_projection(camera: Camera, projection: Projection) -> Camera:
    """The camera in another projection, that shows what it looks at as large as before."""
    if projection == camera.projection:
        return camera
    if projection == "orthographic":
        extent = min(max(extent_of(camera), MIN_LENGTH), MAX_LENGTH)
        return camera.model_copy(update={"projection": projection, "vertical_extent": float(f"{extent:.9g}")})
    fov = 2 * math.degrees(math.atan(extent_of(camera) / (2 * distance(camera))))
    usual = min(max(fov, MIN_USUAL_FOV), MAX_USUAL_FOV)
    away = extent_of(camera) / (2 * math.tan(math.radians(usual) / 2))
    return Camera(
        position=camera.position if usual == fov else backed(camera, away),
        look_at=camera.look_at,
        up=camera.up,
        vertical_fov_degrees=round(usual, 6),
    )


def parallel_ray(
    camera: Camera, origin: Float64[np.ndarray, "3"], direction: Float64[np.ndarray, "3"]
) -> tuple[Float64[np.ndarray, "3"], Float64[np.ndarray, "3"]]:
    """The orthographic camera's ray, origin and direction, through where a browser's is at the target's distance."""
    target, position = np.array(camera.look_at), np.array(camera.position)
    forward = target - position
    there = origin + direction * (np.dot(target - origin, forward) / np.dot(direction, forward))
    return there - forward, forward / np.linalg.norm(forward)


def distance(camera: Camera) -> float:
    """From the camera to what it looks at, scene units."""
    return math.dist(camera.position, camera.look_at)


def extent_of(camera: Camera) -> float:
    """Height of what the picture shows at the distance of what it looks at, scene units."""
    return 2 * tan_half_fov(camera) * (1.0 if camera.is_orthographic else distance(camera))


def backed(camera: Camera, away: float) -> Triple:
    """The place as far from what the camera looks at, in the same direction."""
    target = np.array(camera.look_at)
    return rounded(target + (np.array(camera.position) - target) * (away / distance(camera)))


def tilted(up: np.ndarray, forward: np.ndarray) -> np.ndarray:
    """`up`, or one beside it where that is as good as the viewing direction."""
    across = np.linalg.norm(np.cross(up, forward))
    if across > MIN_TILT * np.linalg.norm(up) * np.linalg.norm(forward):
        return up
    return up + np.linalg.norm(up) * np.array([0.0, 0.1, 0.0] if abs(up[1]) < 0.9 * np.linalg.norm(up) else [0.1, 0, 0])


def rounded(vector: Iterable[float]) -> Triple:
    """To 1e-9, as a browser's rounding is nobody's wish."""
    x, y, z = (round(float(component), 9) + 0.0 for component in vector)
    return x, y, z
