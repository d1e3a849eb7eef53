"""What whole pictures show: the fragments of all pixels, the sky's among them, and what a picture says of each."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import torch
import warp as wp
from jaxtyping import Bool, Float, Int32, Int64
from torch import Tensor

from luxel.core.fragments import PIXEL_RAYS, Fragments, visible_fragments, with_sky
from luxel.core.intersect import MISS
from luxel.core.launch import launch, to_warp
from luxel.core.pixels import Pictures, PixelPlace, place_of
from luxel.core.scene_batch import SceneBatch
from luxel.core.scenes import Scenes, launchable
from luxel.models.open_sky import sky_of_pixels
from luxel.models.shading_points import ShadingPoint, as_points, pixel_width, points_of_fragments

SAME_PLANE = wp.constant(2.0)  # pixels off a point's tangent plane that halve a neighbour's weight twice
ACROSS = wp.constant(5)  # pixels, along both sides, of those that say how bright a fragment in their midst is
MIN_NEIGHBOUR_WEIGHT = 0.01
"""Weight of these from which on they are believed."""
MIN_SHARE = wp.constant(1.0e-6)
"""Weight or share that is divided by. The radiance of a fragment over its pixel's is from this to its inverse."""
DARK = 1e-20
"""Radiance that is divided by."""


class FragmentRadiance(NamedTuple):
    """What is known of the light that leaves fragments."""

    radiance: Float[Tensor, "fragments 3"]
    least_path_variance: Float[Tensor, " fragments"]
    """Radiance squared, the mean over channels: of one path, by lights behind glass or in mirrors, which few meet."""

    def part(self, fragments: slice | Int64[Tensor, " some"]) -> "FragmentRadiance":
        """Of some of the fragments."""
        return FragmentRadiance(*(values[fragments] for values in self))

    @staticmethod
    def joined(parts: Iterable["FragmentRadiance"]) -> "FragmentRadiance":
        """Of all of them, one after another."""
        return FragmentRadiance(*map(torch.cat, zip(*parts, strict=True)))


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

    def for_kernels(self) -> Any:
        """A SurfaceTable, which keeps the tensors alive."""
        seen, table = self.fragments, SurfaceTable()
        table.points, table.offsets, table.key = as_points(self.points), to_warp(seen.offsets), to_warp(seen.key)
        table.pixel, table.pictures.width = to_warp(seen.pixel_of_all), seen.width
        table.pictures.height = table.pictures.rows = seen.height
        return table


@wp.func
def alike(p: ShadingPoint, q: ShadingPoint, width: float) -> float:
    """How alike two points of an object are by their places, in pixels of a `width` in scene units, and normals."""
    cosine = wp.max(wp.dot(p.normal, q.normal), 0.0)
    cosine *= cosine
    off = wp.dot(p.normal, q.point - p.point) / wp.max(SAME_PLANE * width, 1.0e-30)
    far = 1.0 + off * off
    return cosine * cosine / (far * far)


@wp.struct
class SurfaceTable:
    """Surfaces for kernels."""

    points: wp.array[ShadingPoint]
    offsets: wp.array[int]
    key: wp.array[int]
    pixel: wp.array[int]
    pictures: Pictures


@wp.func
def pixel_beside(pictures: Pictures, at: PixelPlace, across: int, down: int) -> int:
    """The pixel, among those of all pictures, that far from another one; −1 beyond its picture's sides."""
    column = at.column + across
    row = at.row + down
    if column < 0 or column >= pictures.width or row < 0 or row >= pictures.height:
        return -1
    return (at.scene * pictures.height + row) * pictures.width + column


