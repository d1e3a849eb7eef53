"""Cross-attention between sequence and image: the start block, seq→image and image→seq.

Shapes: images are [batch, channels, height, width], sequences [batch, objects, width]; a mask is True where an
object is real.
"""

from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from pydantic import Field
from torch import Tensor, nn

from luxel.configuration import Channels, Configuration
from luxel.models.attention import Attention, AttentionConfig, Projected, masked_mean

Image = Float[Tensor, "batch channels height width"]
Sequence = Float[Tensor, "batch objects seq_width"]
Mask = Bool[Tensor, "batch objects"]

SmallSide: TypeAlias = Annotated[int, Field(ge=1, le=1024)]
"""Of an image whose pixels all attend, or are attended to."""
Logit: TypeAlias = Annotated[float, Field(ge=-1e3, le=1e3)]


@dataclass(frozen=True)
class StartConfig(Configuration, path="model.start"):
    """The first image, size × size."""

    kind: Literal["pooled", "queries"] = "pooled"
    """`pooled`, the log's: pooled features and count make every pixel's query, and one attention the image.
    `queries`: a learned query for every pixel, shifted by the pooled features, gathers what it asks for, and a
    feed-forward network sees both, so that pixels differ even where there is one object to attend to."""
    size: SmallSide = 4
    direct: bool = True
    """Add a linear map of the pooled features to the image."""
    attention: AttentionConfig = AttentionConfig()


class Start(nn.Module):
    """Sequence → image: pooled features and the objects' count ask, every pixel gets its own answer."""

    def __init__(self, seq_width: int, channels: int, config: StartConfig) -> None:
        super().__init__()
        self.config = config
        self.pixels = config.size**2
        if config.kind == "pooled":
            self.query = nn.Linear(seq_width + 1, self.pixels * seq_width)
            self.attention = Attention(seq_width, seq_width, seq_width, channels, config.attention)
        else:
            self.query = nn.Linear(seq_width + 1, seq_width)
            self.positions = nn.Parameter(torch.randn(self.pixels, seq_width))
            self.attention = Attention(seq_width, seq_width, seq_width, seq_width, config.attention)
            self.feed_forward = nn.Sequential(
                nn.LayerNorm(seq_width),
                nn.Linear(seq_width, 2 * seq_width),
                nn.GELU(),
                nn.Linear(2 * seq_width, channels),
            )
        self.direct = nn.Linear(seq_width + 1, self.pixels * channels) if config.direct else None

    def forward(self, sequence: Sequence, mask: Mask) -> Image:
        """The image of size × size."""
        count = mask.sum(dim=1, keepdim=True).to(sequence.dtype)
        pooled = torch.cat([masked_mean(sequence, mask), count.log1p()], dim=1)
        square = (self.config.size, self.config.size)
        if self.config.kind == "pooled":
            image = self.attention(self.query(pooled).unflatten(1, (*square, -1)), sequence, mask)
        else:
            query = (self.query(pooled)[:, None] + self.positions).unflatten(1, square)
            image = self.feed_forward(query + self.attention(query, sequence, mask))
        if self.direct is not None:
            image = image + self.direct(pooled).unflatten(1, (*square, -1))
        return to_image(image)


@dataclass(frozen=True)
class OverallWeight(Configuration, path="overall_weight"):
    """What cross-attention adds is weighed by sigmoid(gain · pooled score + mix bias), gain and bias learned."""

    mix_bias: Logit
    """Where the bias starts. The log tried −10 (sigmoid 4.5e-5: no effect at first) and 0."""
    gain: Logit = 1.0


class AttentionGate(nn.Module):
    """The overall weight: a sigmoid gate whose score is the mean of the attention's logits, over heads too."""

    def __init__(self, config: OverallWeight) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(config.gain))
        self.bias = nn.Parameter(torch.tensor(config.mix_bias))

    def forward(
        self, projected: Projected, per_query: bool, query_mask: Mask | None = None
    ) -> Float[Tensor, "batch queries_or_1 1"]:
        """A weight for every query, or one for all. The mean of q·k over keys is q·(mean of keys)."""
        key = masked_mean(projected.key, projected.mask, keepdim=True)
        query = projected.query if per_query else masked_mean(projected.query, query_mask, keepdim=True)
        heads, _, head = query.shape[1:]
        score = (query * key).sum(dim=(1, 3)) / (heads * head**0.5)
        return torch.sigmoid(self.gain * score + self.bias)[..., None]


