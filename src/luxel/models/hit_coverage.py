"""How much of a pixel each object covers that its rays hit by way of mirrors and glass, by their ray differential."""

import warp as wp

from luxel.core.emitters import environment_radiance, is_lamp
from luxel.core.intersect import MISS, intersect, intersect_object
from luxel.core.sampling import jittered_point
from luxel.core.scenes import Scenes
from luxel.core.shapes.local import INFINITY
from luxel.core.sky import is_in_sun
from luxel.models.ray_differentials import Ray, SegmentGroup, has_weight, ray_through_pixel

COVERAGE_COLUMNS, COVERAGE_ROWS = wp.constant(8), wp.constant(6)  # rays


@wp.func
def nearest_among(scenes: Scenes, ray: Ray, origin_object: int, hits: wp.vec4i) -> int:
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
def same_hit_mask(hit: int, hits: wp.vec4i, counted: wp.vec4) -> wp.vec4:
    """1 for each of the rays that are counted and hit the same, else 0."""
    return wp.vec4(
        wp.where(hits[0] == hit, counted[0], 0.0),
        wp.where(hits[1] == hit, counted[1], 0.0),
        wp.where(hits[2] == hit, counted[2], 0.0),
        wp.where(hits[3] == hit, counted[3], 0.0),
    )


@wp.struct
class HitCoverage:
    """How much of a pixel the objects cover that its four rays hit, and the sky that shows beside them."""

    per_ray: wp.vec4  # of what the ray hits, over the quarter that the ray stands for
    sky: wp.vec3  # radiance without the sun, times the share


@wp.func
def hit_coverage(
    scenes: Scenes,
    scene: int,
    group: SegmentGroup,
) -> HitCoverage:
    """Of segments that have weights, by many rays of their differential, which hit one of the same objects or none.

    A ray that hits none shows the sky if one of the four does, or if nothing else is there. What three hit or more
    covers the pixel: it is no narrower than they are apart.
    """
    result = HitCoverage(wp.vec4(1.0, 1.0, 1.0, 1.0), wp.vec3(0.0, 0.0, 0.0))
    weights = group.weights
    counted = wp.vec4(has_weight(weights[0]), has_weight(weights[1]), has_weight(weights[2]), has_weight(weights[3]))
    first_hit = wp.where(
        counted[0] > 0.0,
        group.a.hit,
        wp.where(counted[1] > 0.0, group.b.hit, wp.where(counted[2] > 0.0, group.c.hit, group.d.hit)),
    )
    hits = wp.vec4i(
        wp.where(counted[0] > 0.0, group.a.hit, first_hit),
        wp.where(counted[1] > 0.0, group.b.hit, first_hit),
        wp.where(counted[2] > 0.0, group.c.hit, first_hit),
        wp.where(counted[3] > 0.0, group.d.hit, first_hit),
    )
    hits = wp.max(hits, wp.vec4i(MISS, MISS, MISS, MISS))  # the sky is in the sun's place, too
    rays = wp.dot(counted, counted)
    hit_same = hits[1] == hits[0] and hits[2] == hits[0] and hits[3] == hits[0]
    if hit_same and (rays > 2.5 or is_lamp(scenes, first_hit) or first_hit == MISS):
        return result
    shows_sky = wp.min(wp.min(hits[0], hits[1]), wp.min(hits[2], hits[3])) < 0
    count_of_hit = wp.vec4(0.0, 0.0, 0.0, 0.0)
    sky = wp.vec3(0.0, 0.0, 0.0)
    hit_count = float(0.0)
    for k in range(COVERAGE_COLUMNS * COVERAGE_ROWS):
        ray = ray_through_pixel(group.differential, jittered_point(k, COVERAGE_COLUMNS, COVERAGE_ROWS))
        hit = nearest_among(scenes, ray, group.differential.origin_object, hits)
        same = same_hit_mask(hit, hits, counted)
        count_of_hit += same
        if wp.max(same) > 0.0:
            hit_count += 1.0
        elif not shows_sky and hit == MISS:
            beyond = intersect(scenes, scene, ray.origin, ray.direction, group.differential.origin_object)
            if beyond.object_id == MISS:
                hit_count += 1.0
                sky += environment_radiance(scenes, scene, ray.direction)
                if is_in_sun(scenes.scenes[scene], ray.direction):
                    sky -= scenes.scenes[scene].sun_radiance
    if hit_count > 0.0:
        same_a = same_hit_mask(hits[0], hits, counted)
        same_b = same_hit_mask(hits[1], hits, counted)
        same_c = same_hit_mask(hits[2], hits, counted)
        same_d = same_hit_mask(hits[3], hits, counted)
        rays_on_object = wp.vec4(
            wp.dot(same_a, same_a), wp.dot(same_b, same_b), wp.dot(same_c, same_c), wp.dot(same_d, same_d)
        )
        result.per_ray = wp.cw_div(rays / hit_count * count_of_hit, rays_on_object)
        result.sky = sky / hit_count
    return result
