"""From linear radiance to display values.

Images are arrays or tensors whose last axis is linear RGB (Rec. 709 primaries), radiance ≥ 0. A tone map
brings them to [0, 1] and then applies the sRGB transfer function (IEC 61966-2-1); each has a name, and every
figure that depends on one quotes that name.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from luxel import InputError

ToneMap = Callable[[Float[Tensor, "*shape 3"]], Float[Tensor, "*shape 3"]]


def linear_to_srgb(linear: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """The sRGB transfer function, [0, 1] → [0, 1] (IEC 61966-2-1:1999, 5.2)."""
    toe = 12.92 * linear
    shoulder = 1.055 * linear.clamp(min=0.0031308) ** (1 / 2.4) - 0.055
    return torch.where(linear <= 0.0031308, toe, shoulder)


def clamp(radiance: Float[Tensor, "*shape 3"]) -> Float[Tensor, "*shape 3"]:
    """Clip to [0, 1], then sRGB: what a viewer without exposure control shows."""
    return linear_to_srgb(radiance.clamp(0, 1))


def reinhard(radiance: Float[Tensor, "*shape 3"]) -> Float[Tensor, "*shape 3"]:
    """L / (1 + L) per channel, then sRGB (Reinhard et al. 2002, eq. 3, with key 1)."""
    radiance = radiance.clamp(min=0)
    return linear_to_srgb(radiance / (1 + radiance))


TONE_MAPS: dict[str, ToneMap] = {"clamp": clamp, "reinhard": reinhard}


def tone_map(name: str) -> ToneMap:
    """The tone map of this name. Raises InputError with the names there are."""
    if name not in TONE_MAPS:
        raise InputError(f"tone map {name!r} is unknown; choose one of {', '.join(TONE_MAPS)}")
    return TONE_MAPS[name]
