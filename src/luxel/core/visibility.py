"""How much of a light comes to a surface: straight, with clear objects in between or not, or bent by one of them."""

import warp as wp

from luxel.core.frames import frame, unit_length
from luxel.core.fresnel import fresnel_dielectric, refract
from luxel.core.intersect import MISS, SUN, Hit, intersect, intersect_object
from luxel.core.principled import SMOOTH_ALPHA, Material, refraction_weight, specular_transmittance
from luxel.core.scenes import Scenes, material_of_object, shape_of
from luxel.core.shafts import intersect_among
from luxel.core.shapes.kinds import CYLINDER, SPHERE
from luxel.core.shapes.local import INFINITY
from luxel.core.shapes.shape import Shape, intersect_shape, is_lit_by, is_panel, panel_front, surface_interaction

MOST_CROSSINGS = wp.constant(8)
TOUCHING = wp.constant(1.0e-5)  # distance of surfaces that touch, over that to the origin
NEWTON_STEPS = wp.constant(12)
DIFFERENCE = wp.constant(0.01)  # for derivatives, over the angle under which an object's radius is seen
LONGEST_STEP = wp.constant(0.5)  # in the same unit
LEAST_MISS = wp.constant(1.0e-3)  # by which a bent ray may miss its end, over the distance
MOST_FOCUS = wp.constant(300.0)  # what is brighter is smaller than can be shown


@wp.struct
class LineOfSight:
    """The share of light that gets along a line, by channel, and what is in between."""

    transmittance: wp.vec3
    is_through: bool  # anything clear
    clear_object: int  # the first such object
    crossings: int  # of its surface; 0 if there is another clear object


@wp.func
def is_clear(material: Material) -> bool:
    """Whether one sees through a surface: it transmits, and is smooth."""
    return refraction_weight(material) > 0.0 and material.alpha < SMOOTH_ALPHA


@wp.func
def radiance_gain(eta: float, leaves: bool) -> float:
    """Of a ray into an object, or out of it, against the light: radiance in it is η² times as high."""
    return wp.where(leaves, eta * eta, 1.0 / (eta * eta))


@wp.func
def next_hit(
    scenes: Scenes,
    scene: int,
    shaft: wp.uint64,
    origin: wp.vec3,
    direction: wp.vec3,
    origin_object: int,
    left_object: int,
) -> Hit:
    """The first object in a shaft along a ray that starts on one, after it has left another.

    Where both touch, the ray may be told to meet the one that it has left again, at once: it does not.
    """
    hit = intersect_among(scenes, scene, shaft, origin, direction, origin_object)
    reach = TOUCHING * wp.length(origin)
    if hit.object_id == left_object and hit.t < reach:
        hit = intersect_among(scenes, scene, shaft, origin + reach * direction, direction, origin_object)
        hit.t += reach
    return hit


@wp.func
def line_of_sight(
    scenes: Scenes,
    scene: int,
    shaft: wp.uint64,
    origin: wp.vec3,
    direction: wp.vec3,
    origin_object: int,
    target: int,
    straight_on: bool,
) -> LineOfSight:
    """Of the ray that was aimed at the object `target`, or at SUN or MAP, in the shaft towards it or EVERYTHING.

    `straight_on`: what is clear lets through what it transmits, as if it did not bend the ray; else nothing may be in
    between. A ray that leaves a ball or a slab meets its surface as steeply as where it entered.
    """
    result = LineOfSight(wp.vec3(0.0, 0.0, 0.0), False, MISS, 0)
    transmittance = wp.vec3(1.0, 1.0, 1.0)
    point = origin
    object_id = origin_object
    left_object = int(MISS)
    for crossing in range(MOST_CROSSINGS):
        hit = next_hit(scenes, scene, shaft, point, direction, object_id, left_object)
        is_free = hit.object_id == MISS and (crossing == 0 or target < 0)  # at first also of what is tiny, by rounding
        if hit.object_id == target or is_free:
            result.transmittance = transmittance
            break
        if hit.object_id == MISS:
            break
        obj = scenes.objects[hit.object_id]
        material = material_of_object(obj)
        if not straight_on or not is_clear(material):
            break
        si = surface_interaction(shape_of(obj), point, direction, hit.t)
        reflectance = fresnel_dielectric(wp.abs(wp.dot(direction, si.normal)), material.eta).reflectance
        transmittance = wp.cw_mul(transmittance, specular_transmittance(material, reflectance))
        transmittance = transmittance * radiance_gain(material.eta, wp.dot(direction, si.normal) > 0.0)
        result.is_through = True
        if crossing == 0:
            result.clear_object = hit.object_id
        result.crossings = wp.where(
            hit.object_id == result.clear_object and result.crossings == crossing, crossing + 1, 0
        )
        point = si.point
        left_object = object_id
        object_id = hit.object_id
    return result


