"""The surface points that the ray model shades: their optics, and where mirror rays and transmitted rays lead.

Shapes: lanes are points of all scenes in one row; world space, scene units.
"""

from typing import NamedTuple

import torch
import warp as wp
from jaxtyping import Bool, Float, Int32, Int64
from torch import Tensor

from luxel.core.frames import unit_length
from luxel.core.fresnel import fresnel_dielectric, reflect, refract
from luxel.core.interactions import interact
from luxel.core.launch import launch, to_warp
from luxel.core.principled import albedos, root
from luxel.core.rays import Rays
from luxel.core.scene_batch import SceneBatch
from luxel.core.scenes import Scenes, launchable, material_of_object


class SurfacePoints(NamedTuple):
    """Where rays arrive; where `object_id` is MISS only the ray's own fields mean anything."""

    scene: Int32[Tensor, " lanes"]
    object_id: Int64[Tensor, " lanes"]  # row of the SceneBatch, or MISS
    point: Float[Tensor, "lanes 3"]
    direction: Float[Tensor, "lanes 3"]  # of the ray, unit length
    normal: Float[Tensor, "lanes 3"]  # on the side that the ray comes from, unit length
    is_front: Bool[Tensor, " lanes"]  # whether the ray arrives on the outer side, of a panel the front: what emits
    is_inside: Bool[Tensor, " lanes"]  # whether the ray comes from within the object, as it never does from a panel

    def at(self, lanes: Int64[Tensor, " some"]) -> "SurfacePoints":
        """These lanes alone."""
        return SurfacePoints(*(field[lanes] for field in self))


class SurfaceOptics(NamedTuple):
    """The material at each point, and what its smooth surface does to the ray, by colour channel."""

    base_color: Float[Tensor, "lanes 3"]
    roughness: Float[Tensor, " lanes"]
    eta: Float[Tensor, " lanes"]
    diffuse: Float[Tensor, "lanes 3"]  # albedo
    reflectance: Float[Tensor, "lanes 3"]
    transmittance: Float[Tensor, "lanes 3"]  # in and out; from inside, out, with radiance's gain of η²


class SecondaryRays(NamedTuple):
    """Mirror rays, or transmitted rays, and where they arrive: `source` is the lane that each continues."""

    source: Int64[Tensor, " rays"]
    origin: Float[Tensor, "rays 3"]
    points: SurfacePoints
    stays_inside: Bool[Tensor, " rays"]  # whether it has entered its object and not left it


@torch.no_grad()
def first_surface(batch: SceneBatch, rays: Rays, origin_object: Int64[Tensor, " lanes"] | None = None) -> SurfacePoints:
    """The first surface along each ray, which starts on the row `origin_object`, or in the open (MISS)."""
    hit, direction = interact(batch, rays, origin_object), rays.unit_direction
    is_panel = batch.is_panel[hit.object_id.clamp(min=0)]
    is_front = (hit.normal * direction).sum(1) <= 0
    normal = torch.where(is_front[:, None], hit.normal, -hit.normal)
    return SurfacePoints(rays.scene, hit.object_id, hit.point, direction, normal, is_front, ~is_front & ~is_panel)


@wp.kernel(enable_backward=False)
def smooth_albedos(
    scenes: Scenes,
    object_id: wp.array[int],
    direction: wp.array[wp.vec3],
    normal: wp.array[wp.vec3],
    is_inside: wp.array[wp.bool],
    diffuse: wp.array[wp.vec3],
    reflectance: wp.array[wp.vec3],
    transmittance: wp.array[wp.vec3],
    begin: int,
) -> None:
    """Albedos of the lobes, see SurfaceOptics: light that enters is taken to leave by another crossing like it."""
    i = wp.tid() + begin
    material = material_of_object(scenes.objects[object_id[i]])
    cosine = -wp.dot(direction[i], normal[i])
    found = albedos(material, wp.where(is_inside[i], -cosine, cosine))
    second = wp.vec3(root(material.base_color[0]), root(material.base_color[1]), root(material.base_color[2]))
    if is_inside[i]:
        square = material.eta * material.eta
        second = wp.vec3(square, square, square)
    diffuse[i] = found.diffuse
    reflectance[i] = found.reflectance
    transmittance[i] = wp.cw_mul(found.transmittance, second)


