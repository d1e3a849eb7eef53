"""Paths told apart by what they meet first: the mean of each fragment's, beside that of the pixel's.

Which share of a pixel an object covers is known far better than a few paths could say. What a fragment's own paths have
found is free of the noise of that share, and can be compared with its neighbours of the same object.
"""

from typing import Any

import torch
import torch.nn.functional as F
import warp as wp
from jaxtyping import Bool, Int32
from torch import Tensor

from luxel.core.extremes import max_around
from luxel.core.fragments import FragmentPaths, Fragments
from luxel.core.intersect import EVERYTHING
from luxel.core.launch import launch, to_warp
from luxel.core.pixels import key_of_ray
from luxel.core.scenes import Scenes

ABOVE_ALL_KEYS = float(1 << 30)  # more than any key


@wp.struct
class FragmentSums:
    """Of the fragments of some pixels, chunk by chunk of their paths; empty if they are not asked for."""

    of_pictures: wp.array[int]  # offsets of all of the pictures' pixels: see `Fragments`
    key: wp.array[int]
    is_mixed: wp.array[bool]  # see `mixed_pixels`
    offsets: wp.array[int]  # the same among the fragments of the pixels that are traced
    first: int  # of these fragments, that of the first pixel of this launch
    mean: wp.array2d[wp.vec3]
    count: wp.array2d[float]
    scatter: wp.array2d[float]  # pixel by pixel, summed over channels


@wp.func
def add_to_fragment(
    scenes: Scenes,
    scene: int,
    sums: FragmentSums,
    pixel: int,
    ray: int,
    row: int,
    chunk: int,
    origin: wp.vec3,
    direction: wp.vec3,
    L: wp.vec3,
) -> None:
    """Count a path of a pixel of all pictures, number `ray` of those traced, for the fragment that its ray meets.

    For none if that is not among the pixel's fragments. Where all pixels around show the same face, it is that one.
    """
    first = sums.of_pictures[pixel]
    key = sums.key[first]
    if sums.is_mixed[pixel]:
        key = key_of_ray(scenes, scene, EVERYTHING, origin, direction)
    for i in range(first, sums.of_pictures[pixel + 1]):
        if sums.key[i] == key:
            j = i - first + sums.offsets[ray] - sums.first
            count = sums.count[j, chunk] + 1.0
            off = L - sums.mean[j, chunk]
            mean = sums.mean[j, chunk] + off / count
            sums.count[j, chunk] = count
            sums.mean[j, chunk] = mean
            sums.scatter[row, chunk] += wp.dot(off, L - mean)


@wp.kernel(enable_backward=False)
def merge_fragments(
    sums: FragmentSums,
    numbers: wp.array[int],
    first_ray: int,
    mean: wp.array[wp.vec3],
    count: wp.array[float],
    scatter: wp.array[float],
    begin: int,
) -> None:
    """All chunks' paths as one (Chan, Golub & LeVeque 1979), written to where the pixels `numbers` are in pictures."""
    row = wp.tid() + begin
    ray = row + first_ray
    pixel = numbers[ray]
    first = sums.of_pictures[pixel]
    spread = float(0.0)
    for chunk in range(sums.scatter.shape[1]):
        spread += sums.scatter[row, chunk]
    for i in range(first, sums.of_pictures[pixel + 1]):
        j = i - first + sums.offsets[ray] - sums.first
        total = wp.vec3(0.0, 0.0, 0.0)
        paths = float(0.0)
        for chunk in range(sums.scatter.shape[1]):
            more = sums.count[j, chunk]
            if more > 0.0:
                step = sums.mean[j, chunk] - total
                spread += wp.dot(step, step) * paths * more / (paths + more)
                paths += more
                total += step * (more / paths)
        mean[i] = total
        count[i] = paths
    scatter[pixel] = spread / 3.0


def mixed_pixels(fragments: Fragments) -> Bool[Tensor, " pixels"]:
    """Those which, with the eight around, show more than one face: their paths may meet another one than their own."""
    first = fragments.key[fragments.offsets[:-1].long()].float()  # exact up to 2²⁴
    several = fragments.offsets.diff() > 1
    most, least = (
        max_around(torch.where(several, ABOVE_ALL_KEYS, sign * first).reshape(-1, fragments.rows, fragments.width))
        for sign in (1, -1)
    )
    return (most != -least).reshape(-1)


class FragmentTally:
    """The paths of some of whole pictures' pixels, told apart by the fragments of these, for `found` to have them."""

    def __init__(
        self,
        fragments: Fragments,
        is_mixed: Bool[Tensor, " pixels"],
        pixels: Int32[Tensor, " some"],
        found: FragmentPaths,
    ) -> None:
        self._offsets = F.pad(fragments.offsets.diff()[pixels].cumsum(0, dtype=torch.int32), (1, 0))
        self._of_pictures = to_warp(fragments.offsets), to_warp(fragments.key), to_warp(is_mixed)
        self._pixels, self.found = pixels, found

    def sums(self, rays: range, chunks: int) -> Any:
        """FragmentSums of these of the pixels before any path."""
        device = self.found.mean.device
        first, end = (int(self._offsets[place]) for place in (rays.start, rays.stop))
        sums = FragmentSums()
        sums.of_pictures, sums.key, sums.is_mixed = self._of_pictures
        sums.offsets, sums.first = to_warp(self._offsets), first
        sums.mean = to_warp(torch.zeros(end - first, chunks, 3, device=device), wp.vec3)
        sums.count = to_warp(torch.zeros(end - first, chunks, device=device))
        sums.scatter = to_warp(torch.zeros(len(rays), chunks, device=device))
        return sums

    def merge(self, sums: Any, rays: range) -> None:
        """Take these pixels' sums for what there is of them."""
        found = self.found
        outputs = [to_warp(found.mean, wp.vec3), found.counts, found.scatter]
        launch(merge_fragments, len(rays), [sums, self._pixels, rays.start], outputs, found.mean.device, sliced=True)
