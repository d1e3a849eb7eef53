"""Launching kernels on torch's tensors: on a CPU in slices by a pool of threads, on CUDA on torch's current stream."""

import math
import os
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from itertools import accumulate
from typing import Any

import torch
import warp as wp
from filelock import FileLock
from torch import Tensor

CPU_COMPILER_FLAGS = (
    # Fused multiply–adds are both nearer to the exact result and faster, by a tenth.
    "-ffp-contract=fast",
    # Structs are handed on by value, the 450 bytes of Scenes above all: by vector stores, in place of more than 8 of
    # which LLVM takes `rep movsb`, one slow instruction. Gather paths take 0.83 of the time.
    "-mllvm=-max-store-memcpy=64",
)


@contextmanager
def _quiet_warp() -> Iterator[None]:
    """Within, Warp says nothing but errors."""
    before = wp.config.log_level
    wp.config.log_level = max(before, wp.LOG_ERROR)
    try:
        yield
    finally:
        wp.config.log_level = before


def _start_warp() -> None:
    """Initialise Warp without its notes on the machine; that there is no CUDA driver it writes to file number 2."""
    wp.config.cpu_compiler_flags = " ".join([wp.config.cpu_compiler_flags or "", *CPU_COMPILER_FLAGS])
    with _quiet_warp(), open(os.devnull, "w") as nowhere:
        before = os.dup(2)
        try:
            if not torch.cuda.is_available():
                os.dup2(nowhere.fileno(), 2)
            wp.init()
        finally:
            os.dup2(before, 2)
            os.close(before)


_start_warp()

SLICES_A_THREAD = 8  # so that a thread which is held up by other work leaves its slices to the others
NOTED_AFTER_S = 0.7  # what takes less is read from the cache, as on a busy machine more may be
LOCK_TIMEOUT_S = 600.0
"""After which a process compiles what another one has not done compiling, or what a file system never locks."""
MIN_SLICE = 256  # a launch costs some 30 µs
ALIGNMENT = 64  # bytes: a line of a processor's cache

_pools: dict[int, ThreadPoolExecutor] = {}
_loaded: dict[tuple[Any, torch.device], float] = {}
"""Seconds that it took, by module."""
_lock = threading.Lock()


def to_warp(tensor: Tensor, dtype: Any = None) -> Any:
    """The tensor's memory as a Warp array, rows being vectors or matrices of `dtype`; nothing is copied."""
    tensor = (tensor.detach() if tensor.requires_grad else tensor).contiguous()
    return wp.from_torch(tensor) if dtype is None else wp.from_torch(tensor, dtype=dtype)


def threads() -> int:
    """How many threads kernels on a CPU get: as many as torch's own operations, at most one a core at hand."""
    return max(1, min(torch.get_num_threads(), cores()))


def cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def warp_device(device: torch.device) -> Any:
    """Warp's name for a device of torch's; of "cuda" alone, the current one."""
    if str(device) == "cuda":
        device = torch.device("cuda", torch.cuda.current_device())
    return wp.device_from_torch(device)


def struct_array(table: Tensor, struct: Any) -> Any:
    """32-bit words, row after row an instance of a Warp struct of such, as an array that owns them."""
    rows = table.numel() * table.element_size() // wp.types.type_size_in_bytes(struct)
    array = wp.array(ptr=table.data_ptr(), dtype=struct, shape=rows, device=warp_device(table.device))
    array._table = table
    return array


