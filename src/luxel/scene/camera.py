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
    forward = _normalized(np.array(camera.look_at) - origin)
    right = _normalized(_cross(forward.tolist(), camera.up))
    up = _cross(right.tolist(), forward.tolist())
    return Frame(origin, np.array([right, up, -forward]).T)


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
    w, x, y, z = np.rollaxis(array / np.sqrt((array * array).sum(-1, keepdims=True)), -1)
    matrices = np.empty((*array.shape[:-1], 3, 3))
    for i, row in enumerate(rotation_rows(w, x, y, z)):
        for j, values in enumerate(row):
            matrices[..., i, j] = values
    return matrices


def rotation_rows(w: Number, x: Number, y: Number, z: Number) -> list[list[Number]]:
    """The rows of a unit quaternion's rotation; of numbers, or of NumPy's or torch's arrays."""
    x2, y2, z2 = 2 * x, 2 * y, 2 * z
    xx, yy, zz, xy, xz, yz = x2 * x, y2 * y, z2 * z, x2 * y, x2 * z, y2 * z
    wx, wy, wz = w * x2, w * y2, w * z2
    return [
        [1 - (yy + zz), xy - wz, xz + wy],
        [xy + wz, 1 - (xx + zz), yz - wx],
        [xz - wy, yz + wx, 1 - (xx + yy)],
    ]


def _normalized(vector: Float64[np.ndarray, "3"]) -> Float64[np.ndarray, "3"]:
    """Of unit length."""
    return vector / math.sqrt(vector.dot(vector))


def _cross(a: Sequence[float], b: Sequence[float]) -> Float64[np.ndarray, "3"]:
    """The vector product, in a tenth of np.cross's 30 µs, two of which were a third of packing a scene."""
    return np.array([a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]])
