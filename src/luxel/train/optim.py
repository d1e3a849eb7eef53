"""Optimisation: optimiser, learning-rate schedule and the moving average of the weights."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from luxel import InputError

REFERENCE_BATCH = 32
Tensors = tuple[Tensor, ...] | list[Tensor]


@dataclass(frozen=True)
class Schedule:
    """The learning rate over training, as a multiple of its peak: a linear warm-up, then one of two shapes.

    cosine: half a cosine to `final` (Loshchilov & Hutter 2017). stable_decay: constant, then a linear decay over
    the last share (warm-up–stable–decay, Hu et al. 2024, §4).
    """

    shape: Literal["cosine", "stable_decay"] = "cosine"
    warmup: float = 0.05
    """Share of training."""
    decay: float = 0.2
    """Share of training at whose end `stable_decay` is down; `cosine` decays all the time."""
    final: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.warmup < 1:
            raise InputError(f"schedule.warmup is {self.warmup}, must be in [0, 1)")
        if not 0 < self.decay <= 1:
            raise InputError(f"schedule.decay is {self.decay}, must be in (0, 1]")

    def __call__(self, progress: float) -> float:
        """The multiple at `progress` in [0, 1] of training."""
        if progress < self.warmup:
            return progress / self.warmup
        if self.shape == "cosine":
            left = 0.5 * (1 + math.cos(math.pi * (progress - self.warmup) / (1 - self.warmup)))
        else:
            left = min(1.0, (1 - progress) / self.decay)
        return self.final + (1 - self.final) * left


@dataclass(frozen=True)
class OptimConfig:
    """The peak rate is `learning_rate` · batch / 32 · `lr_multiplier` (linear scaling, Goyal et al. 2017)."""

    algorithm: Literal["adam", "adamw"] = "adam"
    learning_rate: float = 2e-3
    lr_multiplier: float = 1.0
    betas: tuple[float, float] = (0.9, 0.99)
    weight_decay: float = 0.0
    clip_norm: float = 1.0
    """Gradients are scaled down to this norm over all parameters."""
    schedule: Schedule = Schedule()
    ema_decay: float = 0.999
    """Decay a step of the weights' moving average; early on (1 + step) / (10 + step) where that is less."""

    def peak_rate(self, batch_size: int) -> float:
        """The highest learning rate of a run with this (global) batch size."""
        return self.learning_rate * self.lr_multiplier * batch_size / REFERENCE_BATCH


def optimizer(config: OptimConfig, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
    """The optimiser; its rate is set before every step by the loop."""
    kinds = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}
    return kinds[config.algorithm](parameters, lr=0.0, betas=config.betas, weight_decay=config.weight_decay)


def moving_average(model: nn.Module, decay: float) -> AveragedModel:
    """An exponential moving average of the weights and the floating-point buffers of `model`."""

    @torch.no_grad()
    def update(averages: Tensors, values: Tensors, steps: Tensor | int) -> None:
        now = min(decay, (1 + int(steps)) / (10 + int(steps)))
        if averages[0].is_floating_point():
            torch._foreach_lerp_(averages, values, 1 - now)
        else:
            torch._foreach_copy_(averages, values)

    return AveragedModel(model, multi_avg_fn=update, use_buffers=True)
