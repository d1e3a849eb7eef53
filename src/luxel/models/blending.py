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
limit, and falls like 1/n.

Without training the coefficients are those of James and Stein's estimator, as far as variances tell; a small network,
the Blender, reads the same variances and does better. It reads ratios alone: no unit of light is special.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int32, Int64
from pydantic import ConfigDict
from torch import Tensor, nn

from luxel.configuration import Channels, Configuration, Layers
from luxel.core.intersect import MISS
from luxel.core.scene_batch import SceneBatch
from luxel.models.pretrained import Pretrained
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
from luxel.models.traced_paths import Paths, Shares, path_variance, shares_of_pixels
from luxel.models.visible_surfaces import FragmentRadiance, Surfaces, unmixed

LEVELS = len(STEPS)
MIN_ERROR = 3e-3
"""Of M, relative to the radiance: what nothing that is estimated from paths can promise to stay below."""
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
CERTAINTY = 3.0
"""c of `james_stein`. With 1, as for known variances, 4 paths a pixel made pictures 2 dB worse than the network's in
the mean over 24 unseen scenes; with 3 they are even with it, and 64 paths make them 1 dB better."""
BEYOND_NOISE, HEAVY_TAILS = 9.0, 32
"""Times the variance, a squared distance of P from M that shows M to be wrong: three standard deviations of many paths,
and 9 (1 + 32 / n) of n, since the excess kurtosis of their mean falls like 1/n. With 3, 16 were worse than 4."""
AT_ONCE = {"cpu": 1 << 13, "cuda": 1 << 18}
"""Pixels that the network sees together: a CPU's caches nearly hold them, and a GPU is busy with them.

What is made of them is freed before the next are taken."""
MAX_EXPECTED = 0.4
"""Of M's error, relative to the radiance, that is expected whatever the paths say: see `plausible_error`."""
MIN_NOISY = 0.1
"""Share of a place's pixels whose paths are noisy, from which on light is rare there; one of 5 × 5 has less."""
MIN_JUDGED = 1e-3
"""Relative to the radiance: error that is added to what the judge multiplies, so that 0 is nothing certain."""
BAND_BIAS, ERROR_BIAS = -2.0, -7.0
"""Of the Blender's outputs before training, which leave most to the picture: 0.12 of a band, e 0.03 of the radiance."""
ROUNDING = 1e-5
"""Of the radiance of a sky that paths have found."""
TINY = 1e-30
"""Added to squares of radiance, which are far above it: what is divided by may be 0."""
MAX_LOGARITHM = 12.0
"""Of a ratio that the Blender reads, or writes: e to the 12 is 160 000."""
MOTTLE_LEVELS = (2, 3, 5)
"""Of which the Blender reads what the residual has of the picture's details."""
FEATURES = 5 * LEVELS + 11 + 4 * DETAILS * len(MOTTLE_LEVELS)
JUDGED = FEATURES + 3
"""What the judge of a blend reads: the Blender's features, and `judged_features`."""


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


class Coefficients(NamedTuple):
    """What is believed of the paths."""

    bands: Float[Tensor, "fragments levels"]
    """a."""
    details: Float[Tensor, "fragments details"]
    """b: the share of the picture's details that is taken off it."""
    error: Float[Tensor, " fragments"]
    """e², of M."""


