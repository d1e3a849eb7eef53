"""The image side: upsampling inverted-bottleneck blocks from the start image to the output's width.

Shapes: images are [batch, channels, height, width].
"""

from dataclasses import dataclass
from functools import cache
from typing import Annotated, Literal, TypeAlias

import torch
import torch.nn.functional as F
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from luxel import InputError
from luxel.configuration import Channels, Configuration, Pixels
from luxel.models.attention import Attention, AttentionConfig
from luxel.models.cross_attention import to_image, to_pixels
from luxel.models.layers import Normalisation, normalisation

Image = Float[Tensor, "batch channels height width"]
Strategy: TypeAlias = Literal["expand_then_halve", "constant_then_halve", "halve"]


@dataclass(frozen=True)
class GeneratorConfig(Configuration, path="model.generator"):
    """Levels of blocks; between levels the image doubles its width."""

    start_channels: Channels = 64
    max_channels: Channels = 128
    """The widest level of `expand_then_halve`; the other strategies never exceed their start."""
    strategy: Strategy = "expand_then_halve"
    """The log's three: expand steadily, then halve every upsample · keep, then halve · halve from the start."""
    min_channels: Channels = 16
    repeats: Annotated[int, Field(ge=1, le=1000)] = 2
    """Blocks a level; the first of a level (but the first level's) upsamples."""
    expand_ratio: Annotated[int, Field(ge=1, le=64)] = 3
    kernel: Annotated[int, Field(ge=1, le=63)] = 3
    """Of the depthwise convolution; odd."""
    position_frequencies: Annotated[int, Field(ge=0, le=16)] | None = 2
    """Fourier features of x and y, at 1, 2, 4 … half periods, beside x and y; None: no position channels.
    Blocks see them, and so does cross-attention: a pixel that knows where it is can ask who is there."""
    squeeze_excitation: bool = False
    non_local_at: Pixels | None = None
    """Width of the level that ends with a non-local block (Wang et al. 2018)."""
    normalisation: Normalisation = "batch"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.kernel % 2 == 0:
            raise InputError(f"model.generator.kernel is {self.kernel}, must be odd: images keep their size")

    @property
    def position_channels(self) -> int:
        """How many channels `positions` adds."""
        return 0 if self.position_frequencies is None else 2 + 4 * self.position_frequencies

    def channels(self, levels: int) -> list[int]:
        """Channels of each level, coarse to fine."""
        if self.strategy == "halve":
            plan = [self.start_channels / 2**level for level in range(levels)]
        else:
            turn = (levels - 1) // 2  # the level that halving starts from
            top = self.max_channels if self.strategy == "expand_then_halve" else self.start_channels
            rise = [self.start_channels + (top - self.start_channels) * i / max(1, turn) for i in range(turn + 1)]
            plan = rise + [top / 2 ** (level - turn) for level in range(turn + 1, levels)]
        return [max(self.min_channels, round(channels)) for channels in plan]


class Block(nn.Module):
    """An inverted bottleneck (MBConv, Sandler et al. 2018) with pre-activation, optionally upsampling.

    The residual is upsampled by nearest neighbour, and its channels are dropped or padded with zeros.
    """

    def __init__(self, channels: int, features: int, out: int, upsample: bool, config: GeneratorConfig) -> None:
        super().__init__()
        hidden = config.expand_ratio * channels
        self.channels, self.out, self.upsample = channels, out, upsample
        self.expand = nn.Conv2d(features, hidden, 1)
        self.hidden_norm = normalisation(config.normalisation, hidden)
        self.depthwise = nn.Conv2d(hidden, hidden, config.kernel, padding=config.kernel // 2, groups=hidden)
        self.depthwise_norm = normalisation(config.normalisation, hidden)
        self.squeeze_excitation = SqueezeExcitation(hidden) if config.squeeze_excitation else nn.Identity()
        self.project = nn.Conv2d(hidden, out, 1)

    def forward(
        self,
        image: Float[Tensor, "batch channels height width"],
        features: Float[Tensor, "batch features height width"],
    ) -> Float[Tensor, "batch out out_height out_width"]:
        """`features` is the normalised, activated image with positions and what came from the sequence."""
        hidden = F.relu(self.hidden_norm(self.expand(features)), inplace=True)
        if self.out > self.channels:
            image = F.pad(image, (0, 0, 0, 0, 0, self.out - self.channels))
        elif self.out < self.channels:
            image = image[:, : self.out]
        if self.upsample:
            hidden, image = upsampled(hidden), upsampled(image)
        hidden = F.relu(self.depthwise_norm(self.depthwise(hidden)), inplace=True)
        branch = self.project(self.squeeze_excitation(hidden))
        return branch.add_(image)  # no derivative of a convolution reads its output


def upsampled(image: Image) -> Float[Tensor, "batch channels two_heights two_widths"]:
    """Twice the size by nearest neighbour, in the image's number format: autocast would compute it in float32."""
    with torch.autocast(image.device.type, enabled=False):
        return F.interpolate(image, scale_factor=2.0, mode="nearest")


class SqueezeExcitation(nn.Module):
    """Channels weighed by what the whole image holds (Hu et al. 2018)."""

    def __init__(self, channels: int, reduction: int = 8) -> None:
        super().__init__()
        squeezed = max(4, channels // reduction)
        self.weigh = nn.Sequential(
            nn.Linear(channels, squeezed), nn.SiLU(), nn.Linear(squeezed, channels), nn.Sigmoid()
        )

    def forward(
        self, image: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch channels height width"]:
        """The weighed image."""
        return image * self.weigh(image.mean(dim=(2, 3)))[:, :, None, None]


class NonLocal(nn.Module):
    """Self-attention among pixels as a residual (Wang et al. 2018; placed as in SAGAN, Zhang et al. 2019)."""

    def __init__(self, channels: int, config: GeneratorConfig) -> None:
        super().__init__()
        self.norm = normalisation(config.normalisation, channels)
        self.attention = Attention(channels, channels, channels, channels, AttentionConfig())

    def forward(
        self, image: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch channels height width"]:
        """The image with what its pixels told each other."""
        pixels = to_pixels(self.norm(image))
        return image + to_image(self.attention(pixels, pixels))


def positions(image: Image, frequencies: int) -> Float[Tensor, "batch positions height width"]:
    """x and y in (−1, 1) at the pixels' centres, and sin and cos of 2ⁱ·π/2 times them, i < `frequencies`."""
    height, width = image.shape[2:]
    made = made_position_maps if torch.compiler.is_compiling() else position_maps
    maps = made(height, width, frequencies, image.dtype, image.device)
    # One operand with channels outermost would make the concatenation, and every convolution after it, so.
    return maps.expand(len(image), -1, -1, -1).contiguous(memory_format=torch.channels_last)


def made_position_maps(
    height: int, width: int, frequencies: int, dtype: torch.dtype, device: torch.device
) -> Float[Tensor, "positions height width"]:
    """What `positions` repeats for every image."""
    # In float32 whatever the image's precision: bfloat16 has one value for pixels 200 and 201.
    y, x = ((torch.arange(size, device=device) + 0.5) * (2 / size) - 1 for size in (height, width))
    grid = torch.stack(torch.meshgrid(y, x, indexing="ij"))
    waves = [wave(grid * (2**i * torch.pi / 2)) for i in range(frequencies) for wave in (torch.sin, torch.cos)]
    return torch.cat([grid, *waves]).to(dtype)


# Two dozen operations, the same in every step; for good, as a recorded step (`luxel.train.replay`) reads them in place.
position_maps = cache(torch.inference_mode(False)(made_position_maps))
