"""How far each band of a residual is believed: by James and Stein's estimator, or by a small network, the Blender.

Without training the coefficients are those of the estimator, as far as variances tell; the Blender reads the same
variances and does better.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float
from pydantic import ConfigDict
from torch import Tensor, nn

from luxel.configuration import Channels, Configuration, Layers
from luxel.models.path_statistics import TINY
from luxel.models.pretrained import Pretrained
from luxel.models.residual_bands import Residual, log_ratio
from luxel.models.residual_features import FEATURES, LEVELS, MAX_LOGARITHM
from luxel.models.residual_filter import DETAILS

CERTAINTY = 3.0
"""c of `james_stein`. With 1, as for known variances, 4 paths a pixel made pictures 2 dB worse than the network's in
the mean over 24 unseen scenes; with 3 they are even with it, and 64 paths make them 1 dB better."""
MIN_JUDGED = 1e-3
"""Relative to the radiance: error that is added to what the judge multiplies, so that 0 is nothing certain."""
BAND_BIAS, ERROR_BIAS = -2.0, -7.0
"""Of the Blender's outputs before training, which leave most to the picture: 0.12 of a band, e 0.03 of the radiance."""
JUDGED = FEATURES + 3
"""What the judge of a blend reads: the Blender's features, and `judged_features`."""


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
        out = self.head(hidden)
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