def scratch(device: torch.device, *kinds: tuple[tuple[int, ...], Any]) -> list[Any]:
    """Arrays by shape and Warp type, for what kernels leave one another: unset, and one piece of torch's memory."""
    sizes = [math.prod(shape) * wp.types.type_size_in_bytes(dtype) for shape, dtype in kinds]
    ends = list(accumulate(-(-size // ALIGNMENT) * ALIGNMENT for size in sizes))
    memory = torch.empty(ends[-1], dtype=torch.uint8, device=device)
    arrays = []
    for (shape, dtype), begin in zip(kinds, [0, *ends[:-1]], strict=True):
        at = memory.data_ptr() + begin
        arrays.append(wp.array(ptr=at, dtype=dtype, shape=shape, device=warp_device(device)))
        arrays[-1]._table = memory
    return arrays


def load(kernel: Any, device: torch.device) -> None:
    """Make the kernel ready: compile it on the machine's first use, and say so, or take it from Warp's cache.

    Of processes that want the same at once, one compiles and the others wait for it.
    """
    with _lock:
        if (kernel.module, device) in _loaded:
            return
        note = threading.Timer(NOTED_AFTER_S, _say_compiling)
        note.daemon = True
        note.start()
        started = time.perf_counter()
        try:
            with _quiet_warp(), ExitStack() as held:
                lock = FileLock(os.path.join(wp.config.kernel_cache_dir, f"{kernel.module.name}.lock"), LOCK_TIMEOUT_S)
                with suppress(OSError, NotImplementedError):  # of a cache in which nothing can be written, or locked
                    held.enter_context(lock)
                wp.load_module(kernel.module, device=warp_device(device))
        finally:
            note.cancel()
        _loaded[kernel.module, device] = time.perf_counter() - started


def seconds_of_loading() -> float:
    """That this process has spent until now on compiling kernels or taking them from Warp's cache."""
    return sum(tuple(_loaded.values()), 0.0)  # as another thread may be adding one


@cache
def _say_compiling() -> None:
    told = "making kernels ready: a machine compiles them once, which takes seconds, or minutes if it is busy …"
    print(told, file=sys.stderr, flush=True)


def launch(
    kernel: Any, size: int, inputs: Sequence[Any], outputs: Sequence[Any], device: torch.device, sliced: bool = False
) -> None:
    """Run `kernel` for the indices 0 … size − 1, and wait for it on a CPU.

    A kernel to be `sliced` takes as its last argument the index at which its slice begins, and adds it to `wp.tid()`.
    What takes microseconds is launched as a whole.
    """
    load(kernel, device)
    arguments = [to_warp(value) if isinstance(value, Tensor) else value for value in (*inputs, *outputs)]
    if device.type == "cuda":
        # Named, since Warp's own current stream is the device's, whichever of its threads set it.
        stream = wp.stream_from_torch(torch.cuda.current_stream(device))
        wp.launch(kernel, size, [*arguments, *([0] if sliced else [])], stream=stream)
        return
    if not sliced:
        wp.launch(kernel, size, arguments, device="cpu")
        return
    count = threads()
    length = max(MIN_SLICE, -(-size // (count * SLICES_A_THREAD)))
    begins = iter(range(0, size, length))

    def run() -> None:
        command = None  # of this thread: recorded once, as packing arguments takes longer than many slices
        for begin in begins:  # which all threads take from
            slice_size = min(length, size - begin)
            if command is None:
                command = wp.launch(kernel, slice_size, [*arguments, begin], device="cpu", record_cmd=True)
            if slice_size < length:  # of all slices the last one alone
                command.set_dim(slice_size)
            command.set_param_at_index_from_ctype(len(arguments), begin)
            command.launch()

    helpers = [_pool(count).submit(run) for _ in range(min(count, -(-size // length)) - 1)]
    try:
        run()
    finally:  # after Ctrl-C, too, nothing may write to arrays that are about to be freed
        for _ in begins:
            pass
        working = [helper for helper in helpers if not helper.cancel()]
        for helper in working:
            helper.exception()
    for helper in working:
        helper.result()


def _pool(count: int) -> ThreadPoolExecutor:
    """This process's threads: a pool that was inherited by a fork has none."""
    with _lock:
        if count not in _pools:
            _pools[count] = ThreadPoolExecutor(count, "luxel")
        return _pools[count]


def _forget_pools() -> None:
    global _lock
    _lock = threading.Lock()
    _pools.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_pools)
