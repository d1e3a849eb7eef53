"""Ellipsoids, spheres among them: in unit space the unit sphere."""

import warp as wp

from luxel.core.frames import PI, frame, to_world
from luxel.core.shapes.local import INFINITY, LocalHit
from luxel.core.shapes.panel import ELONGATED, sample_ellipse_along


@wp.func
def intersect_ellipsoid(start: wp.vec3, along: wp.vec3, on_surface: bool) -> float:
    """Distance along the ray to the surface, infinite if there is none ahead.

    The discriminant is taken from the vector to the closest approach (Haines et al., "Precision Improvements for
    Ray/Sphere Intersection", Ray Tracing Gems, 2019, ch. 7). One root adds numbers of the same sign, and the other is
    the roots' product over it. On the surface where the ray starts one root is 0, so that the other is their sum.
    """
    over_a = 1.0 / wp.dot(along, along)
    middle = -wp.dot(start, along) * over_a  # distance of the closest approach
    nearest = start + middle * along
    excess = 1.0 - wp.dot(nearest, nearest)
    t = float(INFINITY)
    if on_surface:
        if middle > 0.0:
            t = 2.0 * middle
    elif excess > 0.0:
        c = wp.dot(start, start) - 1.0
        half_chord = wp.sqrt(excess * over_a)
        if middle > 0.0:
            far = middle + half_chord
            t = wp.where(c > 0.0, c * over_a / far, far)
        elif c < 0.0:
            t = c * over_a / (middle - half_chord)
    return t


@wp.func
def local_hit_ellipsoid(start: wp.vec3, along: wp.vec3, t: float) -> LocalHit:
    """The point at distance `t`, put back on the surface."""
    point = wp.normalize(start + t * along)
    return LocalHit(point, point)


@wp.func
def half_extent_ellipsoid(v: wp.vec3) -> float:
    """Half the extent along n, where v = world_from_unitᵀ · n."""
    return wp.length(v)


@wp.func
def one_minus_cosine(square_distance: float) -> float:
    """1 − cos of the half-angle under which the unit sphere appears, from its centre's squared distance, at least 1.

    sin² / (1 + cos), which loses nothing when the sphere is far.
    """
    sine_square = 1.0 / wp.max(square_distance, 1.0)
    return sine_square / (1.0 + wp.sqrt(wp.max(1.0 - sine_square, 0.0)))


@wp.func
def cone_density(start: wp.vec3, along: wp.vec3, volume: float) -> float:
    """Density per steradian of the world direction `along`, where directions are uniform in unit space's cone.

    The cone from `start`, outside, to the unit sphere holds exactly the directions that hit the ellipsoid. A linear
    map A takes a solid angle dω' about the unit vector ω' to |det A| / |A ω'|³ dω'; for a sphere this is the usual
    sampling of its solid angle (pbrt, 4th ed., §6.2.4). `along` has the length that a world unit vector has in unit
    space, and `volume` is det A, the product of the semi-axes.
    """
    stretch = wp.dot(along, along)
    return 1.0 / (cone_solid_angle(start) * stretch * wp.sqrt(stretch) * volume)


@wp.func
def cone_solid_angle(start: wp.vec3) -> float:
    """Of the cone from `start`, outside, to the unit sphere."""
    return 2.0 * PI * one_minus_cosine(wp.dot(start, start))


@wp.func
def sample_cone(start: wp.vec3, u: wp.vec2) -> wp.vec3:
    """A unit-space direction, uniform in the cone from `start`, outside, to the unit sphere."""
    axes = frame(wp.normalize(-start))
    lift = u[0] * one_minus_cosine(wp.dot(start, start))  # 1 − cos
    across = wp.sqrt(wp.max(lift * (2.0 - lift), 0.0))
    angle = 2.0 * PI * u[1]
    return to_world(axes, wp.vec3(across * wp.cos(angle), across * wp.sin(angle), 1.0 - lift))


@wp.func
def is_elongated(scale: wp.vec3) -> bool:
    """Whether one axis is much longer than both others."""
    longest = wp.max(wp.max(scale[0], scale[1]), scale[2])
    middle = wp.max(wp.min(scale[0], scale[1]), wp.min(wp.max(scale[0], scale[1]), scale[2]))
    return longest > ELONGATED * middle


@wp.func
def sample_cone_along(start: wp.vec3, scale: wp.vec3, u: wp.vec2) -> wp.vec3:
    """As `sample_cone`, with u[0] along the direction in which the ellipsoid appears longest in the world.

    So rays are as well spread along a thin one as u[0] is. By Lambert's azimuthal equal-area projection of the unit
    disc, 1 − cos ∝ r².
    """
    axes = frame(wp.normalize(-start))
    on = sample_ellipse_along(wp.cw_mul(axes[0], scale), wp.cw_mul(axes[1], scale), wp.cw_mul(start, scale), u)
    size = one_minus_cosine(wp.dot(start, start))
    lift = size * wp.dot(on, on)  # 1 − cos
    across = wp.sqrt(size * (2.0 - lift))
    return to_world(axes, wp.vec3(across * on[0], across * on[1], 1.0 - lift))
