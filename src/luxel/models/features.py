"""What the ray model's network reads of surface points, of the objects round them, and of the emitters of their scenes.

Light transport is the same if a scene is moved, turned or scaled, and so are these features: directions are in the
point's own frame, z the normal on the viewer's side and x towards the viewer; lengths are over distances. Every object
is taken for the ellipsoid of its half extents (`with_extents`), but for its size, which is by volume or solid angle
(`size_of`), and for what it contains.

Shapes: lanes are points of all scenes in one row; objects those of each point's scene, padded; rows are pairs of a
point and an emitter, as in Lighting.
"""

import math
from dataclasses import replace
from typing import Any, NamedTuple

import torch
import warp as wp
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from luxel.core.frames import unit_length
from luxel.core.fresnel import fresnel_dielectric, reflect, schlick_weight
from luxel.core.intersect import MISS
from luxel.core.launch import launch, to_warp
from luxel.core.microfacet import lobe_share
from luxel.core.principled import diffuse_weight, mean, refraction_weight
from luxel.core.scene_batch import SceneBatch, rotation_matrix
from luxel.core.scenes import SceneObject, Scenes, launchable, material_of_object, shape_of, table_of
from luxel.core.shapes.ellipsoid import half_extent_ellipsoid
from luxel.core.shapes.kinds import BOX, CYLINDER, DISC, ELLIPSOID, PLANE, RECTANGLE
from luxel.core.shapes.local import PI
from luxel.core.shapes.panel import solid_angle_panel
from luxel.core.shapes.shape import Shape, closest_approach, is_panel
from luxel.models.surface import SecondaryRays, SurfacePoints

POINT_FEATURES, PAIR_FEATURES, EMITTER_FEATURES = 14, 25, 6
PointVector = wp.types.vector(POINT_FEATURES, float)
PairVector = wp.types.vector(PAIR_FEATURES, float)
EmitterVector = wp.types.vector(EMITTER_FEATURES, float)

LARGEST = wp.constant(10.0)  # sizes beyond which more tells nothing
SMALLEST = wp.constant(1.0e-3)  # and below which less doesn't
LEAST_DISTANCE = wp.constant(1.0e-6)  # scene units: of what coincides
LEAST_LIGHT = wp.constant(1.0e-6)  # before a logarithm is taken
UNKNOWN = wp.constant(-2)
"""The object that a ray meets which was not followed."""
PANEL_THICKNESS = 1e-3  # a panel's third semi-axis, over the smaller of the others
PLANE_RADIUS = 50.0  # of the ball that a plane is taken for, over the camera's height: as good as flat


@torch.no_grad()
def with_extents(batch: SceneBatch) -> SceneBatch:
    """The same scenes, but that panels have a third semi-axis and planes a radius, which mean nothing to rays."""
    is_panel = (batch.kind == RECTANGLE) | (batch.kind == DISC)
    is_plane = batch.kind == PLANE
    if not (is_panel | is_plane).any():
        return batch
    vector = batch.camera_position[batch.scene_of_object] - batch.center
    normal = rotation_matrix(batch.rotation)[:, :, 2].float()
    height = (vector * normal).sum(1).abs().maximum(1e-3 * vector.norm(dim=1)).clamp(min=LEAST_DISTANCE)
    x, y, z = batch.scale.unbind(1)
    scale = torch.stack([x, y, torch.where(is_panel, PANEL_THICKNESS * torch.minimum(x, y), z)], 1)
    return replace(batch, scale=torch.where(is_plane[:, None], PLANE_RADIUS * height[:, None], scale))


def ball_radii(batch: SceneBatch) -> Float[Tensor, " objects"]:
    """Of the balls of the objects' volumes, scene units: V = 4/3 π r³; what a panel's is means nothing."""
    over_ellipsoid = torch.where(batch.kind == BOX, 6 / math.pi, torch.where(batch.kind == CYLINDER, 1.5, 1.0))
    return (over_ellipsoid * batch.scale.detach().prod(1)) ** (1 / 3)


@wp.struct
class PointRow:
    """A point, which has an object, and where its mirror ray and its transmitted ray arrive; see SurfacePoints."""

    scene: int
    object_id: int
    point: wp.vec3
    direction: wp.vec3
    normal: wp.vec3
    is_inside: int
    mirror_object: int  # that the mirror ray meets, MISS, or UNKNOWN if it was not followed
    transmitted_object: int
    transmitted_origin: wp.vec3  # where the transmitted ray leaves the point's object, or the point
    transmitted_direction: wp.vec3  # of the transmitted ray then, or straight on


