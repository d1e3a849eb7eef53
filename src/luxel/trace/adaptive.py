"""Paths where they matter: as many on average as asked for, more where a few first ones differ from one another."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate

from luxel.core.scene_batch import SceneBatch
from luxel.trace.path import PathTracer
from luxel.trace.radiance_cache import RadianceCache

FIRST_SPP = 2
"""Of every pixel, from which noise is estimated."""
MIN_ADAPTIVE_SPP = 8
"""Paths on average, below which they are the same everywhere."""
BRANCHES = 4
"""Paths that may then share a camera's ray: a fifth to a half more efficient under a sky, and more than 2 or 8."""
BRANCH_COST = 0.65
"""What one of them costs, a path with a ray of its own being 1; measured on three clouds of points."""
MAX_PILOT_PIXELS = 2048
"""Pixels at most of the pilot that tells whether branches pay: they do not where most noise is of lamps' light, which
branches share, too."""
PILOT_STRIDE = 16
"""At most one pixel of so many is in the pilot, as it costs as much there as three pixels of a picture."""
PILOT_RAYS = 16
SPP_STEP = 32
"""After the first paths a pixel gets a multiple of so many more, or a half or a quarter of it, as one net.

The larger a net the better: 32 paths are up to a quarter more efficient than 16 and 16.
"""
MAX_OVER_MEAN = 8
"""Times the mean that a pixel may get."""
TILE = 8
"""Pixels along the sides of tiles that get the same number, as noise is known of no single pixel."""
FLAT_NOISE = 0.25
"""What denoisers leave of noise on flat faces, over what they leave of it on round ones.

Where 40 paths are the mean, balls of figures of 2 048 and 20 000 points so get 87, and the ground 15 and 16, on which
the fits are wider.
"""
DARK_RADIANCE = 0.1
"""Radiance, below which noise is no more visible the darker it is."""
WHITE_RADIANCE = 1.0, 1.2
"""Radiance from which on noise is less visible, and from which on it is not, as pictures show no brighter white."""
SECOND_SEED, PILOT_SEED = 1 << 32, 2 << 32  # added to the seed for the paths that follow, and for those that tell how


class AdaptiveEstimate(NamedTuple):
    """Radiance, and how many paths each pixel got."""

    mean: Float[Tensor, "height width 3"]
    spp: Int64[Tensor, "height width"]


def sample_adaptively(
    tracer: PathTracer,
    batch: SceneBatch,
    width: int,
    height: int,
    spp: int,
    seed: int,
    is_flat: Bool[Tensor, "height width"],
    progress: Callable[[int], object] | None = None,
    cache: RadianceCache | None = None,
) -> AdaptiveEstimate:
    """One scene by `spp` paths a pixel on average: a sum of squared errors, relative to radiance, that is about least.

    What counts is what a denoiser leaves of noise, which on pixels that are `is_flat` is FLAT_NOISE of what it is else.

    For independent paths it is least if their number is in proportion to their standard deviation. Too few to be told
    apart are the same everywhere. `progress` is called with numbers of pixels that sum to all. The mean is biased by
    no more than what one of a tile's first paths tells of the tile.
    """
    told = 0

    def tell(paths: int) -> None:
        nonlocal told
        if progress is not None:
            done = min(paths // spp, width * height) - told
            told += done
            progress(done)

    alike = spp < MIN_ADAPTIVE_SPP
    first_spp = spp if alike else FIRST_SPP
    first = tracer.sample(batch, width, height, first_spp, seed, cache=cache)
    traced = first_spp * width * height
    tell(traced)
    mean, more = first.mean, torch.zeros(height * width, dtype=torch.int64, device=first.mean.device)
    if not alike:
        left = torch.where(is_flat, FLAT_NOISE**2, 1.0) * first.path_variance.reshape(height, width)
        noise = relative_noise(mean.reshape(height, width, 3), left)
        more = allocated(noise, spp - first_spp, MAX_OVER_MEAN * spp).flatten()
    branches = best_branches(tracer, batch, width, height, seed, (more > 0).nonzero()[:, 0], cache)
    for number in more.unique().tolist():
        if number:
            pixels = (more == number).nonzero()[:, 0]
            rays = number // branches
            then = tracer.sample(batch, width, height, rays, seed + SECOND_SEED, None, pixels.int(), branches, cache)
            mean[pixels] += (then.mean - mean[pixels]) * (number / (first_spp + number))
            traced += number * len(pixels)
            tell(traced)
    tell(spp * width * height)
    return AdaptiveEstimate(mean.reshape(height, width, 3), more.reshape(height, width) + first_spp)


def best_branches(
    tracer: PathTracer,
    batch: SceneBatch,
    width: int,
    height: int,
    seed: int,
    pixels: Int64[Tensor, " some"],
    cache: RadianceCache | None = None,
) -> int:
    """BRANCHES if in most of these pixels they make less noise in the same time than a path a ray, else 1.

    A ray's variance is A + B, with branches A + B / BRANCHES, A being of what they share.
    """
    if not len(pixels):
        return 1
    chosen = pixels[:: max(PILOT_STRIDE, -(-len(pixels) // MAX_PILOT_PIXELS))].int()
    alone, shared = (
        tracer.sample(batch, width, height, PILOT_RAYS, seed + PILOT_SEED, None, chosen, branches, cache).path_variance
        for branches in (1, BRANCHES)
    )
    paths_cost = shared * (BRANCHES * BRANCH_COST)
    return BRANCHES if 2 * int((paths_cost < alone).sum()) > len(chosen) else 1


def relative_noise(
    mean: Float[Tensor, "height width 3"], path_variance: Float[Tensor, "height width"]
) -> Float[Tensor, "height width"]:
    """Standard deviation of a path over radiance + DARK_RADIANCE, as far as it shows: means of tiles.

    Of each, or of it and those around if that is more.
    """
    height, width = path_variance.shape
    darkest = avg_pool2d(mean.amin(2)[None, None], 3, 1, 1, count_include_pad=False)[0, 0]
    shows = ((WHITE_RADIANCE[1] - darkest) / (WHITE_RADIANCE[1] - WHITE_RADIANCE[0])).clamp(0, 1)
    noise = shows * path_variance.sqrt() / (mean.mean(2) + DARK_RADIANCE)
    tiles = avg_pool2d(noise[None, None], TILE, ceil_mode=True, count_include_pad=False)
    around = avg_pool2d(tiles, 3, 1, 1, count_include_pad=False)
    spread = interpolate(torch.maximum(tiles, around), scale_factor=TILE, mode="nearest")
    return spread[0, 0, :height, :width]


def allocated(noise: Float[Tensor, "height width"], spp: int, most: int) -> Int64[Tensor, "height width"]:
    """Paths for each pixel, in proportion to its noise: rounded as SPP_STEP says, `most` at most, `spp` in the mean."""
    low, high = 0.0, most / max(float(noise[noise > 0].min()), 1e-6) if bool((noise > 0).any()) else 0.0
    for _ in range(48):  # bisection; the mean grows with the factor
        factor = (low + high) / 2
        if float(_rounded(noise, factor, most).double().mean()) <= spp:
            low = factor
        else:
            high = factor
    return _rounded(noise, low, most)


def _rounded(noise: Float[Tensor, "height width"], factor: float, most: int) -> Int64[Tensor, "height width"]:
    steps = (noise * factor).clamp(max=most) / SPP_STEP
    part = torch.exp2(steps.log2().round())
    return (SPP_STEP * torch.where(part < 1, torch.where(part < 0.25, 0.0, part), steps.round())).long()
