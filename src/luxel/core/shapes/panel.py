"""Panels without thickness: in unit space the square [−1, 1]², or the unit disc, at z = 0."""

import warp as wp

from luxel.core.frames import PI
from luxel.core.shapes.local import INFINITY, LocalHit, SurfaceSample, rectangle_solid_angle

ELONGATED = wp.constant(2.0)  # ratio of axes above which 16 rays do better along the longest than in polar coordinates


@wp.func
def intersect_panel(start: wp.vec3, along: wp.vec3, on_surface: bool, is_disc: bool) -> float:
    """Distance along the ray to the surface, infinite if there is none ahead; a flat thing is never met twice."""
    t = float(INFINITY)
    if not on_surface and start[2] * along[2] < 0.0:
        distance = -start[2] / along[2]
        x = start[0] + distance * along[0]
        y = start[1] + distance * along[1]
        off = wp.where(is_disc, x * x + y * y, wp.max(wp.abs(x), wp.abs(y)))
        if off < 1.0:
            t = distance
    return t


@wp.func
def local_hit_panel(start: wp.vec3, along: wp.vec3, t: float) -> LocalHit:
    """The point at distance `t`, put back on the surface; the normal is the front's."""
    return LocalHit(wp.vec3(start[0] + t * along[0], start[1] + t * along[1], 0.0), wp.vec3(0.0, 0.0, 1.0))


@wp.func
def half_extent_panel(v: wp.vec3, is_disc: bool) -> float:
    """Half the extent along n, where v = world_from_unitᵀ · n."""
    return wp.where(is_disc, wp.sqrt(v[0] * v[0] + v[1] * v[1]), wp.abs(v[0]) + wp.abs(v[1]))


@wp.func
def solid_angle_panel(start: wp.vec3, scale: wp.vec3, is_disc: bool) -> float:
    """From `start`; of a disc about, by a rectangle of the same area."""
    p = wp.cw_mul(start, scale)
    shrink = wp.where(is_disc, wp.sqrt(PI) * 0.5, 1.0)
    return rectangle_solid_angle(p[0], p[1], wp.abs(p[2]), shrink * scale[0], shrink * scale[1])


@wp.func
def sample_disc_along(u: wp.vec2) -> wp.vec2:
    """A point uniform in the unit disc, whose x depends on u[0] alone and rises with it.

    Left of the chord at x = −cos(ψ/2) lies the share u[0] of the area where ψ − sin ψ = 2π u[0]. That is solved for the
    smaller of the chord's two sides: by ψ's series in the cube root of 6 (ψ − sin ψ), to 1 %, and a step of Halley's
    method, to 1e-5; where ψ is small, the series alone is better than float's ψ − sin ψ.
    """
    m = 2.0 * PI * wp.min(u[0], 1.0 - u[0])
    s = wp.cbrt(6.0 * m)
    square = s * s
    psi = s * (1.0 + square * (1.0 / 60.0 + square * (1.0 / 1400.0 + square * (1.0 / 25200.0))))
    if s > 0.5:
        excess = psi - wp.sin(psi) - m
        slope = 1.0 - wp.cos(psi)
        psi -= 2.0 * excess * slope / (2.0 * slope * slope - excess * wp.sin(psi))
    x = wp.cos(0.5 * psi)
    return wp.vec2(wp.where(u[0] < 0.5, -x, x), (2.0 * u[1] - 1.0) * wp.sin(0.5 * psi))


@wp.func
def sample_ellipse_along(x: wp.vec3, y: wp.vec3, view: wp.vec3, u: wp.vec2) -> wp.vec2:
    """(p, q), uniform in the unit disc, with u[0] along the direction in which p · x + q · y appears longest.

    Seen along `view`, from afar: the direction is the first eigenvector of the Gram matrix of x and y across the view.
    """
    along = view * (1.0 / wp.max(wp.dot(view, view), 1.0e-30))
    a = x - wp.dot(x, view) * along
    b = y - wp.dot(y, view) * along
    angle = 0.5 * wp.atan2(2.0 * wp.dot(a, b), wp.dot(a, a) - wp.dot(b, b))
    c = wp.cos(angle)
    s = wp.sin(angle)
    on = sample_disc_along(u)
    return wp.vec2(c * on[0] - s * on[1], s * on[0] + c * on[1])


@wp.func
def sample_panel(start: wp.vec3, scale: wp.vec3, u: wp.vec2, is_disc: bool) -> SurfaceSample:
    """A point uniform in the area; of a long ellipse with u[0] along what appears from `start` as its longest diameter.

    So points are as well spread along it as u[0] is; on a rounder one, polar coordinates do better.
    """
    on = wp.vec2(2.0 * u[0] - 1.0, 2.0 * u[1] - 1.0)
    if is_disc:
        if wp.max(scale[0], scale[1]) > ELONGATED * wp.min(scale[0], scale[1]):
            x = wp.vec3(scale[0], 0.0, 0.0)
            y = wp.vec3(0.0, scale[1], 0.0)
            on = sample_ellipse_along(x, y, wp.cw_mul(start, scale), u)
        else:
            radius = wp.sqrt(u[0])
            angle = 2.0 * PI * u[1]
            on = wp.vec2(radius * wp.cos(angle), radius * wp.sin(angle))
    return SurfaceSample(wp.vec3(on[0], on[1], 0.0), wp.vec3(0.0, 0.0, 1.0), sample_density_panel(scale, is_disc))


@wp.func
def sample_density_panel(scale: wp.vec3, is_disc: bool) -> float:
    """One over the world area."""
    return 1.0 / (wp.where(is_disc, PI, 4.0) * scale[0] * scale[1])
