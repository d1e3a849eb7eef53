"""Training losses, one value per pixel and channel; who calls them takes the mean.

Shapes: prediction and target are linear radiance `[..., 3]`; the result has the same shape.
"""

from collections.abc import Callable

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
}


def loss_function(name: str) -> Loss:
    """The loss of this name. Raises InputError with the names there are."""
    if name not in LOSSES:
        raise InputError(f"loss {name!r} is unknown; choose one of {', '.join(LOSSES)}")
    return LOSSES[name]
