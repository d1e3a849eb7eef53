"""The bands of a residual, what paths say beside a picture, and what is known of each: what a Blender reads.

Bands are differences of the residual's levels (`luxel.models.residual_filter`); see `luxel.models.blending`. What is
known are ratios alone: no unit of light is special.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int32, Int64
from torch import Tensor

from luxel.core.intersect import MISS
from luxel.core.scene_batch import SceneBatch
from luxel.models.residual_filter import (
    DETAILS,
    DEVIATION,
    PATHS_VARIANCE,
    PRODUCTS,
    REMOVED,
    SQUARE,
    STEPS,
    VARIANCE,
    Levels,
    residual_levels,
)
from luxel.models.traced_paths import Paths, path_variance
from luxel.models.visible_surfaces import FragmentRadiance, Surfaces

LEVELS = len(STEPS)
WIDE_LEVEL = 5
"""Whose neighbours say which share of the picture's details is mottle."""
SCALE_LEVEL = 3
"""Whose paths say, beside the picture, how bright a place is."""
NOISE_LEVEL = 2
"""Whose neighbours' paths say, beside a pixel's own, how noisy it is: of few, none may have found what is bright."""
PATCH_LEVEL = 4
"""Whose neighbours say it of a patch with less than QUIET of their variance: all its paths may have missed a lamp."""
QUIET = 0.03
BRIGHTEST = 4.0
"""Times the radiance around it, to which a pixel's residual is cut before it is shared: of paths of great weight."""
AROUND = 7
"""Pixels, along both sides, of that radiance."""
FEW_PATHS = 16
"""See `unseen`."""
MIN_COUNT = 0.25
"""Paths that a fragment counts for which none has met: its residual is then 0, with the variance of so many."""
TINY = 1e-30
"""Added to squares of radiance, which are far above it: what is divided by may be 0."""
MAX_LOGARITHM = 12.0
"""Of a ratio that the Blender reads, or writes: e to the 12 is 160 000."""
MOTTLE_LEVELS = (2, 3, 5)
"""Of which the Blender reads what the residual has of the picture's details."""
FEATURES = 5 * LEVELS + 11 + 4 * DETAILS * len(MOTTLE_LEVELS)


class Residual(NamedTuple):
    """The bands that the residual is made of, and what is known of each."""

    bands: Float[Tensor, "fragments levels 3"]
    """Of level 1 first; the last is the coarsest level itself."""
    variance: Float[Tensor, "fragments levels"]
    scale: Float[Tensor, " fragments"]
    """Radiance of the place."""
    paths_variance: Float[Tensor, " fragments"]
    noisy: Float[Tensor, " fragments"]
    """Share of the neighbours whose paths have that variance, if the others have none: (mean σ)² / (mean σ²)."""
    details: Float[Tensor, "fragments details 3"]
    """Of the picture."""
    mottle: Float[Tensor, "fragments details"]
    """The share of a detail that the residual has with the opposite sign, in the wide neighbourhood."""
    mottle_variance: Float[Tensor, "fragments details"]
    features: Float[Tensor, "fragments features"]

    def of(self, rows: Int64[Tensor, " some"]) -> "Residual":
        """Of some of the fragments."""
        return Residual(*(values[rows] for values in self))


@torch.no_grad()
def filtered_residual(
    scenes: SceneBatch,
    surfaces: Surfaces,
    of_network: FragmentRadiance,
    paths: Paths,
    is_uncertain: Bool[Tensor, " fragments"],
) -> Levels:
    """The residual of each of the `uncertain_fragments` at all levels; others keep theirs as it is."""
    seen, pixel, found = surfaces.fragments, surfaces.pixel, paths.of_fragments
    count, radiance = found.counts.clamp(min=MIN_COUNT), of_network.radiance
    raw = torch.where(found.counts[:, None] > 0, found.mean - radiance, 0.0)
    variance = unseen((raw**2).mean(1), count)
    of_path = torch.where(paths.spp > 1, path_variance(paths, surfaces), 0.0)[pixel]
    variance += torch.maximum(of_path, of_network.least_path_variance) / count
    brightness = torch.maximum(radiance.mean(1), found.mean.mean(1)) * seen.coverage
    brighter = torch.zeros(surfaces.pixels, device=pixel.device).index_add(0, pixel, brightness)
    around = mean_around(brighter.reshape(-1, seen.height, seen.width)).index_select(0, pixel)
    shared = cut(raw, around)
    weights = torch.where(is_uncertain, count / paths.spp[pixel], 0.0)
    return residual_levels(scenes, surfaces, radiance, shared, variance, (raw - shared).mean(1), weights)


def unseen(square: Float[Tensor, " any"], paths: int | Float[Tensor, " any"]) -> Float[Tensor, " any"]:
    """Variance of so many paths' mean that their own spread may not show, if they are that far from a picture.

    Few paths may all have missed a lamp's edge, and one has no spread: the picture counts as one path more. Of many,
    their spread is believed, so that this part falls like 1/n².
    """
    return square / (paths * (1 + paths / FEW_PATHS))


