"""Light that one clear object refracts on its way from a light to a surface point: manifold next-event estimation.

Hanika et al., "Manifold Next Event Estimation", EGSR 2015: Newton's method finds the refracted line.
"""

import warp as wp

from luxel.core.ball_refraction import BallSection, SectionRay, refract_by_ball
from luxel.core.frames import frame, unit_length
from luxel.core.fresnel import fresnel_dielectric, refract
from luxel.core.intersect import MISS, SUN, intersect, intersect_object
from luxel.core.principled import Material, specular_transmittance
from luxel.core.scenes import SceneObject, Scenes, material_of_object, shape_of
from luxel.core.shapes.kinds import CYLINDER, SPHERE
from luxel.core.shapes.local import INFINITY
from luxel.core.shapes.shape import Shape, intersect_shape, is_lit_by, is_panel, panel_front, surface_interaction
from luxel.core.visibility import LineOfSight

MAX_NEWTON_STEPS = wp.constant(12)
MAX_BALL_STEPS = wp.constant(16)  # in a ball's section, where each is cheap
UNBRACKETED_STEPS = wp.constant(5)  # of those, where more than one line may lead to the end, to the one nearest by
FINITE_DIFFERENCE = wp.constant(0.01)  # for derivatives, over the angle under which an object's radius is seen
MAX_NEWTON_STEP = wp.constant(0.5)  # of the refracted direction's tangent, in the same unit
MAX_ENDPOINT_ERROR = wp.constant(1.0e-3)  # at which the walk has converged, over the distance to the end
MAX_FOCUS = wp.constant(300.0)  # caustics that are brighter are smaller than a pixel


@wp.func
def radiance_gain(eta: float, leaves: bool) -> float:
    """Of a ray into an object, or out of it, against the light: radiance in it is η² times as high."""
    return wp.where(leaves, eta * eta, 1.0 / (eta * eta))


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


@wp.struct
class RefractedLine:
    """Where a walk has come to: a line from a point through a clear object to where the straight one ends."""

    direction: wp.vec3
    refracted: RefractedRay  # beyond the clear object
    focus: float  # of the light's solid angle, where it is not foreshortened; 0 if there is no line


@wp.func
def no_line(origin: wp.vec3, direction: wp.vec3) -> RefractedLine:
    """That of a walk that has not arrived."""
    return RefractedLine(direction, RefractedRay(origin, direction, wp.vec3(0.0, 0.0, 0.0)), 0.0)


@wp.func
def in_space(
    section: BallSection, ray: SectionRay, material: Material, origin: wp.vec3, x: wp.vec3, y: wp.vec3
) -> RefractedRay:
    """A SectionRay in world space, where the section's axes are x and y, and what the ball's material lets through."""
    passed = specular_transmittance(material, fresnel_dielectric(ray.cosine, material.eta).reflectance)
    if not section.starts_inside and not section.ends_inside:
        passed = wp.cw_mul(passed, passed)
    else:
        passed = passed * radiance_gain(material.eta, section.starts_inside)
    point = origin + ray.point[0] * x + ray.point[1] * y
    return RefractedRay(point, ray.direction[0] * x + ray.direction[1] * y, passed)


@wp.func
def between(a: float, b: float, x: float) -> float:
    """x if it is between two bounds, else their middle; x if there is one bound alone."""
    is_bounded = a > -INFINITY and b < INFINITY
    return wp.where(is_bounded and (x <= a or x >= b), 0.5 * (a + b), x)


@wp.func
def walk_through_ball(
    ball: SceneObject, origin: wp.vec3, direction: wp.vec3, end: wp.vec2, ends_inside: bool, at_infinity: bool
) -> RefractedLine:
    """`manifold_walk` through a ball, in the plane that holds its centre: a path of one number, the same that two make.

    `end` is the distance of the straight line's end, and the radius of what is there.
    """
    material = material_of_object(ball)
    vector = ball.center - origin
    along = wp.dot(vector, direction)
    beside = vector - along * direction
    offset = wp.length(beside)
    up = beside / wp.max(offset, 1.0e-30)
    start = origin - ball.center
    starts_inside = wp.dot(start, start) <= ball.radius * ball.radius
    section = BallSection(
        wp.vec2(along, offset), ball.radius, material.eta, end[0], starts_inside, ends_inside, at_infinity
    )
    unit = wp.min(ball.radius / wp.max(wp.length(vector), ball.radius), 1.0)
    closest = wp.min(MAX_ENDPOINT_ERROR * end[0], 0.25 * end[1])
    longest = MAX_NEWTON_STEP * unit
    result = no_line(origin, direction)
    tangent = float(0.0)
    change = float(0.0)
    right = float(-INFINITY)  # bounds of the root: rays by the ball's right rim have the end on their right
    left = float(INFINITY)
    is_bracketed = bool(False)
    step = int(0)
    while step < MAX_BALL_STEPS and not (starts_inside and ends_inside):
        ray = refract_by_ball(section, tangent)
        is_bracketed = is_bracketed or ray.slope > 0.0 or step == UNBRACKETED_STEPS
        step += 1
        if not ray.is_refracted or is_bracketed:
            if wp.where(ray.is_refracted, ray.error > 0.0, ray.is_left):
                left = tangent
            else:
                right = tangent
        if not ray.is_refracted:
            change *= -0.5
            tangent = between(right, left, tangent + change)
        elif wp.abs(ray.slope) < 1.0e-18:
            step = MAX_BALL_STEPS
        elif wp.abs(ray.error) < closest:
            step = MAX_BALL_STEPS
            if ray.direction[0] > 0.0:
                result.refracted = in_space(section, ray, material, origin, direction, up)
                result.direction = wp.normalize(direction + tangent * up)
                result.focus = end[0] * end[0] / wp.max(wp.abs(ray.slope * ray.across), 1.0e-18)
        else:
            change = -ray.error * (1.0 + tangent * tangent) / ray.slope  # d tan φ = (1 + tan² φ) dφ
            if is_bracketed and change * ray.error > 0.0:
                change = -change
            change = wp.clamp(change, -longest, longest)
            tangent = between(right, left, tangent + change)
    return result


