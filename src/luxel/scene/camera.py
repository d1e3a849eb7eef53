"""The camera's frame and its rays.

Camera space is right-handed: x to the right, y up, and the camera looks along −z (OpenGL's convention).
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64

from luxel.scene.description import Camera

NEAR_CLIP = 1e-3
"""Depth at which rays start, scene units along the viewing direction: Mitsuba cannot do without."""


class Frame(NamedTuple):
    """Where the camera stands: world = rotation @ camera + origin; columns are right, up and backward."""

    origin: Float64[np.ndarray, "3"]
    rotation: Float64[np.ndarray, "3 3"]


class Rays(NamedTuple):
    """World-space rays with unit directions; row 0 is the top of the image."""

    origin: Float64[np.ndarray, "3"]
    directions: Float64[np.ndarray, "height width 3"]


def frame(camera: Camera) -> Frame:
    """The camera's origin and world-from-camera rotation."""
    origin = np.array(camera.position)
    forward = np.array(camera.look_at) - origin
    forward /= np.linalg.norm(forward)
    right = _cross(forward, camera.up)
    right /= np.linalg.norm(right)
    return Frame(origin, np.stack([right, _cross(right, forward), -forward], axis=1))


def tan_half_fov(camera: Camera) -> float:
    """Half the image's height at distance 1."""
    return math.tan(math.radians(camera.vertical_fov_degrees) / 2)


def primary_rays(camera: Camera, width: int, height: int) -> Rays:
    """A ray through the centre of every pixel; pixels are square."""
    origin, rotation = frame(camera)
    scale = 2 * tan_half_fov(camera) / height
    x = (np.arange(width) + 0.5 - width / 2) * scale
    y = (height / 2 - 0.5 - np.arange(height)) * scale
    local = np.stack(np.broadcast_arrays(x[None, :], y[:, None], -1.0), axis=-1)
    directions = local @ rotation.T
    return Rays(origin, directions / np.linalg.norm(directions, axis=-1, keepdims=True))


def rotation_matrix(quaternion: Sequence[float] | Sequence[Sequence[float]]) -> Float64[np.ndarray, "*batch 3 3"]:
    """Rotations of quaternions (w, x, y, z), [..., 4], whose lengths are divided out."""
    array = np.asarray(quaternion, np.float64)
    w, x, y, z = np.moveaxis(array / np.linalg.norm(array, axis=-1, keepdims=True), -1, 0)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return np.moveaxis(np.array(rows), (0, 1), (-2, -1))


def _cross(
    a: Sequence[float] | Float64[np.ndarray, "3"], b: Sequence[float] | Float64[np.ndarray, "3"]
) -> Float64[np.ndarray, "3"]:
    """The vector product, in a tenth of np.cross's 30 µs, two of which were a third of packing a scene."""
    return np.array([a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]])
