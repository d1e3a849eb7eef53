"""A model in training: one step of it, tests, pictures, checkpoints.

Shapes: images are `[batch, height, width, 3]`, or `[batch, rays, 3]` where single rays are learned from; linear
radiance, float32.
"""

import math
from collections.abc import Generator, Iterable, Iterator
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from accelerate import Accelerator
from jaxtyping import Float32, UInt8
from torch import nn

from luxel import InputError
from luxel.data.dataset import Batch
from luxel.image.losses import Loss, loss_function
from luxel.image.side_by_side import SideBySide, sheet
from luxel.models.layers import averaging_statistics, batch_norms
from luxel.train.checkpoint import Progress, load_checkpoint, save_checkpoint
from luxel.train.foreach import copy_all
from luxel.train.guard import Verdict
from luxel.train.optim import MovingAverage, optimizer, set_rate, take_step
from luxel.train.precision import Autocast, LossScale, checked, set_precision
from luxel.train.replay import Replay
from luxel.train.resident import AnyBatch, EncodedBatch, resident
from luxel.train.run_folder import EventRow, Result
from luxel.train.runtime import (
    average_over_processes,
    forget_peak_memory,
    peak_memory,
    seed_step,
)
from luxel.train.train_config import BatchMean, TrainConfig

GRID_COLUMNS = 8
STATISTICS_BATCHES = 20
"""Training batches from which running statistics are made anew."""
MIN_SAMPLE_LOSS = 1e-5
"""Of a sample, in a geometric mean: what the eye does not see, lest a black picture rule its batch."""


@runtime_checkable
class DataSource(Protocol):
    """Where samples come from: a data set of shards, or a stream of fresh scenes."""

    def training_batches(self, batch_size: int, seed: int, start_step: int, rank: int, world: int) -> Iterator[Batch]:
        """Endless batches from `start_step` on, this rank's share of each."""
        ...

    def test_batches(self, batch_size: int, rank: int, world: int) -> Iterable[Batch]:
        """Every test sample once over all ranks."""
        ...


