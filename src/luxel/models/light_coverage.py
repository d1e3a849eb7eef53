"""How much of a pixel lights cover that it shows by way of mirrors and glass.

Four rays a pixel hit a light that is smaller than a pixel by chance, and of a larger one's edge a quarter or none: in
motion both jump. But the ray differentials of their chains' last segments (`luxel.models.ray_differentials`) tell, to
first order, where in the pixel a light is seen.
"""

import warp as wp

from luxel.core.frames import unit_length
from luxel.core.intersect import MISS, SUN, intersect, intersect_object
from luxel.core.sampling import lattice_point
from luxel.core.scenes import Scenes, shape_of
from luxel.core.shapes.local import INFINITY
from luxel.core.shapes.outline import outline_margin, share_inside
from luxel.core.shapes.shape import is_lit_by, solid_angle
from luxel.core.sky import is_in_sun, sun_solid_angle
from luxel.models.light_images import area_in_pixel, image_of, may_touch_pixel
from luxel.models.ray_differentials import (
    Ray,
    RayDifferential,
    Segment,
    SegmentGroup,
    has_weight,
    ray_through_pixel,
    total_weight,
    weighted_throughput,
)

RAYS = wp.constant(48)  # by which the share of a pixel is found that a light covers
SPACING, STEP = wp.constant(0.144), wp.constant(1.0 / 16.0)  # of those, in pixels, and to where margins are compared
SMALL_IMAGE, LARGE_IMAGE = (
    wp.constant(0.25),
    wp.constant(0.75),
)  # images in pixels: up to one by area, from the other on by rays


@wp.func
def distance_to_light(scenes: Scenes, scene: int, light: int, ray: Ray, origin_object: int) -> float:
    """Distance along a ray to an object, 1 to SUN, whatever is in between; infinite if the ray misses it."""
    result = float(INFINITY)
    if light == SUN:
        if is_in_sun(scenes.scenes[scene], ray.direction):
            result = 1.0
    else:
        result = intersect_object(scenes, light, ray.origin, ray.direction, origin_object, INFINITY)
    return result


@wp.func
def would_hit(scenes: Scenes, scene: int, light: int, weight: float, segment: Segment) -> float:
    """The share of a pixel that a segment stands for, if it would hit a light with nothing in between, else 0."""
    distance = float(INFINITY)
    if weight > 0.0:
        ray = Ray(segment.origin, segment.direction)
        distance = distance_to_light(scenes, scene, light, ray, segment.origin_object)
    return wp.where(distance < INFINITY, 0.25 * weight, 0.0)


@wp.func
def share_if_unoccluded(scenes: Scenes, scene: int, light: int, group: SegmentGroup) -> float:
    """The share of a pixel whose segments would hit a light with nothing in between."""
    share = would_hit(scenes, scene, light, group.weights[0], group.a)
    share += would_hit(scenes, scene, light, group.weights[1], group.b)
    return share + (
        would_hit(scenes, scene, light, group.weights[2], group.c)
        + would_hit(scenes, scene, light, group.weights[3], group.d)
    )


@wp.func
def hit_weight(light: int, weight: float, segment: Segment, as_counted: bool) -> float:
    """The share of a pixel that a segment stands for, if it hits a light, or what that counts for; else 0."""
    share = wp.where(as_counted, segment.hit_share, 1.0)
    return wp.where(segment.hit == light, 0.25 * weight * share, 0.0)


@wp.func
def share_that_hits(light: int, group: SegmentGroup, as_counted: bool) -> float:
    """The share of a pixel whose segments hit a light, or what that counts for."""
    share = hit_weight(light, group.weights[0], group.a, as_counted)
    share += hit_weight(light, group.weights[1], group.b, as_counted)
    return share + (
        hit_weight(light, group.weights[2], group.c, as_counted)
        + hit_weight(light, group.weights[3], group.d, as_counted)
    )


@wp.struct
class Occluders:
    """Up to four objects that a pixel's rays hit, which may occlude a light; each once, or MISS."""

    a: int
    b: int
    c: int
    d: int


