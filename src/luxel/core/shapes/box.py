"""Boxes: in unit space the cube [−1, 1]³."""

import warp as wp

from luxel.core.shapes.local import LocalHit, SurfaceSample, first_of_interval, rectangle_solid_angle, slab


@wp.func
def intersect_box(start: wp.vec3, along: wp.vec3, on_surface: bool) -> float:
    """Distance along the ray to the surface, infinite if there is none ahead (Kay & Kajiya 1986, slabs)."""
    x = slab(start[0], along[0])
    y = slab(start[1], along[1])
    z = slab(start[2], along[2])
    interval = wp.vec2(wp.max(wp.max(x[0], y[0]), z[0]), wp.min(wp.min(x[1], y[1]), z[1]))
    return first_of_interval(interval, on_surface)


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
def sample_box(start: wp.vec3, scale: wp.vec3, u: wp.vec2) -> SurfaceSample:
    """A point of the faces seen from `start`: of one drawn by solid angle, uniform in its area."""
    angles = face_solid_angles(start, scale)
    x = u[0] * (angles[0] + angles[1] + angles[2])
    axis = int(0)
    if x >= angles[0] or angles[0] == 0.0:
        x -= angles[0]
        axis = 1
        if x >= angles[1] or angles[1] == 0.0:
            x -= angles[1]
            axis = 2
    point = wp.vec3(0.0, 0.0, 0.0)
    normal = wp.vec3(0.0, 0.0, 0.0)
    for i in range(3):
        if i == axis:
            normal[i] = wp.sign(start[i])
            point[i] = normal[i]
            point[(i + 1) % 3] = 2.0 * wp.clamp(x / wp.max(angles[i], 1.0e-30), 0.0, 1.0) - 1.0
            point[(i + 2) % 3] = 2.0 * u[1] - 1.0
    return SurfaceSample(point, normal, face_density(angles, scale, axis))


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
