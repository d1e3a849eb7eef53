"""What the shapes' files have in common. Unit space is where an object is its unit shape; see `kinds`."""

import math

import warp as wp

INFINITY = wp.constant(math.inf)


@wp.struct
class LocalHit:
    """A point of a unit shape's surface and the outward normal there, whose length means nothing."""

    point: wp.vec3
    normal: wp.vec3


@wp.struct
class SurfaceSample:
    """A point of the surface in unit space, the normal there as in LocalHit, and its density per world area."""

    point: wp.vec3
    normal: wp.vec3
    density: float


@wp.func
def nearest_in_interval(interval: wp.vec2, on_surface: bool) -> float:
    """Where a ray first meets a convex solid that it is within for interval[0] < t < interval[1]; infinite if nowhere.

    A ray that starts on the surface leaves the solid through the far side, or has left it: one end is known to be 0,
    so that the middle tells which, and no offset is needed.
    """
    t = float(INFINITY)
    if interval[0] < interval[1]:
        if on_surface:
            if interval[0] + interval[1] > 0.0:
                t = interval[1]
        elif interval[0] > 0.0:
            t = interval[0]
        elif interval[1] > 0.0:
            t = interval[1]
    return t


@wp.func
def slab(start: float, along: float) -> wp.vec2:
    """For which t |start + t · along| < 1."""
    inverse = 1.0 / wp.where(wp.abs(along) < 1.0e-20, 1.0e-20, along)
    a = (-1.0 - start) * inverse
    b = (1.0 - start) * inverse
    return wp.vec2(wp.min(a, b), wp.max(a, b))


@wp.func
def rectangle_solid_angle(x: float, y: float, height: float, a: float, b: float) -> float:
    """Of the rectangle |x'| < a, |y'| < b at z = 0 from the point (x, y, height), height > 0.

    Four corners' arctangents; far away, where they cancel, area · cos θ / distance².
    """
    square = x * x + y * y + height * height
    area = 4.0 * a * b
    result = area * height / (square * wp.sqrt(square))
    if square < 64.0 * (a * a + b * b):
        result = (
            corner(a - x, b - y, height)
            + corner(a + x, b - y, height)
            + corner(a - x, b + y, height)
            + corner(a + x, b + y, height)
        )
    return wp.max(result, 0.0)


@wp.func
def corner(x: float, y: float, height: float) -> float:
    """Solid angle of the rectangle from the foot of the perpendicular to (x, y), with the sign of x · y."""
    return wp.atan2(x * y, height * wp.sqrt(x * x + y * y + height * height))