@wp.func
def occluders_of(light: int, group: SegmentGroup) -> Occluders:
    """What segments that have weights hit, but for the light itself."""
    occluders = Occluders(MISS, MISS, MISS, MISS)
    weights = group.weights
    a = group.a.hit
    b = group.b.hit
    c = group.c.hit
    d = group.d.hit
    if weights[0] > 0.0 and a >= 0 and a != light:
        occluders.a = a
    if weights[1] > 0.0 and b >= 0 and b != light and b != occluders.a:
        occluders.b = b
    if weights[2] > 0.0 and c >= 0 and c != light and c != occluders.a and c != occluders.b:
        occluders.c = c
    if weights[3] > 0.0 and d >= 0 and d != light and d != occluders.a and d != occluders.b and d != occluders.c:
        occluders.d = d
    return occluders


@wp.func
def is_unoccluded_by(scenes: Scenes, ray: Ray, occluders: Occluders, origin_object: int, distance: float) -> bool:
    """Whether a ray hits none of the occluders before this distance."""
    unoccluded = bool(True)
    k = int(0)  # no constant range, which would be unrolled
    while k < 4 and unoccluded:
        occluder = wp.where(
            k == 0, occluders.a, wp.where(k == 1, occluders.b, wp.where(k == 2, occluders.c, occluders.d))
        )
        if occluder >= 0:
            t = intersect_object(scenes, occluder, ray.origin, ray.direction, origin_object, distance)
            unoccluded = t >= distance
        k += 1
    return unoccluded


@wp.func
def is_unoccluded(scenes: Scenes, scene: int, light: int, ray: Ray, origin_object: int, distance: float) -> bool:
    """Whether nothing at all is in the way of a light, or of its outline, at a distance along a ray."""
    hit = intersect(scenes, scene, ray.origin, ray.direction, origin_object)
    return hit.object_id == wp.max(light, MISS) or (light >= 0 and hit.t > distance)


@wp.func
def light_margin(scenes: Scenes, scene: int, light: int, ray: Ray) -> float:
    """How far within the outline of a light, but a plane, a ray is: see `luxel.core.shapes.outline`."""
    margin = float(0.0)
    if light == SUN:
        row = scenes.scenes[scene]
        margin = 1.0 - wp.length(ray.direction - row.sun_direction) / wp.sqrt(row.sun_chord_squared)
    else:
        margin = outline_margin(shape_of(scenes.objects[light]), ray.origin, ray.direction)
    return margin


@wp.func
def margins_about(scenes: Scenes, scene: int, light: int, differential: RayDifferential, at: wp.vec2) -> wp.vec3:
    """`light_margin` of the ray through a place in the pixel, and of those STEP beside and below it."""
    margins = wp.vec3(0.0, 0.0, 0.0)
    k = int(0)
    while k < 3:
        off = wp.vec2(wp.where(k == 1, STEP, 0.0), wp.where(k == 2, STEP, 0.0))
        margins[k] = light_margin(scenes, scene, light, ray_through_pixel(differential, at + off))
        k += 1
    return margins


@wp.func
def coverage_about(scenes: Scenes, scene: int, light: int, differential: RayDifferential, at: wp.vec2) -> float:
    """The share that a light covers of the square about a place in the pixel, if nothing occludes it."""
    margins = margins_about(scenes, scene, light, differential, at)
    return share_inside(margins[0], margins[1], margins[2], STEP, SPACING)


@wp.func
def may_cover_pixel(scenes: Scenes, scene: int, light: int, differential: RayDifferential) -> bool:
    """Whether a light may show in the pixel, by the margin in its middle.

    Margins are concave, so that nowhere are they above the tangent: the corners are 0.71 of a pixel away.
    """
    middle = wp.vec2(0.5, 0.5)
    margins = margins_about(scenes, scene, light, differential, middle)
    slope = wp.length(wp.vec2(margins[1] - margins[0], margins[2] - margins[0])) / STEP
    return margins[0] + slope > 0.0


