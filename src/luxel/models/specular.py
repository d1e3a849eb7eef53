"""What smooth surfaces show: mirror images and refractions, followed down to the first surface that scatters."""

from typing import NamedTuple

import torch
import warp as wp
from jaxtyping import Float, Int32, Int64
from torch import Tensor

from luxel.core.emitters import emitted_radiance, sky_radiance
from luxel.core.frames import unit_length
from luxel.core.fresnel import fresnel_dielectric, reflect, refract
from luxel.core.intersect import MISS, intersect, intersect_object
from luxel.core.launch import launch, to_warp
from luxel.core.principled import albedos, mean, refraction_weight
from luxel.core.rays import camera_direction
from luxel.core.scene_batch import SceneBatch
from luxel.core.scenes import Scenes, launchable, material_of_object, shape_of
from luxel.core.shapes.local import INFINITY
from luxel.core.shapes.shape import facing_normal, surface_interaction
from luxel.core.visibility import SMOOTH_ALPHA
from luxel.models.shading_points import OBJECT, WORDS, ShadingPoint, as_points

REFLECTED, TRANSMITTED = 0, 1
LOBES = 2
SUBPIXELS = 4  # rays of a pixel that are followed, so that mirror images have soft edges
LEAST_FOLLOWED = wp.constant(0.004)  # of a reflectance or transmittance
MOST_INTERFACES = wp.constant(5)  # with the segment from the last one to a light, paths of depth 6


class Chains(NamedTuple):
    """Of every point its mirror ray and its transmitted ray (lobes): what they show, and where they end."""

    radiance: Float[Tensor, "points lobes 3"]  # by lights and the sky, at the point
    slot: Int64[Tensor, " ends"]  # (point · LOBES + lobe) · SUBPIXELS + which of the lobe's
    throughput: Float[Tensor, "ends 3"]  # from the end to the point
    ends: Int32[Tensor, "ends words"]  # ShadingPoints

    @property
    def lobe_of_point(self) -> Int64[Tensor, " ends"]:
        """point · LOBES + lobe of each end."""
        return self.slot // SUBPIXELS


@wp.func
def beside(scenes: Scenes, p: ShadingPoint, number: int, height: int) -> ShadingPoint:
    """The point of the same object that another ray of the same pixel meets; the point itself, if none does.

    Four rays on a rotated grid have four different columns and rows. `height` is the picture's in pixels.
    """
    result = p
    row = scenes.scenes[p.scene]
    local = wp.transpose(row.camera_rotation) * p.direction
    if local[2] < 0.0:
        pixel = 2.0 * row.tan_half_fov / float(height)
        x = 0.125 * float(1 - 2 * (number & 1)) * wp.where(number < 2, 1.0, 3.0)
        y = 0.125 * float(1 - 2 * (number & 1)) * wp.where(number < 2, 3.0, -1.0)
        xy = wp.vec2(local[0] / -local[2] + x * pixel, local[1] / -local[2] + y * pixel)
        direction = camera_direction(scenes, p.scene, xy)
        t = intersect_object(scenes, p.object_id, row.camera_position, direction, MISS, INFINITY)
        if t < INFINITY:
            shape = shape_of(scenes.objects[p.object_id])
            si = surface_interaction(shape, row.camera_position, direction, t)
            result.point = si.point
            result.direction = direction
            result.normal = facing_normal(shape.kind, si.normal, direction)
    return result


