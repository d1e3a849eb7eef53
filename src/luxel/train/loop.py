"""The training loop: one screen that reads like the algorithm."""

import math
import time
from contextlib import closing, nullcontext
from dataclasses import replace
from typing import Any

from accelerate import Accelerator
from torch import nn

from luxel.progress import ProgressBar
from luxel.train.checkpoint import Progress
from luxel.train.guard import Verdict
from luxel.train.run_folder import Result, RunFolder
from luxel.train.runtime import interruption_noted
from luxel.train.train_config import TrainConfig
from luxel.train.trainer import DataSource, Trainer


def train(
    model: nn.Module,
    data: DataSource,
    config: TrainConfig,
    folder: RunFolder,
    runtime: Accelerator,
    bar: ProgressBar | None = None,
) -> Result:
    """Train `model`, or go on where the folder's checkpoint stands; return the result that is left in the folder.

    Batch, learning rate and random draws of a step depend on (seed, step) alone, so that a run which was
    interrupted at any moment ends with the same weights as one that was not: to the bit on a CPU with as many threads,
    as sums are split among them, on a GPU as far as its kernels are deterministic. A run that has ended is left alone,
    unless its weights are lost or damaged: then it goes on from its checkpoint, to the same end. Progress, in images,
    is shown on `bar`, or on a bar of its own.
    """
    ended = folder.result
    if ended is not None and folder.has_weights:
        return ended
    trainer, main = Trainer(model, config, data, runtime), runtime.is_main_process
    progress = trainer.begin(folder.checkpoint)
    if main:
        folder.rewind(progress.step)
    verdict: Verdict = "go on"
    test_steps = config.test_steps
    started = time.monotonic() - progress.seconds
    own_bar = bar is None
    bar = bar or ProgressBar(total=config.steps * config.batch_size, unit="img", disable=not main)
    bar.update(progress.step * config.batch_size)
    with bar if own_bar else nullcontext(), closing(folder), closing(trainer), interruption_noted() as interrupted:
        while progress.step < config.steps and verdict != "stop":
            progress, verdict, scalars = trainer.step(progress)
            if progress.step in test_steps and verdict in ("go on", "skip"):
                progress, verdict = trainer.test(progress)
                scalars["test_loss"] = progress.test_loss
                if main:
                    log_pictures(folder, trainer, progress.step)
            seconds = time.monotonic() - started
            progress = replace(progress, seconds=seconds, peak_memory_mib=trainer.peak_memory(progress))
            if main:
                folder.log(progress.step, progress.step * config.batch_size, seconds, **scalars)
            bar.update(config.batch_size)
            show_losses(bar, progress)
            if verdict == "roll back":
                reached = progress.step
                progress = trainer.roll_back(folder.checkpoint, progress)
                bar.update((progress.step - reached) * config.batch_size)
                if main:
                    folder.rewind(progress.step)
            stopping = trainer.any_rank(interrupted.is_set())
            if main and progress.guard.healthy:
                due = stopping or progress.step % config.checkpoint_every == 0
                if due or verdict == "roll back" or progress.step == config.steps:
                    trainer.save(folder.checkpoint, progress)
                if progress.step == config.branching_step or (due and progress.step < config.branching_step):
                    trainer.save(folder.stable_checkpoint, progress)
            if stopping:
                runtime.wait_for_everyone()  # as a launcher stops them all once the first has ended
                raise KeyboardInterrupt
    result = ended or trainer.summary(progress, verdict)
    if main:
        weights: Any = trainer.average.module  # whose mixin the type checker cannot see
        weights.save_pretrained(folder.model)
        folder.finish(result)
    runtime.wait_for_everyone()
    return result


def log_pictures(folder: RunFolder, trainer: Trainer, step: int) -> None:
    """Log pictures of the first test samples, and of the step's training batch."""
    for name, grid in trainer.grids(step):
        folder.log_images(step, name, grid)


def show_losses(bar: ProgressBar, progress: Progress) -> None:
    """Put the last losses behind the bar."""
    tested = {} if math.isnan(progress.test_loss) else {"test": f"{progress.test_loss:.2e}"}
    bar.set_postfix(loss=f"{progress.train_loss:.2e}", **tested)
