"""Functions as tasks on several machines, by Ray (https://docs.ray.io), which the extra `luxel[cluster]` installs.

A task whose node is lost is begun again on another one; what it had left in the shared folder, the caller's current
one, is there for it to go on from. Arguments and results are pickled by Ray: a cluster's nodes trust each other.
"""

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from threading import current_thread, main_thread
from typing import Annotated, Any, TypeAlias

from pydantic import Field

from luxel import InputError, __version__
from luxel.configuration import shortened

Cores: TypeAlias = Annotated[float, Field(gt=0, le=1024)]
Gpus: TypeAlias = Annotated[float, Field(ge=0, le=64)]
RETRIES = 20
"""Nodes that one task may lose, before it is given up: it may be what ends them."""
TAIL = 12
"""Lines of a failed task's traceback."""
Task: TypeAlias = Any
"""Ray's reference to what a task will return."""


class TaskLost(InputError):
    """A task that returned nothing: it failed, or its nodes were lost, or what ran it was killed, again and again."""


@dataclass(frozen=True)
class Cluster:
    """A connection to a cluster, and what each task on it takes: `cpus` and `gpus` may be fractions."""

    ray: Any
    cpus: float
    gpus: float

    @property
    def threads(self) -> int:
        """Of a task: OMP_NUM_THREADS where that is set, else its `cpus`."""
        return omp_num_threads(max(1, int(self.cpus)))

    @property
    def at_once(self) -> int:
        """About how many tasks the cluster as it is now can run at once."""
        there = self.ray.cluster_resources()
        of_gpus = there.get("GPU", 0.0) / self.gpus if self.gpus else float("inf")
        return max(1, int(min(there.get("CPU", 0.0) / self.cpus, of_gpus)))

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Task:
        """Have a function of a module called on some node, in the current folder's counterpart there."""
        remote = self.ray.remote(num_cpus=self.cpus, num_gpus=self.gpus, max_retries=RETRIES)(in_folder)
        return remote.remote(str(Path.cwd()), self.threads, __version__, function, *arguments)

    def ended(self, tasks: Sequence[Task], timeout_s: float | None = None) -> list[Task]:
        """Those that have ended, at least one unless the time is over before."""
        ready, _ = self.ray.wait([*tasks], num_returns=1, timeout=timeout_s)
        more, _ = self.ray.wait([*tasks], num_returns=len(tasks), timeout=0)
        return [task for task in tasks if task in {*ready, *more}]

    def result(self, task: Task) -> Any:
        """What the function returned. Raises InputError as it did, TaskLost if it did not end."""
        try:
            return self.ray.get(task)
        except self.ray.exceptions.RayTaskError as error:
            if isinstance(error.cause, InputError):
                raise error.cause from None
            lines = str(error).strip().splitlines()[-TAIL:]
            raise TaskLost("\n  ".join(["a task on the cluster failed; the end of what it said:", *lines])) from error
        except self.ray.exceptions.RayError as error:
            raise TaskLost(f"a task on the cluster was lost: {' '.join(str(error).split())[:500]}") from error

    def stop(self, tasks: Sequence[Task]) -> None:
        """Interrupt tasks, as Ctrl-C would, and wait for their end: until then a training writes its checkpoint."""
        for task in tasks:
            self.ray.cancel(task, force=False)
        if tasks:
            self.ray.wait([*tasks], num_returns=len(tasks))


def omp_num_threads(default: int) -> int:
    """OMP_NUM_THREADS where that is set to a number, else the default."""
    asked = os.environ.get("OMP_NUM_THREADS", "")
    return int(asked) if asked.isdecimal() and int(asked) else default


@contextmanager
def connected(address: str, cpus: float = 1.0, gpus: float = 0.0) -> Iterator[Cluster]:
    """A connection to the cluster at HOST:PORT, or at `auto`, the one that this machine is a node of.

    Raises InputError without Ray, or if none answers.
    """
    try:
        with handlers_kept():
            ray = import_module("ray")
    except ImportError as error:
        raise InputError("--cluster needs Ray, which is not installed: pip install 'luxel[cluster]'") from error
    try:
        with handlers_kept():
            ray.init(address=address, log_to_driver=False, logging_level="ERROR")
    except (ConnectionError, ValueError, RuntimeError) as error:
        told = " ".join(str(error).split())
        raise InputError(
            f"--cluster is {shortened(address)}, where no cluster answers; start one with `ray start --head`, and give "
            f"what it prints, or auto ({told[:300]})"
        ) from error
    try:
        yield Cluster(ray, cpus, gpus)
    finally:
        ray.shutdown()


@contextmanager
def handlers_kept() -> Iterator[None]:
    """Afterwards SIGINT and SIGTERM are handled as before: Ray would have SIGTERM exit, without anything saved."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        if current_thread() is main_thread():
            for number, handler in before.items():
                signal.signal(number, handler)


def in_folder(folder: str, threads: int, version: str, function: Callable[..., Any], *arguments: Any) -> Any:
    """What a task is: the function, called in the folder, with torch on so many threads.

    Raises InputError if the folder is not there, or this node has another version of Luxel.
    """
    import torch

    where = f"node {os.uname().nodename}"
    if version != __version__:
        raise InputError(f"{where} has luxel {__version__}, the caller {version}; install the same on all nodes")
    if not Path(folder).is_dir():
        raise InputError(f"{where} has no folder {folder}; call Luxel in one that all nodes share, at the same path")
    if current_thread() is main_thread():  # by SIGINT Ray stops a task; a node begun in a shell's background ignores it
        signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(folder)
    torch.set_num_threads(threads)
    return function(*arguments)
