"""How much of a light a surface point receives along a straight line, through clear objects or past them."""

import warp as wp

from luxel.core.fresnel import fresnel_dielectric
from luxel.core.intersect import MISS, Hit, intersect_among
from luxel.core.principled import Material, is_followed, refraction_weight, specular_transmittance
from luxel.core.scenes import Scenes, material_of_object, shape_of
from luxel.core.shapes.shape import surface_interaction

MAX_INTERFACES = wp.constant(8)
TOUCHING = wp.constant(1.0e-5)  # distance of surfaces that touch, over that to the origin


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
