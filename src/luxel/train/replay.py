"""A function of tensors that is called again and again, replayed on a GPU as one CUDA graph.

A training step of the image model is two thousand kernels, and Python launches them more slowly than a GPU computes
them. A graph is recorded once and launched whole (https://docs.pytorch.org/docs/stable/notes/cuda.html#cuda-graphs).
Replayed, nothing of the function runs but its kernels, on the memory that they were recorded with: so it must not wait
for a tensor's value, and what changes from call to call must come in as its inputs or stand in tensors that stay.
"""

from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar

import torch
from torch import Tensor

from luxel.train.foreach import copy_all

WARM_UP = 2
"""Calls before the recording: in the first ones libraries choose their kernels, and constants are made that stay."""


Result = TypeVar("Result")


class Recorder(Protocol):
    """Records what a function computes."""

    def run(self, function: Callable[[], Result]) -> Result:
        """Call it, in the way in which it will be recorded."""
        ...

    def record(self, function: Callable[[], Result]) -> Result:
        """Call it for the record, which is all that may come of it; the tensor that holds the result of a replay."""
        ...

    def replay(self) -> None:
        """Compute again what was recorded."""
        ...


class CudaGraph:
    """A recorder for NVIDIA's GPUs. A recording computes nothing."""

    def __init__(self) -> None:
        self._graph = torch.cuda.CUDAGraph()
        self._stream = torch.cuda.Stream()

    def run(self, function: Callable[[], Result]) -> Result:
        """On the stream that will be recorded, as its memory and cuBLAS's workspaces belong to it."""
        self._stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self._stream):
            result = function()
        torch.cuda.current_stream().wait_stream(self._stream)
        return result

    def record(self, function: Callable[[], Result]) -> Result:
        """Other threads, such as those that load data, may go on meanwhile."""
        with torch.cuda.graph(self._graph, stream=self._stream, capture_error_mode="thread_local"):
            return function()

    def replay(self) -> None:
        """On the current stream."""
        self._graph.replay()


RECORDERS: dict[str, Callable[[], Recorder]] = {"cuda": CudaGraph}
"""By the type of device; elsewhere functions are called as they are."""


def number(value: float, device: torch.device) -> float | Tensor:
    """A number that changes between calls: where functions are recorded a tensor, which is read when it is computed."""
    return torch.full((), value, device=device) if device.type in RECORDERS else value


class Replay(Generic[Result]):
    """The function, recorded in its third call and replayed from then on.

    Its inputs have one shape: for another it is called as it is. The result is overwritten by the next call.
    """

    def __init__(self, function: Callable[..., Result], device: torch.device) -> None:
        self._function, self._make = function, RECORDERS.get(device.type)
        self.forget()

    def forget(self) -> None:
        """Record anew, as tensors that it reads or writes have been replaced."""
        self._recorder = None if self._make is None else self._make()
        self._inputs: list[Tensor] = []
        self._results: list[Result] = []
        self._calls = 0

    def __call__(self, *inputs: Tensor) -> Result:
        """What the function makes of the inputs."""
        if self._recorder is None:
            return self._function(*inputs)
        if self._calls == 0:
            self._inputs = [torch.empty_like(value) for value in inputs]
        elif not same_shapes(self._inputs, inputs):
            return self._function(*inputs)
        copy_all(self._inputs, inputs)
        self._calls += 1
        if self._calls <= WARM_UP:
            return self._recorder.run(self._once)
        if not self._results:
            self._results.append(self._recorder.record(self._once))
        self._recorder.replay()
        return self._results[0]

    def _once(self) -> Result:
        return self._function(*self._inputs)


def same_shapes(some: Sequence[Tensor], others: Sequence[Tensor]) -> bool:
    """Whether two lists of tensors have the same shapes and number formats."""
    return [(one.shape, one.dtype) for one in some] == [(other.shape, other.dtype) for other in others]
