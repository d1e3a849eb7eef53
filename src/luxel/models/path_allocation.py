"""How many of a picture's paths each pixel gets: about as many on average as asked for, most where it has contrast.

What a blend is off by is at edges of what is seen and of shadows, where neighbours tell little of one another, and few
pixels have most of it. Which these are a picture without noise shows before any path is traced; so numbers of paths
depend on no path, and means of them have no bias.
"""

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from luxel.core.extremes import max_around

FEWER, MORE = ((0.5, 4), (0.3, 2)), ((0.03, 8), (0.07, 4))
"""Shares of the pixels: of those of least contrast, the least first, which get a quarter and half of the paths that are
asked for, and of those of most contrast, the most first, which get so many times as many. On average pixels get 0.895
of what is asked for, as paths at edges take longer than those to the sky."""
FEW_PATHS, FEWER_OF_FEW, MORE_OF_FEW = 8, ((0.75, 2),), ((0.1, 4),)
"""The shares where less is asked for than this, so that a quarter would be less than MIN_PATHS; 0.925 on average."""
MIN_PATHS = 2
"""Where there is more than one at all: a single path does not say how noisy it is."""
DARK = 1e-20
"""Radiance that is divided by."""


def allocated_paths(picture: Float[Tensor, "scenes height width 3"], spp: int) -> Int64[Tensor, " pixels"]:
    """Of each pixel, row by row, scene by scene; the mean over each scene is at most `spp`."""
    contrast = local_contrast(picture.mean(3)).flatten(1)
    order = sorted_pixels(contrast)
    in_order = paths_in_order(contrast.shape[1], spp).to(order.device)
    return torch.empty_like(order).scatter_(1, order, in_order.expand_as(order)).flatten()


def sorted_pixels(contrast: Float[Tensor, "scenes pixels"]) -> Int64[Tensor, "scenes pixels"]:
    """The numbers of each scene's pixels, that of least contrast first, and of equal ones the first.

    On a CPU, numpy's sort of floats' bits, which stand in the order of what is not negative, and of pixels' numbers
    takes an eighth of the time of torch's `argsort`.
    """
    if contrast.is_cuda:
        return contrast.argsort(stable=True, dim=1)
    keys = contrast.abs().view(torch.int32).long() << 32 | torch.arange(contrast.shape[1])
    return torch.from_numpy(np.sort(keys.numpy(), axis=1)) & 0xFFFFFFFF


def paths_in_order(pixels: int, spp: int) -> Int64[Tensor, " pixels"]:
    """Of so many pixels, that of least contrast first.

    Where MIN_PATHS leave too little to take from most pixels, fewer get more than is asked for.
    """
    fewer, more = (FEWER, MORE) if spp >= FEW_PATHS else (FEWER_OF_FEW, MORE_OF_FEW)
    paths = torch.full((pixels,), spp)
    first = 0
    for share, divisor in fewer:
        count = int(share * pixels)
        paths[first : first + count] = max(min(MIN_PATHS, spp), spp // divisor)
        first += count
    saved = int((spp - paths).sum())
    wanted = sum(int(share * pixels) * (factor - 1) * spp for share, factor in more)
    end = pixels
    for share, factor in more:
        count = int(share * pixels) * min(saved, wanted) // max(wanted, 1)
        paths[end - count : end] = factor * spp
        end -= count
    return paths


def local_contrast(radiance: Float[Tensor, "scenes height width"]) -> Float[Tensor, "scenes height width"]:
    """(max − min) / max of the 3 × 3 pixels around each, which knows no unit of light."""
    most, least = (sign * max_around(sign * radiance) for sign in (1, -1))
    return (most - least) / most.clamp(min=DARK)