class PointTable(NamedTuple):
    """Points as kernels read them, and what must live as long as the array."""

    rows: Any  # wp.array[PointRow]
    memory: Tensor


@torch.no_grad()
def point_table(points: SurfacePoints, mirror: SecondaryRays | None, transmitted: SecondaryRays | None) -> PointTable:
    """PointRows of points, all of which have an object, whose secondary rays were followed, or not."""
    mirror_object = transmitted_object = torch.full_like(points.object_id, UNKNOWN)
    origin, direction = points.point, points.direction
    if mirror is not None and transmitted is not None:
        mirror_object = mirror_object.index_copy(0, mirror.source, mirror.points.object_id)
        transmitted_object = transmitted_object.index_copy(0, transmitted.source, transmitted.points.object_id)
        origin = origin.index_copy(0, transmitted.source, transmitted.origin)
        direction = direction.index_copy(0, transmitted.source, transmitted.points.direction)
    device = origin.device
    table = table_of(
        [
            *(points.scene, points.object_id, points.point, points.direction, points.normal, points.is_inside),
            *(mirror_object, transmitted_object, origin, direction),
        ],
        device,
    )
    rows = wp.array(ptr=table.data_ptr(), dtype=PointRow, shape=len(table), device=wp.device_from_torch(device))
    return PointTable(rows, table)


# The objects round a point.


@wp.func
def viewer_frame(direction: wp.vec3, normal: wp.vec3, camera_rotation: wp.mat33) -> wp.mat33:
    """Right-handed orthonormal rows: z the normal, x as far as possible towards the viewer, whence the ray came.

    Head-on, x is along the camera's right or, where that is near the normal, its up.
    """
    x = wp.dot(direction, normal) * normal - direction
    if wp.dot(x, x) < 1.0e-10:
        axis = camera_rotation * wp.vec3(1.0, 0.0, 0.0)
        if wp.abs(wp.dot(axis, normal)) >= 0.5:
            axis = camera_rotation * wp.vec3(0.0, 1.0, 0.0)
        x = axis - wp.dot(axis, normal) * normal
    x = unit_length(x)
    return wp.matrix_from_rows(x, wp.cross(normal, x), normal)


@wp.func
def ellipsoid_of(obj: SceneObject, point: wp.vec3) -> Shape:
    """What an object is taken for, seen from a point: a plane, for a ball that touches it at the point's foot."""
    shape = shape_of(obj)
    if shape.kind == PLANE:
        height = (shape.unit_from_world * (point - shape.center))[2]
        shape.center = point - shape.world_from_unit * wp.vec3(0.0, 0.0, height + 1.0)
    return shape


@wp.func
def distance_of(shape: Shape, point: wp.vec3) -> float:
    """Of the centre, in scene units, never 0."""
    return wp.max(wp.length(shape.center - point), LEAST_DISTANCE)


@wp.func
def size_of(obj: SceneObject, ball_radius: float, center: wp.vec3, point: wp.vec3) -> float:
    """Sine of the half-angle α under which a point sees the ball of an object's volume; above 1 from within.

    Of a panel, which has none, the ball of its solid angle Ω: 1 − cos α = x = Ω / 2π, so that sin² α = x (2 − x). By
    volume, lamps that are panels would be a hundred times too dim.
    """
    size = ball_radius / wp.max(wp.length(center - point), LEAST_DISTANCE)
    if is_panel(obj.kind):
        start = obj.unit_from_world * (point - obj.center)
        x = wp.min(solid_angle_panel(start, obj.scale, obj.kind == DISC) / (2.0 * PI), 1.0)
        size = wp.sqrt(x * (2.0 - x))
    return size


@wp.func
def approach(shape: Shape, origin: wp.vec3, direction: wp.vec3) -> wp.vec2:
    """How near a ray of unit direction comes to the ellipsoid's centre, in unit space, and at which distance."""
    return closest_approach(shape.unit_from_world * (origin - shape.center), shape.unit_from_world * direction)


@wp.func
def nearness(closest: wp.vec2) -> float:
    """Of a closest approach: 1 through an ellipsoid's centre, 1/2 where a ray grazes it, 0 if it is behind the ray."""
    return wp.where(closest[1] > 0.0, 1.0 / (1.0 + closest[0] * closest[0]), 0.0)


