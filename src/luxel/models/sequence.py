"""Transformers on the sequence of objects: the base of the model, and the blocks between the image's.

Shapes: sequences are [batch, objects, width]; a mask is True where an object is real.
"""

from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias

import torch
from jaxtyping import Bool, Float
from pydantic import Field
from torch import Tensor, nn

from luxel.configuration import Configuration, Layers
from luxel.models.attention import Attention, AttentionConfig, Joined
from luxel.models.layers import Intersection, StochasticDepth

Dropped: TypeAlias = Annotated[float, Field(ge=0, lt=1)]


@dataclass(frozen=True)
class TransformerConfig(Configuration, path="transformer"):
    """A stack of pre-norm transformer layers."""

    layers: Layers = 2
    feed_forward: Annotated[int, Field(ge=1, le=1024)] = 2
    """Width of the hidden layer, in sequence widths."""
    shared: bool = False
    """One layer's parameters, used `layers` times (the log's base transformer; ALBERT, Lan et al. 2020)."""
    dropout: Dropped = 0.0
    stochastic_depth: Dropped = 0.0
    gate_bias: Annotated[float, Field(ge=-1e3, le=1e3)] | None = None
    """Branches are weighed by sigmoid of a learned number that starts here; None: no gate."""
    activation: Literal["gelu", "intersection"] = "gelu"
    """Of the feed-forward network; `intersection` is the log's unit (see `luxel.models.layers`)."""
    attention: AttentionConfig = AttentionConfig()


class Transformer(nn.Module):
    """Layers one after another. Without layers it is the identity."""

    def __init__(self, width: int, config: TransformerConfig) -> None:
        super().__init__()
        distinct = min(1, config.layers) if config.shared else config.layers
        self.layers = nn.ModuleList(TransformerLayer(width, config) for _ in range(distinct))
        self.passes = config.layers // max(1, distinct)
        self.config = config

    @property
    def depth(self) -> int:
        """How many layers a sequence passes, those of shared parameters as often as it does."""
        return self.passes * len(self.layers)

    def forward(
        self, sequence: Float[Tensor, "batch objects width"], mask: Bool[Tensor, "batch objects"]
    ) -> Float[Tensor, "batch objects width"]:
        """The sequence after every layer."""
        joined = [each.attention.joined(True) for each in self.layers if isinstance(each, TransformerLayer)]
        for _ in range(self.passes):
            for layer, projections in zip(self.layers, joined, strict=True):
                sequence = layer(sequence, mask, projections)
        return sequence


class TransformerLayer(nn.Module):
    """Self-attention, then a feed-forward network, each a residual branch (Xiong et al. 2020, pre-norm)."""

    def __init__(self, width: int, config: TransformerConfig) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width)
        self.attention = Attention(width, width, width, width, config.attention)
        hidden = config.feed_forward * width
        self.feed_forward = nn.Sequential(
            nn.LayerNorm(width),
            Intersection(width, hidden)
            if config.activation == "intersection"
            else nn.Sequential(nn.Linear(width, hidden), nn.GELU()),
            nn.Linear(hidden, width),
        )
        self.drop = nn.Sequential(nn.Dropout(config.dropout), StochasticDepth(config.stochastic_depth))
        self.gates = None if config.gate_bias is None else nn.Parameter(torch.full((2,), config.gate_bias))

    def forward(
        self,
        sequence: Float[Tensor, "batch objects width"],
        mask: Bool[Tensor, "batch objects"],
        joined: Joined | None = None,
    ) -> Float[Tensor, "batch objects width"]:
        """The sequence after this layer; what stands at padding never reaches a real object.

        `joined` are the attention's projections, for who calls the layer more than once.
        """
        normed = self.attention_norm(sequence)
        first, second = (None, None) if self.gates is None else self.gates.sigmoid()
        sequence = plus(sequence, first, self.drop(self.attention(normed, normed, mask, joined)))
        # As one list of vectors: linear layers would make one of them each, and a sequence again.
        branch = self.feed_forward(sequence.flatten(0, 1)).view_as(sequence)
        return plus(sequence, second, self.drop(branch))


def plus(
    sequence: Float[Tensor, "batch objects width"],
    gate: Float[Tensor, ""] | None,
    branch: Float[Tensor, "batch objects width"],
) -> Float[Tensor, "batch objects width"]:
    """The sequence and its branch, through the gate if there is one."""
    return sequence + (branch if gate is None else gate * branch)
