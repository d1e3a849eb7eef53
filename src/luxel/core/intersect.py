"""Where rays meet the objects of their scenes: by a loop over all, or by a bounding volume hierarchy if many."""

import warp as wp

from luxel.core.bounds import ROUNDING, children_entered, sphere_in_lane, spheres_touched
from luxel.core.lanes import LANES, lane_beside, lowest_bit
from luxel.core.scenes import SceneRow, Scenes
from luxel.core.shapes.kinds import SPHERE
from luxel.core.shapes.local import INFINITY
from luxel.core.shapes.shape import intersect_shape

MISS = wp.constant(-1)
"""The object that a ray meets when it meets none, or starts on when it starts in the open."""

SUN, MAP = wp.constant(-2), wp.constant(-3)
"""The sun, and an environment map's bright part, where a ray may be aimed at them as at an object."""

EVERYTHING = wp.constant(wp.uint64(0xFFFFFFFFFFFFFFFF))
"""A set of objects, bit n for the n-th of its scene, that leaves out none; see `luxel.core.shafts`."""

FEW_OBJECTS = wp.constant(4)  # that are as soon intersected as the bounding spheres of eight are tried


@wp.struct
class Hit:
    """The first object along a ray, a row of Scenes or MISS, and its distance, infinite for MISS."""

    object_id: int
    t: float


@wp.func
def intersect_bounded_object(
    scenes: Scenes,
    object_id: int,
    kind: int,
    center: wp.vec3,
    radius: float,
    origin: wp.vec3,
    direction: wp.vec3,
    origin_object: int,
    t_max: float,
) -> float:
    """What `intersect_object` returns, of an object whose kind and bounding sphere are at hand."""
    vector = center - origin
    middle = wp.dot(vector, direction)
    square = wp.dot(vector, vector)
    offset = vector - middle * direction
    excess = radius * radius - wp.dot(offset, offset)
    t = float(INFINITY)
    if kind == SPHERE:
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
    elif excess > -ROUNDING * square and middle > -radius and middle - radius < t_max:
        obj = scenes.objects[object_id]
        t = intersect_shape(kind, center, obj.unit_from_world, origin, direction, object_id == origin_object)
    return t


@wp.func
def intersect_object(
    scenes: Scenes, object_id: int, origin: wp.vec3, direction: wp.vec3, origin_object: int, t_max: float
) -> float:
    """Distance to one object along a ray of unit direction, infinite if it is missed; what is beyond t_max may be.

    Its bounding sphere is tried first, which for a sphere is the answer already, by the formulas of
    `intersect_ellipsoid`.
    """
    obj = scenes.objects[object_id]
    return intersect_bounded_object(
        scenes, object_id, obj.kind, obj.center, obj.radius, origin, direction, origin_object, t_max
    )


@wp.func
def objects_touched(
    scenes: Scenes,
    leaf: int,
    first: int,
    end: int,
    origin: wp.vec3,
    direction: wp.vec3,
    origin_object: int,
    t_max: float,
) -> int:
    """A bit for each object of a leaf whose bounding sphere a ray may meet before t_max, and for the ray's own.

    Of a scene without a tree, whose leaves have its objects in their order: `first` is the leaf's first row, `end` that
    after the scene's last. Of a leaf of FEW_OBJECTS or fewer, a bit for each.
    """
    count = end - first
    touched = (1 << wp.where(count > FEW_OBJECTS, 0, count)) - 1
    if count > FEW_OBJECTS:
        touched = spheres_touched(scenes.tree_leaves[leaf], origin, direction, t_max)
        lane = origin_object - first
        if lane >= 0 and lane < LANES:  # of which rounding may have the ray start beside it
            touched = touched | (1 << lane)
    return touched


@wp.func
def intersect_listed(
    scenes: Scenes, row: SceneRow, objects: wp.uint64, origin: wp.vec3, direction: wp.vec3, origin_object: int
) -> Hit:
    """The first along a ray of some `objects` of a scene without a tree, or EVERYTHING there."""
    hit = Hit(MISS, INFINITY)
    among = objects
    leaf = row.outliers
    first = row.first_object
    while first < row.end_objects:
        left = int(among & wp.uint64(255))
        but_one = left & (left - 1)
        if (but_one & (but_one - 1)) != 0:  # one or two are as soon intersected as eight spheres are tried
            left = left & objects_touched(scenes, leaf, first, row.end_objects, origin, direction, origin_object, hit.t)
        while left != 0:
            i = first + lowest_bit(wp.uint64(left))
            t = intersect_object(scenes, i, origin, direction, origin_object, hit.t)
            if t < hit.t:
                hit.t = t
                hit.object_id = i
            left = left & (left - 1)
        among = ~(~among >> wp.uint64(8))  # ones come after the last bits, so that EVERYTHING has no end
        first += LANES
        leaf += 1
    return hit


@wp.func
def is_occluded_by_listed(
    scenes: Scenes, row: SceneRow, origin: wp.vec3, direction: wp.vec3, origin_object: int, target: int, t_max: float
) -> bool:
    """Whether a ray meets an object but the target before t_max, in a scene without a tree."""
    leaf = row.outliers
    first = row.first_object
    while first < row.end_objects:
        left = objects_touched(scenes, leaf, first, row.end_objects, origin, direction, origin_object, t_max)
        while left != 0:
            i = first + lowest_bit(wp.uint64(left))
            if i != target and intersect_object(scenes, i, origin, direction, origin_object, t_max) < t_max:
                return True
            left = left & (left - 1)
        first += LANES
        leaf += 1
    return False


