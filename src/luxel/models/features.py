"""What the ray model's network reads of surface points and of the objects round them.

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
from jaxtyping import Bool, Float
from torch import Tensor

from luxel.core.frames import PI, unit_length
from luxel.core.fresnel import fresnel_dielectric, reflect, schlick_weight
from luxel.core.launch import launch, struct_array, to_warp
from luxel.core.principled import mean
from luxel.core.scene_batch import SceneBatch, rotation_matrix
from luxel.core.scenes import SceneObject, Scenes, launchable, material_of_object, shape_of, table_of
from luxel.core.shapes.kinds import BOX, CYLINDER, DISC, PLANE
from luxel.core.shapes.panel import solid_angle_panel
from luxel.core.shapes.shape import Shape, closest_approach, is_panel
from luxel.models.surface import SecondaryRays, SurfacePoints

POINT_FEATURES, PAIR_FEATURES = 14, 25
PointVector = wp.types.vector(POINT_FEATURES, float)
PairVector = wp.types.vector(PAIR_FEATURES, float)

LARGEST = wp.constant(10.0)  # sizes beyond which more tells nothing
SMALLEST = wp.constant(1.0e-3)  # and below which less doesn't
LEAST_DISTANCE = wp.constant(1.0e-6)  # scene units: of what coincides
UNKNOWN = wp.constant(-2)
"""The object that a ray meets which was not followed."""
PANEL_THICKNESS = 1e-3  # a panel's third semi-axis, over the smaller of the others
PLANE_RADIUS = 50.0  # of the ball that a plane is taken for, over the camera's height: as good as flat


@torch.no_grad()
def with_extents(batch: SceneBatch) -> SceneBatch:
    """The same scenes, but that panels have a third semi-axis and planes a radius, which mean nothing to rays."""
    is_panel = batch.is_panel
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


@torch.no_grad()
def point_table(points: SurfacePoints, mirror: SecondaryRays | None, transmitted: SecondaryRays | None) -> Any:
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
    return struct_array(table, PointRow)


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
    table: Any,
    objects: int,
) -> PointFeatures:
    """Features of points in scenes of no more than so many objects; `table` is the points'."""
    lanes, device = len(points.scene), batch.device
    point = torch.empty(lanes, POINT_FEATURES, device=device)
    pairs = torch.zeros(objects, lanes, PAIR_FEATURES, device=device)
    launch(
        measure_points,
        lanes,
        [launchable(batch), ball_radius, table],
        [to_warp(point, PointVector), to_warp(pairs, PairVector)],
        device,
        sliced=True,
    )
    counts = batch.counts.to(device)
    count = counts if len(counts) == 1 else counts[points.scene]
    return PointFeatures(point, pairs, torch.arange(objects, device=device)[:, None] < count)
