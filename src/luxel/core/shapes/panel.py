"""Panels without thickness: in unit space the square [−1, 1]², or the unit disc, at z = 0."""

import warp as wp

from luxel.core.frames import PI
from luxel.core.shapes.local import INFINITY, LocalHit, SurfaceSample, rectangle_solid_angle


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
def sample_panel(scale: wp.vec3, u: wp.vec2, is_disc: bool) -> SurfaceSample:
    """A point uniform in the area."""
    point = wp.vec3(2.0 * u[0] - 1.0, 2.0 * u[1] - 1.0, 0.0)
    if is_disc:
        radius = wp.sqrt(u[0])
        angle = 2.0 * PI * u[1]
        point = wp.vec3(radius * wp.cos(angle), radius * wp.sin(angle), 0.0)
    return SurfaceSample(point, wp.vec3(0.0, 0.0, 1.0), sample_density_panel(scale, is_disc))


@wp.func
def sample_density_panel(scale: wp.vec3, is_disc: bool) -> float:
    """One over the world area."""
    return 1.0 / (wp.where(is_disc, PI, 4.0) * scale[0] * scale[1])
