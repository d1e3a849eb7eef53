"""The training loop: one screen that reads like the algorithm.

Shapes: images are `[batch, height, width, 3]`, linear radiance, float32.
"""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from accelerate import Accelerator
from jaxtyping import Float32
from torch import nn
from tqdm import tqdm

from luxel.data.dataset import Batch
from luxel.image.losses import Loss, loss_function
from luxel.train.checkpoint import Progress, load_checkpoint, save_checkpoint
from luxel.train.optim import OptimConfig, moving_average, optimizer
from luxel.train.run_folder import RunFolder
from luxel.train.runtime import Precision, accelerator, autocast, seed_step

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
    checkpoint_every: int = 200
    """Optimiser steps between checkpoints."""

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
    model: nn.Module, data: DataSource, config: TrainConfig, folder: RunFolder, cpu: bool = False
) -> dict[str, Any]:
    """Train `model`, or go on where the folder's checkpoint stands, and return the result that is left in it."""
    if folder.result is not None:
        return folder.result
    runtime = accelerator(cpu)
    rank, world = runtime.process_index, runtime.num_processes
    loss_of = loss_function(config.loss)
    bare = model.to(runtime.device)
    average = moving_average(bare, config.optim.ema_decay)
    model = runtime.prepare(bare)
    optim = optimizer(config.optim, model.parameters())
    progress = Progress()
    if folder.checkpoint.exists():
        progress = load_checkpoint(folder.checkpoint, bare, average, optim)
    if runtime.is_main_process:
        folder.rewind(progress.step)

    test_steps = {round((i + 1) * config.steps / config.tests) for i in range(config.tests)}
    peak = config.optim.peak_rate(config.batch_size)
    guard, verdict = progress.guard, "step"
    started = time.monotonic() - progress.seconds
    batches = data.training_batches(config.batch_size, config.seed, progress.step, rank, world)
    bar = tqdm(
        total=config.steps * config.batch_size,
        initial=progress.step * config.batch_size,
        unit="img",
        disable=not runtime.is_main_process,
    )

    def checkpoint(step: int) -> None:
        if runtime.is_main_process:
            now = Progress(step, time.monotonic() - started, guard)
            save_checkpoint(folder.checkpoint, bare, average, optim, now)

    step, loss, test = progress.step, float("nan"), float("nan")
    try:
        for step in range(progress.step + 1, config.steps + 1):
            seed_step(config.seed, step, rank)
            rate = peak * config.optim.schedule(step / config.steps)
            for group in optim.param_groups:
                group["lr"] = rate
            batch = next(batches).to(runtime.device)

            model.train()
            with autocast(config.precision, runtime.device):
                prediction = predict(model, batch)
            mean_loss = loss_of(prediction, batch.radiance).mean()
            runtime.backward(mean_loss)
            norm = float(runtime.clip_grad_norm_(model.parameters(), config.optim.clip_norm))
            loss = float(runtime.reduce(mean_loss.detach(), "mean"))
            guard, verdict = guard.observe(loss, norm)
            if verdict == "step":
                optim.step()
                average.update_parameters(bare)
            optim.zero_grad()

            bar.update(config.batch_size)
            bar.set_postfix(loss=f"{loss:.2e}", test=f"{test:.2e}")
            scalars = {"train_loss": loss, "rate": rate, "gradient_norm": norm, "skipped": guard.skipped}
            if step in test_steps or verdict == "diverged":
                test = mean_loss_over(average, data.test_batches(config.batch_size, rank, world), loss_of, runtime)
                scalars["test_loss"] = test
                if runtime.is_main_process:
                    test_batch = next(iter(data.test_batches(GRID_COLUMNS, 0, 1)))
                    folder.log_images(step, "test", comparison_grid(average, test_batch.to(runtime.device)))
                    folder.log_images(step, "train", comparison_grid(average, batch))
            if runtime.is_main_process:
                folder.log(step, step * config.batch_size, time.monotonic() - started, **scalars)
            if step % config.checkpoint_every == 0 or step == config.steps:
                checkpoint(step)
            if verdict == "diverged":
                break
    finally:
        bar.close()
        folder.close()
    seconds = time.monotonic() - started
    result = {
        "status": "diverged" if verdict == "diverged" else "finished",
        "diagnosis": "loss or gradient not finite" if verdict == "diverged" else None,
        "steps": step,
        "samples": step * config.batch_size,
        "seconds": round(seconds, 1),
        "images_per_s": round(step * config.batch_size / seconds, 2),
        "train_loss": loss,
        "test_loss": test,
        "skipped_steps": guard.skipped,
        "parameters": sum(parameter.numel() for parameter in bare.parameters()),
    }
    if runtime.is_main_process:
        weights: Any = average.module  # whose mixin the type checker cannot see
        weights.save_pretrained(folder.model)
        folder.finish(result)
    runtime.wait_for_everyone()
    return result


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
        total += torch.tensor([losses.double().sum().item(), len(losses)])
    total = runtime.reduce(total.to(runtime.device), "sum")
    return float(total[0] / total[1])


@torch.no_grad()
def comparison_grid(model: nn.Module, batch: Batch) -> Float32[np.ndarray, "height width 3"]:
    """The first images of the batch side by side, truth above the model's output."""
    model.eval()
    rows = [batch.radiance, predict(model, batch)]
    return torch.cat([torch.cat(list(row[:GRID_COLUMNS].cpu()), dim=1) for row in rows], dim=0).numpy()
