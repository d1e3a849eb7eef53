"""What rays meet, in tensors."""

from dataclasses import dataclass

import torch
import warp as wp
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from luxel.core.intersect import MISS, intersect
from luxel.core.launch import launch, to_warp
from luxel.core.rays import Rays
from luxel.core.scene_batch import SceneBatch
from luxel.core.scenes import Scenes, launchable, shape_of
from luxel.core.shapes.shape import SurfaceInteraction, surface_interaction


@dataclass(frozen=True)
class Interactions:
    """The first surface point along each ray; where nothing is met only `object_id` and `distance` mean anything."""

    object_id: Int64[Tensor, " rays"]  # row of the SceneBatch, or MISS
    distance: Float[Tensor, " rays"]  # in units of length, infinite where nothing is met
    point: Float[Tensor, "rays 3"]
    normal: Float[Tensor, "rays 3"]  # outwards, of a panel to the front; unit length

    @property
    def is_hit(self) -> Bool[Tensor, " rays"]:
        """Whether the ray meets anything."""
        return self.object_id != MISS


@wp.kernel(enable_backward=False)
def intersect_rays(
    scenes: Scenes,
    origin: wp.array[wp.vec3],
    direction: wp.array[wp.vec3],
    scene: wp.array[int],
    origin_object: wp.array[int],
    object_id: wp.array[int],
    distance: wp.array[float],
    point: wp.array[wp.vec3],
    normal: wp.array[wp.vec3],
    begin: int,
) -> None:
    """The first surface point along each ray of unit direction."""
    i = wp.tid() + begin
    hit = intersect(scenes, scene[i], origin[i], direction[i], origin_object[i])
    si = SurfaceInteraction(origin[i], -direction[i])
    if hit.object_id != MISS:
        si = surface_interaction(shape_of(scenes.objects[hit.object_id]), origin[i], direction[i], hit.t)
    object_id[i] = hit.object_id
    distance[i] = hit.t
    point[i] = si.point
    normal[i] = si.normal


@torch.no_grad()
def interact(batch: SceneBatch, rays: Rays, origin_object: Int64[Tensor, " rays"] | None = None) -> Interactions:
    """The first surface along each ray, which starts on the surface of the row `origin_object`, or in the open."""
    count, device = len(rays), batch.device
    started = torch.full_like(rays.scene, MISS) if origin_object is None else origin_object
    object_id = torch.empty(count, dtype=torch.int32, device=device)
    distance, point, normal = (torch.empty(count, *size, device=device) for size in ((), (3,), (3,)))
    launch(
        intersect_rays,
        count,
        [
            launchable(batch),
            to_warp(rays.origin.float(), wp.vec3),
            to_warp(rays.unit_direction.float(), wp.vec3),
            rays.scene.int(),
            started.int(),
        ],
        [object_id, distance, to_warp(point, wp.vec3), to_warp(normal, wp.vec3)],
        device,
        sliced=True,
    )
    return Interactions(object_id.long(), distance, point, normal)
