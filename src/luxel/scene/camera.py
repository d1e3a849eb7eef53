"""The camera's frame.

Camera space is right-handed: x to the right, y up, and the camera looks along −z (OpenGL's convention).
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np
from jaxtyping import Float, Float64

from luxel.scene.description import Camera

Number = TypeVar("Number", bound=Any)


class Frame(NamedTuple):
    """Where the camera stands: world = rotation @ camera + origin; columns are right, up and backward."""

    origin: Float64[np.ndarray, "3"]
    rotation: Float64[np.ndarray, "3 3"]


def frame(camera: Camera) -> Frame:
    """The camera's origin and world-from-camera rotation."""
    origin = np.array(camera.position)
    forward = np.array(camera.look_at) - origin
    forward /= np.linalg.norm(forward)
    right = _cross(forward, camera.up)
    right /= np.linalg.norm(right)
    return Frame(origin, np.stack([right, _cross(right, forward), -forward], axis=1))


def tan_half_fov(camera: Camera) -> float:
    """Half the image's height at distance 1; of an orthographic camera, at any distance, in scene units."""
    if camera.vertical_extent is not None:
        return camera.vertical_extent / 2
    return math.tan(math.radians(camera.vertical_fov_degrees) / 2)


def pixel_size(camera: Camera, distance: float, height: int) -> float:
    """The side, in scene units, of a pixel of a picture `height` pixels high, at a distance along the view."""
    return 2 * tan_half_fov(camera) * (1.0 if camera.is_orthographic else distance) / height


def rotation_matrix(
    quaternion: Sequence[float] | Sequence[Sequence[float]] | Float[np.ndarray, "*batch 4"],
) -> Float64[np.ndarray, "*batch 3 3"]:
    """Rotations of quaternions (w, x, y, z), [..., 4], whose lengths are divided out."""
    array = np.asarray(quaternion, np.float64)
    unit = np.moveaxis(array / np.linalg.norm(array, axis=-1, keepdims=True), -1, 0)
    return np.moveaxis(np.array(rotation_rows(*unit)), (0, 1), (-2, -1))


def rotation_rows(w: Number, x: Number, y: Number, z: Number) -> list[list[Number]]:
    """The rows of a unit quaternion's rotation; of numbers, or of NumPy's or torch's arrays."""
    return [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]


def _cross(
    a: Sequence[float] | Float64[np.ndarray, "3"], b: Sequence[float] | Float64[np.ndarray, "3"]
) -> Float64[np.ndarray, "3"]:
    """The vector product, in a tenth of np.cross's 30 µs, two of which were a third of packing a scene."""
    return np.array([a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]])