@wp.func
def clearance(closest: wp.vec2) -> float:
    """By how much a ray misses an ellipsoid, in unit space and within bounds; negative if it meets it."""
    return wp.where(closest[1] > 0.0, wp.clamp(closest[0] - 1.0, -1.0, 2.0), 2.0)


@wp.kernel(enable_backward=False)
def measure_points(
    scenes: Scenes,
    ball_radius: wp.array[float],
    points: wp.array[PointRow],
    point_features: wp.array[PointVector],
    pair_features: wp.array2d[PairVector],
    begin: int,
) -> None:
    """The features of each point, and of every object of its scene as seen from there."""
    lane = wp.tid() + begin
    at = points[lane]
    scene = scenes.scenes[at.scene]
    material = material_of_object(scenes.objects[at.object_id])
    cosine = -wp.dot(at.direction, at.normal)
    signed_cosine = wp.where(at.is_inside != 0, -cosine, cosine)
    point_features[lane] = PointVector(
        cosine,
        schlick_weight(cosine),
        fresnel_dielectric(signed_cosine, material.eta).reflectance,
        material.metallic,
        material.eta - 1.0,
        material.roughness,
        wp.sqrt(material.roughness),
        material.transmission,
        float(at.is_inside),
        mean(material.base_color),
        wp.where(at.mirror_object == UNKNOWN, 1.0, 0.0),
        wp.where(at.transmitted_object == UNKNOWN, 1.0, 0.0),
        wp.where(at.mirror_object >= 0, 1.0, 0.0),
        wp.where(at.transmitted_object >= 0, 1.0, 0.0),
    )

    local = viewer_frame(at.direction, at.normal, scene.camera_rotation)
    reflected = unit_length(reflect(-at.direction, at.normal))
    for k in range(scene.first_object, scene.end_objects):
        obj = scenes.objects[k]
        shape = ellipsoid_of(obj, at.point)
        if k == at.object_id and is_panel(obj.kind):  # the point is on its panel, as on any other object, and not in it
            shape.center -= at.normal * shape.scale[2]
        distance = distance_of(shape, at.point)
        towards = local * ((shape.center - at.point) / distance)
        size = size_of(obj, ball_radius[k], shape.center, at.point)
        # With M = local · world_from_unit, the half extent along an axis of the frame is the length of M's row, and
        # 3 M Mᵀ over its trace, less the identity, is 0 for balls and says how others lie, whichever rotation and
        # order of the semi-axes describe them.
        m = local * shape.world_from_unit
        x = wp.vec3(m[0, 0], m[0, 1], m[0, 2])
        y = wp.vec3(m[1, 0], m[1, 1], m[1, 2])
        z = wp.vec3(m[2, 0], m[2, 1], m[2, 2])
        over_trace = 3.0 / wp.dot(shape.scale, shape.scale)
        height = wp.length(z) / distance
        mirror_approach = approach(shape, at.point, reflected)
        transmitted_approach = approach(shape, at.transmitted_origin, at.transmitted_direction)
        pair_features[k - scene.first_object, lane] = PairVector(
            towards[0],
            towards[1],
            towards[2],
            size / (1.0 + size),
            0.3 * wp.log(wp.clamp(size, SMALLEST, LARGEST)),
            wp.clamp(towards[2] + height, -2.0, 2.0),
            wp.clamp(towards[2] - height, -2.0, 2.0),
            wp.min(size * size, 1.0) * wp.max(towards[2], 0.0),
            over_trace * wp.dot(x, x) - 1.0,
            over_trace * wp.dot(y, y) - 1.0,
            over_trace * wp.dot(x, y),
            over_trace * wp.dot(x, z),
            over_trace * wp.dot(y, z),
            nearness(mirror_approach),
            clearance(mirror_approach),
            nearness(transmitted_approach),
            clearance(transmitted_approach),
            wp.where(k == at.object_id, 1.0, 0.0),
            wp.where(k == at.mirror_object, 1.0, 0.0),
            wp.where(k == at.transmitted_object, 1.0, 0.0),
            obj.metallic,
            obj.eta - 1.0,
            obj.roughness,
            obj.transmission,
            mean(obj.base_color),
        )


class PointFeatures(NamedTuple):
    """What the network reads of points and of the objects round them."""

    point: Float[Tensor, "lanes point_features"]
    pairs: Float[Tensor, "objects lanes pair_features"]  # 0 where there is no object
    is_real: Bool[Tensor, "objects #lanes"]


