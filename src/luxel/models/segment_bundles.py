"""The last segments of a pixel's chains, and how they depend on where in the pixel their rays begin.

To first order, by differences of the pixel's four rays (ray differentials, Igehy 1999).
"""

import warp as wp

from luxel.core.frames import unit_length
from luxel.models.subpixels import subpixel_offset

LEAST_SPREAD = wp.constant(1.0e-3 / 16.0)  # the determinant of the rays' covariance in the pixel; of three, 0.0017
SEGMENT_WORDS = 17  # of a Segment, 32 bits each


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
    is_apart: float  # 1, or 0 if the pixel's ray is its middle's, as it missed the object


@wp.struct
class SegmentBundle:
    """How the segments of a pixel's rays depend on where in the pixel they begin, (x, y) pixels from its middle."""

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
    """Of those of a pixel's segments that have weights, by least squares; others may have gone other ways.

    Segments of rays that missed the object begin in the middle.
    """
    bundle = SegmentBundle()
    w = wp.vec4(counts(weights[0]), counts(weights[1]), counts(weights[2]), counts(weights[3]))
    w = w / wp.max(w[0] + w[1] + w[2] + w[3], 1.0)
    o_a = a.is_apart * subpixel_offset(0)
    o_b = b.is_apart * subpixel_offset(1)
    o_c = c.is_apart * subpixel_offset(2)
    o_d = d.is_apart * subpixel_offset(3)
    bundle.middle = w[0] * o_a + w[1] * o_b + w[2] * o_c + w[3] * o_d
    o_a -= bundle.middle
    o_b -= bundle.middle
    o_c -= bundle.middle
    o_d -= bundle.middle
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
def alike_most(a: Segment, b: Segment, c: Segment, d: Segment, first_path: int) -> wp.vec4:
    """1 for each of three of a pixel's rays, as many as tell of their bundle, that have gone the same way.

    But for one that ends after the first interface.
    """
    result = wp.vec4(0.0, 0.0, 0.0, 0.0)
    path = wp.where(a.path == b.path or a.path == c.path, a.path, d.path)
    w = wp.vec4(
        wp.where(a.path == path, 1.0, 0.0),
        wp.where(b.path == path, 1.0, 0.0),
        wp.where(c.path == path, 1.0, 0.0),
        wp.where(d.path == path, 1.0, 0.0),
    )
    if path != 0 and path != first_path and w[0] + w[1] + w[2] + w[3] > 2.5:
        result = w
    return result
