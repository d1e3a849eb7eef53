"""Whether work fits into memory, asked before it starts: a system short of memory ends a process without a word.

And work that makes many objects and no garbage, without the collector that looks for it.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from luxel import InputError

CGROUPS = Path("/sys/fs/cgroup")
"""Where Linux mounts its control groups, by which containers and schedulers limit memory."""
MEMBERSHIP = Path("/proc/self/cgroup")
"""A line for each hierarchy, ID:CONTROLLERS:PATH, with the path of this process's group; see cgroups(7)."""


def check_fits(needed: int, what: str, remedy: str, device: str = "cpu", unasked: int = 0) -> None:
    """Raise InputError if `what`, which takes `needed` bytes, is more than the device's free memory.

    Up to `unasked` bytes are taken for free memory, as to ask takes 0.3 ms and more.
    """
    if needed <= unasked:
        return
    free = free_memory(device, needed)
    if needed > free:
        raise InputError(
            f"{what}: that takes some {format_size(needed)} of memory, of which {format_size(free)} are free; {remedy}"
        )


def free_memory(device: str = "cpu", enough: int | None = None) -> int:
    """Bytes that the device, "cpu" or one of torch's, can still give to this process: the least that anyone allows.

    Of a GPU, with what torch holds there for its next tensors, unless there is `enough` without: a frame is rendered
    in less time than torch takes to tell. Of a CPU, what the system has available and what is left in each control
    group that the process is in.
    """
    if device.startswith("cuda"):
        import torch

        free = int(torch.cuda.mem_get_info(device)[0])
        if enough is None or free < enough:
            free += torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return free
    return max(0, min([int(psutil.virtual_memory().available), *left_in_groups()]))


def left_in_groups() -> Iterator[int]:
    """Bytes left below the limit of each control group of this process, from its own up to the root.

    What is used includes the page cache, of which the part that nobody has read lately (inactive_file) is given up
    first, so that it counts as free. Below 0 where a limit was lowered afterwards.
    """
    for group, version in memory_groups():
        maximum, current, reclaimable = {
            1: ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
            2: ("memory.max", "memory.current", "inactive_file"),
        }[version]
        with suppress(OSError, ValueError, KeyError):  # no such file, as the root has none; or no limit, "max"
            limit, used = (int((group / name).read_text()) for name in (maximum, current))
            statistics = dict(line.split(maxsplit=1) for line in (group / "memory.stat").read_text().splitlines())
            yield limit - max(0, used - int(statistics[reclaimable]))


def memory_groups() -> Iterator[tuple[Path, int]]:
    """The folders of the control groups that limit this process's memory, innermost first, and their version, 1 or 2.

    In a container the path may be that of the host, which is not mounted there; the container's own is the root then.
    """
    with suppress(OSError):
        for line in MEMBERSHIP.read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if controllers and "memory" not in controllers.split(","):
                continue
            root = CGROUPS / "memory" if controllers else CGROUPS
            own = root / path.strip("/")
            for group in (own, *own.parents):
                if group.is_relative_to(root):
                    yield group, 1 if controllers else 2


def format_size(size: int) -> str:
    """Bytes as MiB, GiB or TiB, to three digits."""
    for unit, exponent in (("TiB", 40), ("GiB", 30)):
        if size >= 2**exponent:
            return f"{size / 2**exponent:.3g} {unit}"
    return f"{size / 2**20:.3g} MiB"


@contextmanager
def collection_paused() -> Iterator[None]:
    """Within, or in what it decorates, Python does not look for cycles among the objects there are.

    It does again and again while there are ever more, and none of a scene's are cycles: of the 2.1 s that a scene of
    100 000 spheres took to be made, 1.4 s were that.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
