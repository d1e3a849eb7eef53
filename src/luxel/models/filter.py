"""Bringing neighbouring points together: each sends few rays, and a tile of pixels many.

An edge-avoiding à-trous filter (Dammertz et al., "Edge-Avoiding À-Trous Wavelet Transform for fast Global Illumination
Filtering", HPG 2010) whose edges are those of objects and of their curvature: what is filtered is light, not texture.
"""

from typing import NamedTuple

import torch
import warp as wp
from jaxtyping import Float, Int32
from torch import Tensor

from luxel.core.intersect import MISS
from luxel.core.launch import launch, to_warp
from luxel.models.gather import Signals
from luxel.models.shading_points import ShadingPoint, as_points
from luxel.models.specular import SUBPIXELS

STEPS: tuple[tuple[int, ...], ...] = ((1,), (2,), (4, 8))
"""Pixels between neighbours, of each level beyond the points' own.

The kernels (1, 2, 1) / 4 of steps 1 and 2 together have no response to a period of 4 pixels, the side of the tiles
whose patterns are well spread.
"""
LEVELS = 1 + len(STEPS)
REACH = sum(map(sum, STEPS))
"""Pixels beyond which nothing influences a point."""


class Neighbourhood(NamedTuple):
    """Which point is where in the pictures, to look it up by pixel."""

    table: Int32[Tensor, "points words"]  # ShadingPoints
    fragment: Int32[Tensor, " points"]
    lobe: Int32[Tensor, " points"]  # that shows it, or MISS for a fragment's own point, whose number is the fragment's
    pixel: Int32[Tensor, " fragments"]  # of all pictures
    object_id: Int32[Tensor, " fragments"]
    offsets: Int32[Tensor, " pixels_and_one"]  # fragments of each pixel
    shown: Int32[Tensor, "fragments lobes_and_subpixels"]  # the points that each lobe of a fragment shows, or MISS
    width: int
    height: int


@wp.kernel(enable_backward=False)
def filter_points(
    points: wp.array[ShadingPoint],
    fragment: wp.array[int],
    lobe: wp.array[int],
    pixel: wp.array[int],
    object_id: wp.array[int],
    offsets: wp.array[int],
    shown: wp.array2d[int],
    width: int,
    height: int,
    step: int,
    signals: wp.array[Signals],
    filtered: wp.array[Signals],
    share: wp.array[float],
    begin: int,
) -> None:
    """The weighted mean of each point and its eight neighbours `step` pixels away, and the weight that they have.

    Neighbours are points of the same surface, shown by the same object in the same way, with about the same normal.
    """
    index = wp.tid() + begin
    p = points[index]
    f = fragment[index]
    line = pixel[f] // width
    column = pixel[f] - line * width
    row = line % height
    total = Signals()
    weight = float(0.0)
    for k in range(9):
        down = k // 3 - 1
        across = k - 3 * (k // 3) - 1
        x = column + across * step
        y = row + down * step
        if x >= 0 and x < width and y >= 0 and y < height:
            q = pixel[f] + down * step * width + across * step
            for g in range(offsets[q], offsets[q + 1]):
                if object_id[g] == object_id[f]:
                    j = g
                    if lobe[index] != MISS:
                        j = int(MISS)
                        for i in range(lobe[index] * SUBPIXELS, (lobe[index] + 1) * SUBPIXELS):
                            other = shown[g, i]
                            if other != MISS:  # noqa: SIM102 (`and` evaluates both)
                                if points[other].object_id == p.object_id:
                                    j = other
                    if j != MISS:
                        cosine = wp.max(wp.dot(p.normal, points[j].normal), 0.0)
                        w = cosine * cosine
                        w = w * w
                        w = w * w
                        w = w * w / float((1 + across * across) * (1 + down * down))
                        total += signals[j] * w
                        weight += w
    filtered[index] = total * (1.0 / wp.max(weight, 1.0e-9))
    share[index] = weight * 0.25


@torch.no_grad()
def filter_levels(
    near: Neighbourhood, signals: Float[Tensor, "points signals"]
) -> tuple[list[Float[Tensor, "points signals"]], list[Float[Tensor, " points"]]]:
    """The signals at every level, the first being as they are, and the weight of the neighbours at the others.

    That is 1 in the midst of a flat surface, and 1/4 where a point is alone.
    """
    levels, shares = [signals], []
    for steps in STEPS:
        for step in steps:
            filtered, share = torch.empty_like(signals), torch.empty_like(signals[:, 0])
            inputs = [as_points(near.table), *near[1:], step, to_warp(signals, Signals)]
            launch(
                filter_points, len(signals), inputs, [to_warp(filtered, Signals), share], signals.device, sliced=True
            )
            signals = filtered
        levels.append(signals)
        shares.append(share)
    return levels, shares
