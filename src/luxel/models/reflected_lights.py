"""How much of a pixel lights fill that it shows by way of mirrors and glass.

Four rays a pixel find a light that is smaller than a pixel by chance, and of a larger one's edge a quarter or none: in
motion both jump. But the rays' last segments tell, to first order, how origin and direction of such a ray depend on
where in the pixel it begins (ray differentials, Igehy 1999, by differences), and so where in the pixel a light is seen.
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
from luxel.models.light_images import area_in_pixel, image_of, is_near
from luxel.models.segment_bundles import BundleRay, Segment, SegmentBundle, bundle_ray, counts

RAYS = wp.constant(48)  # by which the share of a pixel is found that a light fills
SPACING, STEP = wp.constant(0.144), wp.constant(1.0 / 16.0)  # of those, in pixels, and to where margins are compared
SMALL, LARGE = wp.constant(0.25), wp.constant(0.75)  # images in pixels: up to one by area, from the other on by rays


@wp.func
def distance_to(scenes: Scenes, scene: int, light: int, ray: BundleRay, origin_object: int) -> float:
    """Along a ray to an object, or to SUN, to which it is 1, if nothing is in between; infinite if it is missed."""
    result = float(INFINITY)
    if light == SUN:
        if is_in_sun(scenes.scenes[scene], ray.direction):
            result = 1.0
    else:
        result = intersect_object(scenes, light, ray.origin, ray.direction, origin_object, INFINITY)
    return result


@wp.func
def would_hit(scenes: Scenes, scene: int, light: int, weight: float, segment: Segment) -> float:
    """The share of a pixel that a segment stands for, if it would meet a light with nothing in between, else 0."""
    distance = float(INFINITY)
    if weight > 0.0:
        ray = BundleRay(segment.origin, segment.direction)
        distance = distance_to(scenes, scene, light, ray, segment.origin_object)
    return wp.where(distance < INFINITY, 0.25 * weight, 0.0)


@wp.func
def counted(light: int, weight: float, segment: Segment, as_shown: bool) -> float:
    """The share of a pixel that a segment stands for, if it hits a light, or what that counts for; else 0."""
    share = wp.where(as_shown, segment.hit_share, 1.0)
    return wp.where(segment.hit == light, 0.25 * weight * share, 0.0)


@wp.struct
class Blockers:
    """Up to four objects that a pixel's rays hit, which may be in the way of a light; each once, or MISS."""

    a: int
    b: int
    c: int
    d: int


@wp.func
def blockers_of(light: int, weights: wp.vec4, a: Segment, b: Segment, c: Segment, d: Segment) -> Blockers:
    """What segments that have weights hit, but for the light itself."""
    hits = Blockers(MISS, MISS, MISS, MISS)
    if weights[0] > 0.0 and a.hit >= 0 and a.hit != light:
        hits.a = a.hit
    if weights[1] > 0.0 and b.hit >= 0 and b.hit != light and b.hit != hits.a:
        hits.b = b.hit
    if weights[2] > 0.0 and c.hit >= 0 and c.hit != light and c.hit != hits.a and c.hit != hits.b:
        hits.c = c.hit
    if weights[3] > 0.0 and d.hit >= 0 and d.hit != light and d.hit != hits.a and d.hit != hits.b and d.hit != hits.c:
        hits.d = d.hit
    return hits


@wp.func
def is_clear(scenes: Scenes, ray: BundleRay, blockers: Blockers, origin_object: int, distance: float) -> bool:
    """Whether none of the blockers is nearer along a ray."""
    clear = bool(True)
    k = int(0)  # no constant range, which would be unrolled
    while k < 4 and clear:
        blocker = wp.where(k == 0, blockers.a, wp.where(k == 1, blockers.b, wp.where(k == 2, blockers.c, blockers.d)))
        if blocker >= 0:
            t = intersect_object(scenes, blocker, ray.origin, ray.direction, origin_object, distance)
            clear = t >= distance
        k += 1
    return clear


@wp.func
def shows(scenes: Scenes, scene: int, light: int, ray: BundleRay, origin_object: int, distance: float) -> bool:
    """Whether nothing at all is in the way of a light, or of its outline, at a distance along a ray."""
    hit = intersect(scenes, scene, ray.origin, ray.direction, origin_object)
    return hit.object_id == wp.max(light, MISS) or (light >= 0 and hit.t > distance)


@wp.func
def light_margin(scenes: Scenes, scene: int, light: int, ray: BundleRay) -> float:
    """How far within the outline of a light, but a plane, a ray is: see `luxel.core.shapes.outline`."""
    margin = float(0.0)
    if light == SUN:
        row = scenes.scenes[scene]
        margin = 1.0 - wp.length(ray.direction - row.sun_direction) / wp.sqrt(row.sun_chord_squared)
    else:
        margin = outline_margin(shape_of(scenes.objects[light]), ray.origin, ray.direction)
    return margin


