"""What every pixel shows first, without noise: guides for a denoiser, labels for data sets, masks."""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from luxel.core.fragments import Fragments, visible_fragments
from luxel.core.interactions import interact
from luxel.core.intersect import MISS
from luxel.core.rays import image_plane_rays
from luxel.core.scene_batch import SceneBatch


class Features(NamedTuple):
    """First hits, box-filtered over each pixel by many rays; row 0 is the top."""

    albedo: Float[Tensor, "scenes height width 3"]
    """Base colour, blended by coverage; the sky's is 0."""
    normal: Float[Tensor, "scenes height width 3"]
    """World space, on the viewer's side, blended by coverage and so at most of length 1; the sky's is 0."""
    depth: Float[Tensor, "scenes height width"]
    """Along the viewing direction, scene units, of the object in `object_number`; infinite for the sky.

    Of several faces' the least.
    """
    object_number: Int64[Tensor, "scenes height width"]
    """Which of the scene's objects covers most of the pixel, or MISS (−1) where the sky does."""
    fragments: Fragments
    """Every face of every object in every pixel, and how much of it that covers."""
    position: Float[Tensor, "fragments 3"]
    """Where the most central ray that shows a fragment hits it; world space."""
    facing: Float[Tensor, "fragments 3"]
    """The normal there, on the viewer's side."""

    def coverage(self, scene: int, object_number: int) -> Float[Tensor, "height width"]:
        """The share of each pixel that one object covers: its mask, with soft edges."""
        height, width = self.depth.shape[1:]
        chosen = (self.fragments.scene == scene) & (self.fragments.object_number == object_number)
        mask = self.depth.new_zeros(height * width)
        return mask.index_add(0, self.fragments.pixel[chosen].long(), self.fragments.coverage[chosen]).unflatten(
            0, (height, width)
        )


@torch.no_grad()
def first_hit_features(batch: SceneBatch, width: int, height: int, pixel_rays: int = 32) -> Features:
    """Features of every scene, from `pixel_rays` rays in the pixels that more than one object may share."""
    fragments = visible_fragments(batch, width, height, pixel_rays)
    rays = image_plane_rays(batch, fragments.point, fragments.scene)
    met = interact(batch, rays)
    facing = torch.where((met.normal * rays.direction).sum(1, keepdim=True) > 0, -met.normal, met.normal)
    depth = met.distance / rays.direction.norm(dim=1)
    pixels = len(batch) * height * width
    pixel = (fragments.scene * height * width + fragments.pixel).long()

    def image(values: Tensor) -> Tensor:
        return values.unflatten(0, (len(batch), height, width))

    def blended(values: Float[Tensor, "fragments 3"]) -> Float[Tensor, "scenes height width 3"]:
        empty = values.new_zeros(pixels, 3)
        return image(empty.index_add(0, pixel, values * fragments.coverage[:, None]))

    shown = torch.zeros(pixels, device=batch.device).index_add(0, pixel, fragments.coverage)
    share = share_of_objects(pixel, fragments)
    most = (1 - shown).scatter_reduce(0, pixel, share, "amax")
    # Of several that cover as much, the first in the scene; never one that the sky covers as much as.
    first = share >= most[pixel]
    none = torch.iinfo(torch.int64).max
    number = torch.full((pixels,), none, device=batch.device).scatter_reduce(
        0, pixel[first], fragments.object_number[first].long(), "amin"
    )
    chosen = number[pixel] == fragments.object_number
    nearest = torch.full((pixels,), torch.inf, device=batch.device).scatter_reduce(
        0, pixel[chosen], depth[chosen], "amin"
    )
    return Features(
        blended(batch.base_color[fragments.object_id]),
        blended(facing),
        image(nearest),
        image(torch.where(number == none, MISS, number)),
        fragments,
        met.point,
        facing,
    )


def share_of_objects(pixel: Int64[Tensor, " fragments"], fragments: Fragments) -> Float[Tensor, " fragments"]:
    """The share of its pixel that all the faces of each fragment's object cover; `pixel` is that of all pictures."""
    is_first = torch.ones_like(pixel)  # of its object's faces there
    is_first[1:] = (pixel.diff() != 0) | (fragments.object_number.diff() != 0)
    number = is_first.cumsum(0) - 1
    share = torch.zeros_like(fragments.coverage)
    return share.index_add(0, number, fragments.coverage)[number]
