"""Ray differentials of a pixel's specular chains: how their last segments depend on where in the pixel they begin.

To first order, by differences of rays of the pixel (Igehy, "Tracing Ray Differentials", 1999).
"""

import warp as wp

from luxel.core.frames import unit_length

MIN_SPREAD = wp.constant(1.0e-6)  # the determinant of the rays' covariance in the pixel; of three, 0.0017
SEGMENT_WORDS = 18  # of a Segment, 32 bits each


@wp.struct
class Segment:
    """The last segment of a chain, in the open or within glass."""

    origin: wp.vec3
    direction: wp.vec3
    throughput: wp.vec3  # of light that arrives along it
    origin_object: int
    hit: int  # an object, SUN or MISS
    path_id: int  # a hash of the interfaces before it, and of which way it left them; 0 if there are none
    hit_share: float  # of what it hits, if that is a light, that counts: see `image_share`
    radiance: wp.vec3  # of lights and the sky, by all of the chain's segments
    offset: wp.vec2  # where in the pixel its ray begins, pixels from the middle


@wp.struct
class RayDifferential:
    """A segment as a function of where in the pixel its camera ray begins, (x, y) pixels from the middle."""

    origin_object: int
    center: wp.vec2  # (x, y) of origin and direction
    origin: wp.vec3
    direction: wp.vec3  # unit length
    origin_x: wp.vec3  # derivatives ∂/∂x and ∂/∂y, per pixel
    origin_y: wp.vec3
    direction_x: wp.vec3
    direction_y: wp.vec3
    is_valid: bool  # whether there were rays enough for it


@wp.func
def has_weight(weight: float) -> float:
    """1 of a segment that has a weight, else 0."""
    return wp.where(weight > 0.0, 1.0, 0.0)


@wp.func
def fit_ray_differential(weights: wp.vec4, a: Segment, b: Segment, c: Segment, d: Segment) -> RayDifferential:
    """Of those of four segments of a pixel that have weights, by least squares; others may follow other paths."""
    differential = RayDifferential()
    w = wp.vec4(has_weight(weights[0]), has_weight(weights[1]), has_weight(weights[2]), has_weight(weights[3]))
    w = w / wp.max(w[0] + w[1] + w[2] + w[3], 1.0)
    differential.center = w[0] * a.offset + w[1] * b.offset + w[2] * c.offset + w[3] * d.offset
    o_a = a.offset - differential.center
    o_b = b.offset - differential.center
    o_c = c.offset - differential.center
    o_d = d.offset - differential.center
    by_c = wp.where(w[2] > 0.0, c.origin_object, d.origin_object)
    by_b = wp.where(w[1] > 0.0, b.origin_object, by_c)
    differential.origin_object = wp.where(w[0] > 0.0, a.origin_object, by_b)
    spread = w[0] * wp.outer(o_a, o_a) + w[1] * wp.outer(o_b, o_b)
    spread += w[2] * wp.outer(o_c, o_c) + w[3] * wp.outer(o_d, o_d)
    differential.is_valid = wp.determinant(spread) > MIN_SPREAD
    if differential.is_valid:
        inverse = wp.inverse(spread)
        o_a = w[0] * (inverse * o_a)
        o_b = w[1] * (inverse * o_b)
        o_c = w[2] * (inverse * o_c)
        o_d = w[3] * (inverse * o_d)
        differential.origin = w[0] * a.origin + w[1] * b.origin + w[2] * c.origin + w[3] * d.origin
        differential.direction = unit_length(
            w[0] * a.direction + w[1] * b.direction + w[2] * c.direction + w[3] * d.direction
        )
        differential.origin_x = o_a[0] * a.origin + o_b[0] * b.origin + o_c[0] * c.origin + o_d[0] * d.origin
        differential.origin_y = o_a[1] * a.origin + o_b[1] * b.origin + o_c[1] * c.origin + o_d[1] * d.origin
        differential.direction_x = (
            o_a[0] * a.direction + o_b[0] * b.direction + o_c[0] * c.direction + o_d[0] * d.direction
        )
        differential.direction_y = (
            o_a[1] * a.direction + o_b[1] * b.direction + o_c[1] * c.direction + o_d[1] * d.direction
        )
    return differential


@wp.struct
class SegmentGroup:
    """The four segments of a pixel's rays, their weights, and the ray differential of those that have one.

    Each ray stands for a quarter of the pixel times its weight; those without any follow another path.
    """

    weights: wp.vec4
    a: Segment
    b: Segment
    c: Segment
    d: Segment
    differential: RayDifferential


@wp.func
def total_weight(group: SegmentGroup) -> float:
    """Four times the share of the pixel that the segments stand for."""
    return group.weights[0] + group.weights[1] + group.weights[2] + group.weights[3]


@wp.func
def weighted_throughput(group: SegmentGroup) -> wp.vec3:
    """The sum of the segments' throughputs, times their weights."""
    throughput = group.weights[0] * group.a.throughput + group.weights[1] * group.b.throughput
    throughput += group.weights[2] * group.c.throughput + group.weights[3] * group.d.throughput
    return throughput


@wp.struct
class Ray:
    """A ray in world space."""

    origin: wp.vec3
    direction: wp.vec3  # unit length


@wp.func
def ray_through_pixel(differential: RayDifferential, at: wp.vec2) -> Ray:
    """The ray through a place in the pixel, which is [0, 1)²."""
    x = at[0] - 0.5 - differential.center[0]
    y = at[1] - 0.5 - differential.center[1]
    direction = differential.direction + x * differential.direction_x + y * differential.direction_y
    return Ray(differential.origin + x * differential.origin_x + y * differential.origin_y, unit_length(direction))


@wp.func
def follow_same_path(a: Segment, b: Segment, c: Segment, d: Segment) -> bool:
    """Whether a pixel's chains have crossed the same interfaces, so that they can be compared."""
    return a.path_id != 0 and b.path_id == a.path_id and c.path_id == a.path_id and d.path_id == a.path_id


@wp.func
def same_path_mask(path_id: int, a: Segment, b: Segment, c: Segment, d: Segment) -> wp.vec4:
    """1 for each of a pixel's chains that has followed this path, else 0."""
    return wp.vec4(
        wp.where(a.path_id == path_id, 1.0, 0.0),
        wp.where(b.path_id == path_id, 1.0, 0.0),
        wp.where(c.path_id == path_id, 1.0, 0.0),
        wp.where(d.path_id == path_id, 1.0, 0.0),
    )