@wp.func
def margins_about(scenes: Scenes, scene: int, light: int, bundle: SegmentBundle, at: wp.vec2) -> wp.vec3:
    """Of the bundle's rays at a place in the pixel, and STEP beside and below."""
    margins = wp.vec3(0.0, 0.0, 0.0)
    k = int(0)
    while k < 3:
        off = wp.vec2(wp.where(k == 1, STEP, 0.0), wp.where(k == 2, STEP, 0.0))
        margins[k] = light_margin(scenes, scene, light, bundle_ray(bundle, at + off))
        k += 1
    return margins


@wp.func
def share_about(scenes: Scenes, scene: int, light: int, bundle: SegmentBundle, at: wp.vec2) -> float:
    """That a light fills of the square about a place in the pixel, if nothing is in the way."""
    margins = margins_about(scenes, scene, light, bundle, at)
    return share_inside(margins[0], margins[1], margins[2], STEP, SPACING)


@wp.func
def may_fill(scenes: Scenes, scene: int, light: int, bundle: SegmentBundle) -> bool:
    """Whether a light may show in the pixel, by the margin in its middle.

    Margins are concave, so that nowhere are they above the tangent: the corners are 0.71 of a pixel away.
    """
    middle = wp.vec2(0.5, 0.5)
    margins = margins_about(scenes, scene, light, bundle, middle)
    slope = wp.length(wp.vec2(margins[1] - margins[0], margins[2] - margins[0])) / STEP
    return margins[0] + slope > 0.0


@wp.func
def fills_all(scenes: Scenes, scene: int, light: int, bundle: SegmentBundle) -> bool:
    """Whether a light fills the pixel, if nothing is in the way: the squares about all of its corners."""
    least = float(1.0)
    k = int(0)
    while k < 4 and least == 1.0:
        least = share_about(scenes, scene, light, bundle, wp.vec2(float(k & 1), float(k >> 1)))
        k += 1
    return least == 1.0


@wp.struct
class Filled:
    """The share of a pixel that shows a light, and that which would if nothing were in the way."""

    share: float
    if_clear: float


@wp.func
def filled_by_rays(
    scenes: Scenes,
    scene: int,
    light: int,
    bundle: SegmentBundle,
    blockers: Blockers,
    is_told: bool,
    to: wp.vec3,
) -> Filled:
    """How much of the squares about the pixel's bundle of rays the light fills, where nothing is in the way.

    That is none of the blockers if the pixel's four rays have told what is (`is_told`), as some would have met the
    light; else no object. The light's middle is at `to`.
    """
    result = Filled(0.0, 0.0)
    if not may_fill(scenes, scene, light, bundle):
        return result
    fills = fills_all(scenes, scene, light, bundle)
    if fills and is_told and wp.max(wp.max(blockers.a, blockers.b), wp.max(blockers.c, blockers.d)) < 0:
        return Filled(1.0, 1.0)
    for k in range(RAYS):
        at = lattice_point(k, RAYS)
        ray = bundle_ray(bundle, at)
        share = float(1.0 / float(RAYS))
        if not fills:
            share *= share_about(scenes, scene, light, bundle, at)
        if share > 0.0:
            result.if_clear += share
            t = float(INFINITY)
            if light != SUN:
                t = distance_to(scenes, scene, light, ray, MISS)
                if t == INFINITY:
                    t = wp.dot(to, ray.direction)
            clear = bool(False)
            if is_told:
                clear = is_clear(scenes, ray, blockers, bundle.origin_object, t)
            else:
                clear = shows(scenes, scene, light, ray, bundle.origin_object, t)
            if clear:
                result.share += share
    return result


@wp.func
def is_seen(scenes: Scenes, scene: int, light: int, bundle: SegmentBundle, by: Segment, vector: wp.vec3) -> float:
    """1 if a segment's origin sees the point of a light at `vector` from the bundle's, else 0."""
    towards = vector
    if light != SUN:
        towards += bundle.origin - by.origin
    distance = wp.length(towards)
    ray = BundleRay(by.origin, towards / distance)
    return wp.where(shows(scenes, scene, light, ray, by.origin_object, distance), 1.0, 0.0)


