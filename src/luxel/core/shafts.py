"""What can be in the way of rays that begin at one point: found once for all of them (shaft culling).

Haines & Wallace, "Shaft Culling for Efficient Ray-Traced Radiosity", 1991; here a shaft is a cone, and of objects their
bounding spheres count.
"""

import warp as wp

from luxel.core.frames import unit_length
from luxel.core.intersect import EVERYTHING, SUN
from luxel.core.scenes import Scenes
from luxel.core.shapes.local import INFINITY

SLACK = wp.constant(1.0e-4)  # for rounding, of an object's radius and of a tenth of its distance


@wp.func
def objects_in_cone(scenes: Scenes, scene: int, apex: wp.vec3, axis: wp.vec3, sine: float, reach: float) -> wp.uint64:
    """Objects that a cone may meet up to a distance from its apex: bit n for the n-th of its scene.

    `sine` is that of the angle between its axis and its sides, 1 of a hemisphere. EVERYTHING if it is more, as of
    lines to what surrounds the apex, or the scene has a tree.
    """
    row = scenes.scenes[scene]
    if row.tree_leaves > 0 or sine > 1.0:
        return EVERYTHING
    cosine = wp.sqrt(1.0 - sine * sine)
    found = wp.uint64(0)
    bit = wp.uint64(1)
    for i in range(row.first_object, row.end_objects):
        obj = scenes.objects[i]
        vector = obj.center - apex
        middle = wp.dot(vector, axis)
        offset = wp.length(vector - middle * axis)
        radius = obj.radius + SLACK * (obj.radius + 0.1 * wp.abs(middle))
        if offset * cosine - middle * sine <= radius and middle >= -radius and middle - radius <= reach:
            found = found | bit
        bit = bit << wp.uint64(1)
    return found


@wp.func
def shaft_to(scenes: Scenes, scene: int, point: wp.vec3, target: int) -> wp.uint64:
    """Objects that lines from a point to an object, or SUN, may meet; of MAP, EVERYTHING."""
    if target >= 0:
        lamp = scenes.objects[target]
        vector = lamp.center - point
        distance = wp.length(vector)
        sine = lamp.radius / wp.max(distance, 1.0e-30)
        return objects_in_cone(scenes, scene, point, unit_length(vector), sine, distance + lamp.radius)
    if target == SUN:
        row = scenes.scenes[scene]
        sine = wp.sqrt(row.sun_chord_squared)  # at least that of the angular radius
        return objects_in_cone(scenes, scene, point, row.sun_direction, sine, INFINITY)
    return EVERYTHING
