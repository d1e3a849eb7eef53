"""How much of a pixel each of its specular chains covers, and what lights and the sky add that none of them shows.

Where all four rays of a lobe follow the same path, or up to where they do, their ray differential says how much of the
pixel each object covers that they hit. Where they part, as at the edge of a ball in a ball, each path has a
differential of its own: of three rays, or of one and two auxiliary rays beside it. Where not even these follow the same
path, what they show counts as much as the ray.
"""

import warp as wp

from luxel.core.emitters import is_lamp
from luxel.core.intersect import MISS
from luxel.core.scenes import Scenes
from luxel.models.chains import BRANCHES, LOBES, follow_chain
from luxel.models.hit_coverage import hit_coverage
from luxel.models.light_coverage import missed_light_radiance
from luxel.models.ray_differentials import (
    RayDifferential,
    Segment,
    SegmentGroup,
    fit_ray_differential,
    follow_same_path,
    same_path_mask,
    weighted_throughput,
)
from luxel.models.shading_points import ShadingPoint
from luxel.models.subpixels import SUBPIXELS, subpixel_point

AUXILIARY_OFFSET = wp.constant(0.125)  # pixels from a ray to its auxiliary rays: as far as from the middle, or less


@wp.struct
class AuxiliaryRays:
    """What auxiliary rays tell of one of a pixel's: its ray differential, or what those of other paths show."""

    differential: RayDifferential  # invalid if too few follow the ray's path
    share: float  # of the rays that show what the ray does
    radiance: wp.vec3  # of lights and the sky by the others, times their share


@wp.func
def trace_auxiliary_rays(
    scenes: Scenes,
    p: ShadingPoint,
    first: Segment,
    first_is_weighed: bool,
    segment: Segment,
    lobe: int,
    branch: int,
    height: int,
) -> AuxiliaryRays:
    """Up to four rays beside one that follows another path than others of its pixel; `p` is the pixel's point.

    Those that end on another surface that scatters tell nothing, as it is not shaded. Nor do those whose first segment
    hits something else than the ray's `first` one, if the ray `first_is_weighed` by that already.
    """
    across = segment
    down = segment
    same = float(1.0)
    others = float(0.0)
    radiance = wp.vec3(0.0, 0.0, 0.0)
    k = int(0)  # no constant range, which would be unrolled
    while k < 4:
        is_across = (k & 1) == 0
        known_offset = wp.where(is_across, across.offset, down.offset)
        offset = segment.offset + AUXILIARY_OFFSET * float(1 - (k & 2)) * wp.where(
            is_across, wp.vec2(1.0, 0.0), wp.vec2(0.0, 1.0)
        )
        auxiliary = subpixel_point(scenes, p, offset, height)
        if wp.length_sq(known_offset - segment.offset) == 0.0 and wp.length_sq(auxiliary.point - p.point) > 0.0:
            chain = follow_chain(scenes, auxiliary, offset, lobe, branch, height)
            is_same_path = chain.last.path_id == segment.path_id
            is_usable = not first_is_weighed or chain.first.hit == first.hit
            if is_same_path and is_across:
                across = chain.last
            elif is_same_path:
                down = chain.last
            if is_same_path or (is_usable and segment.hit != MISS and chain.end.object_id == segment.hit):
                same += 1.0
            elif is_usable and chain.end.object_id == MISS:
                others += 1.0
                radiance += chain.radiance
        k += 1
    differential = fit_ray_differential(wp.vec4(1.0, 1.0, 1.0, 0.0), segment, across, down, segment)
    return AuxiliaryRays(differential, same / (same + others), radiance / (same + others))


@wp.struct
class ChainCoverage:
    """By how much to multiply four chains of a pixel, and the radiance that they do not show."""

    factors: wp.vec4
    radiance: wp.vec3  # of lights and the sky