@torch.no_grad()
def surface_optics(batch: SceneBatch, points: SurfacePoints) -> SurfaceOptics:
    """The optics of every point, all of which have an object."""
    item = points.object_id
    found = [torch.empty_like(points.point) for _ in range(3)]
    launch(
        smooth_albedos,
        len(item),
        [
            launchable(batch),
            item.int(),
            to_warp(points.direction, wp.vec3),
            to_warp(points.normal, wp.vec3),
            points.is_inside,
        ],
        [to_warp(values, wp.vec3) for values in found],
        item.device,
        sliced=True,
    )
    return SurfaceOptics(batch.base_color[item], batch.roughness[item], batch.eta[item], *found)


@wp.kernel(enable_backward=False)
def reflect_rays(
    direction: wp.array[wp.vec3], normal: wp.array[wp.vec3], reflected: wp.array[wp.vec3], begin: int
) -> None:
    """Mirror rays."""
    i = wp.tid() + begin
    reflected[i] = unit_length(reflect(-direction[i], normal[i]))


@wp.kernel(enable_backward=False)
def refract_rays(
    direction: wp.array[wp.vec3],
    normal: wp.array[wp.vec3],
    eta: wp.array[float],
    refracted: wp.array[wp.vec3],
    begin: int,
) -> None:
    """Refracted rays, or reflected ones where that is total; `eta` is of the other side over that of the ray."""
    i = wp.tid() + begin
    v = -direction[i]
    cos_t = fresnel_dielectric(wp.max(wp.dot(v, normal[i]), 0.0), eta[i]).cos_t
    found = reflect(v, normal[i])
    if cos_t < 0.0:
        found = refract(v, normal[i], cos_t, eta[i])
    refracted[i] = unit_length(found)


@torch.no_grad()
def mirror_rays(batch: SceneBatch, points: SurfacePoints, lanes: Int64[Tensor, " rays"]) -> SecondaryRays:
    """The mirror rays of these lanes."""
    at = points.at(lanes)
    direction = torch.empty_like(at.direction)
    vectors = [to_warp(values, wp.vec3) for values in (at.direction, at.normal, direction)]
    launch(reflect_rays, len(lanes), vectors[:2], vectors[2:], direction.device, sliced=True)
    arrived = first_surface(batch, Rays(at.point, direction, at.scene), at.object_id)
    return SecondaryRays(lanes, at.point, arrived, torch.zeros_like(at.is_inside))


@torch.no_grad()
def transmitted_rays(
    batch: SceneBatch, points: SurfacePoints, eta: Float[Tensor, " lanes"], lanes: Int64[Tensor, " rays"]
) -> SecondaryRays:
    """These lanes' rays through their objects: in at one side, out at the other, unless something is inside.

    Where total reflection keeps the ray in, it goes on as if reflected there.
    """
    at, eta = points.at(lanes), eta[lanes]
    inner = beyond_interface(batch, at, torch.where(at.is_inside, 1 / eta, eta))
    leaves = (inner.object_id == at.object_id) & inner.is_inside & ~at.is_inside
    leaving = leaves.nonzero()[:, 0]
    outer = beyond_interface(batch, inner.at(leaving), 1 / eta[leaving])
    arrived = SurfacePoints(*(old.index_copy(0, leaving, new) for old, new in zip(inner, outer, strict=True)))
    origin = torch.where(leaves[:, None], inner.point, at.point)
    return SecondaryRays(lanes, origin, arrived, ~leaves & ~at.is_inside)


def beyond_interface(batch: SceneBatch, points: SurfacePoints, eta: Float[Tensor, " lanes"]) -> SurfacePoints:
    """The first surface along each point's refracted ray; `eta` is of the other side over that of the ray."""
    direction = torch.empty_like(points.direction)
    vectors = [to_warp(values, wp.vec3) for values in (points.direction, points.normal, direction)]
    launch(refract_rays, len(eta), [*vectors[:2], eta], vectors[2:], direction.device, sliced=True)
    return first_surface(batch, Rays(points.point, direction, points.scene), points.object_id)
