"""The numbers by which kernels know the unit shapes, of which every object is an affine image."""

from typing import Final

import warp as wp

from luxel.scene.description import Object

SPHERE: Final = wp.constant(0)  # x² + y² + z² ≤ 1, scaled alike in all directions
ELLIPSOID: Final = wp.constant(1)  # the same, scaled in any way
BOX: Final = wp.constant(2)  # [−1, 1]³
CYLINDER: Final = wp.constant(3)  # x² + y² ≤ 1, |z| ≤ 1
RECTANGLE: Final = wp.constant(4)  # [−1, 1]² at z = 0, both sides of which are outside
DISC: Final = wp.constant(5)  # x² + y² ≤ 1 at z = 0, likewise
PLANE: Final = wp.constant(6)  # z ≤ 0


def kind_of(item: Object) -> int:
    """The number of an object's unit shape."""
    match item.shape:
        case "sphere":
            return SPHERE
        case "ellipsoid":
            return ELLIPSOID if len(set(item.semi_axes)) > 1 else SPHERE
        case "box":
            return BOX
        case "cylinder":
            return CYLINDER
        case "panel":
            return RECTANGLE if item.outline == "rectangle" else DISC
        case "plane":
            return PLANE
