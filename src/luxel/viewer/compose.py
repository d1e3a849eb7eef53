"""From a frame to what a window shows: one of its pictures, or two beside a split, tone-mapped."""

from typing import Literal, NamedTuple, TypeAlias, get_args

import flip_evaluator
import numpy as np
import torch
from jaxtyping import UInt8

from luxel.image.formats import display_values, to_bytes
from luxel.image.metrics import psnr
from luxel.viewer.render_loop import Frame

Layer: TypeAlias = Literal["picture", "network", "truth", "error"]
LAYERS: tuple[Layer, ...] = get_args(Layer)
Pixels: TypeAlias = UInt8[np.ndarray, "height width 3"]
LINE = 235
"""Grey value of the split."""


class Look(NamedTuple):
    """How frames are shown: `left` of the split, which is a share of the width, and `right` of it."""

    left: Layer = "picture"
    right: Layer | None = None
    """None: the left one fills the window."""
    split: float = 0.5
    tone: str = "clamp"
    exposure: float = 0.0
    """In stops."""

    @property
    def layers(self) -> tuple[Layer, ...]:
        """What can be seen."""
        if self.right is None or self.split >= 1:
            return (self.left,)
        return (self.right,) if self.split <= 0 else (self.left, self.right)

    @property
    def compares(self) -> bool:
        """Whether anything but the picture is seen."""
        return self.layers != ("picture",)

    @property
    def needs_paths(self) -> bool:
        """Whether something is seen that there is of traced paths alone."""
        return "truth" in self.layers or "error" in self.layers


class Errors(NamedTuple):
    """How far the network's picture is from the paths' mean, of display values."""

    psnr: float
    """In dB; the paths' own noise bounds it, too."""
    flip: float
    """Mean FLIP (Andersson et al. 2020), 0 to 1."""
    pixels: Pixels
    """FLIP of every pixel in the colours of magma."""


def errors_of(frame: Frame, look: Look) -> Errors | None:
    """The network against the paths alone; None without paths."""
    if frame.paths is None:
        return None
    network, truth = (display_values(image, look.tone, look.exposure) for image in (frame.network, frame.paths))
    colours, mean, _ = flip_evaluator.evaluate(truth, network, "LDR", inputsRGB=True)
    decibel = psnr(torch.from_numpy(network)[None], torch.from_numpy(truth)[None])
    return Errors(float(decibel), float(mean), (np.asarray(colours) * 255 + 0.5).astype(np.uint8))


def composed(frame: Frame, look: Look, errors: Errors | None = None) -> Pixels:
    """The pixels that are shown of a frame; until there are paths, the network's stand for all."""
    left = layer_pixels(frame, look.layers[0], look, errors)
    if len(look.layers) == 1:
        return left
    right = layer_pixels(frame, look.layers[1], look, errors)
    _, width, _ = left.shape
    column = min(max(round(look.split * width), 1), width - 1)
    pixels = np.concatenate([left[:, :column], right[:, column:]], axis=1)
    pixels[:, column] = LINE
    return pixels


def layer_pixels(frame: Frame, layer: Layer, look: Look, errors: Errors | None) -> Pixels:
    """Display values of one picture of a frame."""
    if layer == "error" and errors is not None:
        return errors.pixels
    radiance = frame.network
    if layer == "picture":
        radiance = frame.best
    elif layer == "truth" and frame.paths is not None:
        radiance = frame.paths
    return to_bytes(radiance, look.tone, look.exposure)
