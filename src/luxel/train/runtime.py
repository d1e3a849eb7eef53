"""Where training runs: device, processes and memory; devices and processes through accelerate."""

import hashlib
import math
import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from threading import Event, current_thread, main_thread
from types import FrameType

import torch
from accelerate import Accelerator, InitProcessGroupKwargs
from torch import Tensor

LINUX_STATUS = Path("/proc/self/status")
MAX_WAIT = timedelta(days=1)
"""Of a process for the others, one of which may measure a data set meanwhile: 9 pictures of 96² a second and core, so
that torch's own limits, 10 and 30 minutes, would end a run from more than 5 000. `torchrun` tells if a process dies."""


def accelerator(cpu: bool = False) -> Accelerator:
    """An accelerator for this process: a GPU where there is one, the CPU, or a rank of `torchrun`.

    Accelerate would take ranks without a GPU for so many runs of one process, unless it is told to stay on the CPU.
    """
    is_rank = int(os.environ.get("WORLD_SIZE", "1")) > 1
    if is_rank:
        import_module("torch.distributed.nn")  # while there is no group that it could keep, see `leave_process_group`
    return Accelerator(
        mixed_precision="no",
        cpu=cpu or (is_rank and not torch.cuda.is_available()),
        kwargs_handlers=[InitProcessGroupKwargs(timeout=MAX_WAIT)],
    )


def seed_step(seed: int, step: int, rank: int) -> None:
    """Seed torch's generators from (seed, step, rank), so that a resumed run draws what it would have drawn."""
    digest = hashlib.sha256(f"{seed}/{step}/{rank}".encode()).digest()
    torch.manual_seed(int.from_bytes(digest[:8], "big", signed=True))


@torch.no_grad()
def average_over_processes(tensors: Sequence[Tensor]) -> None:
    """Replace every tensor by its mean over the processes, in one exchange; their number formats are the same."""
    together = torch.cat([tensor.flatten() for tensor in tensors])
    torch.distributed.all_reduce(together)
    together /= torch.distributed.get_world_size()
    parts = together.split([tensor.numel() for tensor in tensors])
    torch._foreach_copy_(list(tensors), [part.view_as(tensor) for part, tensor in zip(parts, tensors, strict=True)])


@contextmanager
def interruption_noted() -> Iterator[Event]:
    """Within, Ctrl-C sets the event instead of raising KeyboardInterrupt; pressed again, it raises.

    So does SIGTERM, where it raises KeyboardInterrupt as well, as under the command line. A signal that does not, as
    it is another's to handle or ignored, stays as it is, as do both in another thread than the main one.
    """
    noted, before = Event(), signal.default_int_handler
    mine = [number for number in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(number) is before]
    if not mine or current_thread() is not main_thread():
        yield noted
        return

    def as_before() -> None:
        for number in mine:
            signal.signal(number, before)

    def note(number: int, frame: FrameType | None) -> None:
        with suppress(OSError):
            os.write(2, b"\nending this step; Ctrl-C again to stop at once\n")
        as_before()
        noted.set()

    for number in mine:
        signal.signal(number, note)
    try:
        yield noted
    finally:
        as_before()


def leave_process_group() -> None:
    """Part from the other processes at the end of a program: gloo aborts a rank that others just drop.

    Destroying the group ends gloo's threads only if nothing else holds it; one that drops a tensor while the
    interpreter ends aborts the process. The functions of `torch.distributed.nn`, which the first optimiser imports,
    would hold it: their default is the group that there is at their import. So `accelerator` imports them first.
    """
    if torch.distributed.is_initialized():
        torch.distributed.barrier()
        torch.distributed.destroy_process_group()


def forget_peak_memory(device: torch.device) -> None:
    """Start the measurement of `peak_memory` anew, where the system can."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    else:
        with suppress(OSError):
            LINUX_STATUS.with_name("clear_refs").write_text("5")  # resets VmHWM, see proc(5)


def peak_memory(device: torch.device) -> float:
    """The most memory held since `forget_peak_memory`, in MiB: a GPU's by torch, else the process's
    resident set by Linux, NaN elsewhere."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    with suppress(OSError):
        for line in LINUX_STATUS.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return float(line.split()[1]) / 2**10
    return math.nan
