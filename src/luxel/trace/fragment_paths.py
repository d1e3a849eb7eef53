"""Paths told apart by what they meet first: the mean of each fragment's, beside that of the pixel's.

Which share of a pixel an object covers is known far better than a few paths could say. What a fragment's own paths have
found is free of the noise of that share, and can be compared with its neighbours of the same object.
"""

from typing import Any

import torch
import warp as wp
from jaxtyping import Bool, Int64
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

    offsets: wp.array[int]  # of all pixels that are traced: see `Fragments`
    key: wp.array[int]
    is_mixed: wp.array[bool]  # see `mixed_pixels`
    first: int  # fragment of the first of these pixels
    mean: wp.array2d[wp.vec3]
    count: wp.array2d[float]
    scatter: wp.array2d[float]  # pixel by pixel, summed over channels


@wp.func
def add_to_fragment(
    scenes: Scenes,
    scene: int,
    sums: FragmentSums,
    pixel: int,
    row: int,
    chunk: int,
    origin: wp.vec3,
    direction: wp.vec3,
    L: wp.vec3,
) -> None:
    """Count a path of a pixel, that among those that are traced, for the fragment that the camera's ray meets.

    For none if that is not among the pixel's fragments. Where all pixels around show the same face, it is that one.
    """
    first = sums.offsets[pixel]
    key = sums.key[first]
    if sums.is_mixed[pixel]:
        key = key_of_ray(scenes, scene, EVERYTHING, origin, direction)
    for i in range(first, sums.offsets[pixel + 1]):
        if sums.key[i] == key:
            j = i - sums.first
            count = sums.count[j, chunk] + 1.0
            off = L - sums.mean[j, chunk]
            mean = sums.mean[j, chunk] + off / count
            sums.count[j, chunk] = count
            sums.mean[j, chunk] = mean
            sums.scatter[row, chunk] += wp.dot(off, L - mean)


@wp.kernel(enable_backward=False)
def merge_fragments(
    sums: FragmentSums,
    first_pixel: int,
    mean: wp.array[wp.vec3],
    count: wp.array[float],
    scatter: wp.array[float],
    begin: int,
) -> None:
    """All chunks' paths as one (Chan, Golub & LeVeque 1979)."""
    row = wp.tid() + begin
    pixel = row + first_pixel
    spread = float(0.0)
    for chunk in range(sums.scatter.shape[1]):
        spread += sums.scatter[row, chunk]
    for i in range(sums.offsets[pixel], sums.offsets[pixel + 1]):
        total = wp.vec3(0.0, 0.0, 0.0)
        paths = float(0.0)
        for chunk in range(sums.scatter.shape[1]):
            more = sums.count[i - sums.first, chunk]
            if more > 0.0:
                step = sums.mean[i - sums.first, chunk] - total
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


def empty_fragment_paths(fragments: int, pixels: int, device: torch.device) -> FragmentPaths:
    """Room for what the paths of so many fragments, of so many pixels, will find."""
    sizes = ((fragments, 3), (fragments,), (pixels,))
    return FragmentPaths(*(torch.empty(size, device=device) for size in sizes))


class FragmentTally:
    """The paths of some of whole pictures' pixels, told apart by the fragments of these."""

    def __init__(self, fragments: Fragments, is_mixed: Bool[Tensor, " pixels"], pixels: Int64[Tensor, " some"]) -> None:
        self.fragments, self._offsets = fragments.of_pixels(pixels)
        self._key, self._is_mixed = fragments.key[self.fragments], is_mixed[pixels]
        self.found = empty_fragment_paths(len(self.fragments), len(pixels), pixels.device)

    def sums(self, pixels: range, chunks: int) -> Any:
        """FragmentSums of these of the pixels before any path."""
        device = self.found.mean.device
        first, end = (int(self._offsets[place]) for place in (pixels.start, pixels.stop))
        sums = FragmentSums()
        sums.offsets, sums.key, sums.first = to_warp(self._offsets), to_warp(self._key), first
        sums.is_mixed = to_warp(self._is_mixed)
        sums.mean = to_warp(torch.zeros(end - first, chunks, 3, device=device), wp.vec3)
        sums.count = to_warp(torch.zeros(end - first, chunks, device=device))
        sums.scatter = to_warp(torch.zeros(len(pixels), chunks, device=device))
        return sums

    def merge(self, sums: Any, pixels: range) -> None:
        """Take these pixels' sums for what there is of them."""
        found = self.found
        outputs = [to_warp(found.mean, wp.vec3), to_warp(found.counts), to_warp(found.scatter)]
        launch(merge_fragments, len(pixels), [sums, pixels.start], outputs, found.mean.device, sliced=True)
