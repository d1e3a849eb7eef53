"""Infinite planes: in unit space z ≤ 0 is inside. They can't be sampled; what they emit is found by chance."""

import warp as wp

from luxel.core.shapes.local import INFINITY, LocalHit


@wp.func
def intersect_plane(start: wp.vec3, along: wp.vec3, on_surface: bool) -> float:
    """Distance along the ray to the surface, infinite if there is none ahead."""
    t = float(INFINITY)
    if not on_surface and start[2] * along[2] < 0.0:
        t = -start[2] / along[2]
    return t


@wp.func
def local_hit_plane(start: wp.vec3, along: wp.vec3, t: float) -> LocalHit:
    """The point at distance `t`, put back on the surface."""
    return LocalHit(wp.vec3(start[0] + t * along[0], start[1] + t * along[1], 0.0), wp.vec3(0.0, 0.0, 1.0))
