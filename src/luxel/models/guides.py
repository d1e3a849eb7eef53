"""What every pixel shows first, exactly: the guides of a denoiser (see `luxel.image.denoise`)."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from luxel.geometry.arrays import normalised
from luxel.geometry.intersect import NOTHING
from luxel.models.surface import meet, surfaces
from luxel.models.visibility import footprints
from luxel.scene.camera import NEAR_CLIP


@torch.no_grad()
def guides(
    tokens: Float[Tensor, "batch objects features"],
    mask: Bool[Tensor, "batch objects"],
    camera: Float[Tensor, "batch 1"],
    width: int,
    height: int,
    grid: int = 4,
) -> tuple[Float[Tensor, "batch height width 3"], Float[Tensor, "batch height width 3"]]:
    """Base colour, and normal in camera space on the viewer's side, each blended by coverage; the sky's are 0."""
    there = surfaces(tokens, mask)
    prints = footprints(there.shapes, there.real, camera, width, height, grid)
    direction = torch.cat([prints.ray, -torch.ones_like(prints.ray[:, :1])], 1).T
    nowhere = torch.full_like(prints.scene, NOTHING)
    points = meet(there, prints.scene, NEAR_CLIP * direction, normalised(direction), nowhere)
    color = there.base_color[:, prints.scene, prints.item]
    pixel = prints.scene * width * height + prints.pixel

    def blended(values: Float[Tensor, "3 prints"]) -> Float[Tensor, "batch height width 3"]:
        empty = values.new_zeros(len(mask) * height * width, 3)
        return empty.index_add(0, pixel, (values * prints.coverage).T).unflatten(0, (-1, height, width))

    return blended(color), blended(torch.where(points.hit, points.normal, 0.0))
