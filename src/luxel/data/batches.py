"""Batches of a training run and of a test, for any number of processes."""

import os
import signal
import time
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from threading import Thread
from typing import Any, Protocol, TypeVar, runtime_checkable

import numpy as np
import torch
from jaxtyping import Int64
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from luxel import InputError
from luxel.core.launch import cores
from luxel.data.dataset import Batch, ShardDataset

Made_co = TypeVar("Made_co", covariant=True)


@runtime_checkable
class BatchSource(Protocol[Made_co]):
    """Where training batches come from: shards on disk, or scenes made and traced on the fly."""

    def order(self, start: int, stop: int, seed: int) -> Int64[np.ndarray, "positions"]:
        """Which samples stand at positions start..stop−1 of an endless training; a pure function."""
        ...

    def batch(self, indices: Sequence[int] | Int64[np.ndarray, "batch"]) -> Made_co:
        """These samples."""
        ...


class ShardSource:
    """A generated folder as the trainer takes it."""

    def __init__(self, root: str | Path) -> None:
        self.train = ShardDataset(root, "train")
        self.test = ShardDataset(root, "test")

    def training_batches(self, batch_size: int, seed: int, start_step: int, rank: int, world: int) -> Iterator[Batch]:
        """See `training_batches`."""
        return training_batches(self.train, batch_size, seed, start_step, rank, world)

    def test_batches(self, batch_size: int, rank: int, world: int) -> Iterator[Batch]:
        """See `evaluation_batches`."""
        return evaluation_batches(self.test, batch_size, rank, world)


def training_batches(
    source: BatchSource[Made_co],
    batch_size: int,
    seed: int,
    start_step: int = 0,
    rank: int = 0,
    world: int = 1,
    workers: int = 0,
) -> Iterator[Made_co]:
    """This rank's share of the batches of steps start_step, start_step + 1, … without end.

    `batch_size` counts all ranks together, and must be a multiple of `world`. What a step is made of depends
    on (seed, step) alone: not on the ranks, the `workers` (processes that load ahead) or where it started.
    """
    if batch_size % world:
        raise InputError(f"batch_size is {batch_size}, must be a multiple of the {world} processes")
    steps = _Steps(source, batch_size, seed, start_step, rank, world)
    # A generator of its own, since DataLoader would draw from the global one and so change the run.
    generator = torch.Generator()
    loader = DataLoader(
        steps, None, num_workers=workers, collate_fn=_as_it_is, generator=generator, worker_init_fn=_start_worker
    )
    return iter(loader)


def evaluation_batches(dataset: ShardDataset, batch_size: int, rank: int = 0, world: int = 1) -> Iterator[Batch]:
    """Every sample once, over all ranks together; the last batches may be smaller, or a rank have fewer."""
    mine = np.arange(rank, len(dataset), world)
    for start in range(0, len(mine), batch_size):
        yield dataset.batch(mine[start : start + batch_size])


def _as_it_is(batch: Any) -> Any:
    """Without which a DataLoader makes tensors of NumPy's arrays."""
    return batch


def _start_worker(worker: int) -> None:
    """When a run is to end, and whether it needs one more batch for that, is its own affair; it ends its workers.

    So they ignore Ctrl-C and the SIGTERM that a scheduler sends to all processes of a job, but not their parent's.
    Half of the cores are for what is traced in a worker; torch would leave it one.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if os.name == "posix":
        if hasattr(signal, "sigtimedwait"):  # in all threads, for one to receive it
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    torch.set_num_threads(max(1, cores() // 2))


def _end_with(parent: int) -> None:
    """End this process when its parent says so, or a second after that has ended, whatever ended it.

    torch, too, ends orphaned workers, but only between batches, which may take minutes.
    """
    while os.getppid() == parent:
        if hasattr(signal, "sigtimedwait"):
            received = signal.sigtimedwait({signal.SIGTERM}, 1.0)
            if received is not None and received.si_pid == parent:
                break
        else:
            time.sleep(1.0)
    os._exit(0)


class _Steps(IterableDataset[Made_co]):
    """Worker i of n loads the steps start + i, start + i + n, …; DataLoader takes from them in turn."""

    def __init__(
        self, source: BatchSource[Made_co], batch_size: int, seed: int, start_step: int, rank: int, world: int
    ) -> None:
        self._source = source
        self._seed = seed
        self._start_step = start_step
        self._batch_size = batch_size
        self._share = range(rank * batch_size // world, (rank + 1) * batch_size // world)

    def __iter__(self) -> Iterator[Made_co]:
        worker = get_worker_info()
        first, stride = (worker.id, worker.num_workers) if worker else (0, 1)
        for step in count(self._start_step + first, stride):
            begin = step * self._batch_size
            order = self._source.order(begin + self._share.start, begin + self._share.stop, self._seed)
            yield self._source.batch(order)