@wp.func
def intersect_leaf(
    scenes: Scenes,
    leaf: int,
    origin: wp.vec3,
    direction: wp.vec3,
    origin_object: int,
    target: int,
    before: Hit,
) -> Hit:
    """The nearer of what was hit `before` and a BVH leaf's objects, without the target and the ray's own."""
    hit = Hit(before.object_id, before.t)
    touched = spheres_touched(scenes.tree_leaves[leaf], origin, direction, hit.t)
    while touched != 0:
        lane = lowest_bit(wp.uint64(touched))
        touched = touched & (touched - 1)
        primitive = scenes.tree_primitives[LANES * leaf + lane]
        i = primitive.object_id
        if i >= 0 and i != target and i != origin_object:
            sphere = sphere_in_lane(scenes.tree_leaves, leaf, lane)
            center = wp.vec3(sphere[0], sphere[1], sphere[2])
            t = intersect_bounded_object(
                scenes, i, primitive.kind, center, sphere[3], origin, direction, origin_object, hit.t
            )
            # Of two at the same distance the first in the list, whatever the tree's order.
            if t < hit.t or (t == hit.t and t < INFINITY and i < hit.object_id):
                hit.t = t
                hit.object_id = i
    return hit


@wp.func
def intersect_bvh(
    scenes: Scenes,
    row: SceneRow,
    origin: wp.vec3,
    direction: wp.vec3,
    origin_object: int,
    target: int,
    t_max: float,
) -> Hit:
    """The first object before t_max, by the scene's BVH; with a target (a shadow ray), any object but that.

    The nearest child first, then those beside it. A byte of the trail for each level says which are still to be seen,
    so that the walk needs no stack (Hapala et al., "Efficient Stack-less BVH Traversal", 2011; Áfra & Szirmay-Kalos,
    "Stackless Multi-BVH Traversal", 2014).
    """
    hit = Hit(MISS, t_max)
    if origin_object >= 0 and origin_object != target:  # of which rounding may have the ray start beside it
        t = intersect_object(scenes, origin_object, origin, direction, origin_object, t_max)
        if t < t_max:
            hit = Hit(origin_object, t)
    hit = intersect_leaf(scenes, row.outliers, origin, direction, origin_object, target, hit)
    if target == MISS or hit.object_id == MISS:
        inverse = wp.vec3(safe_reciprocal(direction[0]), safe_reciprocal(direction[1]), safe_reciprocal(direction[2]))
        entered = children_entered(scenes.tree_nodes[row.tree + row.tree_root], origin, inverse, hit.t)
        trail = wp.uint64(entered & 255)
        node = LANES * row.tree_root + (entered >> 8)
        while trail != wp.uint64(0):
            levels = lowest_bit(trail) >> 3
            trail = trail >> wp.uint64(8 * levels)
            node = node >> (3 * levels)
            lane = lane_beside(node & 7, int(trail & wp.uint64(255)))
            trail = trail ^ (wp.uint64(1) << wp.uint64(lane))
            node = (node & ~7) | lane
            if node < row.tree_leaves:
                entered = children_entered(scenes.tree_nodes[row.tree + node], origin, inverse, hit.t)
                trail = (trail << wp.uint64(8)) | wp.uint64(entered & 255)
                node = LANES * node + (entered >> 8)
            else:
                leaf = row.outliers + 1 + node - row.tree_leaves
                hit = intersect_leaf(scenes, leaf, origin, direction, origin_object, target, hit)
                if target != MISS and hit.object_id != MISS:
                    trail = wp.uint64(0)
    if hit.object_id == MISS:
        hit.t = INFINITY
    return hit


@wp.func
def safe_reciprocal(x: float) -> float:
    """1/x, or 1e20."""
    return 1.0 / wp.where(wp.abs(x) < 1.0e-20, 1.0e-20, x)


@wp.func
def intersect(scenes: Scenes, scene: int, origin: wp.vec3, direction: wp.vec3, origin_object: int) -> Hit:
    """The first object along a ray of unit direction; `origin_object` is the one on whose surface it starts, or MISS.

    A ray leaves its own surface only through the far side, and needs no offset.
    """
    return intersect_among(scenes, scene, EVERYTHING, origin, direction, origin_object)


@wp.func
def intersect_among(
    scenes: Scenes, scene: int, shaft: wp.uint64, origin: wp.vec3, direction: wp.vec3, origin_object: int
) -> Hit:
    """What `intersect` returns, of the objects in a shaft, which the ray does not leave before it meets one."""
    row = scenes.scenes[scene]
    hit = Hit(MISS, INFINITY)
    if row.tree_leaves == 0:
        hit = intersect_listed(scenes, row, shaft, origin, direction, origin_object)
    else:
        hit = intersect_bvh(scenes, row, origin, direction, origin_object, MISS, INFINITY)
    return hit


@wp.func
def is_visible(
    scenes: Scenes, scene: int, origin: wp.vec3, direction: wp.vec3, origin_object: int, target: int
) -> bool:
    """Whether an object, which the ray was aimed at, is the first along it; of what is no object, whether none is."""
    row = scenes.scenes[scene]
    t_target = float(INFINITY)
    if target >= 0:
        t_target = intersect_object(scenes, target, origin, direction, origin_object, INFINITY)
        if (
            t_target == INFINITY
        ):  # by rounding: what is far beside its size is where the ray comes nearest to its centre
            t_target = wp.dot(scenes.objects[target].center - origin, direction)
    if row.tree_leaves == 0:
        return not is_occluded_by_listed(scenes, row, origin, direction, origin_object, target, t_target)
    return intersect_bvh(scenes, row, origin, direction, origin_object, target, t_target).object_id == MISS
