"""What every pixel shows first, as channels for the image model, from the tokens that it reads.

Exact but for edges: a pixel shows what the ray through its centre hits, a sphere or an ellipsoid, as tokens are.
`luxel.trace.first_hits` has the same of all shapes, box-filtered, from scenes.

Legend: batch, objects, pixels row by row from the top left; camera space, in which the camera looks along −z.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Float32, Int64
from torch import Tensor

from luxel.models.tokens import FIELDS, Tokens

MATERIAL = ("base_color", "metallic", "specular", "roughness", "transmission", "log_emission")
"""Fields of the object that a pixel shows; `log_emission` of the background where it shows that."""
CHANNELS = 1 + 1 + 3 + sum(FIELDS[name].stop - FIELDS[name].start for name in MATERIAL)
"""Mask, log(1 + depth), normal, and the material; all 0 where no object is, but for the background's radiance."""


class UnitSphereRays(NamedTuple):
    """The pixels' rays as each object sees them, in the space where it is the unit sphere about 0."""

    origin: Float32[Tensor, "batch objects 1 3"]
    direction: Float32[Tensor, "batch objects pixels 3"]


def first_hit_maps(tokens: Tokens, width: int) -> Float32[Tensor, "batch channels width width"]:
    """Maps of the first hits, CHANNELS of them, of pictures of this width."""
    objects, mask, camera, background = tokens
    with torch.autocast(objects.device.type, enabled=False):
        from_object, directions = unit_spheres(objects, mask), pixel_directions(camera, width)
        depth = hit_depths(unit_sphere_rays(objects, from_object, directions), mask)
        nearest, index = depth.min(1)
        hit = nearest.isfinite()
        nearest = torch.where(hit, nearest, 0.0)
        normal = normals(from_object, index, objects, directions * nearest[..., None])
        material = torch.cat([objects[..., FIELDS[name]] for name in MATERIAL], 2)
        shown = material.take_along_dim(index[..., None], 1)
        maps = torch.cat([torch.ones_like(nearest)[..., None], nearest.log1p()[..., None], normal, shown], 2)
        sky = torch.cat([maps.new_zeros(len(maps), CHANNELS - 3), background.log1p()], 1)
        maps = torch.where(hit[..., None], maps, sky[:, None])
    return maps.mT.unflatten(2, (width, width))


def pixel_directions(camera: Float[Tensor, "batch 1"], width: int) -> Float[Tensor, "batch pixels 3"]:
    """Of the rays through the pixels' centres, of depth 1, so that the distance along them is the depth."""
    steps = (torch.arange(width, device=camera.device) + 0.5) * (2 / width) - 1
    y, x = torch.meshgrid(-steps, steps, indexing="ij")
    plane = torch.stack([x, y], 2).flatten(0, 1) * camera[:, None]
    return torch.cat([plane, torch.full_like(plane[..., :1], -1.0)], 2)


def unit_spheres(
    objects: Float[Tensor, "batch objects features"], mask: Bool[Tensor, "batch objects"]
) -> Float[Tensor, "batch objects 3 3"]:
    """The matrices, diag(1 / semi-axes) · rotationᵀ, that make each object about its centre the unit sphere.

    Of padding, which has neither semi-axes nor a rotation, the identity: 0 / 0 would make the camera's gradient NaN.
    """
    is_real = mask[..., None]
    semi_axes = torch.where(is_real, objects[..., FIELDS["semi_axes"]], 1.0)
    matrices = objects[..., FIELDS["rotation"]].unflatten(2, (3, 3)).mT / semi_axes[..., None]
    return torch.where(is_real[..., None], matrices, torch.eye(3, device=objects.device))


def unit_sphere_rays(
    objects: Float[Tensor, "batch objects features"],
    from_object: Float[Tensor, "batch objects 3 3"],
    directions: Float[Tensor, "batch pixels 3"],
) -> UnitSphereRays:
    """The rays from the camera, which is at 0, in each object's space."""
    origin = -from_object @ objects[..., FIELDS["center"]][..., None]
    return UnitSphereRays(origin.mT, directions[:, None] @ from_object.mT)


def hit_depths(rays: UnitSphereRays, mask: Bool[Tensor, "batch objects"]) -> Float32[Tensor, "batch objects pixels"]:
    """Depth at which each ray first hits each object from outside or, within it, from inside; infinite for none.

    Of |o + t d|² = 1 with the discriminant from the ray's closest point to 0, which does not cancel for objects far
    away (Haines et al., Ray Tracing Gems, 2019, chapter 7).
    """
    along = rays.direction.square().sum(3)
    towards = (rays.origin * rays.direction).sum(3) / along
    closest = rays.origin - towards[..., None] * rays.direction
    discriminant = (1 - closest.square().sum(3)) / along
    crosses = (discriminant > 0) & mask[..., None]
    half_chord = torch.where(crosses, discriminant, 1.0).sqrt()  # whose gradient at 0 would be infinite
    entry, leaving = -towards - half_chord, -towards + half_chord
    depth = torch.where(entry > 0, entry, leaving)
    return torch.where(crosses & (depth > 0), depth, torch.inf)


def normals(
    from_object: Float[Tensor, "batch objects 3 3"],
    index: Int64[Tensor, "batch pixels"],
    objects: Float[Tensor, "batch objects features"],
    points: Float[Tensor, "batch pixels 3"],
) -> Float[Tensor, "batch pixels 3"]:
    """Of the objects of these numbers at these points, outwards: the gradient of |M (p − c)|² is 2 Mᵀ M (p − c)."""
    quadrics = (from_object.mT @ from_object).flatten(2).take_along_dim(index[..., None], 1).unflatten(2, (3, 3))
    centers = objects[..., FIELDS["center"]].take_along_dim(index[..., None], 1)
    return F.normalize((quadrics @ (points - centers)[..., None])[..., 0], dim=2)
