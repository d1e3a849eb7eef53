"""Whether work fits into memory, asked before it starts: a system short of memory ends a process without a word."""

from contextlib import suppress
from pathlib import Path

import psutil

from luxel import InputError

CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")
"""What a container may use in all, where Linux says so."""


def check_fits(needed: int, what: str, remedy: str, device: str = "cpu") -> None:
    """Raise InputError if `what`, which takes `needed` bytes, is more than the device's free memory."""
    free = free_memory(device)
    if needed > free:
        raise InputError(
            f"{what}: that takes some {in_words(needed)} of memory, of which {in_words(free)} are free; {remedy}"
        )


def free_memory(device: str = "cpu") -> int:
    """Bytes that the device, "cpu" or one of torch's, can still give to this process."""
    if device.startswith("cuda"):
        import torch

        return int(torch.cuda.mem_get_info(device)[0])
    free = int(psutil.virtual_memory().available)
    with suppress(OSError, ValueError):  # no such file, or "max"
        free = min(free, int(CGROUP_LIMIT.read_text()))
    return free


def in_words(size: int) -> str:
    """Bytes as MiB, GiB or TiB, to three digits."""
    for unit, exponent in (("TiB", 40), ("GiB", 30)):
        if size >= 2**exponent:
            return f"{size / 2**exponent:.3g} {unit}"
    return f"{size / 2**20:.3g} MiB"