@wp.struct
class BentRay:
    """A ray that has crossed an object's surface."""

    point: wp.vec3
    direction: wp.vec3
    transmittance: wp.vec3  # 0 if it does not get through


@wp.func
def bent(shape: Shape, material: Material, origin: wp.vec3, direction: wp.vec3, ends_inside: bool) -> BentRay:
    """A ray that crosses the surface of one clear object, refracted each time, until it is in it or out of it for good.

    It begins within if its first crossing leaves: of an origin on the surface, as on the ground below a box, rounding
    decides that, and not for all rays alike.
    """
    ray = BentRay(origin, direction, wp.vec3(1.0, 1.0, 1.0))
    inside = bool(False)
    for crossing in range(2):
        if crossing > 0 and inside == ends_inside:
            break
        t = intersect_shape(shape.kind, shape.center, shape.unit_from_world, ray.point, ray.direction, crossing > 0)
        si = surface_interaction(shape, ray.point, ray.direction, wp.min(t, 1.0e18))
        cos_i = -wp.dot(ray.direction, si.normal)
        if crossing == 0:
            inside = cos_i < 0.0
        fresnel = fresnel_dielectric(cos_i, material.eta)
        if t == INFINITY or (cos_i < 0.0) != inside or fresnel.reflectance >= 1.0:
            ray.transmittance = wp.vec3(0.0, 0.0, 0.0)
            break
        ratio = wp.where(inside, 1.0 / material.eta, material.eta)
        ray.direction = unit_length(refract(-ray.direction, si.normal, fresnel.cos_t, ratio))
        ray.transmittance = wp.cw_mul(ray.transmittance, specular_transmittance(material, fresnel.reflectance))
        ray.transmittance = ray.transmittance * radiance_gain(material.eta, inside)
        ray.point = si.point
        inside = not inside
    return ray


@wp.func
def miss_of(ray: BentRay, end: wp.vec3, axes: wp.mat33, is_far: bool) -> wp.vec2:
    """By how much a ray passes its end, along the first two axes, the third being the straight line.

    Of an end at infinity, by how much the ray's direction differs from the straight one.
    """
    off = axes * ray.direction
    if not is_far:
        vector = end - ray.point
        off = axes * (vector - ray.direction * wp.dot(vector, ray.direction))
    return wp.vec2(off[0], off[1])


@wp.struct
class BentLine:
    """The way from a point through one clear object to another, and how much brighter it is than a straight one."""

    direction: wp.vec3
    transmittance: wp.vec3  # times the focus; 0 if there is no such way


