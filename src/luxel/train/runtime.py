"""Where training runs: device, processes and memory; devices and processes through accelerate."""

import hashlib
import math
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, current_thread, main_thread
from types import FrameType

import torch
from accelerate import Accelerator

LINUX_STATUS = Path("/proc/self/status")


def accelerator(cpu: bool = False) -> Accelerator:
    """An accelerator for this process: a GPU where there is one, the CPU, or a rank of `accelerate launch`."""
    return Accelerator(mixed_precision="no", cpu=cpu)


def seed_step(seed: int, step: int, rank: int) -> None:
    """Seed torch's generators from (seed, step, rank), so that a resumed run draws what it would have drawn."""
    digest = hashlib.sha256(f"{seed}/{step}/{rank}".encode()).digest()
    torch.manual_seed(int.from_bytes(digest[:8], "big", signed=True))


@contextmanager
def interruption_noted() -> Iterator[Event]:
    """Within, Ctrl-C sets the event instead of raising KeyboardInterrupt; pressed again, it raises.

    Where Ctrl-C is not Python's own to handle, or in another thread than the main one, nothing changes.
    """
    noted, before = Event(), signal.getsignal(signal.SIGINT)
    if before is not signal.default_int_handler or current_thread() is not main_thread():
        yield noted
        return

    def note(number: int, frame: FrameType | None) -> None:
        os.write(2, b"\nending this step; Ctrl-C again to stop at once\n")
        signal.signal(signal.SIGINT, before)
        noted.set()

    signal.signal(signal.SIGINT, note)
    try:
        yield noted
    finally:
        signal.signal(signal.SIGINT, before)


def leave() -> None:
    """Part from the other processes at the end of a program: gloo aborts a rank that others just drop."""
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
