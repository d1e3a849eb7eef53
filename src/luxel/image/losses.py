"""Training losses, one value per pixel and channel; who calls them takes the mean.

Shapes: prediction and target are linear radiance `[..., 3]`; the result has the same shape.

Targets are path traced, hence noisy but right in the mean. A network that meets each scene once learns the minimiser
of the expected loss. For a squared error whose weight does not depend on the target that is the mean, whatever the
noise (Lehtinen et al. 2018, §2); for the others it is not, and MIN_SPP says from which noise on that shows.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from luxel import InputError

Image = Float[Tensor, "*shape"]
Loss = Callable[[Image, Image], Image]


def mse(prediction: Image, target: Image) -> Image:
    """Squared error."""
    return (prediction - target) ** 2


def perceptual(prediction: Image, target: Image) -> Image:
    """The lab log's loss: smooth L1 (Huber, β = 1) scaled by 1 / (target + 1).

    Bright pixels may be wrong by more, as the eye (Weber's law) allows.
    """
    return F.smooth_l1_loss(prediction, target, reduction="none") / (target + 1)


def weighted_l2(prediction: Image, target: Image) -> Image:
    """Half the squared error over the detached prediction + 1: `perceptual` for noisy targets.

    The two agree near the minimum. Here the weight has no noise and no gradient, so the minimum stays at the mean;
    predictions below 0 are weighted as 0 is.
    """
    return 0.5 * (prediction - target) ** 2 / (prediction.detach().clamp(min=0) + 1)


def sqrt_l2(prediction: Image, target: Image) -> Image:
    """Squared error as a display of gamma 2 shows it: that of √(radiance + 0.1), linearised at the detached prediction.

    As unbiased under noise as `weighted_l2`, and nearer to what is seen: dark surroundings count, and lamps do not
    outweigh them.
    """
    return 0.25 * (prediction - target) ** 2 / (prediction.detach().clamp(min=0) + 0.1)


DISPLAY_HUBER = 0.2
"""Of a display's range, from which on `display_huber` is linear."""


def display_scale(prediction: Image) -> Image:
    """The radiance that changes what a display of gamma 2 shows by its range; relative above 1, where displays end."""
    seen = prediction.detach().clamp(min=0)
    return 2 * ((seen + 0.1) * seen.clamp(min=1)).sqrt()


def display_huber(prediction: Image, target: Image) -> Image:
    """`sqrt_l2`, but relative above a radiance of 1, where displays end, and linear beyond a fifth of their range.

    So that lamps weigh no more than what they light, and single paths that found a lamp by chance don't rule a batch.
    """
    error = (prediction - target) / display_scale(prediction)
    return 2 * F.huber_loss(error, torch.zeros_like(error), reduction="none", delta=DISPLAY_HUBER)


def log1p_l1(prediction: Image, target: Image) -> Image:
    """|log(1 + prediction) − log(1 + target)|; predictions below 0 count as 0.9 below at most."""
    return (prediction.clamp(min=-0.9).log1p() - target.log1p()).abs()


def relative_l2(prediction: Image, target: Image) -> Image:
    """Squared error over the squared, detached prediction + 0.01 (Lehtinen et al. 2018, §3.3).

    The denominator has no noise and no gradient, so the minimum stays at the mean of noisy targets.
    """
    return (prediction - target) ** 2 / (prediction.detach() ** 2 + 0.01)


LOSSES: dict[str, Loss] = {
    "mse": mse,
    "perceptual": perceptual,
    "log1p_l1": log1p_l1,
    "relative_l2": relative_l2,
    "weighted_l2": weighted_l2,
    "sqrt_l2": sqrt_l2,
    "display_huber": display_huber,
}

MIN_SPP: dict[str, int] = {"perceptual": 4, "log1p_l1": 64, "display_huber": 1}
"""Paths a target from which on a loss's minimiser is within 1 % of the mean at 95 % of what is seen of objects; losses
that are not named here have it at the mean for any. Measured with the path tracer on random spheres under a grey sky
(tests/test_losses.py): `perceptual`, too dark, is off by 2.8 % with 1 path and 0.7 % with 4; `log1p_l1`, whose
minimiser is the median, by 16 % with 1, 8 % with 4, 1.7 % with 16 and 0.5 % with 64; `display_huber`, too dark where
single paths outshine a display, by 0.2 % with 1 and 0.03 % with 4."""
UNBIASED = tuple(name for name in LOSSES if name not in MIN_SPP)


def loss_function(name: str) -> Loss:
    """The loss of this name. Raises InputError with the names there are."""
    if name not in LOSSES:
        raise InputError(f"loss {name!r} is unknown; choose one of {', '.join(LOSSES)}")
    return LOSSES[name]


def bias_under_noise(name: str, spp: int) -> str | None:
    """Why this loss should not learn from targets of so many paths, and what to do about it; None if it may."""
    fewest = MIN_SPP.get(name, 1)
    if spp >= fewest:
        return None
    return (
        f"train.loss is {name}, whose minimum is off the mean under noise, and targets have {spp} spp: take {fewest} "
        f"spp or more, or a loss that is right at any: {', '.join(UNBIASED)}"
    )