@torch.no_grad()
def point_features(
    batch: SceneBatch,
    ball_radius: Float[Tensor, " all_objects"],
    points: SurfacePoints,
    table: PointTable,
    objects: int,
) -> PointFeatures:
    """Features of points in scenes of no more than so many objects; `table` is the points'."""
    lanes, device = len(points.scene), batch.device
    point = torch.empty(lanes, POINT_FEATURES, device=device)
    pairs = torch.zeros(objects, lanes, PAIR_FEATURES, device=device)
    launch(
        measure_points,
        lanes,
        [launchable(batch).scenes, ball_radius, table.rows],
        [to_warp(point, PointVector), to_warp(pairs, PairVector)],
        device,
        sliced=True,
    )
    counts = batch.counts.to(device)
    count = counts if len(counts) == 1 else counts[points.scene]
    return PointFeatures(point, pairs, torch.arange(objects, device=device)[:, None] < count)


# The emitters that light a point.


def emitter_slots(batch: SceneBatch) -> Int64[Tensor, "scenes slots"]:
    """The objects (rows) of each scene that emit, and MISS behind them up to those of the scene that has the most."""
    rows = batch.is_emissive.nonzero()[:, 0]
    scene = batch.scene_of_object[rows]
    counts = torch.bincount(scene, minlength=len(batch))
    slot = torch.arange(len(rows), device=batch.device) - (counts.cumsum(0) - counts)[scene]
    slots = rows.new_full((len(batch), int(counts.max())), MISS)
    return slots.index_put((scene, slot), rows)


@wp.func
def contains(obj: SceneObject, center: wp.vec3, radius: float) -> bool:
    """Whether all of a ball is within an object, judged as if the object were scaled by its shortest axis alone.

    So a ball is never said to be within that sticks out; one that just fits along a longer axis may be missed.
    """
    start = obj.unit_from_world * (center - obj.center)
    outermost = float(1.0)
    if obj.kind <= ELLIPSOID:
        outermost = wp.length(start)
    elif obj.kind == BOX:
        outermost = wp.max(wp.abs(start))
    elif obj.kind == CYLINDER:
        outermost = wp.max(wp.length(wp.vec2(start[0], start[1])), wp.abs(start[2]))
    elif obj.kind == PLANE:
        outermost = 1.0 + start[2]
    return outermost + radius / wp.min(obj.scale) < 1.0


@wp.func
def is_blocked(scenes: Scenes, at: PointRow, lamp_id: int) -> bool:
    """Whether no light of a lamp, or of the sky (MISS), can reach a point.

    Nothing gets into an opaque object, or out of it, and its inner side is black, as in Mitsuba; a lamp shines
    outwards only.
    """
    if at.is_inside != 0 and refraction_weight(material_of_object(scenes.objects[at.object_id])) == 0.0:
        return True
    lamp = scenes.objects[wp.max(lamp_id, 0)]
    if lamp_id != MISS and contains(lamp, at.point, 0.0):
        return True
    scene = scenes.scenes[at.scene]
    for k in range(scene.first_object, scene.end_objects):
        obj = scenes.objects[k]
        if k != lamp_id and refraction_weight(material_of_object(obj)) == 0.0:
            holds_point = k != at.object_id and contains(obj, at.point, 0.0)
            if lamp_id == MISS:
                if holds_point:
                    return True
            elif holds_point:
                if not contains(obj, lamp.center, 0.0):
                    return True
            elif contains(obj, lamp.center, lamp.radius):
                return True
    return False


@wp.func
def visible_share(scenes: Scenes, ball_radius: wp.array[float], at: PointRow, lamp_id: int, lamp: Shape) -> float:
    """About the share of a lamp that a point sees.

    The lamp is a disc; every other object covers it, independently, up to a straight edge at that object's closest
    approach to the ray to the lamp's centre. A panel shines forwards only, and is not seen from behind.
    """
    obj = scenes.objects[lamp_id]
    if is_panel(obj.kind) and (obj.unit_from_world * (at.point - obj.center))[2] <= 0.0:
        return 0.0
    distance = distance_of(lamp, at.point)
    towards = (lamp.center - at.point) / distance
    lamp_size = wp.max(size_of(obj, ball_radius[lamp_id], lamp.center, at.point), SMALLEST)
    share = float(1.0)
    scene = scenes.scenes[at.scene]
    for k in range(scene.first_object, scene.end_objects):
        if k != lamp_id and k != at.object_id:
            other = scenes.objects[k]
            shape = ellipsoid_of(other, at.point)
            closest = approach(shape, at.point, towards)
            if closest[1] > 0.0 and closest[1] < distance:
                ratio = size_of(other, ball_radius[k], shape.center, at.point) / lamp_size
                overlap = (1.0 + ratio - closest[0] * ratio) / (2.0 * wp.clamp(ratio, SMALLEST, 1.0))
                share *= 1.0 - wp.clamp(overlap, 0.0, 1.0) * wp.min(ratio * ratio, 1.0)
    return share


