"""How the emitters of a scene light its surface points, as far as that can be said in closed form.

Light transport is linear in what emits, so all of it is of emitters of unit radiance; see `luxel.models.features` for
what objects are taken for. Rows are pairs of a point and a lamp elsewhere in its scene.
"""

from typing import Any, NamedTuple

import torch
import warp as wp
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from luxel.core.frames import PI, unit_length
from luxel.core.fresnel import reflect
from luxel.core.intersect import MISS
from luxel.core.launch import launch, to_warp
from luxel.core.microfacet import lobe_share
from luxel.core.principled import diffuse_weight, refraction_weight
from luxel.core.scene_batch import SceneBatch
from luxel.core.scenes import SceneObject, Scenes, launchable, material_of_object
from luxel.core.shapes.ellipsoid import half_extent_ellipsoid
from luxel.core.shapes.kinds import BOX, CYLINDER, ELLIPSOID, PLANE
from luxel.core.shapes.shape import Shape, is_panel
from luxel.models.features import SMALLEST, PointRow, approach, distance_of, ellipsoid_of, size_of
from luxel.models.surface import SurfacePoints

EMITTER_FEATURES = 6
EmitterVector = wp.types.vector(EMITTER_FEATURES, float)
LEAST_LIGHT = wp.constant(1.0e-6)  # before a logarithm is taken


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
def lighting_of(
    batch: SceneBatch,
    ball_radius: Float[Tensor, " all_objects"],
    slots: Int64[Tensor, "scenes slots"],
    points: SurfacePoints,
    table: Any,
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
            launchable(batch),
            ball_radius,
            table,
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
