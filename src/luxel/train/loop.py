"""The training loop: one screen that reads like the algorithm.

Shapes: images are `[batch, height, width, 3]`, linear radiance, float32.
"""

import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from accelerate import Accelerator
from jaxtyping import Float32
from torch import Tensor, nn
from tqdm import tqdm

from luxel import InputError
from luxel.data.dataset import Batch
from luxel.image.losses import Loss, loss_function
from luxel.train.checkpoint import Progress, load_checkpoint, save_checkpoint
from luxel.train.guard import Verdict
from luxel.train.optim import OptimConfig, moving_average, optimizer
from luxel.train.run_folder import RunFolder
from luxel.train.runtime import Precision, autocast, seed_step

GRID_COLUMNS = 8


@dataclass(frozen=True)
class TrainConfig:
    """How a model is trained. Sizes are in samples (images); the batch is that of all processes together."""

    samples: int
    batch_size: int = 32
    loss: str = "perceptual"
    optim: OptimConfig = OptimConfig()
    precision: Precision = "fp32"
    seed: int = 0
    tests: int = 20
    """How often the test loss is measured, evenly over the run, the last time at its end."""
    checkpoint_every: int = 100
    """Optimiser steps between checkpoints."""

    def __post_init__(self) -> None:
        for name in ("samples", "batch_size", "tests", "checkpoint_every"):
            if getattr(self, name) < 1:
                raise InputError(f"train.{name} is {getattr(self, name)}, must be at least 1")
        loss_function(self.loss)

    @property
    def steps(self) -> int:
        """Optimiser steps of the whole run."""
        return max(1, self.samples // self.batch_size)


@runtime_checkable
class DataSource(Protocol):
    """Where samples come from: a data set of shards, or a stream of fresh scenes."""

    def training_batches(self, batch_size: int, seed: int, start_step: int, rank: int, world: int) -> Iterator[Batch]:
        """Endless batches from `start_step` on, this rank's share of each."""
        ...

    def test_batches(self, batch_size: int, rank: int, world: int) -> Iterable[Batch]:
        """Every test sample once over all ranks."""
        ...


def train(
    model: nn.Module, data: DataSource, config: TrainConfig, folder: RunFolder, runtime: Accelerator
) -> dict[str, Any]:
    """Train `model`, or go on where the folder's checkpoint stands; return the result that is left in the folder.

    Batch, learning rate and random draws of a step depend on (seed, step) alone, so that a run which was
    interrupted at any moment ends with the same weights as one that was not: to the bit on a CPU, on a GPU as far
    as its kernels are deterministic.
    """
    if folder.result is not None:
        return folder.result
    learner = Learner(model, config, runtime)
    rank, world, main = learner.rank, learner.world, learner.rank == 0
    progress = learner.load(folder.checkpoint)
    step, seconds, guard = progress.step, progress.seconds, progress.guard
    loss, test_loss = progress.train_loss, progress.test_loss
    batches = data.training_batches(config.batch_size, config.seed, step, rank, world)
    test_steps = {round((i + 1) * config.steps / config.tests) for i in range(config.tests)}
    verdict: Verdict = "step"
    started = time.monotonic() - seconds
    if main:
        folder.rewind(step)
    total, done = config.steps * config.batch_size, step * config.batch_size
    with tqdm(total=total, initial=done, unit="img", disable=not main) as bar, closing(folder):
        while step < config.steps and verdict != "diverged":
            step += 1
            seed_step(config.seed, step, rank)
            rate = config.optim.peak_rate(config.batch_size) * config.optim.schedule(step / config.steps)
            batch = next(batches).to(learner.device)
            loss, gradient_norm = learner.gradients(batch)
            guard, verdict = guard.observe(loss, gradient_norm)
            if verdict == "step":
                learner.update(rate)
            else:
                learner.forget()
            scalars = {"train_loss": loss, "rate": rate, "gradient_norm": gradient_norm, "skipped": guard.skipped}
            if step in test_steps:
                test_loss = scalars["test_loss"] = learner.test_loss(data.test_batches(config.batch_size, rank, world))
                if main:
                    test_batch = next(iter(data.test_batches(GRID_COLUMNS, 0, 1)))
                    folder.log_images(step, "test", comparison_grid(learner.average, test_batch.to(learner.device)))
                    folder.log_images(step, "train", comparison_grid(learner.average, batch))
            seconds = time.monotonic() - started
            if main:
                folder.log(step, step * config.batch_size, seconds, **scalars)
                if step % config.checkpoint_every == 0 or step == config.steps:
                    learner.save(folder.checkpoint, Progress(step, seconds, loss, test_loss, guard))
            bar.update(config.batch_size)
            bar.set_postfix(loss=f"{loss:.2e}", test=f"{test_loss:.2e}")
    result = {
        "status": "diverged" if verdict == "diverged" else "finished",
        "diagnosis": "loss or gradient not finite" if verdict == "diverged" else None,
        "steps": step,
        "samples": step * config.batch_size,
        "seconds": round(seconds, 1),
        "images_per_s": round(step * config.batch_size / seconds, 2),
        "train_loss": loss,
        "test_loss": test_loss,
        "skipped_steps": guard.skipped,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
    }
    if main:
        weights: Any = learner.average.module  # whose mixin the type checker cannot see
        weights.save_pretrained(folder.model)
        folder.finish(result)
    learner.runtime.wait_for_everyone()
    return result


class Learner:
    """A model in training: its optimiser, the moving average of its weights, and the processes it is spread over."""

    def __init__(self, model: nn.Module, config: TrainConfig, runtime: Accelerator) -> None:
        self.runtime, self.device = runtime, runtime.device
        self.rank, self.world = runtime.process_index, runtime.num_processes
        self.model = model.to(self.device)
        self.average = moving_average(self.model, config.optim.ema_decay)
        self.optimizer = optimizer(config.optim, self.model.parameters())
        self._parallel = runtime.prepare(self.model)
        self._loss = loss_function(config.loss)
        self._config = config
        self._buffers: list[Tensor] = []

    def gradients(self, batch: Batch) -> tuple[float, float]:
        """Leave the batch's gradients, clipped, on the parameters; return its loss and the norm before clipping."""
        self.model.train()
        self.optimizer.zero_grad()
        self._buffers = [buffer.clone() for buffer in self.model.buffers()]
        with autocast(self._config.precision, self.device):
            prediction = predict(self._parallel, batch)
        loss = self._loss(prediction, batch.radiance).mean()
        self.runtime.backward(loss)
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), self._config.optim.clip_norm)
        return float(self.runtime.reduce(loss.detach(), "mean")), float(norm)

    def forget(self) -> None:
        """Undo what the forward pass of a bad batch left in the buffers: batch norm's running statistics."""
        for buffer, before in zip(self.model.buffers(), self._buffers, strict=True):
            buffer.copy_(before)

    def update(self, rate: float) -> None:
        """Step the optimiser at this learning rate, and the average after it."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.step()
        self.average.update_parameters(self.model)

    def test_loss(self, batches: Iterable[Batch]) -> float:
        """The averaged weights' loss over all ranks' batches."""
        return mean_loss_over(self.average, batches, self._loss, self.runtime)

    def save(self, path: Path, progress: Progress) -> None:
        """Write a checkpoint."""
        save_checkpoint(path, self.model, self.average, self.optimizer, progress)

    def load(self, path: Path) -> Progress:
        """Go back to a checkpoint, or to the start if there is none."""
        return load_checkpoint(path, self.model, self.average, self.optimizer) if path.exists() else Progress()


def predict(model: nn.Module, batch: Batch) -> Float32[torch.Tensor, "batch height width 3"]:
    """Radiance of the batch's scenes; whatever the precision of the network, it ends in float32."""
    radiance = model(batch.tokens, batch.mask, batch.camera, batch.background)
    assert radiance.dtype == torch.float32, f"the head must end in float32, not {radiance.dtype}"
    return radiance


@torch.no_grad()
def mean_loss_over(model: nn.Module, batches: Iterable[Batch], loss_of: Loss, runtime: Accelerator) -> float:
    """Sum of the samples' losses over their count, over all ranks, in float32 arithmetic summed in float64."""
    model.eval()
    total = torch.zeros(2, dtype=torch.float64)
    for batch in batches:
        batch = batch.to(runtime.device)
        losses = loss_of(predict(model, batch), batch.radiance).mean(dim=(1, 2, 3))
        total += torch.tensor([losses.cpu().double().sum().item(), len(losses)])
    if runtime.num_processes > 1:
        total = runtime.reduce(total.to(runtime.device), "sum")
    return float(total[0] / total[1])


@torch.no_grad()
def comparison_grid(model: nn.Module, batch: Batch) -> Float32[np.ndarray, "height width 3"]:
    """The first images of the batch side by side, truth above the model's output."""
    model.eval()
    rows = [batch.radiance, predict(model, batch)]
    return torch.cat([torch.cat(list(row[:GRID_COLUMNS].cpu()), dim=1) for row in rows], dim=0).numpy()
