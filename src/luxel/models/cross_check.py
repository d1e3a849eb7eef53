"""How far off a picture is, by paths that had no part in it.

A picture M was made of some paths. Let Q be the mean of others: as it knows nothing of M,

    E[(M − Q)²] = (M − truth)² + Var(Q)

so that (M − Q)² less an estimate of Var(Q), which parts of the same size give by their scatter, is an unbiased estimate
of M's squared error, whatever M was made by. It is noisy, and rare paths of great weight make it noisier. So it does
not stand alone: what is expected of M (`luxel.models.blending`) is the prior, up to a factor α, the same for all
pictures of a scene but for a drift, and after each pass Bayes' rule says what α may be.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

LOG_FACTORS = np.linspace(-6.0, 6.0, 241)
"""Of squared errors: a factor of 20 of errors, both ways."""
DRIFT = 0.15
"""Added by a pass, as the next picture's error is of another kind."""
DEGREES_OF_FREEDOM, MISSED_SHARE = 3.0, 1.0
"""Of the noise of what a pass says: degrees of freedom of the t distribution that is taken for it, as its standard
error is estimated from the same paths; and a share of the error itself, as most passes miss the heaviest paths and say
too little, so that a pass can raise α by as much as it likes, but hardly lower it."""


class Prior(NamedTuple):
    """What α is before any pass: log-normal."""

    median: float
    deviation: float
    """Of log α."""


TRAINED_PRIOR, UNTRAINED_PRIOR = Prior(1.0, 0.6), Prior(9.0, 1.0)
"""Of what a trained Blender expects, and of what variances alone do: a ninth, in the median of 26 scenes."""


class ErrorFactor:
    """What is known of α, by which the expected squared error of a scene's pictures is to be multiplied."""

    def __init__(self, prior: Prior = TRAINED_PRIOR) -> None:
        self._log_density = -(((LOG_FACTORS - math.log(prior.median)) / prior.deviation) ** 2) / 2

    def observe(self, ratio: float, standard_error: float) -> None:
        """A pass says that a picture's squared error is so many times what was expected, give or take."""
        if math.isfinite(ratio) and standard_error > 0:
            factors = np.exp(LOG_FACTORS)
            # Without the density's factor 1 / scale, by which any pass would make α less, as the scale grows with it.
            z = (ratio - factors) / np.hypot(standard_error, MISSED_SHARE * factors)
            self._log_density -= (DEGREES_OF_FREEDOM + 1) / 2 * np.log1p(z**2 / DEGREES_OF_FREEDOM)

    def drift(self) -> None:
        """The next picture is another: α may be, too."""
        spread = np.exp(-(((LOG_FACTORS[:, None] - LOG_FACTORS) / DRIFT) ** 2) / 2)
        self._log_density = np.log(spread @ self._density() + 1e-300)

    def value(self) -> float:
        """α, the geometric mean over what it may be."""
        return math.exp(float(self._density() @ LOG_FACTORS))

    def _density(self) -> Float[np.ndarray, " factors"]:
        density = np.exp(self._log_density - self._log_density.max())
        return density / density.sum()


def squared_errors(
    picture: Float[Tensor, "pixels 3"],
    others: Sequence[Float[Tensor, "pixels 3"]],
    like_them: Sequence[Float[Tensor, "pixels 3"]] = (),
) -> Float[Tensor, " pixels"]:
    """Unbiased estimates of the squared error of a picture's pixels, the mean over channels; some are below 0.

    `others` are means of paths that had no part in the picture, all of as many, and `like_them` of as many that had
    one, at least two together: they say what noise those have.
    """
    noise = torch.stack([*others, *like_them]).var(0) / len(others)
    return ((picture - torch.stack([*others]).mean(0)) ** 2 - noise).mean(1)


def ratio_to_expected(found: Float[Tensor, " pixels"], expected: Float[Tensor, " pixels"]) -> tuple[float, float]:
    """Of means over the picture, and its standard error."""
    mean = float(expected.double().mean())
    if mean <= 0:
        return math.nan, math.nan
    noise = math.sqrt(float((found.double() ** 2).mean()) / len(found))
    return float(found.double().mean()) / mean, noise / mean
