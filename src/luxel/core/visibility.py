"""How much of a light a surface point receives: straight, through clear objects, or refracted by one of them."""

import warp as wp

from luxel.core.frames import frame, unit_length
from luxel.core.fresnel import fresnel_dielectric, refract
from luxel.core.intersect import MISS, SUN, Hit, intersect, intersect_among, intersect_object
from luxel.core.principled import Material, is_followed, refraction_weight, specular_transmittance
from luxel.core.scenes import Scenes, material_of_object, shape_of
from luxel.core.shapes.kinds import CYLINDER, SPHERE
from luxel.core.shapes.local import INFINITY
from luxel.core.shapes.shape import Shape, intersect_shape, is_lit_by, is_panel, panel_front, surface_interaction

MAX_INTERFACES = wp.constant(8)
TOUCHING = wp.constant(1.0e-5)  # distance of surfaces that touch, over that to the origin
MAX_NEWTON_STEPS = wp.constant(12)
FINITE_DIFFERENCE = wp.constant(0.01)  # for derivatives, over the angle under which an object's radius is seen
MAX_NEWTON_STEP = wp.constant(0.5)  # of the refracted direction's tangent, in the same unit
MAX_ENDPOINT_ERROR = wp.constant(1.0e-3)  # at which the walk has converged, over the distance to the end
MAX_FOCUS = wp.constant(300.0)  # caustics that are brighter are smaller than a pixel


@wp.struct
class LineOfSight:
    """The transmittance of a straight line to a light, by channel, and the clear objects that it crosses."""

    transmittance: wp.vec3
    is_transmitted: bool  # by any clear object
    clear_object: int  # the first such object
    interfaces: int  # how often it crosses that object's surface; 0 if there is another clear object


@wp.func
def is_clear(material: Material) -> bool:
    """Whether one sees through a surface: it transmits, and is smooth."""
    return refraction_weight(material) > 0.0 and is_followed(material)


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
    allow_transmission: bool,
) -> LineOfSight:
    """Of a shadow ray to the object `target`, or to SUN or MAP, in the shaft towards it or EVERYTHING.

    With `allow_transmission` clear objects attenuate it as if they did not refract it; else they block it. A ray
    that leaves a ball or a slab meets its surface as steeply as where it entered. Radiance within glass is η² times as
    high, but arrives from as much less of solid angle, or more, at a flat face: irradiance stays what it is.
    """
    result = LineOfSight(wp.vec3(0.0, 0.0, 0.0), False, MISS, 0)
    transmittance = wp.vec3(1.0, 1.0, 1.0)
    point = origin
    object_id = origin_object
    left_object = int(MISS)
    for interface in range(MAX_INTERFACES):
        hit = next_hit(scenes, scene, shaft, point, direction, object_id, left_object)
        # At first, before any interface, that is also so of what is tiny, by rounding.
        hits_nothing_else = hit.object_id == MISS and (interface == 0 or target < 0)
        if hit.object_id == target or hits_nothing_else:
            result.transmittance = transmittance
            break
        if hit.object_id == MISS:
            break
        obj = scenes.objects[hit.object_id]
        material = material_of_object(obj)
        if not allow_transmission or not is_clear(material):
            break
        si = surface_interaction(shape_of(obj), point, direction, hit.t)
        reflectance = fresnel_dielectric(wp.abs(wp.dot(direction, si.normal)), material.eta).reflectance
        transmittance = wp.cw_mul(transmittance, specular_transmittance(material, reflectance))
        result.is_transmitted = True
        if interface == 0:
            result.clear_object = hit.object_id
        result.interfaces = wp.where(
            hit.object_id == result.clear_object and result.interfaces == interface, interface + 1, 0
        )
        point = si.point
        left_object = object_id
        object_id = hit.object_id
    return result


@wp.struct
class RefractedRay:
    """A ray that has been refracted by a clear object."""

    point: wp.vec3
    direction: wp.vec3
    transmittance: wp.vec3  # 0 if it does not get through


@wp.func
def refract_through(
    shape: Shape, material: Material, origin: wp.vec3, direction: wp.vec3, ends_inside: bool
) -> RefractedRay:
    """The ray beyond one clear object, refracted at each interface; within it, if it `ends_inside`.

    It begins within if its first crossing leaves: of an origin on the surface, as on the ground below a box, rounding
    decides that, and not for all rays alike.
    """
    ray = RefractedRay(origin, direction, wp.vec3(1.0, 1.0, 1.0))
    inside = bool(False)
    for interface in range(2):
        if interface > 0 and inside == ends_inside:
            break
        t = intersect_shape(shape.kind, shape.center, shape.unit_from_world, ray.point, ray.direction, interface > 0)
        si = surface_interaction(shape, ray.point, ray.direction, wp.min(t, 1.0e18))
        cos_i = -wp.dot(ray.direction, si.normal)
        if interface == 0:
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
def endpoint_error(ray: RefractedRay, end: wp.vec3, axes: wp.mat33, at_infinity: bool) -> wp.vec2:
    """How far a ray passes from where it should end, along the first two axes, the third being the straight line.

    Of an end at infinity, how far the ray's direction is from the straight one. The manifold walk makes this 0.
    """
    off = axes * ray.direction
    if not at_infinity:
        vector = end - ray.point
        off = axes * (vector - ray.direction * wp.dot(vector, ray.direction))
    return wp.vec2(off[0], off[1])


@wp.struct
class RefractedConnection:
    """A path from a point through one clear object to a light, and its radiance over that of a straight one."""

    direction: wp.vec3
    transmittance: wp.vec3  # times the focus; 0 if there is no such path


