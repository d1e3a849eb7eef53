"""Any shape: what every one of them can be asked, by the number of its kind."""

import warp as wp

from luxel.core.frames import PI, unit_length
from luxel.core.shapes.box import (
    face_of_box,
    face_solid_angles,
    half_extent_box,
    intersect_box,
    local_hit_box,
    sample_box,
    sample_density_box,
)
from luxel.core.shapes.cylinder import (
    face_of_cylinder,
    half_extent_cylinder,
    intersect_cylinder,
    local_hit_cylinder,
    part_solid_angles,
    sample_cylinder,
    sample_density_cylinder,
)
from luxel.core.shapes.ellipsoid import (
    cone_density,
    cone_solid_angle,
    half_extent_ellipsoid,
    intersect_ellipsoid,
    is_elongated,
    local_hit_ellipsoid,
    sample_cone,
    sample_cone_along,
)
from luxel.core.shapes.kinds import BOX, CYLINDER, DISC, ELLIPSOID, PLANE, RECTANGLE, SPHERE
from luxel.core.shapes.local import INFINITY, LocalHit, SurfaceSample
from luxel.core.shapes.panel import (
    half_extent_panel,
    intersect_panel,
    local_hit_panel,
    sample_density_panel,
    sample_panel,
    solid_angle_panel,
)
from luxel.core.shapes.plane import intersect_plane, local_hit_plane

FACES = wp.constant(6)  # of a box, which has the most


@wp.struct
class Shape:
    """A unit shape's affine image: world = center + world_from_unit · unit."""

    kind: int
    center: wp.vec3
    scale: wp.vec3  # lengths of world_from_unit's columns, which are orthogonal
    world_from_unit: wp.mat33
    unit_from_world: wp.mat33


@wp.struct
class SurfaceInteraction:
    """A point of a surface."""

    point: wp.vec3
    normal: wp.vec3  # outwards, of a panel to the front; unit length


@wp.struct
class DirectionSample:
    """A direction from a point to a shape, and its density per steradian; 0 where none was found."""

    direction: wp.vec3
    density: float


@wp.func
def is_panel(kind: int) -> bool:
    """Whether both sides are outside."""
    return kind == RECTANGLE or kind == DISC


@wp.func
def panel_front(world_from_unit: wp.mat33) -> wp.vec3:
    """The unit normal of a panel's front, which emits."""
    return unit_length(wp.vec3(world_from_unit[0, 2], world_from_unit[1, 2], world_from_unit[2, 2]))


@wp.func
def facing_normal(kind: int, normal: wp.vec3, direction: wp.vec3) -> wp.vec3:
    """The outward normal where a ray arrives: a panel has an outside on either side."""
    result = normal
    if is_panel(kind) and wp.dot(normal, direction) > 0.0:
        result = -normal
    return result


@wp.func
def intersect_shape(
    kind: int, center: wp.vec3, unit_from_world: wp.mat33, origin: wp.vec3, direction: wp.vec3, on_surface: bool
) -> float:
    """Distance along the ray to the shape's surface, infinite if there is none ahead.

    `on_surface` says that the ray starts on this surface, which it then does not meet where it starts.
    """
    start = unit_from_world * (origin - center)
    along = unit_from_world * direction
    t = float(INFINITY)
    if kind <= ELLIPSOID:
        t = intersect_ellipsoid(start, along, on_surface)
    elif kind == BOX:
        t = intersect_box(start, along, on_surface)
    elif kind == CYLINDER:
        t = intersect_cylinder(start, along, on_surface)
    elif kind == PLANE:
        t = intersect_plane(start, along, on_surface)
    else:
        t = intersect_panel(start, along, on_surface, kind == DISC)
    return t


