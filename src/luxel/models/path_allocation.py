"""How many of a picture's paths each pixel gets: about as many on average as asked for, most where it has contrast.

What a blend is off by is at edges of what is seen and of shadows, where neighbours tell little of one another, and few
pixels have most of it. Which these are a picture without noise shows before any path is traced; so numbers of paths
depend on no path, and means of them have no bias.
"""

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from luxel.core.extremes import max_around

FLAT, SHARP = 0.75, 0.1
"""Shares of the pixels: those of least contrast, which get a FEWER-th of the paths, and of most, which get MORE times
as many. On average they get 0.925 of what is asked for, as paths at edges take longer than those to the sky."""
FEWER, MORE = 2, 4
MIN_PATHS = 2
"""Where there is more than one at all: a single path does not say how noisy it is."""
DARK = 1e-20
"""Radiance that is divided by."""


def allocated_paths(picture: Float[Tensor, "scenes height width 3"], spp: int) -> Int64[Tensor, " pixels"]:
    """Of each pixel, row by row, scene by scene; the mean over each scene is at most `spp`."""
    contrast = local_contrast(picture.mean(3)).flatten(1)
    pixels, few = contrast.shape[1], max(min(MIN_PATHS, spp), spp // FEWER)
    flat = int(FLAT * pixels)
    sharp = min(int(SHARP * pixels), flat * (spp - few) // ((MORE - 1) * spp))
    order = contrast.argsort(stable=True, dim=1)
    paths = torch.full_like(order, spp)
    paths.scatter_(1, order[:, :flat], few)
    paths.scatter_(1, order[:, pixels - sharp :], MORE * spp)
    return paths.flatten()


def local_contrast(radiance: Float[Tensor, "scenes height width"]) -> Float[Tensor, "scenes height width"]:
    """(max − min) / max of the 3 × 3 pixels around each, which knows no unit of light."""
    most, least = (sign * max_around(sign * radiance) for sign in (1, -1))
    return (most - least) / most.clamp(min=DARK)
