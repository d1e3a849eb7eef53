"""Colour pickers show sRGB in steps of 1/255; scenes have linear RGB, and radiance of any strength."""

from typing import TypeAlias

import numpy as np
import torch

from luxel.image.tonemap import linear_to_srgb
from luxel.scene.description import RGB, Color
from luxel.scene.figures.looks import srgb_to_linear

Picked: TypeAlias = tuple[int, int, int]


def picked_of(linear: Color) -> Picked:
    """The picker's colour of linear RGB in [0, 1]."""
    red, green, blue = (linear_to_srgb(torch.tensor(linear, dtype=torch.float64)) * 255).round().int().tolist()
    return red, green, blue


def linear_of(picked: Picked) -> Color:
    """Linear RGB in [0, 1] of the picker's colour."""
    red, green, blue = srgb_to_linear(np.array(picked) / 255).tolist()
    return red, green, blue


def strength_of(radiance: RGB) -> float:
    """The strongest channel's radiance."""
    return max(radiance)


def hue_of(radiance: RGB) -> Picked:
    """The picker's colour of radiance over its strength; white for none."""
    strength = strength_of(radiance)
    if not strength:
        return 255, 255, 255
    red, green, blue = (value / strength for value in radiance)
    return picked_of((red, green, blue))


def radiance_of(hue: Picked, strength: float) -> RGB:
    """Radiance of a picker's colour whose strongest channel is `strength`; a black hue is taken for white."""
    linear = linear_of(hue)
    most = max(linear)
    red, green, blue = (strength * value / most if most else strength for value in linear)
    return red, green, blue
