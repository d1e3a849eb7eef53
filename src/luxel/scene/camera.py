"""The camera's frame and its rays.

Camera space is right-handed: x to the right, y up, and the camera looks along −z (OpenGL's convention).
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64

from luxel.scene.description import Camera


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
    right = np.cross(forward, np.array(camera.up))
    right /= np.linalg.norm(right)
    return Frame(origin, np.stack([right, np.cross(right, forward), -forward], axis=1))


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


def rotation_matrix(quaternion: Sequence[float]) -> Float64[np.ndarray, "3 3"]:
    """Rotation of a quaternion (w, x, y, z), whose length is divided out."""
    w, x, y, z = np.array(quaternion) / np.linalg.norm(quaternion)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )
