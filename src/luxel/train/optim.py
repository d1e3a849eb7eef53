"""Optimisation: optimiser, learning-rate schedule and the moving average of the weights."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Literal, TypeAlias

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from luxel.configuration import Configuration, Share
from luxel.train.foreach import lerp_all
from luxel.train.replay import number

REFERENCE_BATCH = 16
"""The batch that `learning_rate` is for; it and the default rate are the log's (src/train.py, see KNOTS)."""
Shape: TypeAlias = Literal["cosine", "stable_decay", "constant", "piecewise"]
LrMultiplier: TypeAlias = Annotated[float, Field(gt=0, le=1e6)]
Beta: TypeAlias = Annotated[float, Field(ge=0, lt=1)]

KNOTS = ((0.1, 1.0), (0.7, 0.1), (1.0, 0.01))
"""Progress and rate of the lab log's first schedule (0.002, 0.0002, 0.00002 at epochs 10, 70 and 100 in
rgreenblatt/neural-render src/train.py): most of the way at a tenth of the peak."""


@dataclass(frozen=True)
class Schedule(Configuration, path="train.optim.schedule"):
    """The learning rate over training, as a multiple of its peak: a linear warm-up, then one of four shapes.

    cosine: half a cosine to `final` (Loshchilov & Hutter 2017), the log's own correction. stable_decay: constant,
    then a linear decay over the last share (warm-up–stable–decay, Hu et al. 2024, §4). constant: stays. piecewise:
    the log's first schedule, straight lines between KNOTS, whatever `warmup`, `decay` and `final` say.
    """

    shape: Shape = "cosine"
    warmup: Annotated[float, Field(ge=0, lt=1)] = 0.05
    """Share of training."""
    start: Share = 0.0
    """The multiple that the warm-up starts from (the log's: a quarter)."""
    decay: Annotated[float, Field(gt=0, le=1)] = 0.2
    """Share of training at whose end `stable_decay` is down; `cosine` decays all the time."""
    final: Share = 0.0
    drawn_for: Annotated[float, Field(ge=1, le=1e6)] = 1.0
    """How many times as long as this run is the run that the shape was drawn for; more than 1 cuts its end off."""

    def __call__(self, progress: float) -> float:
        """The multiple at `progress` in [0, 1] of training."""
        progress /= self.drawn_for
        if self.shape == "piecewise":
            return interpolate(((0.0, self.start), *KNOTS), progress)
        if progress < self.warmup:
            return self.start + (1 - self.start) * progress / self.warmup
        if self.shape == "constant":
            return 1.0
        if self.shape == "cosine":
            left = 0.5 * (1 + math.cos(math.pi * (progress - self.warmup) / (1 - self.warmup)))
        else:
            left = min(1.0, (1 - progress) / self.decay)
        return self.final + (1 - self.final) * left

    @property
    def stable_until(self) -> float:
        """The progress up to which the rate is at its peak for good: where a cooldown may branch off."""
        ends = {"constant": 1.0, "stable_decay": 1 - self.decay}
        return min(1.0, ends.get(self.shape, 0.0) * self.drawn_for)


def interpolate(knots: tuple[tuple[float, float], ...], x: float) -> float:
    """The value at `x` on the straight lines between the knots (position, value)."""
    for (left, low), (right, high) in pairwise(knots):
        if x <= right:
            return low + (high - low) * (x - left) / (right - left)
    return knots[-1][1]


@dataclass(frozen=True)
class OptimConfig(Configuration, path="train.optim"):
    """The peak rate is `learning_rate` · `lr_multiplier`, times what `batch_scaling` makes of batch / 16.

    The batch is that of all processes together, so the number of processes alone changes nothing.
    """

    algorithm: Literal["adam", "adamw"] = "adam"
    learning_rate: Annotated[float, Field(gt=0, le=1e30)] = 2e-3
    lr_multiplier: LrMultiplier = 1.0
    batch_scaling: Literal["linear", "sqrt", "none"] = "linear"
    """linear: Goyal et al. 2017; sqrt: for Adam, Malladi et al. 2022."""
    betas: tuple[Beta, Beta] = (0.9, 0.99)
    weight_decay: Annotated[float, Field(ge=0, le=1e3)] = 0.0
    clip_norm: Annotated[float, Field(gt=0, le=1e30)] = 1.0
    """Gradients are scaled down to this norm over all parameters."""
    schedule: Schedule = Schedule()
    ema_decay: Share = 0.999
    """Decay a step of the weights' moving average; early on (1 + step) / (10 + step) where that is less."""

    def peak_rate(self, batch_size: int) -> float:
        """The highest learning rate of a run with this (global) batch size."""
        exponent = {"linear": 1.0, "sqrt": 0.5, "none": 0.0}[self.batch_scaling]
        return self.learning_rate * self.lr_multiplier * (batch_size / REFERENCE_BATCH) ** exponent


def optimizer(config: OptimConfig, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
    """The optimiser, in one fused kernel; `set_rate` sets its rate."""
    kinds = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}
    weights = list(parameters)
    rate = number(0.0, weights[0].device)
    return kinds[config.algorithm](weights, lr=rate, betas=config.betas, weight_decay=config.weight_decay, fused=True)


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Set the learning rate of the steps to come."""
    for group in optimizer.param_groups:
        if isinstance(group["lr"], Tensor):
            group["lr"].fill_(rate)
        else:
            group["lr"] = rate


def take_step(optimizer: torch.optim.Optimizer) -> None:
    """Step the optimiser. Being fused it may be recorded in a CUDA graph, but refuses unless it is told so.

    Told before, it would warn of every step that is not recorded.
    """
    recording = torch.cuda.is_available() and torch.cuda.is_current_stream_capturing()
    for group in optimizer.param_groups:
        group["capturable"] = recording
    optimizer.step()


class MovingAverage(AveragedModel):
    """An exponential moving average of the weights and the floating-point buffers of a model, at first those it has.

    `decay` is what a step leaves of the average.
    torch's own would detach every tensor one by one.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        super().__init__(model, use_buffers=True)
        self._decay = decay
        self._weight = number(0.0, next(model.parameters()).device)

    def begin_update(self) -> None:
        """Count the update that `take_in` will make, and weigh it: the first time the model's weights are all there is.

        The host's part, where `take_in` may be replayed as a CUDA graph.
        """
        steps = int(self.n_averaged)  # on the CPU
        weight = 1.0 if steps == 0 else 1 - min(self._decay, (1 + steps) / (10 + steps))
        if isinstance(self._weight, Tensor):
            self._weight.fill_(weight)
        else:
            self._weight = weight
        self.n_averaged += 1

    def take_in(self, model: nn.Module) -> None:
        """Move towards the model's weights."""
        averages, values = ([*each.parameters(), *each.buffers()] for each in (self.module, model))
        lerp_all(averages, values, self._weight)

    def update_parameters(self, model: nn.Module) -> None:
        """Both at once."""
        self.begin_update()
        self.take_in(model)
