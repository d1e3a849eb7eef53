"""From no paths to the truth: a network's picture and the mean of n paths a pixel, blended by their errors.

The network's picture N has no noise, but is off; the paths' mean P has noise, and is right in the mean. Both are taken
apart into what pixels show, a fragment for each face (`luxel.models.visible_surfaces`), as what share of a pixel each
covers is known better than by few paths (`luxel.models.traced_paths`). Of fragments, the residual R = P − N is filtered
at L levels (`luxel.models.residual_filter`): R_0 = R, R_1 … R_L, a wavelet decomposition of it in bands R_l − R_{l+1}.
What is believed of each band is its coefficient a_l in [0, 1] (wavelet shrinkage, Donoho & Johnstone 1994), and what is
believed of single fragments' paths is w:

    M = N − Σ_k b_k D_k + a_L R_L + Σ_{0<l<L} a_l (R_l − R_{l+1})      w = e² / (e² + v)      M + w (P − M)

where the D_k are details of N itself, which may be mottle (`residual_filter`), and b_k is the share that is taken off;
e² is the expected squared error of M, and v the variance of P, which falls like 1/n. As e² is never less than a share
of the radiance squared, 1 − w falls like 1/n, too, and with it what M may be wrong by. A pixel is the sum of its
fragments by their shares, of which paths, too, know more and more: the picture's squared error is the paths' own in the
limit, and falls like 1/n. Coefficients are those of `luxel.models.blender`.
"""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from luxel.core.intersect import MISS
from luxel.core.scene_batch import SceneBatch
from luxel.models.blender import Blender, Coefficients, james_stein
from luxel.models.path_statistics import MIN_COUNT, TINY
from luxel.models.residual_bands import Residual, describe, filtered_residual, unseen
from luxel.models.traced_paths import Paths, Shares, shares_of_pixels
from luxel.models.visible_surfaces import FragmentRadiance, Surfaces, unmixed

MIN_ERROR = 3e-3
"""Of M, relative to the radiance: what nothing that is estimated from paths can promise to stay below."""
BEYOND_NOISE, HEAVY_TAILS = 9.0, 32
"""Times the variance, a squared distance of P from M that shows M to be wrong: three standard deviations of many paths,
and 9 (1 + 32 / n) of n, since the excess kurtosis of their mean falls like 1/n. With 3, 16 were worse than 4."""
AT_ONCE = {"cpu": 1 << 15, "cuda": 1 << 18}
"""Pixels that the network sees together: a GPU is busy with them, and a CPU, in whose caches fewer would fit better,
hardly notices what begins and ends some fifty operations: with 1 << 13 a picture of 192² takes it a twelfth more time.

What is made of them is freed before the next are taken."""
MAX_EXPECTED = 0.4
"""Of M's error, relative to the radiance, that is expected whatever the paths say: see `plausible_error`."""
MIN_NOISY = 0.1
"""Share of a place's pixels whose paths are noisy, from which on light is rare there; one of 5 × 5 has less."""
ROUNDING = 1e-5
"""Of the radiance of a sky that paths have found."""


class BlendedPart(NamedTuple):
    """Some of the pixels, blended; see `blended_parts`."""

    radiance: Float[Tensor, "pixels 3"]
    error: Float[Tensor, " pixels"]
    """As `combine` expects it."""
    picture: Float[Tensor, "pixels 3"]
    """The network's."""
    residual: Residual
    """Of the uncertain ones among their fragments."""
    shares: Shares
    uncertain: Int64[Tensor, " some"]
    """The numbers of those among the fragments; see `uncertain_fragments`."""
    of_fragments: Float[Tensor, "fragments 3"]
    """Their radiance, blended."""
    is_lamp: Bool[Tensor, " fragments"]


def blended_picture(
    scenes: SceneBatch,
    surfaces: Surfaces,
    picture: Float[Tensor, "scenes height width 3"],
    paths: Paths,
    blender: Blender | None = None,
    of_network: FragmentRadiance | None = None,
) -> Float[Tensor, "scenes height width 3"]:
    """The picture of least expected error, by what the network knows of each fragment, or what its picture says."""
    parts = blended_parts(scenes, surfaces, picture, paths, blender, of_network)
    return torch.cat([part.radiance for part in parts]).reshape(picture.shape)


def blend(
    scenes: SceneBatch,
    surfaces: Surfaces,
    picture: Float[Tensor, "scenes height width 3"],
    paths: Paths,
    blender: Blender | None = None,
    of_network: FragmentRadiance | None = None,
) -> tuple[Float[Tensor, "scenes height width 3"], Float[Tensor, "scenes height width"]]:
    """What `blended_picture` returns, and the expected squared error of its pixels, the mean over channels."""
    blended, errors = [], []
    for part in blended_parts(scenes, surfaces, picture, paths, blender, of_network):
        error = part.error
        if blender is not None:
            shares = part.shares.of(part.uncertain)
            shows = torch.zeros_like(error, dtype=torch.bool).index_fill(0, shares.pixel, True).nonzero()[:, 0]
            residual = part.residual.of(shares.largest()[shows])
            judged = blender.judged(part.picture[shows], residual, part.radiance[shows], error[shows])
            # Lamps' shares are off by what was measured, whatever is learned of the rest.
            least = part.shares.lamps_error(part.is_lamp, part.of_fragments, part.radiance)
            error = torch.maximum(error.index_copy(0, shows, judged), least)
        blended.append(part.radiance)
        errors.append(error)
    return torch.cat(blended).reshape(picture.shape), torch.cat(errors).reshape(picture.shape[:3])