def mean_around(brightness: Float[Tensor, "scenes height width"]) -> Float[Tensor, " pixels"]:
    """Of the AROUND² pixels about each."""
    return F.avg_pool2d(brightness[:, None], AROUND, 1, AROUND // 2, count_include_pad=False).reshape(-1)


def cut(residual: Float[Tensor, "fragments 3"], around: Float[Tensor, " fragments"]) -> Float[Tensor, "fragments 3"]:
    """The residual with no more than BRIGHTEST times the radiance around it."""
    length = residual.abs().amax(1)
    return residual * (BRIGHTEST * around / length.clamp(min=TINY)).clamp(max=1)[:, None]


@torch.no_grad()
def describe(
    scenes: SceneBatch,
    object_id: Int32[Tensor, " fragments"],
    radiance: Float[Tensor, "fragments 3"],
    levels: Levels,
    spp: Float[Tensor, " fragments"],
) -> Residual:
    """The residual's bands, and what the Blender reads of them."""
    moments = torch.stack([values.T for values in levels.moments])  # fragments last: what is next to it is alike
    details, fine = torch.stack([values.T for values in levels.details]), moments[1:, :3]
    bands = torch.cat([fine[:-1] - fine[1:], fine[-1:]])
    # What was cut off paths of great weight may all be there: the band may be off by as much.
    of_levels = moments[1:, VARIANCE] + moments[1:, REMOVED] ** 2
    variance = torch.cat([torch.maximum(of_levels[:-1], of_levels[1:]), of_levels[-1:]])  # the noisier level's
    brightness = radiance.T.mean(0)
    scale = brightness + (brightness + moments[SCALE_LEVEL, :3].mean(0)).clamp(min=0)
    products, squares = moments[WIDE_LEVEL, PRODUCTS::2], moments[WIDE_LEVEL, PRODUCTS + 1 :: 2].clamp(min=TINY)
    near = torch.maximum(moments[0, PATHS_VARIANCE], moments[NOISE_LEVEL, PATHS_VARIANCE])
    around = moments[PATCH_LEVEL, PATHS_VARIANCE]
    features = [
        *features_of_bands(moments, bands, variance, brightness, scale),
        torch.stack(levels.share),
        *(log_ratio((bands[level] ** 2).mean(0), scale**2)[None] for level in (-1, 0)),
        *mottle_features(moments, details, scale),
        spp.log()[None] / 4,
        materials_of(scenes, object_id),
    ]
    return Residual(
        bands=bands.permute(2, 0, 1),
        variance=variance.T,
        scale=scale,
        paths_variance=torch.where(near < QUIET * around, around, near),
        noisy=moments[NOISE_LEVEL, DEVIATION].square() / moments[NOISE_LEVEL, PATHS_VARIANCE].clamp(min=TINY),
        details=details.permute(2, 0, 1),
        mottle=(-products / squares).T,
        mottle_variance=(moments[WIDE_LEVEL, VARIANCE] / squares).T,
        features=torch.cat(features).T,
    )


def features_of_bands(
    moments: Float[Tensor, "levels moments fragments"],
    bands: Float[Tensor, "bands 3 fragments"],
    variance: Float[Tensor, "bands fragments"],
    brightness: Float[Tensor, " fragments"],
    scale: Float[Tensor, " fragments"],
) -> list[Float[Tensor, "features fragments"]]:
    """How bands, and levels' squares, compare with their variances, and these with the radiance."""
    squared, noise = scale**2, moments[:, PATHS_VARIANCE]
    return [
        log_ratio((bands**2).mean(1), variance),
        log_ratio(variance, squared),
        log_ratio(moments[:, SQUARE], noise),
        log_ratio(noise, squared),
        log_ratio(brightness, scale)[None],
    ]


def materials_of(scenes: SceneBatch, object_id: Int32[Tensor, " fragments"]) -> Float[Tensor, "5 fragments"]:
    """Whether there is an object, its roughness, metal and transmission, and whether it is a lamp."""
    hit = (object_id != MISS).float()
    if not len(scenes.kind):
        return hit.new_zeros(5, len(hit))
    attributes = torch.stack([scenes.roughness, scenes.metallic, scenes.transmission, scenes.is_emissive.float()])
    return torch.cat([hit[None], hit * attributes[:, object_id.clamp(min=0).long()]])


def mottle_features(
    moments: Float[Tensor, "levels moments fragments"],
    details: Float[Tensor, "details 3 fragments"],
    scale: Float[Tensor, " fragments"],
) -> list[Float[Tensor, "details fragments"]]:
    """Of each of the picture's details: its share in the residual, how sure that is, and how strong the detail is."""
    own = (details**2).mean(1)
    result = []
    for level in MOTTLE_LEVELS:
        products, squares = moments[level, PRODUCTS::2], moments[level, PRODUCTS + 1 :: 2]
        result.append((-products / squares.clamp(min=TINY)).clamp(-1, 2))
        along = products / squares.sqrt().clamp(min=TINY)  # the residual's part along the detail
        result.append(log_ratio(along**2, moments[level, VARIANCE]))
        result.append(log_ratio(squares, scale**2))
        result.append(log_ratio(own, squares))
    return result


def log_ratio(a: Tensor, b: Tensor) -> Tensor:
    """log(a / b) within ±MAX_LOGARITHM, over 4, which is about 1 where it is large; 0 where both are 0."""
    return ((a + TINY) / (b + TINY)).log().clamp(-MAX_LOGARITHM, MAX_LOGARITHM) / 4
