"""Capped cylinders: in unit space x² + y² ≤ 1, |z| ≤ 1."""

import warp as wp

from luxel.core.frames import PI
from luxel.core.shapes.local import INFINITY, LocalHit, SurfaceSample, nearest_in_interval, slab
from luxel.core.shapes.panel import ELONGATED


@wp.func
def mantle_interval(start: wp.vec3, along: wp.vec3) -> wp.vec2:
    """For which t the ray is within the endless cylinder; as for ellipsoids, by the closest approach to the axis."""
    a = along[0] * along[0] + along[1] * along[1]
    result = wp.vec2(-INFINITY, INFINITY)
    if a > 1.0e-30:
        middle = -(start[0] * along[0] + start[1] * along[1]) / a
        x = start[0] + middle * along[0]
        y = start[1] + middle * along[1]
        excess = 1.0 - x * x - y * y
        half_chord = wp.sqrt(wp.max(excess, 0.0) / a)
        result = wp.vec2(middle - half_chord, middle + half_chord)
        if excess <= 0.0:
            result = wp.vec2(INFINITY, -INFINITY)
    elif start[0] * start[0] + start[1] * start[1] >= 1.0:
        result = wp.vec2(INFINITY, -INFINITY)
    return result


@wp.func
def intersect_cylinder(start: wp.vec3, along: wp.vec3, on_surface: bool) -> float:
    """Distance along the ray to the surface, infinite if there is none ahead."""
    mantle = mantle_interval(start, along)
    caps = slab(start[2], along[2])
    interval = wp.vec2(wp.max(mantle[0], caps[0]), wp.min(mantle[1], caps[1]))
    return nearest_in_interval(interval, on_surface)


@wp.func
def local_hit_cylinder(start: wp.vec3, along: wp.vec3, t: float, scale: wp.vec3) -> LocalHit:
    """The point at distance `t`, put back on the cap or the mantle, whichever is nearer to it in the world."""
    point = start + t * along
    radius = wp.max(wp.sqrt(point[0] * point[0] + point[1] * point[1]), 1.0e-20)
    off_mantle = wp.abs(radius - 1.0) * scale[0]
    off_caps = wp.abs(wp.abs(point[2]) - 1.0) * scale[2]
    if off_caps < off_mantle:
        z = wp.sign(point[2])
        inwards = 1.0 / wp.max(radius, 1.0)
        return LocalHit(wp.vec3(point[0] * inwards, point[1] * inwards, z), wp.vec3(0.0, 0.0, z))
    x = point[0] / radius
    y = point[1] / radius
    return LocalHit(wp.vec3(x, y, wp.clamp(point[2], -1.0, 1.0)), wp.vec3(x, y, 0.0))


@wp.func
def face_of_cylinder(normal: wp.vec3) -> int:
    """The number of the face with this unit-space normal: 0 for the mantle, 1 for the lower cap, 2 for the upper."""
    return wp.where(normal[2] == 0.0, 0, wp.where(normal[2] < 0.0, 1, 2))


@wp.func
def half_extent_cylinder(v: wp.vec3) -> float:
    """Half the extent along n, where v = world_from_unitᵀ · n."""
    return wp.sqrt(v[0] * v[0] + v[1] * v[1]) + wp.abs(v[2])


@wp.func
def part_solid_angles(start: wp.vec3, scale: wp.vec3) -> wp.vec2:
    """About the solid angles of the mantle and of the cap that are seen from `start`, outside; 0 where none is.

    Projected areas over squared distances, at most that of a hemisphere; they only choose between the two.
    """
    axial = wp.sqrt(start[0] * start[0] + start[1] * start[1])
    p = wp.vec2(axial * scale[0], wp.abs(start[2]) * scale[2])
    result = wp.vec2(0.0, 0.0)
    if axial > 1.0:
        d = wp.vec2(p[0] - scale[0], wp.max(p[1] - scale[2], 0.0))
        square = wp.max(wp.dot(d, d), 1.0e-30)
        area = 4.0 * scale[0] * scale[2] * wp.max(d[0] / wp.sqrt(square), 0.05)
        result[0] = wp.min(area / square, 2.0 * PI)
    height = p[1] - scale[2]
    if height > 0.0:
        square = height * height + wp.max(axial - 1.0, 0.0) * wp.max(axial - 1.0, 0.0) * scale[0] * scale[0]
        area = PI * scale[0] * scale[0] * wp.max(height / wp.sqrt(square), 0.05)
        result[1] = wp.min(area / wp.max(square, 1.0e-30), 2.0 * PI)
    return result


