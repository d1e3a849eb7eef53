"""Where rays meet the objects of their scenes: by a loop over all, or by a tree where there are many."""

import warp as wp

from luxel.core.scenes import Scenes
from luxel.core.shapes.kinds import SPHERE
from luxel.core.shapes.local import INFINITY
from luxel.core.shapes.shape import intersect_shape

MISS = wp.constant(-1)
"""The object that a ray meets when it meets none, or starts on when it starts in the open."""

ROUNDING = wp.constant(-4.0e-6)  # of a closest approach's square, relative to the squared distance it is found from


@wp.struct
class Hit:
    """The first object along a ray, a row of Scenes or MISS, and its distance, infinite for MISS."""

    object_id: int
    t: float


@wp.func
def intersect_object(
    scenes: Scenes, object_id: int, origin: wp.vec3, direction: wp.vec3, origin_object: int, t_max: float
) -> float:
    """Distance to one object; infinite if the ray, of unit direction, does not meet it before t_max.

    Its bounding sphere is tried first, which for a sphere is the answer already, by the formulas of
    `intersect_ellipsoid`.
    """
    obj = scenes.objects[object_id]
    radius = obj.radius
    vector = obj.center - origin
    middle = wp.dot(vector, direction)
    square = wp.dot(vector, vector)
    offset = vector - middle * direction
    excess = radius * radius - wp.dot(offset, offset)
    t = float(INFINITY)
    if obj.kind == SPHERE:
        if object_id == origin_object:
            if middle > 0.0:
                t = 2.0 * middle
        elif excess > 0.0:
            c = square - radius * radius
            half_chord = wp.sqrt(excess)
            if middle > 0.0:
                far = middle + half_chord
                t = wp.where(c > 0.0, c / far, far)
            elif c < 0.0:
                t = c / (middle - half_chord)
    elif excess > ROUNDING * square and middle > -radius and middle - radius < t_max:
        t = intersect_shape(obj.kind, obj.center, obj.unit_from_world, origin, direction, object_id == origin_object)
    return t


@wp.func
def intersect(scenes: Scenes, scene: int, origin: wp.vec3, direction: wp.vec3, origin_object: int) -> Hit:
    """The first object along a ray of unit direction; `origin_object` is the one on whose surface it starts, or MISS.

    A ray leaves its own surface only through the far side, and needs no offset.
    """
    row = scenes.scenes[scene]
    hit = Hit(MISS, INFINITY)
    if row.has_tree == 0:
        for i in range(row.first_object, row.end_objects):
            t = intersect_object(scenes, i, origin, direction, origin_object, hit.t)
            if t < hit.t:
                hit.t = t
                hit.object_id = i
    else:
        query = wp.bvh_query_ray(scenes.tree, origin, direction, wp.bvh_get_group_root(scenes.tree, scene))
        item = int(0)
        while wp.bvh_query_next(query, item, hit.t):
            i = scenes.tree_object[item]
            t = intersect_object(scenes, i, origin, direction, origin_object, hit.t)
            # Of two at the same distance the first in the list, as above, whatever the tree's order.
            if t < hit.t or (t == hit.t and t < INFINITY and i < hit.object_id):
                hit.t = t
                hit.object_id = i
    return hit


@wp.func
def is_visible(
    scenes: Scenes, scene: int, origin: wp.vec3, direction: wp.vec3, origin_object: int, target: int
) -> bool:
    """Whether an object is the first along the ray."""
    row = scenes.scenes[scene]
    t_target = intersect_object(scenes, target, origin, direction, origin_object, INFINITY)
    if t_target == INFINITY:
        return False
    if row.has_tree == 0:
        for i in range(row.first_object, row.end_objects):
            if i != target and intersect_object(scenes, i, origin, direction, origin_object, t_target) < t_target:
                return False
    else:
        query = wp.bvh_query_ray(scenes.tree, origin, direction, wp.bvh_get_group_root(scenes.tree, scene))
        item = int(0)
        while wp.bvh_query_next(query, item, t_target):
            i = scenes.tree_object[item]
            if i != target and intersect_object(scenes, i, origin, direction, origin_object, t_target) < t_target:
                return False
    return True