@wp.func
def walk_through(
    obj: SceneObject, origin: wp.vec3, direction: wp.vec3, end: wp.vec2, ends_inside: bool, at_infinity: bool
) -> RefractedLine:
    """`manifold_walk` through any clear object, by differences; `end` as for `walk_through_ball`."""
    shape = shape_of(obj)
    material = material_of_object(obj)
    result = no_line(origin, direction)
    endpoint = origin + direction * end[0]
    axes = frame(direction)
    across = wp.vec3(axes[0, 0], axes[0, 1], axes[0, 2])
    up = wp.vec3(axes[1, 0], axes[1, 1], axes[1, 2])
    unit = wp.min(obj.radius / wp.max(wp.length(obj.center - origin), obj.radius), 1.0)
    h = FINITE_DIFFERENCE * unit
    closest = wp.min(MAX_ENDPOINT_ERROR * end[0], 0.25 * end[1])
    ax = float(0.0)
    ay = float(0.0)
    for _step in range(MAX_NEWTON_STEPS):
        towards = wp.normalize(direction + ax * across + ay * up)
        ray = refract_through(shape, material, origin, towards, ends_inside)
        if wp.max(ray.transmittance) == 0.0:
            break
        error = endpoint_error(ray, endpoint, axes, at_infinity)
        beside = wp.normalize(direction + (ax + h) * across + ay * up)
        above = wp.normalize(direction + ax * across + (ay + h) * up)
        ray_x = refract_through(shape, material, origin, beside, ends_inside)
        ray_y = refract_through(shape, material, origin, above, ends_inside)
        if wp.max(ray_x.transmittance) == 0.0 or wp.max(ray_y.transmittance) == 0.0:
            break
        dx = (endpoint_error(ray_x, endpoint, axes, at_infinity) - error) / h
        dy = (endpoint_error(ray_y, endpoint, axes, at_infinity) - error) / h
        det = dx[0] * dy[1] - dx[1] * dy[0]
        if wp.length(error) < closest:
            # (ax, ay) is a point of a plane across `direction`, for which dω = cos³ d(ax) d(ay).
            cosine = wp.dot(towards, direction)
            solid_angle = cosine * cosine * cosine / wp.max(wp.abs(det), 1.0e-18)
            result.focus = end[0] * end[0] * wp.max(wp.dot(ray.direction, direction), 0.0) * solid_angle
            result.direction = towards
            result.refracted = ray
            break
        if wp.abs(det) < 1.0e-18:
            break
        step_x = -(error[0] * dy[1] - error[1] * dy[0]) / det
        step_y = -(dx[0] * error[1] - dx[1] * error[0]) / det
        shorter = wp.min(1.0, MAX_NEWTON_STEP * unit / wp.max(wp.sqrt(step_x * step_x + step_y * step_y), 1.0e-12))
        ax += shorter * step_x
        ay += shorter * step_y
    return result


@wp.func
def manifold_walk(
    scenes: Scenes, scene: int, origin: wp.vec3, direction: wp.vec3, origin_object: int, target: int, sight: LineOfSight
) -> RefractedConnection:
    """The refracted line from a point to where the straight `direction` meets the object `target`, or a ball's middle.

    To SUN and MAP, the line that leaves the clear object in this direction. Newton's method from the straight line.
    With r how far a ray of direction ω passes the end y, dω/dy = 1 / det(dr/dω), where a straight line has
    1 / |y − x|², or 1 to infinity.
    """
    clear_object = sight.clear_object
    obj = scenes.objects[clear_object]
    end = distance_to_target(scenes, scene, origin, direction, origin_object, target)
    if obj.kind > CYLINDER or sight.interfaces == 0 or end[0] == INFINITY:
        return RefractedConnection(direction, sight.transmittance)
    local_end = obj.unit_from_world * (origin + direction * end[0] - obj.center)
    ends_inside = target >= 0 and not is_lit_by(obj.kind, local_end)
    line = RefractedLine()
    if obj.kind == SPHERE:
        line = walk_through_ball(obj, origin, direction, end, ends_inside, target < 0)
    else:
        line = walk_through(obj, origin, direction, end, ends_inside, target < 0)
    focus = line.focus
    if target >= 0:
        lamp = scenes.objects[target]
        if is_panel(lamp.kind):  # which is as foreshortened as the refracted ray sees it
            front = panel_front(lamp.world_from_unit)
            towards_front = wp.max(-wp.dot(front, line.refracted.direction), 0.0)
            focus *= towards_front / wp.max(wp.abs(wp.dot(front, direction)), 1.0e-6)
    result = RefractedConnection(direction, wp.vec3(0.0, 0.0, 0.0))
    if focus > 0.0 and is_connected(
        scenes, scene, origin, line.direction, origin_object, clear_object, line.refracted, target
    ):
        result.direction = line.direction
        result.transmittance = line.refracted.transmittance * wp.min(focus, MAX_FOCUS)
    return result