@wp.func
def covers_pixel(scenes: Scenes, scene: int, light: int, differential: RayDifferential) -> bool:
    """Whether a light covers the pixel, if nothing occludes it: the squares about all of its corners."""
    least = float(1.0)
    k = int(0)
    while k < 4 and least == 1.0:
        least = coverage_about(scenes, scene, light, differential, wp.vec2(float(k & 1), float(k >> 1)))
        k += 1
    return least == 1.0


@wp.struct
class LightCoverage:
    """The share of a pixel that shows a light, and that which would if nothing occluded it."""

    share: float
    if_unoccluded: float


@wp.func
def coverage_by_rays(
    scenes: Scenes,
    scene: int,
    light: int,
    differential: RayDifferential,
    occluders: Occluders,
    are_known: bool,
    to: wp.vec3,
) -> LightCoverage:
    """How much of the squares about many rays through the pixel the light covers, where nothing occludes it.

    If the pixel's four rays have told what does (`are_known`), as some would have hit the light, that is none of
    these occluders; else no object. The light's center is at `to`.
    """
    result = LightCoverage(0.0, 0.0)
    if not may_cover_pixel(scenes, scene, light, differential):
        return result
    fills = covers_pixel(scenes, scene, light, differential)
    if fills and are_known and wp.max(wp.max(occluders.a, occluders.b), wp.max(occluders.c, occluders.d)) < 0:
        return LightCoverage(1.0, 1.0)
    for k in range(RAYS):
        at = lattice_point(k, RAYS)
        ray = ray_through_pixel(differential, at)
        share = float(1.0 / float(RAYS))
        if not fills:
            share *= coverage_about(scenes, scene, light, differential, at)
        if share > 0.0:
            result.if_unoccluded += share
            t = float(INFINITY)
            if light != SUN:
                t = distance_to_light(scenes, scene, light, ray, MISS)
                if t == INFINITY:
                    t = wp.dot(to, ray.direction)
            unoccluded = bool(False)
            if are_known:
                unoccluded = is_unoccluded_by(scenes, ray, occluders, differential.origin_object, t)
            else:
                unoccluded = is_unoccluded(scenes, scene, light, ray, differential.origin_object, t)
            if unoccluded:
                result.share += share
    return result


@wp.func
def sees_light(
    scenes: Scenes, scene: int, light: int, differential: RayDifferential, segment: Segment, vector: wp.vec3
) -> float:
    """1 if a segment's origin sees the point of a light at `vector` from the differential's, else 0."""
    towards = vector
    if light != SUN:
        towards += differential.origin - segment.origin
    distance = wp.length(towards)
    ray = Ray(segment.origin, towards / distance)
    return wp.where(is_unoccluded(scenes, scene, light, ray, segment.origin_object, distance), 1.0, 0.0)


@wp.func
def nearest_segment(group: SegmentGroup, direction: wp.vec3) -> Segment:
    """Of those that have weights, the one whose direction is most like another."""
    result = group.a
    nearest = has_weight(group.weights[0]) * (2.0 + wp.dot(group.a.direction, direction))
    by_b = has_weight(group.weights[1]) * (2.0 + wp.dot(group.b.direction, direction))
    by_c = has_weight(group.weights[2]) * (2.0 + wp.dot(group.c.direction, direction))
    by_d = has_weight(group.weights[3]) * (2.0 + wp.dot(group.d.direction, direction))
    if by_b > nearest:
        result = group.b
        nearest = by_b
    if by_c > nearest:
        result = group.c
        nearest = by_c
    if by_d > nearest:
        result = group.d
    return result