@wp.func
def nearest_segment(weights: wp.vec4, a: Segment, b: Segment, c: Segment, d: Segment, direction: wp.vec3) -> Segment:
    """Of those that have weights, the one whose direction is most like another."""
    result = a
    nearest = counts(weights[0]) * (2.0 + wp.dot(a.direction, direction))
    by_b = counts(weights[1]) * (2.0 + wp.dot(b.direction, direction))
    by_c = counts(weights[2]) * (2.0 + wp.dot(c.direction, direction))
    by_d = counts(weights[3]) * (2.0 + wp.dot(d.direction, direction))
    if by_b > nearest:
        result = b
        nearest = by_b
    if by_c > nearest:
        result = c
        nearest = by_c
    if by_d > nearest:
        result = d
    return result


@wp.func
def missed_of(
    scenes: Scenes,
    scene: int,
    light: int,
    bundle: SegmentBundle,
    weights: wp.vec4,
    a: Segment,
    b: Segment,
    c: Segment,
    d: Segment,
) -> wp.vec3:
    """Of one light, an object or SUN; see `missed_light`."""
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
        vector = obj.center - bundle.origin
        emission = obj.emission
        radius = obj.radius
        shape = shape_of(obj)
        start = shape.unit_from_world * (bundle.origin - obj.center)
        if light != bundle.origin_object and is_lit_by(obj.kind, start):
            angle = solid_angle(shape, start, unit_length(vector))
    result = wp.vec3(0.0, 0.0, 0.0)
    image = image_of(bundle, vector, light == SUN, angle, radius)
    if image.pixels > 0.0 and is_near(image):
        hits = counted(light, weights[0], a, False) + counted(light, weights[1], b, False)
        hits += counted(light, weights[2], c, False) + counted(light, weights[3], d, False)
        shown = counted(light, weights[0], a, True) + counted(light, weights[1], b, True)
        shown += counted(light, weights[2], c, True) + counted(light, weights[3], d, True)
        share = 0.25 * (weights[0] + weights[1] + weights[2] + weights[3])
        free = would_hit(scenes, scene, light, weights[0], a) + would_hit(scenes, scene, light, weights[1], b)
        free += would_hit(scenes, scene, light, weights[2], c) + would_hit(scenes, scene, light, weights[3], d)
        by_rays = wp.clamp((image.pixels - SMALL) / (LARGE - SMALL), 0.0, 1.0)
        by_area = (1.0 - by_rays) * area_in_pixel(image)
        found = Filled(0.0, 0.0)
        if by_rays > 0.0:
            blockers = blockers_of(light, weights, a, b, c, d)
            found = filled_by_rays(scenes, scene, light, bundle, blockers, free > 0.0, vector)
        if by_area + found.share + hits > 0.0:
            if free > 0.0:
                by_area *= wp.min(hits / free, 1.0)
            elif found.if_clear > 0.0:
                by_area *= found.share / found.if_clear
            elif by_area > 0.0:
                by = nearest_segment(weights, a, b, c, d, unit_length(vector))
                by_area *= is_seen(scenes, scene, light, bundle, by, vector)
            result = emission * (share * (by_area + by_rays * found.share) - shown)
    return result


@wp.func
def missed_light(
    scenes: Scenes,
    scene: int,
    bundle: SegmentBundle,
    weights: wp.vec4,
    a: Segment,
    b: Segment,
    c: Segment,
    d: Segment,
) -> wp.vec3:
    """Radiance of lights that a pixel shows beyond that of those that its four rays meet.

    Each ray stands for a quarter of the pixel times its weight; those without any have gone another way. It may be
    negative. Of a light that some of the rays meet, or would if nothing were in between, these tell what may be in the
    way; else every ray of the bundle finds that out, or one where the image is too small for a bundle.
    """
    total = wp.vec3(0.0, 0.0, 0.0)
    row = scenes.scenes[scene]
    leaves = row.light_leaves
    node = wp.where(leaves > 0, 1, 0)
    k = int(row.first_light)
    light = wp.where(row.sun_chord_squared > 0.0, SUN, MISS)
    while light != MISS or node > 0 or (leaves == 0 and k < row.end_lights):
        if light != MISS:  # in one place, as CUDA's compiler puts it inline
            total += missed_of(scenes, scene, light, bundle, weights, a, b, c, d)
        light = MISS
        if leaves == 0 and k < row.end_lights:
            light = scenes.light_object[k]
            k += 1
        if node > 0:
            bounds = scenes.light_nodes[row.light_tree + node]
            radius = wp.length(bounds.half_extents)
            vector = bounds.center - bundle.origin
            s = wp.dot(vector, bundle.direction)
            is_ahead = bounds.intensity > 0.0 and s > -radius
            if is_ahead and s > radius:
                is_ahead = is_near(image_of(bundle, vector, False, 1.0, radius))
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
    throughput = weights[0] * a.throughput + weights[1] * b.throughput
    throughput += weights[2] * c.throughput + weights[3] * d.throughput
    return wp.cw_mul(throughput / (weights[0] + weights[1] + weights[2] + weights[3]), total)
