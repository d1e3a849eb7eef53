"""Boxes in pixels around whole objects, as if the picture had no border.

Every shape is the convex hull of a few ellipsoids: itself; a cylinder's two rims, flat ones; a box's eight corners,
which have no extent. The tangent planes π of an ellipsoid x = M u, |u| = 1, satisfy πᵀ Q π = 0 with the dual quadric
Q = M diag(1, 1, 1, −1) Mᵀ, and the tangent lines l of its picture by the camera P satisfy lᵀ C l = 0 with the dual
conic C = P Q Pᵀ (Hartley and Zisserman, Multiple View Geometry, 2nd ed., equation 8.5).
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64

from luxel.scene.description import Object
from luxel.scene.placing import affine


class Hull(NamedTuple):
    """Equal ellipsoids in unit space, whose convex hull a shape is."""

    radii: tuple[int, int, int]
    """Along x, y, z."""
    centers: tuple[tuple[int, int, int], ...]


BALL = Hull((1, 1, 1), ((0, 0, 0),))
HULLS = {
    "sphere": BALL,
    "ellipsoid": BALL,
    "box": Hull((0, 0, 0), tuple((x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1))),
    "cylinder": Hull((1, 1, 0), ((0, 0, -1), (0, 0, 1))),
    "rectangle": Hull((0, 0, 0), ((-1, -1, 0), (-1, 1, 0), (1, -1, 0), (1, 1, 0))),
    "ellipse": Hull((1, 1, 0), ((0, 0, 0),)),
}
"""By shape, or by a panel's outline."""


def whole_box(
    item: Object,
    world_from_unit: Float64[np.ndarray, "4 4"],
    pixels_from_world: Float64[np.ndarray, "3 4"],
    depth_from_world: Float64[np.ndarray, "4"],
) -> Float64[np.ndarray, "4"]:
    """(x0, y0, x1, y1) in pixels, maybe outside the picture; NaN for a plane, and unless all is before the camera."""
    hull = HULLS.get(item.outline if item.shape == "panel" else item.shape)
    if hull is None:
        return np.full(4, np.nan)
    parts = [world_from_unit @ of_part(hull.radii, center) for center in hull.centers]
    if min(nearest(part, depth_from_world) for part in parts) <= 0:
        return np.full(4, np.nan)
    boxes = np.array([conic_box(pixels_from_world @ part) for part in parts])
    return np.concatenate([boxes[:, :2].min(0), boxes[:, 2:].max(0)])


def of_part(radii: tuple[int, int, int], center: tuple[int, int, int]) -> Float64[np.ndarray, "4 4"]:
    """Unit space from the unit ball of one ellipsoid."""
    return affine(np.diag(np.array(radii, np.float64)), np.array(center, np.float64))


def nearest(part: Float64[np.ndarray, "4 4"], depth_from_world: Float64[np.ndarray, "4"]) -> float:
    """The least depth of an ellipsoid, world from unit ball."""
    row = depth_from_world @ part
    return float(row[3] - np.linalg.norm(row[:3]))


def conic_box(pixels_from_unit: Float64[np.ndarray, "3 4"]) -> Float64[np.ndarray, "4"]:
    """(x0, y0, x1, y1) of the picture of the unit ball.

    The line at x, l = (1, 0, −x), is tangent where C₀₀ − 2 x C₀₂ + x² C₂₂ = 0; C₂₂ < 0 for what is before the camera.
    """
    conic = (pixels_from_unit * [1, 1, 1, -1]) @ pixels_from_unit.T
    middle = conic[:2, 2] / conic[2, 2]
    half = np.sqrt(np.maximum(middle**2 - np.diag(conic)[:2] / conic[2, 2], 0.0))
    return np.concatenate([middle - half, middle + half])
