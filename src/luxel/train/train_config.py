"""How a model is trained."""

from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from luxel import InputError
from luxel.configuration import BatchSize, Configuration, Samples, Seed, Steps
from luxel.image.losses import loss_function
from luxel.train.guard import GuardConfig
from luxel.train.optim import OptimConfig
from luxel.train.precision import LossScale, Precision

BatchMean: TypeAlias = Literal["arithmetic", "geometric"]


@dataclass(frozen=True)
class TrainConfig(Configuration, path="train"):
    """How a model is trained. Sizes are in samples (images); the batch is that of all processes together."""

    samples: Samples
    batch_size: BatchSize = 32
    accumulate: BatchSize = 1
    """Parts that a batch is cut into, one after another in memory; batch norm sees a part at a time."""
    loss: str = "perceptual"
    batch_mean: BatchMean = "arithmetic"
    """Of the losses of a batch's samples, or of each part's and process's. geometric: the gradient of a sample's loss
    counts over that loss, so that hard scenes and those with noisy targets do not outweigh all others."""
    points: Annotated[int, Field(ge=1, le=1 << 20)] | None = None
    """Of each picture of a data set, that a ray model learns from; what it reads of them is measured once and kept
    beside the data, and steps take a hundredth of the time. None: of whole pictures, in every step."""
    optim: OptimConfig = OptimConfig()
    precision: Precision = "fp32"
    loss_scale_floor: Annotated[float, Field(gt=0, le=LossScale.START)] | None = None
    """The fp16 modes' loss scale never falls below it. The log's: 128."""
    guard: GuardConfig = GuardConfig()
    seed: Seed = 0
    tests: Annotated[int, Field(ge=1, le=1_000_000)] = 20
    """How often the test loss is measured, evenly over the run, the last time at its end."""
    checkpoint_every: Steps = 100
    """Optimiser steps between checkpoints."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.batch_size % self.accumulate:
            raise InputError(
                f"train.batch_size is {self.batch_size}, must be a multiple of accumulate {self.accumulate}"
            )
        if self.loss_scale_floor is not None and not self.precision.startswith("fp16"):
            raise InputError(f"train.loss_scale_floor needs an fp16 precision, train.precision is {self.precision}")
        loss_function(self.loss)

    @property
    def steps(self) -> int:
        """Optimiser steps of the whole run."""
        return max(1, self.samples // self.batch_size)

    @property
    def last_stable_step(self) -> int:
        """The last step at the peak rate, if the schedule has one to branch off from; else 0."""
        return round(self.optim.schedule.stable_until * self.steps)

    @property
    def branching_step(self) -> int:
        """The last stable step of a run that decays after it; 0 of others, whose checkpoint is branched off itself."""
        return self.last_stable_step if self.last_stable_step < self.steps else 0

    @property
    def test_steps(self) -> frozenset[int]:
        """The steps after which the test loss is measured."""
        return frozenset(round((i + 1) * self.steps / self.tests) for i in range(self.tests))

    def rate(self, step: int) -> float:
        """The learning rate of a step, 1 … `steps`."""
        return self.optim.peak_rate(self.batch_size) * self.optim.schedule(step / self.steps)