@wp.func
def one_bounce_irradiance(
    scenes: Scenes, ball_radius: wp.array[float], at: PointRow, lamp_id: int, lamp_center: wp.vec3
) -> wp.vec3:
    """Irradiance over π on a point by way of one other object, that a lamp or the sky (MISS) of unit radiance lights.

    Objects are taken for Lambertian balls of equal volume, lit from afar and in full view: the mean radiance of such a
    disc is 2/3 of its albedo times (sin θ + (π − θ) cos θ) / π at the phase angle θ (Lambert 1760).
    """
    result = wp.vec3(0.0, 0.0, 0.0)
    scene = scenes.scenes[at.scene]
    for k in range(scene.first_object, scene.end_objects):
        if k != lamp_id and k != at.object_id:
            obj = scenes.objects[k]
            shape = ellipsoid_of(obj, at.point)
            distance = distance_of(shape, at.point)
            towards = (shape.center - at.point) / distance
            cosine = wp.dot(towards, at.normal)
            if cosine > 0.0:
                size = size_of(obj, ball_radius[k], shape.center, at.point)
                light = wp.min(size * size, 1.0) * cosine
                if lamp_id != MISS:
                    apart = distance_of(shape, lamp_center)
                    c = wp.clamp(wp.dot(shape.center - lamp_center, towards) / apart, -1.0, 1.0)
                    phase = wp.sqrt(1.0 - c * c) + (PI - wp.acos(c)) * c
                    lamp_size = size_of(scenes.objects[lamp_id], ball_radius[lamp_id], lamp_center, shape.center)
                    light *= wp.min(lamp_size * lamp_size, 1.0) * phase * 2.0 / (3.0 * PI)
                m = material_of_object(obj)
                result += m.base_color * (light * (diffuse_weight(m) + m.metallic))
    return result


@wp.func
def lamp_lobe_share(closest: wp.vec2, alpha: float, size: float, cosine: float) -> float:
    """About which part of a GGX lobe round a ray a lamp fills, from the ray's closest approach to it."""
    gap = float(2.0)
    if closest[1] > 0.0:
        gap = wp.clamp((closest[0] - 1.0) * size, 0.0, 2.0)
    return lobe_share(alpha, gap, size, cosine)


@wp.kernel(enable_backward=False)
def measure_emitters(
    scenes: Scenes,
    ball_radius: wp.array[float],
    points: wp.array[PointRow],
    lane: wp.array[int],
    lamp_object: wp.array[int],
    irradiance: wp.array[float],
    solid_angle: wp.array[float],
    glossy_reflection: wp.array[float],
    glossy_transmission: wp.array[float],
    one_bounce: wp.array[wp.vec3],
    blocked: wp.array[wp.bool],
    features: wp.array[EmitterVector],
    begin: int,
) -> None:
    """How each row's emitter lights its point; see Lighting."""
    row = wp.tid() + begin
    at = points[lane[row]]
    lamp_id = lamp_object[row]
    blocked[row] = is_blocked(scenes, at, lamp_id)
    if lamp_id == MISS:
        irradiance[row] = 1.0
        solid_angle[row] = 1.0
        glossy_reflection[row] = 0.0
        glossy_transmission[row] = 0.0
        one_bounce[row] = one_bounce_irradiance(scenes, ball_radius, at, MISS, at.point)
        return

    lamp = ellipsoid_of(scenes.objects[lamp_id], at.point)
    one_bounce[row] = one_bounce_irradiance(scenes, ball_radius, at, lamp_id, lamp.center)
    distance = distance_of(lamp, at.point)
    size = size_of(scenes.objects[lamp_id], ball_radius[lamp_id], lamp.center, at.point)
    height = half_extent_ellipsoid(wp.transpose(lamp.world_from_unit) * at.normal) / distance
    visible = visible_share(scenes, ball_radius, at, lamp_id, lamp)

    # Of a ball of angular radius α in full view, E / π = cos θ sin² α (Lambert), which fades out at the horizon.
    cosine = wp.dot((lamp.center - at.point) / distance, at.normal)
    above = wp.clamp((cosine + height) / wp.max(2.0 * height, 1.0e-6), 0.0, 1.0)
    slope = wp.where(cosine > height, cosine, above * above * wp.min(height, 1.0))
    square_sine = wp.min(size * size, 1.0)
    unoccluded = square_sine * slope
    irradiance[row] = unoccluded * visible
    solid_angle[row] = wp.max(square_sine, LEAST_LIGHT)
    features[row] = EmitterVector(
        visible,
        0.2 * wp.log(wp.max(unoccluded, LEAST_LIGHT)),
        0.2 * wp.log(wp.max(unoccluded * visible, LEAST_LIGHT)),
        cosine,
        wp.min(size, 1.0),
        above,
    )

    alpha = material_of_object(scenes.objects[at.object_id]).alpha
    facing = -wp.dot(at.direction, at.normal)
    closest = approach(lamp, at.point, unit_length(reflect(-at.direction, at.normal)))
    glossy_reflection[row] = lamp_lobe_share(closest, alpha, size, facing) * visible
    closest = approach(lamp, at.transmitted_origin, at.transmitted_direction)
    glossy_transmission[row] = lamp_lobe_share(closest, alpha, size, facing)