class Trainer:
    """A model in training: its optimiser, the moving average of its weights, and the processes it is spread over."""

    def __init__(self, model: nn.Module, config: TrainConfig, data: DataSource, runtime: Accelerator) -> None:
        self.runtime, self.device = runtime, runtime.device
        self.rank, self.world = runtime.process_index, runtime.num_processes
        if config.batch_size % (self.world * config.accumulate):
            raise InputError(
                f"train.batch_size is {config.batch_size}, must be a multiple of the {self.world} processes times "
                f"accumulate {config.accumulate}"
            )
        set_precision(config.precision)
        forget_peak_memory(self.device)
        self.model = model.to(self.device)
        self.average = MovingAverage(self.model, config.optim.ema_decay)
        self.optimizer = optimizer(config.optim, self.model.parameters())
        self.loss_scale = LossScale(config.precision, self.device, config.loss_scale_floor)
        self._predict = Autocast(config.precision, self.model, self.device)
        self._buffers = list(self.model.buffers())
        self._buffers_before = [torch.empty_like(buffer) for buffer in self._buffers]
        self._loss = loss_function(config.loss)
        self._config, self._data = config, data
        with runtime.main_process_first():  # which alone measures points
            self._resident = resident(data, self.model, self.device, config.points)
        # What is replayed has one shape, that of resident batches, and waits for no other process.
        replaying = self.device if self._resident is not None and self.world == 1 else torch.device("cpu")
        self._differentiated = Replay(self._differentiate_columns, replaying)
        self._stepped = Replay(self.step_optimizer, replaying)

    def begin(self, checkpoint: Path) -> Progress:
        """Start at the checkpoint; without one, at the initial weights, and make that the first checkpoint."""
        if self.rank == 0 and not checkpoint.exists():
            self.save(checkpoint, Progress(loss_scale=self.loss_scale.state()))
        self.runtime.wait_for_everyone()
        return self.load(checkpoint)

    def step(self, progress: Progress) -> tuple[Progress, Verdict, dict[str, float | int]]:
        """Try one optimiser step; what the guard says of it; the scalars to log."""
        config, step = self._config, progress.step + 1
        seed_step(config.seed, step, self.rank)
        self._batch = next(self._batches).to(self.device)
        loss, norm = self.gradients(self._batch)
        data_finite = math.isfinite(loss) or self.all_finite([self._batch])
        guard, verdict = progress.guard.observe(config.guard, step, loss, norm, self.loss_scale.at_floor, data_finite)
        rate = progress.guard.rate * config.rate(step)
        if verdict == "go on":
            self.update(rate)
        else:  # undo what a bad batch left in batch norm's running statistics
            copy_all(self._buffers, self._buffers_before)
        self.loss_scale.update(overflowed=not math.isfinite(norm))
        scalars = {"train_loss": loss, "rate": rate, "gradient_norm": norm, "skipped": guard.skipped}
        if self.loss_scale.enabled:
            scalars["loss_scale"] = self.loss_scale.value
        now = replace(progress, step=step, train_loss=loss, guard=guard, loss_scale=self.loss_scale.state())
        return now, verdict, scalars

    def gradients(self, batch: AnyBatch) -> tuple[float, float]:
        """Leave the batch's gradients, clipped, on the parameters; return its loss and the norm before clipping."""
        self.model.train()
        found = self._differentiated(*batch.columns) if isinstance(batch, EncodedBatch) else self.differentiate(batch)
        loss, norm = found.tolist()  # one wait for a GPU, not two
        return loss, norm

    def differentiate(self, batch: AnyBatch) -> Float32[torch.Tensor, "2"]:
        """What `gradients` does, without a wait: loss and norm stay on the device."""
        copy_all(self._buffers_before, self._buffers)
        self._predict.round_weights()
        size = len(batch) // self._config.accumulate
        parts = [batch.rows(slice(start, start + size)) for start in range(0, len(batch), size)]
        total = torch.zeros((), device=self.device)
        for part in parts:
            losses = self._loss(self._predict(part), part.radiance)
            loss = mean_of_samples(losses, self._config.batch_mean) / len(parts)
            assert loss.dtype == torch.float32, f"the loss must be in float32, not {loss.dtype}"
            self._predict.backward(self.loss_scale.scale(loss), add=part is not parts[0])
            total += loss.detach()
        gradients = [p.grad for p in self.model.parameters() if p.grad is not None]
        if self.world > 1:
            average_over_processes(gradients)
        self.loss_scale.unscale(gradients)
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), self._config.optim.clip_norm)
        return torch.stack([self.runtime.reduce(total, "mean"), norm])

    def _differentiate_columns(self, *columns: torch.Tensor) -> Float32[torch.Tensor, "2"]:
        assert self._resident is not None  # as encoded batches come of it
        return self.differentiate(EncodedBatch.of(self._resident.encoding, *columns))

    def update(self, rate: float) -> None:
        """Step the optimiser at this learning rate, and the average after it."""
        set_rate(self.optimizer, rate)
        self.average.begin_update()
        self._stepped()

    def step_optimizer(self) -> None:
        """What `update` does, of which nothing depends on the host."""
        take_step(self.optimizer)
        self.average.take_in(self.model)

    def test(self, progress: Progress) -> tuple[Progress, Verdict]:
        """Measure the test loss, hear the guard on it, and renew running statistics if it says so."""
        test_loss = self.test_loss()
        data_finite = math.isfinite(test_loss) or self.all_finite(self.test_batches())
        guard, verdict = progress.guard.observe_test(
            self._config.guard, progress.step, test_loss, data_finite, bool(batch_norms(self.model))
        )
        if verdict == "reset statistics":
            self.renew_statistics(progress.step)
            test_loss = self.test_loss()
        return replace(progress, test_loss=test_loss, guard=guard), verdict

    def test_loss(self) -> float:
        """The averaged weights' loss over the test set, all ranks together."""
        return mean_loss_over(self.average, self.test_batches(), self._loss, self.runtime)

    def test_batches(self) -> Iterable[Batch]:
        """This rank's part of the test set."""
        return self._data.test_batches(self._config.batch_size, self.rank, self.world)

    def all_finite(self, batches: Iterable[AnyBatch]) -> bool:
        """Whether the radiance to learn from is finite, all ranks together."""
        return not self.any_rank(any(not batch.radiance.isfinite().all() for batch in batches))

    def any_rank(self, flag: bool) -> bool:
        """Whether it is set on any rank; the same answer on all."""
        if self.world == 1:
            return flag
        return float(self.runtime.reduce(torch.tensor(float(flag), device=self.device), "sum")) > 0

    def renew_statistics(self, step: int) -> None:
        """Forget batch norm's running statistics, the average's too, and take them from training batches anew."""
        batches = list(islice(self._batches_from(step), STATISTICS_BATCHES))
        self._predict.round_weights()
        for model, run in ((self.model, self._predict), (self.average, partial(predict, self.average))):
            with averaging_statistics(model), torch.no_grad():
                for batch in batches:
                    run(batch.to(self.device))

    def grids(self, step: int) -> Iterator[tuple[str, UInt8[np.ndarray, "height width 3"]]]:
        """Pictures of the first test samples and, unless it is of rays, of the step's training batch, by name."""
        test = next(iter(self._data.test_batches(GRID_COLUMNS, 0, 1)))
        yield "test", comparison_grid(self.average, test.to(self.device))
        if self._batch.rays is None:
            yield "train", comparison_grid(self.average, self._last_batch(step))

    def _last_batch(self, step: int) -> Batch:
        """The batch of this step, the last; anew from its source if only what the network reads of it is there."""
        if isinstance(self._batch, Batch):
            return self._batch
        config = self._config
        again = self._data.training_batches(config.batch_size, config.seed, step - 1, self.rank, self.world)
        return next(again).to(self.device)

    def roll_back(self, checkpoint: Path, progress: Progress) -> Progress:
        """Return to the checkpoint, but for what the guard has learned since, and the time and memory taken."""
        then = self.load(checkpoint)
        guard = then.guard.after_rollback(progress.guard)
        return replace(then, guard=guard, seconds=progress.seconds, peak_memory_mib=progress.peak_memory_mib)

    def peak_memory(self, progress: Progress) -> float:
        """The most memory that the run has held, in MiB, in this process or before it was interrupted."""
        return float(np.fmax(progress.peak_memory_mib, peak_memory(self.device)))  # which passes over NaN

    def save(self, path: Path, progress: Progress) -> None:
        """Write a checkpoint."""
        save_checkpoint(path, self.model, self.average, self.optimizer, progress)

    def load(self, path: Path) -> Progress:
        """Go back to a checkpoint."""
        progress = load_checkpoint(path, self.model, self.average, self.optimizer)
        self._stepped.forget()  # as the optimiser's state now stands elsewhere
        self.loss_scale.restore(progress.loss_scale)
        self._batches = self._batches_from(progress.step)
        return progress

    def close(self) -> None:
        """End what loads or traces ahead."""
        if isinstance(self._batches, Generator):
            self._batches.close()

    def _batches_from(self, step: int) -> Iterator[AnyBatch]:
        config = self._config
        data = self._resident or self._data
        return data.training_batches(config.batch_size, config.seed, step, self.rank, self.world)

    def summary(self, progress: Progress, verdict: Verdict) -> Result:
        """What result.json says."""
        samples, guard = progress.step * self._config.batch_size, progress.guard
        diverged = verdict == "stop" or guard.lost(self._config.guard)
        return {
            "status": "diverged" if diverged else "finished",
            "diagnosis": guard.events[-1].diagnosis if diverged else None,
            "events": [
                EventRow(step=event.step, diagnosis=event.diagnosis, verdict=event.verdict) for event in guard.events
            ],
            "steps": progress.step,
            "samples": samples,
            "seconds": round(progress.seconds, 1),
            "images_per_s": round(samples / progress.seconds, 2),
            "peak_memory_mib": round(progress.peak_memory_mib, 1),
            "train_loss": progress.train_loss,
            "test_loss": progress.test_loss,
            "skipped_steps": guard.skipped,
            "parameters": sum(parameter.numel() for parameter in self.model.parameters()),
        }