@wp.func
def bent_line(
    scenes: Scenes, scene: int, origin: wp.vec3, direction: wp.vec3, origin_object: int, target: int, sight: LineOfSight
) -> BentLine:
    """The refracted line from a point to where the straight `direction` meets the object `target`, or a ball's middle.

    To SUN and MAP, the line that leaves the clear object in this direction. Newton's method from the straight line
    (manifold next-event estimation, Hanika et al., EGSR 2015). With r how far a ray of direction ω passes the end y,
    dω/dy = 1 / det(dr/dω), where a straight line has 1 / |y − x|², or 1 to infinity.
    """
    result = BentLine(direction, wp.vec3(0.0, 0.0, 0.0))
    obj = scenes.objects[sight.clear_object]
    shape = shape_of(obj)
    material = material_of_object(obj)
    is_far = target < 0
    t_end = float(1.0)
    lamp_radius = float(1.0)
    if target == SUN:
        lamp_radius = wp.sqrt(scenes.scenes[scene].sun_chord_squared)
    if not is_far:
        t_end = intersect_object(scenes, target, origin, direction, origin_object, INFINITY)
    to_center = wp.length(obj.center - origin)
    if shape.kind > CYLINDER or sight.crossings == 0 or t_end == INFINITY:
        result.transmittance = sight.transmittance
        return result
    lamp = scenes.objects[wp.max(target, 0)]
    if not is_far:
        lamp_radius = lamp.radius
        if lamp.kind == SPHERE:  # it shows the same disc from everywhere, and its near side only from near by
            t_end = wp.dot(lamp.center - origin, direction)
    end = origin + direction * t_end
    ends_inside = not is_far and not is_lit_by(shape.kind, shape.unit_from_world * (end - shape.center))
    axes = frame(direction)
    across = wp.vec3(axes[0, 0], axes[0, 1], axes[0, 2])
    up = wp.vec3(axes[1, 0], axes[1, 1], axes[1, 2])
    unit = wp.min(obj.radius / wp.max(to_center, obj.radius), 1.0)
    h = DIFFERENCE * unit
    ax = float(0.0)
    ay = float(0.0)
    for _step in range(NEWTON_STEPS):
        towards = wp.normalize(direction + ax * across + ay * up)
        ray = bent(shape, material, origin, towards, ends_inside)
        if wp.max(ray.transmittance) == 0.0:
            break
        miss = miss_of(ray, end, axes, is_far)
        beside = wp.normalize(direction + (ax + h) * across + ay * up)
        above = wp.normalize(direction + ax * across + (ay + h) * up)
        one = bent(shape, material, origin, beside, ends_inside)
        two = bent(shape, material, origin, above, ends_inside)
        if wp.max(one.transmittance) == 0.0 or wp.max(two.transmittance) == 0.0:
            break
        dx = (miss_of(one, end, axes, is_far) - miss) / h
        dy = (miss_of(two, end, axes, is_far) - miss) / h
        det = dx[0] * dy[1] - dx[1] * dy[0]
        if wp.length(miss) < wp.min(LEAST_MISS * t_end, 0.25 * lamp_radius):
            # (ax, ay) is a point of a plane across `direction`, for which dω = cos³ d(ax) d(ay).
            cosine = wp.dot(towards, direction)
            solid_angle = cosine * cosine * cosine / wp.max(wp.abs(det), 1.0e-18)
            focus = t_end * t_end * wp.max(wp.dot(ray.direction, direction), 0.0) * solid_angle
            if not is_far and is_panel(lamp.kind):  # which is as foreshortened as the bent ray sees it
                front = panel_front(lamp.world_from_unit)
                towards_front = wp.max(-wp.dot(front, ray.direction), 0.0)
                focus *= towards_front / wp.max(wp.abs(wp.dot(front, direction)), 1.0e-6)
            point = origin
            along = towards
            last = origin_object
            is_free = bool(True)
            for part in range(2):  # up to the clear object, and on from it
                expected = wp.where(part == 0, sight.clear_object, wp.max(target, MISS))
                hit = intersect(scenes, scene, point, along, last)
                is_free = is_free and hit.object_id == expected
                point = ray.point
                along = ray.direction
                last = sight.clear_object
            if is_free:
                result.direction = towards
                result.transmittance = ray.transmittance * wp.min(focus, MOST_FOCUS)
            break
        if wp.abs(det) < 1.0e-18:
            break
        step_x = -(miss[0] * dy[1] - miss[1] * dy[0]) / det
        step_y = -(dx[0] * miss[1] - dx[1] * miss[0]) / det
        shorter = wp.min(1.0, LONGEST_STEP * unit / wp.max(wp.sqrt(step_x * step_x + step_y * step_y), 1.0e-12))
        ax += shorter * step_x
        ay += shorter * step_y
    return result