@wp.func
def coverage_of_chains(
    scenes: Scenes,
    scene: int,
    group: SegmentGroup,
) -> ChainCoverage:
    """Of chains that have weights, over the quarters of the pixel that they stand for, by their ray differential."""
    shares = hit_coverage(scenes, scene, group)
    radiance = 0.25 * wp.cw_mul(weighted_throughput(group), shares.sky)
    radiance += missed_light_radiance(scenes, scene, group)
    factors = wp.vec4(1.0, 1.0, 1.0, 1.0)
    hits = wp.vec4i(group.a.hit, group.b.hit, group.c.hit, group.d.hit)
    for k in range(SUBPIXELS):
        if group.weights[k] > 0.0 and not is_lamp(scenes, hits[k]):  # which `missed_light_radiance` is for
            factors[k] = shares.per_ray[k]
    return ChainCoverage(factors, radiance)


@wp.func
def is_first_of_path(members: wp.vec4, ray: int) -> bool:
    """Whether no ray before this one follows the same path."""
    first = bool(True)
    for k in range(SUBPIXELS):
        if k < ray and members[k] > 0.0:
            first = False
    return first


@wp.func
def weigh_chains_by_coverage(
    scenes: Scenes,
    p: ShadingPoint,
    row: int,
    segments: wp.array[Segment],
    begins: int,
    throughput: wp.array[wp.vec3],
    height: int,
) -> wp.vec3:
    """Weigh the chains of one lobe of one point by what their ends cover of the pixel; the radiance to add to them.

    By the first segments, if there are others beyond, since rays may all go by a light there, as in a ball of glass;
    then by the last ones of all, or of each path where the four rays follow different ones.
    """
    total = wp.vec3(0.0, 0.0, 0.0)
    branch = int(0)  # no constant ranges, which would be unrolled
    while branch < BRANCHES:
        i = (row * BRANCHES + branch) * SUBPIXELS
        weights = wp.vec4(1.0, 1.0, 1.0, 1.0)
        first_path = int(0)
        first_is_weighed = bool(False)  # by the first segments
        ray = int(-1)  # all, then each for its path
        while ray < SUBPIXELS:
            a = segments[i]
            b = segments[i + 1]
            c = segments[i + 2]
            d = segments[i + 3]
            first = begins + row * SUBPIXELS
            differ = not follow_same_path(a, b, c, d)
            goes_on = branch == 0 and (differ or segments[first].path_id != a.path_id)
            members = wp.vec4(0.0, 0.0, 0.0, 0.0)
            coverage = ChainCoverage(wp.vec4(1.0, 1.0, 1.0, 1.0), wp.vec3(0.0, 0.0, 0.0))
            differential = RayDifferential()
            if ray < 0:
                if goes_on:
                    a = segments[first]
                    b = segments[first + 1]
                    c = segments[first + 2]
                    d = segments[first + 3]
                    first_path = a.path_id
                if follow_same_path(a, b, c, d):
                    members = weights
                    differential = fit_ray_differential(members, a, b, c, d)
                    first_is_weighed = differential.is_valid
            else:
                segment = segments[i + ray]
                same_path = same_path_mask(segment.path_id, a, b, c, d)
                if is_first_of_path(same_path, ray) and segment.path_id != 0 and segment.path_id != first_path:
                    members = wp.cw_mul(same_path, weights)
                    if wp.dot(same_path, same_path) > 2.5:
                        differential = fit_ray_differential(same_path, a, b, c, d)
                    else:
                        first_segment = segments[begins + row * SUBPIXELS + ray]
                        auxiliary = trace_auxiliary_rays(
                            scenes, p, first_segment, first_is_weighed, segment, row % LOBES, branch, height
                        )
                        differential = auxiliary.differential
                        coverage.factors *= auxiliary.share
                        coverage.radiance = 0.25 * wp.dot(members, same_path) * auxiliary.radiance
            if differential.is_valid and wp.max(members) > 0.0:
                coverage = coverage_of_chains(scenes, p.scene, SegmentGroup(members, a, b, c, d, differential))
            total += coverage.radiance
            for k in range(SUBPIXELS):
                if members[k] > 0.0:
                    weights[k] = weights[k] * coverage.factors[k]
                    throughput[i + k] = throughput[i + k] * coverage.factors[k]
                    segments[i + k].radiance = segments[i + k].radiance * coverage.factors[k]
            ray = wp.where(differ or goes_on, ray + 1, SUBPIXELS)
        branch += 1
    return total
