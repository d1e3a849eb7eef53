"""What whole pictures show: the fragments of all pixels, the sky's among them, and what a picture says of each."""

from typing import Any, NamedTuple

import torch
import warp as wp
from jaxtyping import Bool, Float, Int32, Int64
from torch import Tensor

from luxel.core.fragments import Fragments, visible_fragments, with_sky
from luxel.core.intersect import MISS
from luxel.core.launch import launch, to_warp
from luxel.core.scene_batch import SceneBatch
from luxel.core.scenes import Scenes, launchable
from luxel.models.shading_points import ShadingPoint, as_points, pixel_width, points_of_fragments

SAME_PLANE = wp.constant(2.0)  # pixels off a point's tangent plane that halve a neighbour's weight twice
ACROSS = wp.constant(5)  # pixels, along both sides, of those that say how bright a fragment in their midst is
LEAST_BESIDE = 0.01
"""Weight of these from which on they are believed."""


class Surfaces(NamedTuple):
    """What whole pictures show."""

    fragments: Fragments
    """The sky's among them."""
    points: Int32[Tensor, "fragments words"]
    """Their ShadingPoints."""
    is_lamp: Bool[Tensor, " fragments"]

    @property
    def pixel(self) -> Int64[Tensor, " fragments"]:
        """Among those of all pictures."""
        return self.fragments.pixel_of_all.long()

    @property
    def pixels(self) -> int:
        """How many there are."""
        return len(self.fragments.offsets) - 1


@wp.func
def alike(p: ShadingPoint, q: ShadingPoint, width: float) -> float:
    """How alike two points of an object are by their places, in pixels of a `width` in scene units, and normals."""
    cosine = wp.max(wp.dot(p.normal, q.normal), 0.0)
    cosine *= cosine
    off = wp.dot(p.normal, q.point - p.point) / wp.max(SAME_PLANE * width, 1.0e-30)
    far = 1.0 + off * off
    return cosine * cosine / (far * far)


@wp.kernel(enable_backward=False)
def look_beside(
    scenes: Scenes,
    points: wp.array[ShadingPoint],
    offsets: wp.array[int],
    key: wp.array[int],
    pixel: wp.array[int],
    picture: wp.array[wp.vec3],
    width: int,
    height: int,
    beside: wp.array[wp.vec3],
    weight: wp.array[float],
    begin: int,
) -> None:
    """The picture's radiance around each fragment, where its face alone shows, the nearer the more; and the weight."""
    i = wp.tid() + begin
    index = pixel[i]
    line = index // width
    x = index - line * width
    y = line % height
    own = points[i]
    size = pixel_width(scenes, own, height)
    total = wp.vec3(0.0, 0.0, 0.0)
    found = float(0.0)
    for k in range(ACROSS * ACROSS):
        across = k - ACROSS * (k // ACROSS) - ACROSS // 2
        down = k // ACROSS - ACROSS // 2
        column = x + across
        row = y + down
        apart = across * across + down * down
        if apart > 0 and column >= 0 and column < width and row >= 0 and row < height:
            place = index + down * width + across
            other = offsets[place]
            if offsets[place + 1] - other == 1 and key[other] == key[i]:
                w = alike(own, points[other], size) / float(apart)
                w *= w
                total += picture[place] * w
                found += w
    weight[i] = found
    beside[i] = total / wp.max(found, 1.0e-6)


@torch.no_grad()
def visible_surfaces(batch: SceneBatch, width: int, height: int, pixel_rays: int = 32) -> Surfaces:
    """Those of all pixels of the scenes' pictures; `pixel_rays` as for `visible_fragments`."""
    fragments = with_sky(batch, visible_fragments(batch, width, height, pixel_rays))
    is_lamp = torch.zeros_like(fragments.key, dtype=torch.bool)
    if len(batch.kind):
        is_lamp = batch.is_emissive[fragments.object_id.clamp(min=0).long()] & (fragments.object_id != MISS)
    return Surfaces(fragments, points_of_fragments(batch, fragments), is_lamp)


@torch.no_grad()
def unmixed(batch: SceneBatch, surfaces: Surfaces, picture: Float[Tensor, "pixels 3"]) -> Float[Tensor, "fragments 3"]:
    """The radiance of each fragment, as far as a picture tells; their sum in a pixel is the picture's.

    As in the pixels beside it that show the same face alone. What is then missing is that of the others, or, if there
    are none, an error that is shared by the least squares of errors in proportion to radiance.
    """
    seen, pixel = surfaces.fragments, surfaces.pixel
    count, device = len(pixel), picture.device
    beside, weight = torch.empty(count, 3, device=device), torch.empty(count, device=device)
    inputs: list[Any] = [launchable(batch), as_points(surfaces.points), seen.offsets, seen.key, seen.pixel_of_all]
    inputs += [to_warp(picture, wp.vec3), seen.width, seen.height]
    launch(look_beside, count, inputs, [to_warp(beside, wp.vec3), weight], device, sliced=True)
    coverage = seen.coverage[:, None]
    known = (weight > LEAST_BESIDE)[:, None].float()

    def of_pixels(values: Tensor) -> Tensor:
        return torch.zeros(len(picture), values.shape[1], device=device).index_add(0, pixel, values)

    unknown = of_pixels(coverage * (1 - known))
    left = (picture - of_pixels(coverage * known * beside)).clamp(min=0)
    radiance = torch.where(known > 0, beside, (left / unknown.clamp(min=1e-6))[pixel])
    mean = of_pixels(coverage * radiance)
    off = picture - mean
    square = (radiance / mean[pixel].clamp(min=1e-20)).clamp(max=1e6) ** 2 + 1e-12
    share = coverage * square / of_pixels(coverage**2 * square)[pixel]
    radiance = (radiance + off[pixel] * share).clamp(min=0)
    alone = (seen.offsets.diff() == 1)[pixel]
    return torch.where(alone[:, None], picture[pixel], radiance)
