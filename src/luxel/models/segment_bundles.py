"""The last segments of a pixel's chains, and how they depend on where in the pixel their rays begin.

To first order, by differences of rays of the pixel (ray differentials, Igehy 1999).
"""

import warp as wp

from luxel.core.frames import unit_length

LEAST_SPREAD = wp.constant(1.0e-6)  # the determinant of the rays' covariance in the pixel; of three, 0.0017
SEGMENT_WORDS = 18  # of a Segment, 32 bits each


@wp.struct
class Segment:
    """The last segment of a chain, in the open or within glass."""

    origin: wp.vec3
    direction: wp.vec3
    throughput: wp.vec3  # of light that arrives along it
    origin_object: int
    hit: int  # an object, SUN or MISS
    path: int  # which interfaces are before it; 0 if none
    hit_share: float  # of what it hits, if that is a light, that counts: see `shown_share`
    radiance: wp.vec3  # of lights and the sky, by all of the chain's segments
    offset: wp.vec2  # where in the pixel its ray begins, pixels from the middle


@wp.struct
class SegmentBundle:
    """How the segments of a pixel's rays depend on where in the pixel they begin, (x, y) pixels from its middle."""

    origin_object: int
    middle: wp.vec2  # where origin and direction are those of
    origin: wp.vec3
    direction: wp.vec3  # unit length
    origin_x: wp.vec3  # derivatives, a pixel
    origin_y: wp.vec3
    direction_x: wp.vec3
    direction_y: wp.vec3
    is_known: bool  # whether the rays suffice for it


@wp.func
def counts(weight: float) -> float:
    """1 of a segment that has a weight, else 0."""
    return wp.where(weight > 0.0, 1.0, 0.0)


@wp.func
def bundle_of(weights: wp.vec4, a: Segment, b: Segment, c: Segment, d: Segment) -> SegmentBundle:
    """Of those of four segments of a pixel that have weights, by least squares; others may have gone other ways."""
    bundle = SegmentBundle()
    w = wp.vec4(counts(weights[0]), counts(weights[1]), counts(weights[2]), counts(weights[3]))
    w = w / wp.max(w[0] + w[1] + w[2] + w[3], 1.0)
    bundle.middle = w[0] * a.offset + w[1] * b.offset + w[2] * c.offset + w[3] * d.offset
    o_a = a.offset - bundle.middle
    o_b = b.offset - bundle.middle
    o_c = c.offset - bundle.middle
    o_d = d.offset - bundle.middle
    by_c = wp.where(w[2] > 0.0, c.origin_object, d.origin_object)
    by_b = wp.where(w[1] > 0.0, b.origin_object, by_c)
    bundle.origin_object = wp.where(w[0] > 0.0, a.origin_object, by_b)
    spread = w[0] * wp.outer(o_a, o_a) + w[1] * wp.outer(o_b, o_b)
    spread += w[2] * wp.outer(o_c, o_c) + w[3] * wp.outer(o_d, o_d)
    bundle.is_known = wp.determinant(spread) > LEAST_SPREAD
    if bundle.is_known:
        inverse = wp.inverse(spread)
        o_a = w[0] * (inverse * o_a)
        o_b = w[1] * (inverse * o_b)
        o_c = w[2] * (inverse * o_c)
        o_d = w[3] * (inverse * o_d)
        bundle.origin = w[0] * a.origin + w[1] * b.origin + w[2] * c.origin + w[3] * d.origin
        bundle.direction = unit_length(
            w[0] * a.direction + w[1] * b.direction + w[2] * c.direction + w[3] * d.direction
        )
        bundle.origin_x = o_a[0] * a.origin + o_b[0] * b.origin + o_c[0] * c.origin + o_d[0] * d.origin
        bundle.origin_y = o_a[1] * a.origin + o_b[1] * b.origin + o_c[1] * c.origin + o_d[1] * d.origin
        bundle.direction_x = o_a[0] * a.direction + o_b[0] * b.direction + o_c[0] * c.direction + o_d[0] * d.direction
        bundle.direction_y = o_a[1] * a.direction + o_b[1] * b.direction + o_c[1] * c.direction + o_d[1] * d.direction
    return bundle


@wp.struct
class BundleRay:
    """One of a bundle."""

    origin: wp.vec3
    direction: wp.vec3  # unit length


@wp.func
def bundle_ray(bundle: SegmentBundle, at: wp.vec2) -> BundleRay:
    """That of a place in the pixel, which is [0, 1)²."""
    x = at[0] - 0.5 - bundle.middle[0]
    y = at[1] - 0.5 - bundle.middle[1]
    direction = bundle.direction + x * bundle.direction_x + y * bundle.direction_y
    return BundleRay(bundle.origin + x * bundle.origin_x + y * bundle.origin_y, unit_length(direction))


@wp.func
def are_alike(a: Segment, b: Segment, c: Segment, d: Segment) -> bool:
    """Whether a pixel's rays have gone the same way, so that they can be compared."""
    return a.path != 0 and b.path == a.path and c.path == a.path and d.path == a.path


@wp.func
def gone_like(path: int, a: Segment, b: Segment, c: Segment, d: Segment) -> wp.vec4:
    """1 for each of a pixel's rays that has gone a certain way, else 0."""
    return wp.vec4(
        wp.where(a.path == path, 1.0, 0.0),
        wp.where(b.path == path, 1.0, 0.0),
        wp.where(c.path == path, 1.0, 0.0),
        wp.where(d.path == path, 1.0, 0.0),
    )
