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


class Joined(NamedTuple):
    """Linear layers of one input, one below the other."""

    weight: Float[Tensor, "outs width"]
    bias: Float[Tensor, " outs"]


class Attention(nn.Module):
    """Queries from one set of vectors, keys and values from another; images are sets of pixels, [height, width]."""

    def __init__(self, query_width: int, context_width: int, width: int, out: int, config: AttentionConfig) -> None:
        super().__init__()
        if width % config.heads:
            raise InputError(f"attention width {width} is not a multiple of its {config.heads} heads")
        self.config = config
        self.query = nn.Linear(query_width, width)
        self.key = nn.Linear(context_width, width)
        self.value = (Intersection if config.intersection else nn.Linear)(context_width, width)
        self.out = nn.Linear(width, out)
        self.head = width // config.heads
        self.query_norm = nn.RMSNorm(self.head) if config.qk_norm else nn.Identity()
        self.key_norm = nn.RMSNorm(self.head) if config.qk_norm else nn.Identity()
        self.registers = nn.Parameter(torch.randn(config.registers, context_width)) if config.registers else None

    def forward(
        self,
        x: Float[Tensor, "batch *queries query_width"],
        context: Float[Tensor, "batch *keys context_width"],
        mask: Bool[Tensor, "batch n_keys"] | None = None,
        joined: Joined | None = None,
    ) -> Float[Tensor, "batch *queries out"]:
        """What every query gathers from the context's real elements; for `joined` see `project`."""
        return self.gather(self.project(x, context, mask, joined), x.shape[1:-1])

    def joined(self, with_query: bool) -> Joined:
        """The layers of keys and values as one, with that of queries if they come from the same vectors."""
        value = self.value.project if isinstance(self.value, Intersection) else self.value
        layers = [self.query] * with_query + [self.key, value]
        return Joined(torch.cat([layer.weight for layer in layers]), torch.cat([layer.bias for layer in layers]))

    def project(
        self,
        x: Float[Tensor, "batch *queries query_width"],
        context: Float[Tensor, "batch *keys context_width"],
        mask: Bool[Tensor, "batch n_keys"] | None,
        joined: Joined | None = None,
    ) -> Projected:
        """Queries, keys and values by head.

        One product makes all that is made of the same vectors. `joined` is `self.joined(True)`, for who has use for it
        more than once; it is for a context that is `x`.
        """
        together = x is context and self.registers is None
        if self.registers is not None:
            registers = self.registers.to(context.dtype).expand(len(context), -1, -1)
            context = torch.cat([registers, context.flatten(1, -2)], dim=1)
            mask = None if mask is None else F.pad(mask, (len(self.registers), 0), value=True)
        made = F.linear(context.flatten(0, -2), *(joined if joined and together else self.joined(together)))
        heads = made.view(len(context), -1, made.shape[1] // self.key.out_features, self.config.heads, self.head)
        parts = list(heads.permute(2, 0, 3, 1, 4).unbind())
        if together:
            query = parts.pop(0)
        else:
            query = self.query(x.flatten(0, -2)).view(len(x), -1, self.config.heads, self.head).transpose(1, 2)
        key, *values = parts
        value = torch.minimum(*values) if len(values) == 2 else values[0]  # of an intersection, the soft AND
        return Projected(self.query_norm(query), self.key_norm(key), value, mask)

    def gather(self, projected: Projected, queries: torch.Size) -> Float[Tensor, "batch *queries out"]:
        """The weighted values, heads joined and projected, in the shape of the queries."""
        weighted = softmax_attention if self.config.weighting == "softmax" else tanh_attention
        values = weighted(*projected).transpose(1, 2)
        return self.out(values.reshape(-1, self.out.in_features)).view(len(values), *queries, -1)


def softmax_attention(
    query: Float[Tensor, "batch heads queries head"],
    key: Float[Tensor, "batch heads keys head"],
    value: Float[Tensor, "batch heads keys head"],
    mask: Bool[Tensor, "batch keys"] | None,
) -> Float[Tensor, "batch heads queries head"]:
    """softmax(q·kᵀ/√head)·v (Vaswani et al. 2017, eq. 1) over the real keys, in one fused kernel."""
    return F.scaled_dot_product_attention(query, key, value, None if mask is None else logits_of(mask, query.dtype))


def tanh_attention(
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


def logits_of(mask: Bool[Tensor, "batch keys"], dtype: torch.dtype) -> Float[Tensor, "batch 1 1 keys"]:
    """0 for a real key, −∞ for another: what attention adds to its logits.

    Kept with the mask, which all attentions of a forward pass share, as long as nobody writes to it.
    """
    if torch.compiler.is_compiling():  # which computes alike things once itself
        return made_logits(mask, dtype)
    version = None if mask.is_inference() else mask._version
    kept = mask.__dict__.get("_logits")
    if kept is None or kept[:2] != (dtype, version):
        mask.__dict__["_logits"] = kept = (dtype, version, made_logits(mask, dtype))
    return kept[2]


def made_logits(mask: Bool[Tensor, "batch keys"], dtype: torch.dtype) -> Float[Tensor, "batch 1 1 keys"]:
    """What `logits_of` keeps."""
    logits = torch.zeros(mask.shape, dtype=dtype, device=mask.device).masked_fill_(~mask, -torch.inf)
    return logits[:, None, None]


def masked_mean(
    x: Float[Tensor, "batch *heads n width"], mask: Bool[Tensor, "batch n"] | None, keepdim: bool = False
) -> Float[Tensor, "batch *heads_and_maybe_1 width"]:
    """The mean over the real elements; with `keepdim`, as one element."""
    if mask is None:
        return x.mean(-2, keepdim)
    real = mask.view(len(mask), *[1] * (x.ndim - 3), -1, 1).to(x.dtype)
    return (x * real).sum(-2, keepdim) / real.sum(-2, keepdim)
