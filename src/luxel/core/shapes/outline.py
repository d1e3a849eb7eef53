"""How far within a shape's outline a ray passes, so that shares of pixels change steadily as outlines move over them.

Margins are 1 where the ray goes through the middle, 0 on the outline and negative beside it, in unit space; along a
line across the view they change about linearly near the outline. Of solids they are lines', whichever way they go.
"""

import warp as wp

from luxel.core.shapes.kinds import BOX, CYLINDER, DISC, ELLIPSOID, PLANE
from luxel.core.shapes.shape import Shape

MIN_SQUARE = wp.constant(0.4)
FAR_BESIDE = wp.constant(-1.0e6)  # the margin of rays that never come to a panel's plane


@wp.func
def ellipsoid_margin(start: wp.vec3, along: wp.vec3) -> float:
    """By the line's closest approach to the centre."""
    nearest = start - wp.dot(start, along) / wp.dot(along, along) * along
    return 1.0 - wp.length(nearest)


@wp.func
def box_margin(start: wp.vec3, along: wp.vec3) -> float:
    """By the axes that may separate a line from a cube, the cross products with its edges (Gottschalk et al. 1996)."""
    moment = wp.cross(start, along)
    least = 1.0e-6 * wp.length(along)
    x = wp.abs(moment[0]) / wp.max(wp.abs(along[1]) + wp.abs(along[2]), least)
    y = wp.abs(moment[1]) / wp.max(wp.abs(along[2]) + wp.abs(along[0]), least)
    z = wp.abs(moment[2]) / wp.max(wp.abs(along[0]) + wp.abs(along[1]), least)
    return 1.0 - wp.max(wp.max(x, y), z)


@wp.func
def cylinder_margin(start: wp.vec3, along: wp.vec3) -> float:
    """By the distance from the axis, and by how high within the mantle the line gets."""
    across = wp.sqrt(along[0] * along[0] + along[1] * along[1])
    if across <= 1.0e-6 * wp.abs(along[2]):  # along the axis
        return 1.0 - wp.sqrt(start[0] * start[0] + start[1] * start[1])
    offset = wp.abs(start[0] * along[1] - start[1] * along[0]) / across
    middle = start[2] - along[2] * (start[0] * along[0] + start[1] * along[1]) / (across * across)
    reach = 1.0 + wp.abs(along[2]) / across * wp.sqrt(wp.max(1.0 - offset * offset, 0.0))
    return wp.min(1.0 - offset, 1.0 - wp.abs(middle) / reach)


@wp.func
def panel_margin(start: wp.vec3, along: wp.vec3, is_disc: bool) -> float:
    """By where in its plane the ray arrives."""
    result = float(FAR_BESIDE)
    if start[2] * along[2] < 0.0:
        x = wp.abs(start[0] - start[2] / along[2] * along[0])
        y = wp.abs(start[1] - start[2] / along[2] * along[1])
        result = wp.max(1.0 - wp.where(is_disc, wp.sqrt(x * x + y * y), wp.max(x, y)), FAR_BESIDE)
    return result


@wp.func
def outline_margin(shape: Shape, origin: wp.vec3, direction: wp.vec3) -> float:
    """Of any shape; of a plane, from either side, the cosine."""
    start = shape.unit_from_world * (origin - shape.center)
    along = shape.unit_from_world * direction
    margin = float(0.0)
    if shape.kind <= ELLIPSOID:
        margin = ellipsoid_margin(start, along)
    elif shape.kind == BOX:
        margin = box_margin(start, along)
    elif shape.kind == CYLINDER:
        margin = cylinder_margin(start, along)
    elif shape.kind == PLANE:
        margin = wp.where(start[2] > 0.0, -along[2], along[2]) / wp.length(along)
    else:
        margin = panel_margin(start, along, shape.kind == DISC)
    return margin


@wp.func
def share_inside(margin: float, beside: float, below: float, step: float, spacing: float) -> float:
    """The share of the square about a ray that is within an outline, by the margin there and two steps away.

    The square is `spacing` wide, and outlines are straight in it; or MIN_SQUARE of half the shape's width, if that is
    less, so that many rays' shares add up to a small disc's area but for a hundredth. `beside` and `below` are `step`
    away along both sides.
    """
    slope = wp.sqrt((beside - margin) * (beside - margin) + (below - margin) * (below - margin)) / step
    return wp.clamp(0.5 + margin / wp.clamp(slope * spacing, 1.0e-6, MIN_SQUARE), 0.0, 1.0)
