"""How much each of a pixel's chains counts, and what lights and the sky add that none of them shows.

Where all four rays of a lobe go the same way, or up to where they do, they make a bundle, by which the shares are found
of what they hit. Where they part, as at the edge of a ball in a ball, each way has a bundle of its own: of three rays,
or of one and two beside it. Where not even these go the same way, what they show counts as much as the ray.
"""

import warp as wp

from luxel.core.emitters import is_lamp
from luxel.core.intersect import MISS
from luxel.core.scenes import Scenes
from luxel.models.chains import BRANCHES, LOBES, follow_chain
from luxel.models.hit_shares import shares_of_hits
from luxel.models.reflected_lights import missed_light
from luxel.models.segment_bundles import Segment, SegmentBundle, are_alike, bundle_of, gone_like
from luxel.models.shading_points import ShadingPoint
from luxel.models.subpixels import SUBPIXELS, subpixel_point

BESIDE = wp.constant(0.125)  # pixels from a ray to those that tell more of its way: as far as from the middle, or less


@wp.struct
class Surroundings:
    """Of one of a pixel's rays: its bundle, or what rays beside it show that go other ways, if too few go its own."""

    bundle: SegmentBundle
    share: float  # of those that show what the ray does
    radiance: wp.vec3  # of lights and the sky by the others, times their share


@wp.func
def look_beside(
    scenes: Scenes,
    p: ShadingPoint,
    first: Segment,
    is_weighed: bool,
    segment: Segment,
    lobe: int,
    branch: int,
    height: int,
) -> Surroundings:
    """What up to four rays tell of one that goes another way than others of its pixel; `p` is the pixel's point.

    Those that end on another surface that scatters tell nothing, as it is not shaded. Nor do those whose first segment
    hits something else than the ray's `first` one, if the ray `is_weighed` by that already.
    """
    across = segment
    down = segment
    alike = float(1.0)
    others = float(0.0)
    radiance = wp.vec3(0.0, 0.0, 0.0)
    k = int(0)  # no constant range, which would be unrolled
    while k < 4:
        is_across = (k & 1) == 0
        known = wp.where(is_across, across.offset, down.offset)
        offset = segment.offset + BESIDE * float(1 - (k & 2)) * wp.where(
            is_across, wp.vec2(1.0, 0.0), wp.vec2(0.0, 1.0)
        )
        beside = subpixel_point(scenes, p, offset, height)
        if wp.length_sq(known - segment.offset) == 0.0 and wp.length_sq(beside.point - p.point) > 0.0:
            chain = follow_chain(scenes, beside, offset, lobe, branch, height)
            is_same_way = chain.last.path == segment.path
            tells = not is_weighed or chain.first.hit == first.hit
            if is_same_way and is_across:
                across = chain.last
            elif is_same_way:
                down = chain.last
            if is_same_way or (tells and segment.hit != MISS and chain.end.object_id == segment.hit):
                alike += 1.0
            elif tells and chain.end.object_id == MISS:
                others += 1.0
                radiance += chain.radiance
        k += 1
    bundle = bundle_of(wp.vec4(1.0, 1.0, 1.0, 0.0), segment, across, down, segment)
    return Surroundings(bundle, alike / (alike + others), radiance / (alike + others))


@wp.struct
class Weighed:
    """By how much to multiply what four chains of a pixel count, and the radiance that they do not show."""

    factors: wp.vec4
    radiance: wp.vec3  # of lights and the sky


