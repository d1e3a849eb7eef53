"""A camera's rays in slow and obvious NumPy, to hold the core's against."""

from typing import NamedTuple

import numpy as np

from luxel.scene import Camera
from luxel.scene.camera import frame, tan_half_fov


class PrimaryRays(NamedTuple):
    """World-space rays with unit directions, [height, width, 3]; row 0 is the top of the image."""

    origin: np.ndarray
    directions: np.ndarray


def primary_rays(camera: Camera, width: int, height: int) -> PrimaryRays:
    """A ray through the centre of every pixel; pixels are square."""
    origin, rotation = frame(camera)
    scale = 2 * tan_half_fov(camera) / height
    x = (np.arange(width) + 0.5 - width / 2) * scale
    y = (height / 2 - 0.5 - np.arange(height)) * scale
    local = np.stack(np.broadcast_arrays(x[None, :], y[:, None], -1.0), axis=-1)
    directions = local @ rotation.T
    return PrimaryRays(origin, directions / np.linalg.norm(directions, axis=-1, keepdims=True))