@wp.func
def distance_to_target(
    scenes: Scenes, scene: int, origin: wp.vec3, direction: wp.vec3, origin_object: int, target: int
) -> wp.vec2:
    """Distance along a ray to an object, infinite if it is missed, and the object's radius.

    To SUN and MAP the distance is 1, and the radius its sine.
    """
    t = float(1.0)
    radius = float(1.0)
    if target == SUN:
        radius = wp.sqrt(scenes.scenes[scene].sun_chord_squared)
    if target >= 0:
        lamp = scenes.objects[target]
        radius = lamp.radius
        t = intersect_object(scenes, target, origin, direction, origin_object, INFINITY)
        if lamp.kind == SPHERE and t < INFINITY:
            # It shows the same disc from everywhere, and its near side only from near by.
            t = wp.dot(lamp.center - origin, direction)
    return wp.vec2(t, radius)


@wp.func
def is_connected(
    scenes: Scenes,
    scene: int,
    origin: wp.vec3,
    direction: wp.vec3,
    origin_object: int,
    clear_object: int,
    refracted: RefractedRay,
    target: int,
) -> bool:
    """Whether nothing is between a point and a clear object, nor between that and the target of the refracted ray."""
    point = origin
    along = direction
    last = origin_object
    is_unoccluded = bool(True)
    for part in range(2):
        expected = wp.where(part == 0, clear_object, wp.max(target, MISS))
        hit = intersect(scenes, scene, point, along, last)
        is_unoccluded = is_unoccluded and hit.object_id == expected
        point = refracted.point
        along = refracted.direction
        last = clear_object
    return is_unoccluded


@wp.func
def manifold_walk(
    scenes: Scenes, scene: int, origin: wp.vec3, direction: wp.vec3, origin_object: int, target: int, sight: LineOfSight
) -> RefractedConnection:
    """The refracted line from a point to where the straight `direction` meets the object `target`, or a ball's middle.

    To SUN and MAP, the line that leaves the clear object in this direction. Newton's method from the straight line
    (manifold next-event estimation, Hanika et al., EGSR 2015). With r how far a ray of direction ω passes the end y,
    dω/dy = 1 / det(dr/dω), where a straight line has 1 / |y − x|², or 1 to infinity.
    """
    result = RefractedConnection(direction, wp.vec3(0.0, 0.0, 0.0))
    obj = scenes.objects[sight.clear_object]
    shape = shape_of(obj)
    material = material_of_object(obj)
    at_infinity = target < 0
    reach = distance_to_target(scenes, scene, origin, direction, origin_object, target)
    t_end = reach[0]
    to_center = wp.length(obj.center - origin)
    if shape.kind > CYLINDER or sight.interfaces == 0 or t_end == INFINITY:
        result.transmittance = sight.transmittance
        return result
    lamp = scenes.objects[wp.max(target, 0)]
    end = origin + direction * t_end
    ends_inside = not at_infinity and not is_lit_by(shape.kind, shape.unit_from_world * (end - shape.center))
    axes = frame(direction)
    across = wp.vec3(axes[0, 0], axes[0, 1], axes[0, 2])
    up = wp.vec3(axes[1, 0], axes[1, 1], axes[1, 2])
    unit = wp.min(obj.radius / wp.max(to_center, obj.radius), 1.0)
    h = FINITE_DIFFERENCE * unit
    ax = float(0.0)
    ay = float(0.0)
    for _step in range(MAX_NEWTON_STEPS):
        towards = wp.normalize(direction + ax * across + ay * up)
        ray = refract_through(shape, material, origin, towards, ends_inside)
        if wp.max(ray.transmittance) == 0.0:
            break
        error = endpoint_error(ray, end, axes, at_infinity)
        beside = wp.normalize(direction + (ax + h) * across + ay * up)
        above = wp.normalize(direction + ax * across + (ay + h) * up)
        ray_x = refract_through(shape, material, origin, beside, ends_inside)
        ray_y = refract_through(shape, material, origin, above, ends_inside)
        if wp.max(ray_x.transmittance) == 0.0 or wp.max(ray_y.transmittance) == 0.0:
            break
        dx = (endpoint_error(ray_x, end, axes, at_infinity) - error) / h
        dy = (endpoint_error(ray_y, end, axes, at_infinity) - error) / h
        det = dx[0] * dy[1] - dx[1] * dy[0]
        if wp.length(error) < wp.min(MAX_ENDPOINT_ERROR * t_end, 0.25 * reach[1]):
            # (ax, ay) is a point of a plane across `direction`, for which dω = cos³ d(ax) d(ay).
            cosine = wp.dot(towards, direction)
            solid_angle = cosine * cosine * cosine / wp.max(wp.abs(det), 1.0e-18)
            focus = t_end * t_end * wp.max(wp.dot(ray.direction, direction), 0.0) * solid_angle
            if not at_infinity and is_panel(lamp.kind):  # which is as foreshortened as the refracted ray sees it
                front = panel_front(lamp.world_from_unit)
                towards_front = wp.max(-wp.dot(front, ray.direction), 0.0)
                focus *= towards_front / wp.max(wp.abs(wp.dot(front, direction)), 1.0e-6)
            if is_connected(scenes, scene, origin, towards, origin_object, sight.clear_object, ray, target):
                result.direction = towards
                result.transmittance = ray.transmittance * wp.min(focus, MAX_FOCUS)
            break
        if wp.abs(det) < 1.0e-18:
            break
        step_x = -(error[0] * dy[1] - error[1] * dy[0]) / det
        step_y = -(dx[0] * error[1] - dx[1] * error[0]) / det
        shorter = wp.min(1.0, MAX_NEWTON_STEP * unit / wp.max(wp.sqrt(step_x * step_x + step_y * step_y), 1.0e-12))
        ax += shorter * step_x
        ay += shorter * step_y
    return result
