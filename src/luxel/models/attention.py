"""Multi-head attention, as every part of the model uses it.

Legend: batch, queries, keys, heads; `head` is a head's width. A mask is True where a key is real.
"""

from dataclasses import dataclass
from typing import Annotated, Literal, NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from pydantic import Field
from torch import Tensor, nn

from luxel import InputError
from luxel.configuration import Configuration
from luxel.models.layers import Intersection


@dataclass(frozen=True)
class AttentionConfig(Configuration, path="attention"):
    """How keys are weighted, and what is attended to."""

    heads: Annotated[int, Field(ge=1, le=1024)] = 4
    weighting: Literal["softmax", "tanh"] = "softmax"
    """`tanh` weighs every key by tanh(q·k/√head), signed and independent of the others, over their count."""
    qk_norm: bool = False
    """Queries and keys of unit root mean square a head, with learned gains (Henry et al. 2020)."""
    registers: Annotated[int, Field(ge=0, le=1 << 16)] = 0
    """Learned keys that every query may attend to besides the context's (Darcet et al. 2024)."""
    intersection: bool = False
    """Values come from the log's intersection unit instead of a linear projection."""


class Projected(NamedTuple):
    """Queries, keys and values split into heads, and the keys' mask, registers included."""

    query: Float[Tensor, "batch heads queries head"]
    key: Float[Tensor, "batch heads keys head"]
    value: Float[Tensor, "batch heads keys head"]
    mask: Bool[Tensor, "batch keys"] | None


class Attention(nn.Module):
    """Queries from one set of vectors, keys and values from another."""

    def __init__(self, query_width: int, context_width: int, width: int, out: int, config: AttentionConfig) -> None:
        super().__init__()
        if width % config.heads:
            raise InputError(f"attention width {width} is not a multiple of its {config.heads} heads")
        self.config = config
        self.query = nn.Linear(query_width, width)
        self.key = nn.Linear(context_width, width)
        self.value = (Intersection if config.intersection else nn.Linear)(context_width, width)
        self.out = nn.Linear(width, out)
        head = width // config.heads
        self.query_norm = nn.RMSNorm(head) if config.qk_norm else nn.Identity()
        self.key_norm = nn.RMSNorm(head) if config.qk_norm else nn.Identity()
        self.registers = nn.Parameter(torch.randn(config.registers, context_width)) if config.registers else None

    def forward(
        self,
        x: Float[Tensor, "batch queries query_width"],
        context: Float[Tensor, "batch keys context_width"],
        mask: Bool[Tensor, "batch keys"] | None = None,
    ) -> Float[Tensor, "batch queries out"]:
        """What every query gathers from the context's real elements."""
        return self.gather(self.project(x, context, mask))

    def project(
        self,
        x: Float[Tensor, "batch queries query_width"],
        context: Float[Tensor, "batch keys context_width"],
        mask: Bool[Tensor, "batch keys"] | None,
    ) -> Projected:
        """Queries, keys and values by head."""
        if self.registers is not None:
            registers = self.registers.to(context.dtype).expand(len(context), -1, -1)
            context = torch.cat([registers, context], dim=1)
            mask = None if mask is None else F.pad(mask, (len(self.registers), 0), value=True)
        query, key, value = (self.split(t) for t in (self.query(x), self.key(context), self.value(context)))
        return Projected(self.query_norm(query), self.key_norm(key), value, mask)

    def gather(self, projected: Projected) -> Float[Tensor, "batch queries out"]:
        """The weighted values, heads joined and projected."""
        weighted = weigh_by_softmax if self.config.weighting == "softmax" else weigh_by_tanh
        return self.out(weighted(*projected).transpose(1, 2).flatten(2))

    def split(self, x: Float[Tensor, "batch n width"]) -> Float[Tensor, "batch heads n head"]:
        """The vectors' heads."""
        return x.unflatten(-1, (self.config.heads, -1)).transpose(1, 2)


def weigh_by_softmax(
    query: Float[Tensor, "batch heads queries head"],
    key: Float[Tensor, "batch heads keys head"],
    value: Float[Tensor, "batch heads keys head"],
    mask: Bool[Tensor, "batch keys"] | None,
) -> Float[Tensor, "batch heads queries head"]:
    """softmax(q·kᵀ/√head)·v (Vaswani et al. 2017, eq. 1) over the real keys, in one fused kernel."""
    return F.scaled_dot_product_attention(query, key, value, None if mask is None else mask[:, None, None])


def weigh_by_tanh(
    query: Float[Tensor, "batch heads queries head"],
    key: Float[Tensor, "batch heads keys head"],
    value: Float[Tensor, "batch heads keys head"],
    mask: Bool[Tensor, "batch keys"] | None,
) -> Float[Tensor, "batch heads queries head"]:
    """tanh(q·kᵀ/√head)·v over the real keys, divided by their count: the log's other weighting."""
    weights = (query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5).tanh()
    if mask is None:
        return weights @ value / key.shape[2]
    real = mask[:, None, None].to(weights.dtype)
    return (weights * real) @ value / real.sum(-1, keepdim=True)


def masked_mean(
    x: Float[Tensor, "batch *heads n width"], mask: Bool[Tensor, "batch n"] | None
) -> Float[Tensor, "batch *heads width"]:
    """The mean over the real elements."""
    if mask is None:
        return x.mean(dim=-2)
    real = mask.view(len(mask), *[1] * (x.ndim - 3), -1, 1).to(x.dtype)
    return (x * real).sum(dim=-2) / real.sum(dim=-2)