@wp.kernel(enable_backward=False)
def look_beside(
    scenes: Scenes,
    seen: SurfaceTable,
    picture: wp.array[wp.vec3],
    fragments: wp.array[wp.int64],
    beside: wp.array[wp.vec3],
    weight: wp.array[float],
    begin: int,
) -> None:
    """The picture's radiance around these fragments, where their face alone shows, and the weight that it has.

    The nearer, the more it counts.
    """
    number = wp.tid() + begin
    i = int(fragments[number])
    at = place_of(seen.pictures, seen.pixel[i])
    own = seen.points[i]
    size = pixel_width(scenes, own, seen.pictures.height)
    total = wp.vec3(0.0, 0.0, 0.0)
    found = float(0.0)
    for k in range(ACROSS * ACROSS):
        across = k - ACROSS * (k // ACROSS) - ACROSS // 2
        down = k // ACROSS - ACROSS // 2
        apart = across * across + down * down
        place = pixel_beside(seen.pictures, at, across, down)
        if apart > 0 and place >= 0:
            other = seen.offsets[place]
            if seen.offsets[place + 1] - other == 1 and seen.key[other] == seen.key[i]:
                w = alike(own, seen.points[other], size) / float(apart)
                w *= w
                total += picture[place] * w
                found += w
    weight[number] = found
    beside[number] = total / wp.max(found, MIN_SHARE)


@torch.no_grad()
def visible_surfaces(batch: SceneBatch, width: int, height: int, found: Fragments | None = None) -> Surfaces:
    """Those of all pixels of the scenes' pictures, whose fragments may have been `found` already."""
    fragments = with_sky(batch, found or visible_fragments(batch, width, height, PIXEL_RAYS))
    is_lamp = torch.zeros_like(fragments.key, dtype=torch.bool)
    if len(batch.kind):
        is_lamp = batch.is_emissive[fragments.object_id.clamp(min=0).long()] & (fragments.object_id != MISS)
    return Surfaces(fragments, points_of_fragments(batch, fragments), is_lamp)


@torch.no_grad()
def with_radiance_of_sky(batch: SceneBatch, surfaces: Surfaces, of_objects: FragmentRadiance) -> FragmentRadiance:
    """Of all fragments, of which objects' are given, in their order."""
    seen = surfaces.fragments
    if batch.has_constant_skies:
        sky = batch.background.index_select(0, seen.scene)
    else:
        sky = sky_of_pixels(batch, seen).index_select(0, surfaces.pixel)
    is_object = seen.object_id != MISS
    least_path_variance = torch.zeros_like(seen.coverage).masked_scatter(is_object, of_objects.least_path_variance)
    return FragmentRadiance(sky.masked_scatter(is_object[:, None], of_objects.radiance), least_path_variance)


@torch.no_grad()
def unmixed(batch: SceneBatch, surfaces: Surfaces, picture: Float[Tensor, "pixels 3"]) -> Float[Tensor, "fragments 3"]:
    """The radiance of each fragment, as far as a picture tells; their sum in a pixel is the picture's.

    As in the pixels beside it that show the same face alone, or for a lamp that none does what it emits: what is left
    of the picture, over the coverage of a speck, may be anything. What is then missing is that of the others, or, if
    there are none, an error that is shared by the least squares of errors in proportion to radiance.
    """
    seen, pixel, device = surfaces.fragments, surfaces.pixel, picture.device
    radiance, is_shared = picture.index_select(0, pixel), seen.offsets.diff() > 1
    shared = is_shared[pixel].nonzero()[:, 0]
    whole, place = picture[is_shared], (is_shared.cumsum(0) - 1)[pixel[shared]]  # of shared pixels alone
    beside, weight = torch.empty(len(shared), 3, device=device), torch.empty(len(shared), device=device)
    inputs = [launchable(batch), surfaces.for_kernels(), to_warp(picture, wp.vec3), shared]
    launch(look_beside, len(shared), inputs, [to_warp(beside, wp.vec3), weight], device, sliced=True)
    coverage, is_beside, is_lamp = seen.coverage[shared, None], weight > MIN_NEIGHBOUR_WEIGHT, surfaces.is_lamp[shared]
    known = (is_beside | is_lamp)[:, None].float()
    if len(batch.kind):
        emitted = batch.emission[seen.object_id[shared].clamp(min=0).long()]
        beside = torch.where((is_lamp & ~is_beside)[:, None], emitted, beside)

    def of_pixels(values: Tensor) -> Tensor:
        return torch.zeros(len(whole), values.shape[1], device=device).index_add(0, place, values)

    unknown = of_pixels(coverage * (1 - known))
    left = (whole - of_pixels(coverage * known * beside)).clamp(min=0)
    parted = torch.where(known > 0, beside, (left / unknown.clamp(min=MIN_SHARE))[place])
    mean = of_pixels(coverage * parted)
    relative = (parted / mean[place].clamp(min=DARK)).clamp(MIN_SHARE, 1 / MIN_SHARE)
    share = coverage * relative**2 / of_pixels((coverage * relative) ** 2)[place]
    radiance[shared] = (parted + (whole - mean)[place] * share).clamp(min=0)
    return radiance