def blended_parts(
    scenes: SceneBatch,
    surfaces: Surfaces,
    picture: Float[Tensor, "scenes height width 3"],
    paths: Paths,
    blender: Blender | None,
    of_network: FragmentRadiance | None,
) -> Iterator[BlendedPart]:
    """The blend, in parts of AT_ONCE pixels, with what the judge reads."""
    flat, coefficients_of = picture.reshape(-1, 3), james_stein if blender is None else blender
    if of_network is None:
        of_network = FragmentRadiance(unmixed(scenes, surfaces, flat), torch.zeros_like(surfaces.fragments.coverage))
    seen, found, is_uncertain = surfaces.fragments, paths.of_fragments, uncertain_fragments(scenes, surfaces, paths)
    levels = filtered_residual(scenes, surfaces, of_network, paths, is_uncertain)
    shares = shares_of_pixels(surfaces, paths)
    radiance = torch.where(is_uncertain[:, None], of_network.radiance, scenes.background.index_select(0, seen.scene))
    spp = paths.spp[surfaces.pixel]
    for first in range(0, len(flat), AT_ONCE[flat.device.type]):
        some = slice(first, min(first + AT_ONCE[flat.device.type], len(flat)))
        own = slice(*seen.offsets[[some.start, some.stop]].tolist())
        uncertain = is_uncertain[own].nonzero()[:, 0]
        rows = uncertain + own.start
        residual = describe(scenes, seen.object_id, radiance, levels, spp, rows)
        believed_paths = radiance[rows], found.mean[rows], found.counts[rows]
        mean, error = combine(*believed_paths, residual, coefficients_of(residual))
        of_fragments = radiance[own].index_copy(0, uncertain, mean)
        errors = torch.zeros_like(spp[own]).index_copy(0, uncertain, error)
        share = shares.part(some, own)
        of_pixels, error = share.pixels(of_fragments, errors)
        yield BlendedPart(
            radiance=of_pixels,
            error=error,
            picture=flat[some],
            residual=residual,
            shares=share,
            uncertain=uncertain,
            of_fragments=of_fragments,
            is_lamp=surfaces.is_lamp[own],
        )


def uncertain_fragments(scenes: SceneBatch, surfaces: Surfaces, paths: Paths) -> Bool[Tensor, " fragments"]:
    """All but those of skies that are the same everywhere, whose radiance is known: half of many pictures.

    A sky's fragment whose paths have found something else shows more than the rays that found it say.
    """
    seen, found = surfaces.fragments, paths.of_fragments
    sky = scenes.background.index_select(0, seen.scene)
    is_other = ((found.mean - sky).abs() > ROUNDING * sky).any(1) & (found.counts > 0)
    varies = ~torch.from_numpy(scenes.is_sky_constant).to(scenes.device)
    return (seen.object_id != MISS) | is_other | varies.index_select(0, seen.scene)


def combine(
    radiance: Float[Tensor, "fragments 3"],
    paths: Float[Tensor, "fragments 3"],
    counts: Float[Tensor, " fragments"],
    residual: Residual,
    coefficients: Coefficients,
) -> tuple[Float[Tensor, "fragments 3"], Float[Tensor, " fragments"]]:
    """M + w (P − M), and its expected squared error e² v / (e² + v); see the module's docstring.

    `paths` are means of so many; of fragments that none has met, it is M.
    """
    corrections = weighted_sum(coefficients.bands, residual.bands)
    corrections = corrections - weighted_sum(coefficients.details, residual.details)
    filtered = (radiance + corrections).clamp(min=0)
    off = torch.where(counts[:, None] > 0, paths - filtered, 0.0)
    square, some = (off**2).mean(1), counts.clamp(min=MIN_COUNT)
    variance = residual.paths_variance + unseen(square, some)
    beyond = square - BEYOND_NOISE * (1 + HEAVY_TAILS / some) * variance
    expected = torch.where(counts > 0, plausible_error(coefficients.error, square, residual), coefficients.error)
    error = expected + (MIN_ERROR * residual.scale) ** 2 + beyond.clamp(min=0)
    weight = (error + TINY) / (error + TINY + variance)
    return filtered + weight[:, None] * off, weight * variance


def weighted_sum(
    weights: Float[Tensor, "fragments parts"], values: Float[Tensor, "fragments parts 3"]
) -> Float[Tensor, "fragments 3"]:
    """Part after part: torch's sum over a dimension in the midst takes six times as long."""
    total = weights[:, :1] * values[:, 0]
    for part in range(1, weights.shape[1]):
        total = torch.addcmul(total, weights[:, part, None], values[:, part])
    return total


def plausible_error(
    expected: Float[Tensor, " fragments"], square: Float[Tensor, " fragments"], residual: Residual
) -> Float[Tensor, " fragments"]:
    """Expected squared error of M, and where light is rare no more than P, at the squared distance `square`, may show.

    There M is expected to be far off, as what paths may have missed is bright. A pixel whose paths have all missed it
    is not so far from M, and would be believed for no reason: a dark pixel of its own. A single lucky path beside it is
    no rare light, though: it makes M too bright, and P is right.
    """
    most = torch.maximum(square, (MAX_EXPECTED * residual.scale) ** 2)
    return torch.where(residual.noisy > MIN_NOISY, torch.minimum(expected, most), expected)