class Lighting(NamedTuple):
    """Rows: the pairs of a point and a lamp elsewhere in its scene, and then every point with its sky."""

    lane: Int64[Tensor, " rows"]
    slot: Int64[Tensor, " rows"]  # the lamp's; one more than there are, for the sky
    object_id: Int64[Tensor, " lamps"]
    irradiance: Float[Tensor, " rows"]  # direct, of an emitter of unit radiance, over π; the sky's as of all of it
    solid_angle: Float[Tensor, " rows"]  # at most that of a hemisphere, over π
    glossy_reflection: Float[Tensor, " rows"]  # part of the lobe round the mirror ray that the lamp fills, in view
    glossy_transmission: Float[Tensor, " rows"]  # part of that round the transmitted ray
    one_bounce: Float[Tensor, "rows 3"]  # irradiance over π by way of one other object
    is_blocked: Bool[Tensor, " rows"]  # whether no light of the emitter can arrive
    features: Float[Tensor, "lamps emitter_features"]


@torch.no_grad()
def lighting(
    batch: SceneBatch,
    ball_radius: Float[Tensor, " all_objects"],
    slots: Int64[Tensor, "scenes slots"],
    points: SurfacePoints,
    table: PointTable,
) -> Lighting:
    """How the emitters of their scenes light points; `table` is the points', `slots` as of `emitter_slots`."""
    device, lamps = batch.device, slots[points.scene]
    is_elsewhere = (lamps != MISS) & (lamps != points.object_id[:, None])
    lane, slot = is_elsewhere.nonzero(as_tuple=True)
    lamp, every = lamps[lane, slot], torch.arange(len(lamps), device=device)
    lane_of_row = torch.cat([lane, every])
    rows = len(lane_of_row)
    irradiance, solid_angle, glossy_reflection, glossy_transmission = torch.empty(4, rows, device=device)
    one_bounce, is_blocked = torch.empty(rows, 3, device=device), torch.empty(rows, dtype=torch.bool, device=device)
    of_lamps = torch.empty(len(lane), EMITTER_FEATURES, device=device)
    launch(
        measure_emitters,
        rows,
        [
            launchable(batch).scenes,
            ball_radius,
            table.rows,
            lane_of_row.int(),
            torch.cat([lamp, torch.full_like(every, MISS)]).int(),
        ],
        [
            *(irradiance, solid_angle, glossy_reflection, glossy_transmission, to_warp(one_bounce, wp.vec3)),
            *(is_blocked, to_warp(of_lamps, EmitterVector)),
        ],
        device,
        sliced=True,
    )
    return Lighting(
        lane=lane_of_row,
        slot=torch.cat([slot, torch.full_like(every, slots.shape[1])]),
        object_id=lamp,
        irradiance=irradiance,
        solid_angle=solid_angle,
        glossy_reflection=glossy_reflection,
        glossy_transmission=glossy_transmission,
        one_bounce=one_bounce,
        is_blocked=is_blocked,
        features=of_lamps,
    )