@wp.func
def mantle_density(start: wp.vec3, normal: wp.vec3) -> float:
    """Of the angle round the axis where the mantle's normal is this, uniform in the width that `start` sees.

    From the distance ρ the point at the angle φ off the nearest one has the offset w = ρ sin φ / D of the line of sight
    from the axis, where D² = ρ² + 1 − 2ρ cos φ is the distance squared across the axis; and dw/dφ is
    (ρ cos φ − 1)(ρ − cos φ) ρ / D³.
    """
    rho = wp.sqrt(start[0] * start[0] + start[1] * start[1])
    c = (start[0] * normal[0] + start[1] * normal[1]) / rho
    d = wp.vec2(start[0] - normal[0], start[1] - normal[1])
    distance = wp.max(wp.length(d), 1.0e-12)
    facing = wp.max(d[0] * normal[0] + d[1] * normal[1], 0.0)  # ρ cos φ − 1
    return 0.5 * (facing / distance) * (wp.max(rho - c, 0.0) / distance) * (rho / distance)


@wp.func
def part_density(start: wp.vec3, angles: wp.vec2, scale: wp.vec3, normal: wp.vec3, cap: bool) -> float:
    """Of the points of the seen cap or of the seen part of the mantle, per world area."""
    total = wp.max(angles[0] + angles[1], 1.0e-30)
    result = float(0.0)
    if cap:
        result = angles[1] / (total * PI * scale[0] * scale[1])
    elif angles[0] > 0.0:
        result = angles[0] / (total * 2.0 * scale[0] * scale[2]) * mantle_density(start, normal)
    return result


@wp.func
def sample_cylinder(start: wp.vec3, scale: wp.vec3, u: wp.vec2) -> SurfaceSample:
    """A point of what `start` sees: of a cap, uniform in its area, or of the mantle, uniform in width and height.

    One number chooses the part and is used again there, the cap's end of it next to the cap. Of a long cylinder it is
    the one along the axis: so points are as well spread along the lamp as u[1] is, whatever the parts' shares.
    """
    angles = part_solid_angles(start, scale)
    share = angles[1] / wp.max(angles[0] + angles[1], 1.0e-30)
    end = wp.sign(start[2])
    is_long = scale[2] > ELONGATED * scale[0]
    first = wp.where(is_long, u[1], u[0])
    second = wp.where(is_long, u[0], u[1])
    if first < share:
        radius = wp.sqrt(first / share)
        angle = 2.0 * PI * second
        point = wp.vec3(radius * wp.cos(angle), radius * wp.sin(angle), end)
        normal = wp.vec3(0.0, 0.0, end)
        return SurfaceSample(point, normal, part_density(start, angles, scale, normal, True))
    rest = (first - share) / (1.0 - share)
    across = wp.where(is_long, second, rest)
    along = wp.where(is_long, rest, second)
    w = 2.0 * across - 1.0
    rho = wp.max(wp.sqrt(start[0] * start[0] + start[1] * start[1]), 1.0)
    angle = wp.atan2(start[1], start[0]) + wp.asin(w) - wp.asin(w / rho)
    normal = wp.vec3(wp.cos(angle), wp.sin(angle), 0.0)
    point = wp.vec3(normal[0], normal[1], end * (1.0 - 2.0 * along))
    return SurfaceSample(point, normal, part_density(start, angles, scale, normal, False))


@wp.func
def sample_density_cylinder(start: wp.vec3, scale: wp.vec3, normal: wp.vec3) -> float:
    """Density per world area with which `sample_cylinder` finds a point with this unit-space normal."""
    cap = wp.abs(normal[2]) > wp.abs(normal[0]) + wp.abs(normal[1])
    length = wp.max(wp.sqrt(normal[0] * normal[0] + normal[1] * normal[1]), 1.0e-20)
    return part_density(start, part_solid_angles(start, scale), scale, normal / length, cap)