@dataclass(frozen=True)
class SeqToImageConfig(Configuration, path="model.seq_to_image"):
    """Every pixel attends to the sequence."""

    join: Literal["concatenate", "add"] = "concatenate"
    """As extra channels of a block's input, or added to the input's own; the image that the block's residual
    carries stays as it is."""
    channels: Channels = 16
    """Extra channels, if concatenated, at the first level; later ones have more or fewer as the image has."""
    share: Annotated[float, Field(gt=0, le=1)] = 1.0
    """The share of the image's channels that is added to, if added."""
    overall_weight: OverallWeight | None = None
    """One weight an image."""
    added_twice: bool = False
    """The bug of the log's first `add_seq_to_image`."""
    attention: AttentionConfig = AttentionConfig()


class SeqToImage(nn.Module):
    """Sequence → image, at any resolution. Of its `image_channels`, the first `addable` may be added to."""

    def __init__(self, image_channels: int, addable: int, seq_width: int, config: SeqToImageConfig) -> None:
        super().__init__()
        self.config = config
        self.added = max(1, round(config.share * addable)) if config.join == "add" else 0
        gathered = self.added or config.channels
        heads = config.attention.heads
        width = heads * max(1, seq_width // (4 * heads))  # a quarter of the others': every pixel pays for it
        self.attention = Attention(image_channels, seq_width, width, gathered, config.attention)
        self.weigh = None if config.overall_weight is None else AttentionGate(config.overall_weight)

    @property
    def extra_channels(self) -> int:
        """How many channels the image grows by."""
        return 0 if self.added else self.config.channels

    def forward(self, image: Image, sequence: Sequence, mask: Mask) -> Float[Tensor, "batch more height width"]:
        """The image with what its pixels gathered."""
        projected = self.attention.project(to_pixels(image), sequence, mask)
        gathered = self.attention.gather(projected, image.shape[2:])
        if self.weigh is not None:
            gathered = self.weigh(projected, per_query=False)[..., None] * gathered
        if self.config.added_twice:
            gathered = 2 * gathered
        gathered = to_image(gathered)
        if not self.added:
            return torch.cat([image, gathered], dim=1)
        return torch.cat([image[:, : self.added] + gathered, image[:, self.added :]], dim=1)


@dataclass(frozen=True)
class ImageToSeqConfig(Configuration, path="model.image_to_seq"):
    """Every object attends to the image."""

    overall_weight: OverallWeight = OverallWeight(mix_bias=-4.0)
    """Starts low, so that the image is ignored at first (0.018 at −4)."""
    per_element: bool = True
    """A weight for every object. One for all is the bug of the log's first big runs."""
    pool_to: SmallSide | None = 16
    """Average larger images down to this size before they are attended to."""
    attention: AttentionConfig = AttentionConfig()


class ImageToSeq(nn.Module):
    """Image → sequence: a residual on the sequence."""

    def __init__(self, image_channels: int, seq_width: int, config: ImageToSeqConfig) -> None:
        super().__init__()
        self.config = config
        self.norm = nn.LayerNorm(seq_width)
        self.attention = Attention(seq_width, image_channels, seq_width, seq_width, config.attention)
        self.weigh = AttentionGate(config.overall_weight)

    def forward(self, sequence: Sequence, mask: Mask, image: Image) -> Sequence:
        """The sequence with what its objects gathered from the image."""
        if self.config.pool_to is not None and image.shape[-1] > self.config.pool_to:
            image = F.adaptive_avg_pool2d(image, self.config.pool_to)
        projected = self.attention.project(self.norm(sequence), to_pixels(image), None)
        weight = self.weigh(projected, self.config.per_element, mask)
        return sequence + weight * self.attention.gather(projected, sequence.shape[1:-1])


def to_pixels(image: Image) -> Float[Tensor, "batch height width channels"]:
    """An image as a set of pixels, for attention."""
    return image.permute(0, 2, 3, 1)


def to_image(pixels: Float[Tensor, "batch height width channels"]) -> Image:
    """Pixels as an image, channels innermost in memory."""
    return pixels.permute(0, 3, 1, 2)
