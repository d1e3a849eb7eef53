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
from luxel.models.path_statistics import FEW_PATHS, TINY, measure_pixels, measure_residuals
from luxel.models.residual_features import (
    FEATURES,
    LEVELS,
    MAX_LOGARITHM,
    Described,
    Features,
    Materials,
    describe_fragments,
)
from luxel.models.residual_filter import DETAILS, Levels, Moments, residual_levels
from luxel.models.traced_paths import Paths, path_table
from luxel.models.visible_surfaces import FragmentRadiance, Surfaces

AROUND = 7
"""Pixels, along both sides, of that radiance."""
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
    seen, radiance, device = surfaces.fragments, of_network.radiance, scenes.device
    table, picture = path_table(surfaces, paths), to_warp(radiance, wp.vec3)
    of_path, brightness = torch.empty(2, surfaces.pixels, device=device)
    launch(measure_pixels, len(of_path), [table, seen.coverage, picture], [of_path, brightness], device, sliced=True)
    around = mean_around(brightness.reshape(-1, seen.height, seen.width))
    shared = torch.empty_like(radiance)
    variance, removed, weights = torch.empty(3, len(radiance), device=device)
    inputs = [table, seen.pixel_of_all, picture, of_network.least_path_variance, is_uncertain, of_path, around]
    outputs = [to_warp(shared, wp.vec3), variance, removed, weights]
    launch(measure_residuals, len(radiance), inputs, outputs, device, sliced=True)
    return residual_levels(scenes, surfaces, radiance, shared, variance, removed, weights)


def unseen(square: Float[Tensor, " any"], paths: int | Float[Tensor, " any"]) -> Float[Tensor, " any"]:
    """Variance of so many paths' mean that their own spread may not show, if they are that far from a picture.

    Few paths may all have missed a lamp's edge, and one has no spread: the picture counts as one path more. Of many,
    their spread is believed, so that this part falls like 1/n².
    """
    return square / (paths * (1 + paths / FEW_PATHS))


def mean_around(brightness: Float[Tensor, "scenes height width"]) -> Float[Tensor, " pixels"]:
    """Of the AROUND² pixels about each."""
    return F.avg_pool2d(brightness[:, None], AROUND, 1, AROUND // 2, count_include_pad=False).reshape(-1)


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
