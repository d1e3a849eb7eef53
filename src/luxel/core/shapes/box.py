"""Boxes: in unit space the cube [−1, 1]³."""

import warp as wp

from luxel.core.shapes.local import LocalHit, SurfaceSample, nearest_in_interval, rectangle_solid_angle, slab


@wp.func
def intersect_box(start: wp.vec3, along: wp.vec3, on_surface: bool) -> float:
    """Distance along the ray to the surface, infinite if there is none ahead (Kay & Kajiya 1986, slabs)."""
    x = slab(start[0], along[0])
    y = slab(start[1], along[1])
    z = slab(start[2], along[2])
    interval = wp.vec2(wp.max(wp.max(x[0], y[0]), z[0]), wp.min(wp.min(x[1], y[1]), z[1]))
    return nearest_in_interval(interval, on_surface)


@wp.func
def local_hit_box(start: wp.vec3, along: wp.vec3, t: float, scale: wp.vec3) -> LocalHit:
    """The point at distance `t`, put back on the face that is nearest to it in the world.

    Not on the one whose slab ends at t: of a face that the ray nearly lies in, rounding puts that anywhere.
    """
    point = start + t * along
    axis = int(0)
    least = float(1.0e38)
    for i in range(3):
        off = wp.abs(wp.abs(point[i]) - 1.0) * scale[i]
        if off < least:
            least = off
            axis = i
    normal = wp.vec3(0.0, 0.0, 0.0)
    for i in range(3):  # vectors whose indices are known when this is compiled stay in registers
        if i == axis:
            normal[i] = wp.sign(point[i])
            point[i] = normal[i]
        else:
            point[i] = wp.clamp(point[i], -1.0, 1.0)
    return LocalHit(point, normal)


@wp.func
def face_of_box(normal: wp.vec3) -> int:
    """The number of the face with this unit-space normal, 0 to 5: −x, +x, −y, +y, −z, +z."""
    axis = wp.abs(normal[1]) + 2.0 * wp.abs(normal[2])
    return 2 * int(axis) + wp.where(normal[0] + normal[1] + normal[2] > 0.0, 1, 0)


@wp.func
def half_extent_box(v: wp.vec3) -> float:
    """Half the extent along n, where v = world_from_unitᵀ · n."""
    return wp.abs(v[0]) + wp.abs(v[1]) + wp.abs(v[2])


@wp.func
def face_solid_angles(start: wp.vec3, scale: wp.vec3) -> wp.vec3:
    """Of the face that is seen along each axis from `start`, outside; 0 where none is."""
    p = wp.cw_mul(start, scale)
    result = wp.vec3(0.0, 0.0, 0.0)
    for i in range(3):
        height = wp.abs(p[i]) - scale[i]
        if height > 0.0:
            j = (i + 1) % 3
            k = (i + 2) % 3
            result[i] = rectangle_solid_angle(p[j], p[k], height, scale[j], scale[k])
    return result


@wp.func
def cyclic_from(v: wp.vec3, axis: int) -> wp.vec3:
    """The components from this axis on, in cyclic order; without an index that is unknown when this is compiled."""
    result = v
    if axis == 1:
        result = wp.vec3(v[1], v[2], v[0])
    elif axis == 2:
        result = wp.vec3(v[2], v[0], v[1])
    return result


@wp.func
def longest_axis_seen(start: wp.vec3, scale: wp.vec3) -> int:
    """The axis along which the box appears longest from `start`, were it far."""
    p = wp.cw_mul(start, scale)
    axis = int(0)
    most = float(-1.0)
    for i in range(3):
        seen = scale[i] * scale[i] * (wp.dot(p, p) - p[i] * p[i])
        if seen > most:
            most = seen
            axis = i
    return axis


@wp.func
def sample_box(start: wp.vec3, scale: wp.vec3, u: wp.vec2) -> SurfaceSample:
    """A point of the faces seen from `start`: of one chosen by solid angle, uniform in its area.

    The faces are unrolled from the axis along which the box appears longest: u[1] goes along both sides to the edges
    of the end that is seen, and on over this; u[0] goes across one side and the other, or across the end. So the
    points stay as well spread as u is, whatever the faces' shares.
    """
    along = longest_axis_seen(start, scale)
    near = cyclic_from(wp.vec3(wp.sign(start[0]), wp.sign(start[1]), wp.sign(start[2])), along)
    lengths = cyclic_from(scale, along)
    angles = cyclic_from(face_solid_angles(start, scale), along)
    of_sides = angles[1] + angles[2]
    share = of_sides / wp.max(of_sides + angles[0], 1.0e-30)
    axis = int(0)
    point = wp.vec3(near[0], 2.0 * u[0] - 1.0, 2.0 * wp.min((u[1] - share) / wp.max(1.0 - share, 1.0e-30), 1.0) - 1.0)
    normal = wp.vec3(near[0], 0.0, 0.0)
    if u[1] < share:
        to_end = near[0] * (2.0 * u[1] / share - 1.0)
        x = u[0] * of_sides
        if x < angles[1]:
            axis = 1
            point = wp.vec3(to_end, near[1], near[2] * (2.0 * x / angles[1] - 1.0))
            normal = wp.vec3(0.0, near[1], 0.0)
        else:
            axis = 2
            across = wp.min((x - angles[1]) / wp.max(angles[2], 1.0e-30), 1.0)
            point = wp.vec3(to_end, near[1] * (1.0 - 2.0 * across), near[2])
            normal = wp.vec3(0.0, 0.0, near[2])
    back = (3 - along) % 3
    return SurfaceSample(cyclic_from(point, back), cyclic_from(normal, back), face_density(angles, lengths, axis))


@wp.func
def face_density(angles: wp.vec3, scale: wp.vec3, axis: int) -> float:
    """Of the points of a seen face, per world area."""
    total = angles[0] + angles[1] + angles[2]
    result = float(0.0)
    for i in range(3):
        if i == axis:
            result = angles[i] / wp.max(total * 4.0 * scale[(i + 1) % 3] * scale[(i + 2) % 3], 1.0e-38)
    return result


@wp.func
def sample_density_box(start: wp.vec3, scale: wp.vec3, normal: wp.vec3) -> float:
    """Density per world area with which `sample_box` finds a point of the face with this unit-space normal."""
    axis = int(0)
    most = float(-1.0)
    for i in range(3):
        if wp.abs(normal[i]) > most:
            most = wp.abs(normal[i])
            axis = i
    return face_density(face_solid_angles(start, scale), scale, axis)