@wp.func
def weighed_by_bundle(
    scenes: Scenes,
    scene: int,
    bundle: SegmentBundle,
    weights: wp.vec4,
    a: Segment,
    b: Segment,
    c: Segment,
    d: Segment,
) -> Weighed:
    """Of chains that have weights, over the quarters of the pixel that they stand for, by a bundle of segments."""
    shares = shares_of_hits(scenes, scene, bundle, weights, a, b, c, d)
    throughput = weights[0] * a.throughput + weights[1] * b.throughput
    throughput += weights[2] * c.throughput + weights[3] * d.throughput
    radiance = 0.25 * wp.cw_mul(throughput, shares.sky)
    radiance += missed_light(scenes, scene, bundle, weights, a, b, c, d)
    factors = wp.vec4(1.0, 1.0, 1.0, 1.0)
    hits = wp.vec4i(a.hit, b.hit, c.hit, d.hit)
    for k in range(SUBPIXELS):
        if weights[k] > 0.0 and not is_lamp(scenes, hits[k]):  # which `missed_light` is for
            factors[k] = shares.of_rays[k]
    return Weighed(factors, radiance)


@wp.func
def is_first(gone: wp.vec4, ray: int) -> bool:
    """Whether none before a ray has gone the same way."""
    first = bool(True)
    for k in range(SUBPIXELS):
        if k < ray and gone[k] > 0.0:
            first = False
    return first


@wp.func
def weigh_chains(
    scenes: Scenes,
    p: ShadingPoint,
    row: int,
    segments: wp.array[Segment],
    begins: int,
    throughput: wp.array[wp.vec3],
    height: int,
) -> wp.vec3:
    """Give the chains of one lobe of one point the shares that their ends have of the pixel; what lights add to them.

    By their last segments, or the first ones where the four rays go different ways from there on; then by the last ones
    of each way but one that ends with the first.
    """
    total = wp.vec3(0.0, 0.0, 0.0)
    branch = int(0)  # no constant ranges, which would be unrolled
    while branch < BRANCHES:
        i = (row * BRANCHES + branch) * SUBPIXELS
        weights = wp.vec4(1.0, 1.0, 1.0, 1.0)
        first_path = int(0)
        is_weighed = bool(False)  # by the first segments
        ray = int(-1)  # all, then each for its way
        while ray < SUBPIXELS:
            a = segments[i]
            b = segments[i + 1]
            c = segments[i + 2]
            d = segments[i + 3]
            differ = not are_alike(a, b, c, d)
            gone = wp.vec4(0.0, 0.0, 0.0, 0.0)
            weighed = Weighed(wp.vec4(1.0, 1.0, 1.0, 1.0), wp.vec3(0.0, 0.0, 0.0))
            bundle = SegmentBundle()
            if ray < 0:
                if branch == 0 and differ:
                    first = begins + row * SUBPIXELS
                    a = segments[first]
                    b = segments[first + 1]
                    c = segments[first + 2]
                    d = segments[first + 3]
                    first_path = a.path
                if are_alike(a, b, c, d):
                    gone = weights
                    bundle = bundle_of(gone, a, b, c, d)
                    is_weighed = bundle.is_known
            else:
                segment = segments[i + ray]
                ways = gone_like(segment.path, a, b, c, d)
                if is_first(ways, ray) and segment.path != 0 and segment.path != first_path:
                    gone = wp.cw_mul(ways, weights)
                    if wp.dot(ways, ways) > 2.5:
                        bundle = bundle_of(ways, a, b, c, d)
                    else:
                        begun = segments[begins + row * SUBPIXELS + ray]
                        around = look_beside(scenes, p, begun, is_weighed, segment, row % LOBES, branch, height)
                        bundle = around.bundle
                        weighed.factors *= around.share
                        weighed.radiance = 0.25 * wp.dot(gone, ways) * around.radiance
            if bundle.is_known and wp.max(gone) > 0.0:
                weighed = weighed_by_bundle(scenes, p.scene, bundle, gone, a, b, c, d)
            total += weighed.radiance
            for k in range(SUBPIXELS):
                if gone[k] > 0.0:
                    weights[k] = weights[k] * weighed.factors[k]
                    throughput[i + k] = throughput[i + k] * weighed.factors[k]
                    segments[i + k].radiance = segments[i + k].radiance * weighed.factors[k]
            ray = wp.where(differ, ray + 1, SUBPIXELS)
        branch += 1
    return total