@wp.func
def surface_interaction(shape: Shape, origin: wp.vec3, direction: wp.vec3, t: float) -> SurfaceInteraction:
    """Where the ray meets the shape, at the distance that `intersect_shape` gave."""
    start = shape.unit_from_world * (origin - shape.center)
    along = shape.unit_from_world * direction
    hit = LocalHit()
    if shape.kind <= ELLIPSOID:
        hit = local_hit_ellipsoid(start, along, t)
    elif shape.kind == BOX:
        hit = local_hit_box(start, along, t, shape.scale)
    elif shape.kind == CYLINDER:
        hit = local_hit_cylinder(start, along, t, shape.scale)
    elif shape.kind == PLANE:
        hit = local_hit_plane(start, along, t)
    else:
        hit = local_hit_panel(start, along, t)
    point = shape.center + shape.world_from_unit * hit.point
    return SurfaceInteraction(point, unit_length(wp.transpose(shape.unit_from_world) * hit.normal))


@wp.func
def face_of_hit(shape: Shape, origin: wp.vec3, direction: wp.vec3, t: float) -> int:
    """On which face of a box or cylinder `surface_interaction` puts the hit; 0 for shapes without edges."""
    face = int(0)
    if shape.kind == BOX or shape.kind == CYLINDER:
        start = shape.unit_from_world * (origin - shape.center)
        along = shape.unit_from_world * direction
        if shape.kind == BOX:
            face = face_of_box(local_hit_box(start, along, t, shape.scale).normal)
        else:
            face = face_of_cylinder(local_hit_cylinder(start, along, t, shape.scale).normal)
    return face


@wp.func
def half_extent(kind: int, world_from_unit: wp.mat33, n: wp.vec3) -> float:
    """Half the shape's extent along the unit vector n: it lies within this of its centre."""
    v = wp.transpose(world_from_unit) * n
    result = float(INFINITY)
    if kind <= ELLIPSOID:
        result = half_extent_ellipsoid(v)
    elif kind == BOX:
        result = half_extent_box(v)
    elif kind == CYLINDER:
        result = half_extent_cylinder(v)
    elif kind != PLANE:
        result = half_extent_panel(v, kind == DISC)
    return result


@wp.func
def bounding_radius(kind: int, scale: wp.vec3) -> float:
    """Of the sphere round the centre that holds the shape."""
    result = float(INFINITY)
    if kind <= ELLIPSOID:
        result = wp.max(wp.max(scale[0], scale[1]), scale[2])
    elif kind == BOX:
        result = wp.length(scale)
    elif kind == CYLINDER:
        result = wp.length(wp.vec2(scale[0], scale[2]))
    elif kind == RECTANGLE:
        result = wp.length(wp.vec2(scale[0], scale[1]))
    elif kind == DISC:
        result = wp.max(scale[0], scale[1])
    return result


@wp.func
def surface_area(kind: int, scale: wp.vec3) -> float:
    """Of the sides that emit, infinite for a plane; an ellipsoid's by Thomsen's formula, to a hundredth."""
    result = float(INFINITY)
    xy = scale[0] * scale[1]
    xz = scale[0] * scale[2]
    yz = scale[1] * scale[2]
    if kind <= ELLIPSOID:
        p = 1.6075
        result = 4.0 * PI * wp.pow((wp.pow(xy, p) + wp.pow(xz, p) + wp.pow(yz, p)) / 3.0, 1.0 / p)
    elif kind == BOX:
        result = 8.0 * (xy + xz + yz)
    elif kind == CYLINDER:
        result = 2.0 * PI * xy + 4.0 * PI * xz
    elif kind == RECTANGLE:
        result = 4.0 * xy
    elif kind == DISC:
        result = PI * xy
    return result


@wp.func
def is_lit_by(kind: int, start: wp.vec3) -> bool:
    """Whether the unit-space point `start` is where an emitting shape shines: outside, or before a panel."""
    result = bool(False)
    if kind <= ELLIPSOID:
        result = wp.dot(start, start) > 1.0
    elif kind == BOX:
        result = wp.max(wp.max(wp.abs(start[0]), wp.abs(start[1])), wp.abs(start[2])) > 1.0
    elif kind == CYLINDER:
        result = start[0] * start[0] + start[1] * start[1] > 1.0 or wp.abs(start[2]) > 1.0
    elif kind != PLANE:
        result = start[2] > 0.0
    return result