def predict(model: nn.Module, batch: AnyBatch) -> Float32[torch.Tensor, "batch *picture 3"]:
    """Radiance of the batch's scenes, or of its rays, computed in the model's own precision."""
    return checked(model(*batch.inputs), batch)


def mean_of_samples(losses: Float32[torch.Tensor, "batch *picture 3"], kind: BatchMean) -> Float32[torch.Tensor, ""]:
    """The mean of the samples' losses; geometric, one of those plus MIN_SAMPLE_LOSS."""
    if kind == "arithmetic":
        return losses.mean()
    return (losses.flatten(1).mean(1) + MIN_SAMPLE_LOSS).log().mean().exp()


@torch.no_grad()
def mean_loss_over(model: nn.Module, batches: Iterable[Batch], loss_of: Loss, runtime: Accelerator) -> float:
    """Sum of the samples' losses over their count, over all ranks, in float32 arithmetic summed in float64."""
    model.eval()
    total = torch.zeros(2, dtype=torch.float64)
    for batch in batches:
        batch = batch.to(runtime.device)
        losses = loss_of(predict(model, batch), batch.radiance).flatten(1).mean(dim=1)
        total += torch.tensor([losses.cpu().double().sum().item(), len(losses)])
    if runtime.num_processes > 1:
        total = runtime.reduce(total.to(runtime.device), "sum")
    return float(total[0] / total[1])


@torch.no_grad()
def comparison_grid(model: nn.Module, batch: Batch) -> UInt8[np.ndarray, "height width 3"]:
    """The first images of the batch beside their truth, a scene a column; what is no radiance is black."""
    model.eval()
    first = batch.rows(slice(GRID_COLUMNS))
    truths, outputs = (
        torch.nan_to_num(radiance, 0.0, 0.0, 0.0).clamp(min=0).cpu().numpy()
        for radiance in (first.radiance, predict(model, first))
    )
    of_a_path = None if first.path_variance is None else first.path_variance.cpu().numpy()
    scenes = SideBySide.each([""] * len(first), truths, {"model": outputs}, first.variance.cpu().numpy(), of_a_path)
    return sheet(scenes, columns=True)