@dataclass(frozen=True)
class BlenderConfig(Configuration, path="blender"):
    """The shape of the Blender's network."""

    kind: Literal["blender"] = "blender"
    hidden: Channels = 32
    layers: Layers = 2
    """Residual layers between its input and its output."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")


class Blender(Pretrained):
    """What is known of a pixel's residual → how far it is believed."""

    config_type = BlenderConfig

    def __init__(self, config: BlenderConfig) -> None:
        super().__init__()
        self.config = config
        self.input = nn.Linear(FEATURES, config.hidden)
        self.layers = nn.ModuleList(nn.Linear(config.hidden, config.hidden) for _ in range(config.layers))
        self.head = nn.Linear(config.hidden, LEVELS + DETAILS + 1)
        first, judge_head = nn.Linear(JUDGED, config.hidden), nn.Linear(config.hidden, 1)
        self.judge = nn.Sequential(first, nn.ReLU(), judge_head)
        for last in (self.head, judge_head):
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)

    def forward(self, residual: Residual) -> Coefficients:
        """Coefficients are sigmoids of the network's outputs; e² is an exponential, over the radiance squared."""
        hidden = F.relu(self.input(residual.features))
        for layer in self.layers:
            hidden = hidden + F.relu(layer(hidden))
        out = self.head(hidden).T.contiguous().T  # fragments side by side, as those of a residual
        shares = (out[:, :-1] + BAND_BIAS).sigmoid()
        error = residual.scale**2 * (out[:, -1] + ERROR_BIAS).clamp(-MAX_LOGARITHM, MAX_LOGARITHM).exp()
        return Coefficients(shares[:, :LEVELS], shares[:, LEVELS:], error)

    def judged(
        self,
        picture: Float[Tensor, "pixels 3"],
        residual: Residual,
        blended: Float[Tensor, "pixels 3"],
        error: Float[Tensor, " pixels"],
    ) -> Float[Tensor, " pixels"]:
        """Expected squared error of a blend: what `combine` says, times what the judge has learned that it misses."""
        features = torch.cat([residual.features, judged_features(picture, residual, blended, error)], 1)
        least = (MIN_JUDGED * residual.scale) ** 2
        return (error + least) * self.judge(features)[:, 0].clamp(-MAX_LOGARITHM, MAX_LOGARITHM).exp()


def judged_features(
    picture: Float[Tensor, "pixels 3"],
    residual: Residual,
    blended: Float[Tensor, "pixels 3"],
    error: Float[Tensor, " pixels"],
) -> Float[Tensor, "pixels 3"]:
    """How large the error is said to be, how far the blend is from the picture, and how noisy paths are."""
    squared = residual.scale**2
    moved = ((blended - picture) ** 2).mean(1)
    return torch.stack([log_ratio(values, squared) for values in (error, moved, residual.paths_variance)], 1)


def james_stein(residual: Residual) -> Coefficients:
    """The positive-part estimator (James & Stein 1961; Baranchik 1964) of each band, and its risk.

    A band of mean square d² and variance σ² is taken a = max(0, 1 − c σ² / d²) times, which has a risk of a σ².
    """
    square = (residual.bands**2).mean(2)
    bands = believed(square, residual.variance)
    details = residual.mottle.clamp(0, 1) * believed(residual.mottle**2, residual.mottle_variance)
    return Coefficients(bands, details, (bands * residual.variance).sum(1))


def believed(square: Tensor, variance: Tensor) -> Tensor:
    """max(0, 1 − c σ² / d²), 0 where all is 0."""
    return (1 - CERTAINTY * variance / square.clamp(min=TINY)).clamp(min=0) * (square > 0)


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
        rows = uncertain + own.start if len(uncertain) < own.stop - own.start else own  # a view, not a copy
        residual = describe(scenes, seen.object_id[rows], radiance[rows], levels.part(rows), spp[rows])
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


def unseen(square: Float[Tensor, " any"], paths: int | Float[Tensor, " any"]) -> Float[Tensor, " any"]:
    """Variance of so many paths' mean that their own spread may not show, if they are that far from a picture.

    Few paths may all have missed a lamp's edge, and one has no spread: the picture counts as one path more. Of many,
    their spread is believed, so that this part falls like 1/n².
    """
    return square / (paths * (1 + paths / FEW_PATHS))


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


def cut(residual: Float[Tensor, "fragments 3"], around: Float[Tensor, " fragments"]) -> Float[Tensor, "fragments 3"]:
    """The residual with no more than BRIGHTEST times the radiance around it."""
    length = residual.abs().amax(1)
    return residual * (BRIGHTEST * around / length.clamp(min=TINY)).clamp(max=1)[:, None]


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
