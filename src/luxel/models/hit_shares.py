"""How much of a pixel each object fills that its rays hit by way of mirrors and glass: by many rays of their bundle."""

import warp as wp

from luxel.core.emitters import environment_radiance, is_lamp
from luxel.core.intersect import MISS, intersect, intersect_object
from luxel.core.sampling import jittered_point
from luxel.core.scenes import Scenes
from luxel.core.shapes.local import INFINITY
from luxel.core.sky import is_in_sun
from luxel.models.segment_bundles import BundleRay, Segment, SegmentBundle, bundle_ray, counts

EDGE_ACROSS, EDGE_DOWN = wp.constant(8), wp.constant(6)  # rays


@wp.func
def nearest_of(scenes: Scenes, ray: BundleRay, origin_object: int, hits: wp.vec4i) -> int:
    """Which of up to four objects a ray meets first, or MISS; the others are taken not to be there."""
    best = int(MISS)
    nearest = float(INFINITY)
    for k in range(4):
        object_id = hits[k]
        is_new = (k < 1 or hits[0] != object_id) and (k < 2 or hits[1] != object_id)
        if object_id >= 0 and is_new and (k < 3 or hits[2] != object_id):
            t = intersect_object(scenes, object_id, ray.origin, ray.direction, origin_object, nearest)
            if t < nearest:
                nearest = t
                best = object_id
    return best


@wp.func
def like(hit: int, hits: wp.vec4i, counted: wp.vec4) -> wp.vec4:
    """1 for each of the rays that are counted and hit the same, else 0."""
    return wp.vec4(
        wp.where(hits[0] == hit, counted[0], 0.0),
        wp.where(hits[1] == hit, counted[1], 0.0),
        wp.where(hits[2] == hit, counted[2], 0.0),
        wp.where(hits[3] == hit, counted[3], 0.0),
    )


@wp.struct
class HitShares:
    """How much what four rays of a pixel hit counts, over what they stand for, and the sky that shows beside it."""

    of_rays: wp.vec4
    sky: wp.vec3  # radiance without the sun, times the share


@wp.func
def shares_of_hits(
    scenes: Scenes,
    scene: int,
    bundle: SegmentBundle,
    weights: wp.vec4,
    a: Segment,
    b: Segment,
    c: Segment,
    d: Segment,
) -> HitShares:
    """Of those that have weights, by many rays of their bundle, which meet the same objects or none.

    None of these, that is the sky if one of the four shows it, or if the ray meets nothing else. What three hit or more
    fills the pixel: it is no narrower than they are apart.
    """
    result = HitShares(wp.vec4(1.0, 1.0, 1.0, 1.0), wp.vec3(0.0, 0.0, 0.0))
    ones = wp.vec4(counts(weights[0]), counts(weights[1]), counts(weights[2]), counts(weights[3]))
    one = wp.where(ones[0] > 0.0, a.hit, wp.where(ones[1] > 0.0, b.hit, wp.where(ones[2] > 0.0, c.hit, d.hit)))
    hits = wp.vec4i(
        wp.where(ones[0] > 0.0, a.hit, one),
        wp.where(ones[1] > 0.0, b.hit, one),
        wp.where(ones[2] > 0.0, c.hit, one),
        wp.where(ones[3] > 0.0, d.hit, one),
    )
    hits = wp.max(hits, wp.vec4i(MISS, MISS, MISS, MISS))  # the sky is in the sun's place, too
    rays = wp.dot(ones, ones)
    are_same = hits[1] == hits[0] and hits[2] == hits[0] and hits[3] == hits[0]
    if are_same and (rays > 2.5 or is_lamp(scenes, one) or one == MISS):
        return result
    shows_sky = wp.min(wp.min(hits[0], hits[1]), wp.min(hits[2], hits[3])) < 0
    found = wp.vec4(0.0, 0.0, 0.0, 0.0)
    sky = wp.vec3(0.0, 0.0, 0.0)
    known = float(0.0)
    for k in range(EDGE_ACROSS * EDGE_DOWN):
        ray = bundle_ray(bundle, jittered_point(k, EDGE_ACROSS, EDGE_DOWN))
        hit = nearest_of(scenes, ray, bundle.origin_object, hits)
        same = like(hit, hits, ones)
        found += same
        if wp.max(same) > 0.0:
            known += 1.0
        elif not shows_sky and hit == MISS:
            beyond = intersect(scenes, scene, ray.origin, ray.direction, bundle.origin_object)
            if beyond.object_id == MISS:
                known += 1.0
                sky += environment_radiance(scenes, scene, ray.direction)
                if is_in_sun(scenes.scenes[scene], ray.direction):
                    sky -= scenes.scenes[scene].sun_radiance
    if known > 0.0:
        same_a = like(hits[0], hits, ones)
        same_b = like(hits[1], hits, ones)
        same_c = like(hits[2], hits, ones)
        same_d = like(hits[3], hits, ones)
        alike = wp.vec4(wp.dot(same_a, same_a), wp.dot(same_b, same_b), wp.dot(same_c, same_c), wp.dot(same_d, same_d))
        result.of_rays = wp.cw_div(rays / known * found, alike)
        result.sky = sky / known
    return result