@wp.func
def solid_angle(shape: Shape, start: wp.vec3, towards: wp.vec3) -> float:
    """About the solid angle under which a point sees the shape, if it is lit by it.

    `start` is the point in unit space, `towards` the unit vector from there to the centre.
    """
    result = float(0.0)
    if shape.kind <= ELLIPSOID:
        result = wp.min(1.0 / cone_density(start, shape.unit_from_world * towards, volume(shape.scale)), 2.0 * PI)
    elif shape.kind == BOX:
        angles = face_solid_angles(start, shape.scale)
        result = angles[0] + angles[1] + angles[2]
    elif shape.kind == CYLINDER:
        parts = part_solid_angles(start, shape.scale)
        result = parts[0] + parts[1]
    elif shape.kind != PLANE:
        result = solid_angle_panel(start, shape.scale, shape.kind == DISC)
    return result


@wp.func
def volume(scale: wp.vec3) -> float:
    """Of an ellipsoid, over that of the unit sphere."""
    return scale[0] * scale[1] * scale[2]


@wp.func
def sample_direction(shape: Shape, point: wp.vec3, u: wp.vec2) -> DirectionSample:
    """A random direction from a point that the shape shines on to its surface."""
    if shape.kind == SPHERE:  # most lights: without matrices
        offset = (point - shape.center) / shape.scale[0]
        return DirectionSample(sample_cone(offset, u), 1.0 / cone_solid_angle(offset))
    start = shape.unit_from_world * (point - shape.center)
    if shape.kind == ELLIPSOID:
        along = wp.vec3(0.0, 0.0, 0.0)
        along = sample_cone_along(start, shape.scale, u) if is_elongated(shape.scale) else sample_cone(start, u)
        direction = wp.normalize(shape.world_from_unit * along)
        density = cone_density(start, shape.unit_from_world * direction, volume(shape.scale))
        return DirectionSample(direction, density)
    found = SurfaceSample()
    if shape.kind == BOX:
        found = sample_box(start, shape.scale, u)
    elif shape.kind == CYLINDER:
        found = sample_cylinder(start, shape.scale, u)
    else:
        found = sample_panel(start, shape.scale, u, shape.kind == DISC)
    vector = shape.world_from_unit * (found.point - start)
    direction = unit_length(vector)
    normal = unit_length(wp.transpose(shape.unit_from_world) * found.normal)
    return DirectionSample(direction, per_steradian(found.density, wp.dot(vector, vector), direction, normal))


@wp.func
def per_steradian(density: float, square_distance: float, direction: wp.vec3, normal: wp.vec3) -> float:
    """A density per area as one per steradian, seen from that far (pbrt, 4th ed., §4.2.3)."""
    return density * square_distance / wp.max(wp.abs(wp.dot(direction, normal)), 1.0e-12)


@wp.func
def direction_density(shape: Shape, point: wp.vec3, direction: wp.vec3, distance: float, normal: wp.vec3) -> float:
    """Density with which `sample_direction` finds a direction that meets the shape there; 0 if it never does."""
    start = shape.unit_from_world * (point - shape.center)
    result = float(0.0)
    if is_lit_by(shape.kind, start):
        if shape.kind <= ELLIPSOID:
            result = cone_density(start, shape.unit_from_world * direction, volume(shape.scale))
        else:
            density = float(0.0)
            local_normal = wp.transpose(shape.world_from_unit) * normal
            if shape.kind == BOX:
                local_normal = wp.cw_div(local_normal, shape.scale)
                density = sample_density_box(start, shape.scale, local_normal)
            elif shape.kind == CYLINDER:
                local_normal = wp.cw_div(local_normal, shape.scale)
                density = sample_density_cylinder(start, shape.scale, local_normal)
            else:
                density = sample_density_panel(shape.scale, shape.kind == DISC)
            result = per_steradian(density, distance * distance, direction, normal)
    return result
