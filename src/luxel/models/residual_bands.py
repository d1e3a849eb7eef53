"""The bands of a residual, what paths say beside a picture, and what is known of each: what a Blender reads.

Bands are differences of the residual's levels (`luxel.models.residual_filter`); see `luxel.models.blending`. What is
known are ratios alone: no unit of light is special.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
import warp as wp
from jaxtyping import Bool, Float, Int32, Int64
from torch import Tensor

from luxel.core.launch import launch, to_warp
from luxel.core.scene_batch import SceneBatch
from luxel.models.residual_features import (
    FEATURES,
    LEVELS,
    MAX_LOGARITHM,
    TINY,
    Described,
    Features,
    Materials,
    describe_fragments,
)
from luxel.models.residual_filter import DETAILS, Levels, Moments, residual_levels
from luxel.models.traced_paths import Paths, path_variance
from luxel.models.visible_surfaces import FragmentRadiance, Surfaces

BRIGHTEST = 4.0
"""Times the radiance around it, to which a pixel's residual is cut before it is shared: of paths of great weight."""
AROUND = 7
"""Pixels, along both sides, of that radiance."""
FEW_PATHS = 16
"""See `unseen`."""
MIN_COUNT = 0.25
"""Paths that a fragment counts for which none has met: its residual is then 0, with the variance of so many."""


TYPES = {"bands": wp.vec3, "details": wp.vec3, "features": Features}
"""Of what a Residual has several numbers of, as kernels write them."""


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
    rows: Int64[Tensor, " some"] | None = None,
) -> Residual:
    """The residual's bands, and what the Blender reads of them, of all fragments or of these `rows`."""
    device = radiance.device
    rows = torch.arange(len(radiance), device=device) if rows is None else rows
    count = len(rows)
    residual = Residual(
        bands=torch.empty(count, LEVELS, 3, device=device),
        variance=torch.empty(count, LEVELS, device=device),
        scale=torch.empty(count, device=device),
        paths_variance=torch.empty(count, device=device),
        noisy=torch.empty(count, device=device),
        details=torch.empty(count, DETAILS, 3, device=device),
        mottle=torch.empty(count, DETAILS, device=device),
        mottle_variance=torch.empty(count, DETAILS, device=device),
        features=torch.empty(count, FEATURES, device=device),
    )
    materials, described = Materials(), Described()
    for name in ("roughness", "metallic", "transmission", "is_emissive"):
        setattr(materials, name, to_warp(getattr(scenes, name)))
    for name, values in residual._asdict().items():
        setattr(described, name, to_warp(values, TYPES.get(name)))
    inputs = [rows, object_id, materials, to_warp(radiance, wp.vec3), spp]
    inputs += [to_warp(levels.moments, Moments), levels.share, to_warp(levels.details, wp.vec3)]
    launch(describe_fragments, count, inputs, [described], device, sliced=True)
    return residual


def log_ratio(a: Tensor, b: Tensor) -> Tensor:
    """log(a / b) within ±MAX_LOGARITHM, over 4, which is about 1 where it is large; 0 where both are 0."""
    return ((a + TINY) / (b + TINY)).log().clamp(-MAX_LOGARITHM, MAX_LOGARITHM) / 4