@wp.func
def missed_radiance_of(
    scenes: Scenes,
    scene: int,
    light: int,
    group: SegmentGroup,
) -> wp.vec3:
    """That of one light, an object or SUN; see `missed_light_radiance`."""
    row = scenes.scenes[scene]
    vector = row.sun_direction
    emission = row.sun_radiance
    angle = float(0.0)
    radius = float(0.0)
    if light == SUN:
        angle = sun_solid_angle(row)
        radius = wp.sqrt(row.sun_chord_squared)
    else:
        obj = scenes.objects[light]
        vector = obj.center - group.differential.origin
        emission = obj.emission
        radius = obj.radius
        shape = shape_of(obj)
        start = shape.unit_from_world * (group.differential.origin - obj.center)
        if light != group.differential.origin_object and is_lit_by(obj.kind, start):
            angle = solid_angle(shape, start, unit_length(vector))
    result = wp.vec3(0.0, 0.0, 0.0)
    image = image_of(group.differential, vector, light == SUN, angle, radius)
    if image.pixels > 0.0 and may_touch_pixel(image):
        hit_share = share_that_hits(light, group, False)
        counted_share = share_that_hits(light, group, True)
        share = 0.25 * total_weight(group)
        unoccluded_share = share_if_unoccluded(scenes, scene, light, group)
        by_rays = wp.clamp((image.pixels - SMALL_IMAGE) / (LARGE_IMAGE - SMALL_IMAGE), 0.0, 1.0)
        by_area = (1.0 - by_rays) * area_in_pixel(image)
        coverage = LightCoverage(0.0, 0.0)
        if by_rays > 0.0:
            occluders = occluders_of(light, group)
            are_known = unoccluded_share > 0.0
            coverage = coverage_by_rays(scenes, scene, light, group.differential, occluders, are_known, vector)
        if by_area + coverage.share + hit_share > 0.0:
            if unoccluded_share > 0.0:
                by_area *= wp.min(hit_share / unoccluded_share, 1.0)
            elif coverage.if_unoccluded > 0.0:
                by_area *= coverage.share / coverage.if_unoccluded
            elif by_area > 0.0:
                nearest = nearest_segment(group, unit_length(vector))
                by_area *= sees_light(scenes, scene, light, group.differential, nearest, vector)
            result = emission * (share * (by_area + by_rays * coverage.share) - counted_share)
    return result


@wp.func
def missed_light_radiance(
    scenes: Scenes,
    scene: int,
    group: SegmentGroup,
) -> wp.vec3:
    """Radiance of lights that a pixel shows beyond that of those that its four rays hit; it may be negative.

    Each ray stands for a quarter of the pixel times its weight; those without any follow another path. Of a light that
    some of the rays hit, or would if nothing were in between, these tell what may occlude it; else every ray through
    the pixel finds that out, or one where the image is too small for many.
    """
    total = wp.vec3(0.0, 0.0, 0.0)
    row = scenes.scenes[scene]
    leaves = row.light_leaves
    node = wp.where(leaves > 0, 1, 0)
    k = int(row.first_light)
    light = wp.where(row.sun_chord_squared > 0.0, SUN, MISS)
    while light != MISS or node > 0 or (leaves == 0 and k < row.end_lights):
        if light != MISS:  # in one place, as CUDA's compiler puts it inline
            total += missed_radiance_of(scenes, scene, light, group)
        light = MISS
        if leaves == 0 and k < row.end_lights:
            light = scenes.light_object[k]
            k += 1
        if node > 0:
            bounds = scenes.light_nodes[row.light_tree + node]
            radius = wp.length(bounds.half_extents)
            vector = bounds.center - group.differential.origin
            s = wp.dot(vector, group.differential.direction)
            is_ahead = bounds.intensity > 0.0 and s > -radius
            if is_ahead and s > radius:
                is_ahead = may_touch_pixel(image_of(group.differential, vector, False, 1.0, radius))
            if is_ahead and node < leaves:
                node = 2 * node
            else:
                if is_ahead and row.first_light + node - leaves < row.end_lights:
                    light = scenes.light_object[row.first_light + node - leaves]
                node += 1  # the next one that is not below: up as long as it is a first child's
                while (node & 1) == 0:
                    node = node >> 1
                if node == 1:
                    node = 0
    return wp.cw_mul(weighted_throughput(group) / total_weight(group), total)