@wp.kernel(enable_backward=False)
def follow_chains(
    scenes: Scenes,
    points: wp.array[ShadingPoint],
    subpixels: int,
    height: int,
    ends: wp.array[ShadingPoint],
    throughput: wp.array[wp.vec3],
    radiance: wp.array[wp.vec3],
    begin: int,
) -> None:
    """One ray of one lobe of one point.

    Beyond the point itself, each smooth interface sends the ray whichever way most light comes from, and what would
    come from the other way is taken to be as bright.
    """
    row = wp.tid() + begin
    index = row // (LOBES * subpixels)
    lobe = (row // subpixels) % LOBES
    p = points[index]
    interfaces = int(0)
    material = material_of_object(scenes.objects[wp.max(p.object_id, 0)])
    if p.object_id == MISS or material.alpha >= SMOOTH_ALPHA:
        interfaces = MOST_INTERFACES
    elif subpixels > 1:
        p = beside(scenes, p, row % subpixels, height)
    end = p
    end.object_id = MISS
    beta = wp.vec3(0.0, 0.0, 0.0)
    L = wp.vec3(0.0, 0.0, 0.0)
    while interfaces < MOST_INTERFACES:
        object_id = wp.where(interfaces == 0, p.object_id, end.object_id)
        material = material_of_object(scenes.objects[object_id])
        cos_i = -wp.dot(end.direction, end.normal)
        if cos_i <= 0.0 and refraction_weight(material) == 0.0:
            end.object_id = MISS
            break
        a = albedos(material, cos_i)
        index_ratio = wp.where(cos_i > 0.0, material.eta, 1.0 / material.eta)
        transmits = lobe == TRANSMITTED
        if interfaces == 0:
            beta = a.reflectance
            if transmits:
                beta = a.transmittance
            if mean(beta) < LEAST_FOLLOWED:
                beta = wp.vec3(0.0, 0.0, 0.0)
                break
        else:
            transmits = mean(a.transmittance) > mean(a.reflectance)
            beta = wp.cw_mul(beta, a.reflectance + a.transmittance)
        if transmits:
            beta = beta / (index_ratio * index_ratio)
            end.gain = end.gain * index_ratio * index_ratio
            cos_t = fresnel_dielectric(cos_i, material.eta).cos_t
            end.direction = unit_length(refract(-end.direction, end.normal, cos_t, index_ratio))
        else:
            end.direction = unit_length(reflect(-end.direction, end.normal))

        hit = intersect(scenes, p.scene, end.point, end.direction, object_id)
        end.object_id = hit.object_id
        if hit.object_id == MISS:
            L += wp.cw_mul(beta, sky_radiance(scenes, p.scene, end.direction))
            break
        shape = shape_of(scenes.objects[hit.object_id])
        si = surface_interaction(shape, end.point, end.direction, hit.t)
        L += wp.cw_mul(beta, emitted_radiance(scenes, hit.object_id, end.direction, si.normal))
        end.point = si.point
        end.normal = facing_normal(shape.kind, si.normal, end.direction)
        met = material_of_object(scenes.objects[hit.object_id])
        found = albedos(met, -wp.dot(end.direction, end.normal))
        if met.alpha >= SMOOTH_ALPHA or mean(found.diffuse) > mean(found.reflectance) + mean(found.transmittance):
            break
        interfaces += 1
    if interfaces == MOST_INTERFACES:
        end.object_id = MISS
    ends[row] = end
    throughput[row] = beta / float(subpixels)
    radiance[row] = L / float(subpixels)


@wp.kernel(enable_backward=False)
def merge_ends(
    subpixels: int,
    ends: wp.array[ShadingPoint],
    throughput: wp.array[wp.vec3],
    radiance: wp.array[wp.vec3],
    whole_radiance: wp.array[wp.vec3],
    begin: int,
) -> None:
    """Of one lobe of one point: the ends on one object become the first of them, and radiances their sum."""
    lobe = wp.tid() + begin
    total = wp.vec3(0.0, 0.0, 0.0)
    for i in range(lobe * subpixels, (lobe + 1) * subpixels):
        total += radiance[i]
        j = lobe * subpixels
        while j < i and ends[j].object_id != ends[i].object_id:
            j += 1
        if j < i:
            throughput[j] = throughput[j] + throughput[i]
            ends[i].object_id = MISS
    whole_radiance[lobe] = total


@torch.no_grad()
def specular_chains(batch: SceneBatch, table: Int32[Tensor, "points words"], height: int | None) -> Chains:
    """The chains of the smooth ones among ShadingPoints: of pictures' pixels, or of single rays (no height)."""
    device, subpixels = batch.device, 1 if height is None else SUBPIXELS
    lobes = len(table) * LOBES
    ends = torch.empty(lobes * subpixels, WORDS, dtype=torch.int32, device=device)
    throughput, radiance = torch.empty(2, lobes * subpixels, 3, device=device)
    whole = torch.empty(len(table), LOBES, 3, device=device)
    vectors = [to_warp(throughput, wp.vec3), to_warp(radiance, wp.vec3)]
    inputs = [launchable(batch), as_points(table), subpixels, height or 0]
    launch(follow_chains, len(ends), inputs, [as_points(ends), *vectors], device, sliced=True)
    inputs = [subpixels, as_points(ends), *vectors]
    launch(merge_ends, lobes, inputs, [to_warp(whole.view(-1, 3), wp.vec3)], device, sliced=True)
    rows = (ends[:, OBJECT] != MISS).nonzero()[:, 0]
    slot = rows if subpixels == SUBPIXELS else rows * SUBPIXELS
    return Chains(whole, slot, throughput[rows], ends[rows])


def no_chains(table: Int32[Tensor, "points words"]) -> Chains:
    """As if no surface were smooth."""
    dark = torch.zeros(len(table), LOBES, 3, device=table.device)
    return Chains(dark, torch.empty(0, dtype=torch.long, device=table.device), dark[:0, 0], table[:0])
