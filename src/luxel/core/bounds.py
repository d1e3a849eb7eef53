"""Eight bounding boxes or spheres against one ray, and eight lamps before one point.

Of loops over a vector's components Warp makes single numbers, out of which its compiler rebuilds vectors by halves. A
loop in C++ that is to be vectorised becomes 40 instructions for eight boxes; for CUDA it is a loop like any other.
A minimum is `a < b ? a : b`, one instruction, where Warp's own, which passes over NaN, takes four on a CPU.
"""

import warp as wp

from luxel.core.lanes import Lanes
from luxel.core.scenes import BVHLeaf, BVHNode, LightGroup
from luxel.core.trees import OUT_OF_REACH

ROUNDING = wp.constant(4.0e-6)
"""Of a closest approach's square, relative to the squared distance that it is found from; and of other lengths."""
VECTORISED = "#pragma clang loop vectorize(assume_safety) vectorize_width(8) interleave(disable) unroll(disable)"


@wp.func_native(f"""
    int entered = 0, first = 0x7fffffff;
    float end = t_max < {0.1 * OUT_OF_REACH}f ? t_max : {0.1 * OUT_OF_REACH}f;
    {VECTORISED}
    for (int lane = 0; lane < 8; ++lane) {{
        float ax = (node.lower_x.c[lane] - origin.c[0]) * inverse.c[0];
        float ay = (node.lower_y.c[lane] - origin.c[1]) * inverse.c[1];
        float az = (node.lower_z.c[lane] - origin.c[2]) * inverse.c[2];
        float bx = (node.upper_x.c[lane] - origin.c[0]) * inverse.c[0];
        float by = (node.upper_y.c[lane] - origin.c[1]) * inverse.c[1];
        float bz = (node.upper_z.c[lane] - origin.c[2]) * inverse.c[2];
        float x = ax < bx ? ax : bx, to_x = ax < bx ? bx : ax;
        float y = ay < by ? ay : by, to_y = ay < by ? by : ay;
        float z = az < bz ? az : bz, to_z = az < bz ? bz : az;
        float enter = x > y ? x : y;
        enter = enter > z ? enter : z;
        enter = enter > 0.0f ? enter : 0.0f;
        float leave = to_x < to_y ? to_x : to_y;
        leave = leave < to_z ? leave : to_z;
        leave = leave < end ? leave : end;
        bool enters = enter <= leave;
        entered |= (enters ? 1 : 0) << lane;
        int order;  // floats that are not negative are in the order of their bits
        memcpy(&order, &enter, 4);
        order = enters ? (order & ~7) | lane : 0x7fffffff;
        first = order < first ? order : first;
    }}
    return entered | (first & 7) << 8;
""")
def children_entered(node: BVHNode, origin: wp.vec3, inverse: wp.vec3, t_max: float) -> int:  # type: ignore[empty-body]
    """A bit for each child whose box a ray enters before t_max, and 256 times the one that it enters first.

    By slabs (Kay & Kajiya 1986); `inverse` has one over each component of the direction. Boxes out of reach, the points
    (a, a, a), are never entered, not even by a ray along (1, 1, 1): of the tree's root, some stand for no node at all.
    """
    ...


@wp.func_native(f"""
    int touched = 0;
    {VECTORISED}
    for (int lane = 0; lane < 8; ++lane) {{
        float x = leaf.x.c[lane] - origin.c[0];
        float y = leaf.y.c[lane] - origin.c[1];
        float z = leaf.z.c[lane] - origin.c[2];
        float radius = leaf.radius.c[lane];
        float middle = x * direction.c[0] + y * direction.c[1] + z * direction.c[2];
        float square = x * x + y * y + z * z;
        x -= middle * direction.c[0];
        y -= middle * direction.c[1];
        z -= middle * direction.c[2];
        float excess = radius * radius - (x * x + y * y + z * z);
        float reach = {1 + ROUNDING}f * radius;
        bool near = (excess > {-ROUNDING}f * square) & (middle > -reach) & ({1 - ROUNDING}f * middle - reach <= t_max);
        touched |= (near ? 1 : 0) << lane;
    }}
    return touched;
""")
def spheres_touched(leaf: BVHLeaf, origin: wp.vec3, direction: wp.vec3, t_max: float) -> int:  # type: ignore[empty-body]
    """A bit for each sphere that a ray meets before t_max, and for some that it just misses, as rounding has it."""
    ...


@wp.func_native(f"""
    const auto& group = groups.data[number];
    wp::vec_t<8, wp::float32> weights;
    {VECTORISED}
    for (int lane = 0; lane < 8; ++lane) {{
        float x = group.x.c[lane] - point.c[0];
        float y = group.y.c[lane] - point.c[1];
        float z = group.z.c[lane] - point.c[2];
        float radius = group.radius.c[lane];
        float square = x * x + y * y + z * z;
        float reach = x * normal.c[0] + y * normal.c[1] + z * normal.c[2] + radius;
        float cosine = reach / sqrtf(square);
        bool tilted = (cosine < 1.0f) & is_opaque;
        cosine = tilted ? cosine : 1.0f;
        bool shines = (square > radius * radius) & ((reach > 0.0f) | !is_opaque);
        weights.c[lane] = shines ? group.intensity.c[lane] * cosine / square : 0.0f;
    }}
    return weights;
""")
def sphere_light_weights(
    groups: wp.array[LightGroup], number: int, point: wp.vec3, normal: wp.vec3, is_opaque: bool
) -> Lanes:
    """The weights of a group's spheres for a surface point, as `luxel.core.emitters.light_weight` has them; else 0."""
    ...


@wp.func_native("""
    const auto& spheres = leaves.data[leaf];
    return {spheres.x.c[lane], spheres.y.c[lane], spheres.z.c[lane], spheres.radius.c[lane]};
""")
def sphere_in_lane(leaves: wp.array[BVHLeaf], leaf: int, lane: int) -> wp.vec4:
    """A leaf's bounding sphere: its centre and radius."""
    ...
