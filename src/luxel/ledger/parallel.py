"""Several runs of a comparison at once on one machine, each in a process of its own.

The processes are plain `python -m luxel.ledger.run_process`. They share the machine's cores: each computes with as many
threads as it gets, by OMP_NUM_THREADS, and on GPUs in turn. A run depends on its number of threads, among which sums
are split, and on nothing else of this: with as many, one after another ends with the same weights to the bit.
"""

import json
import os
import platform
import subprocess
import sys
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import IO

import torch

from luxel import InputError
from luxel.cluster import omp_num_threads
from luxel.core.launch import cores
from luxel.files.atomic import writing
from luxel.ledger.live import LiveTable, State, final_state, logs_since, monitors_of
from luxel.ledger.plan import PlannedRun
from luxel.ledger.run_process import RunTask, log_head
from luxel.scene.registry import loaded_plugins
from luxel.train.run_folder import LOG

POLL_S = 0.5
TAIL = 12
"""Lines of the log of a process that failed."""


def threads_a_run(jobs: int) -> int:
    """Threads of each of so many runs at once: OMP_NUM_THREADS where that is set, else cores // jobs."""
    return omp_num_threads(max(1, cores() // jobs))


def make_in_processes(plans: Sequence[PlannedRun], jobs: int, cpu: bool = False) -> dict[PlannedRun, InputError]:
    """Train and evaluate the runs, at most `jobs` at once; return what is wrong with those that failed.

    Their data sets must be there. Progress is shown on the standard error; what a process says is in log.txt in its
    run's folder. At KeyboardInterrupt every process ends its step and writes a checkpoint, at a second one they are
    ended at once.
    """
    pool = RunPool(plans, jobs, cpu)
    try:
        while pool.waiting or pool.running:
            pool.start_waiting()
            pool.look()
            if pool.running:
                time.sleep(POLL_S)
    except KeyboardInterrupt:
        for worker in pool.running.values():
            worker.ask_to_stop()
        while pool.running:
            pool.look()
            time.sleep(POLL_S)
        raise
    finally:
        for worker in pool.running.values():
            worker.close()
    return pool.failed


class RunPool:
    """Runs that wait, that are being made, at most `jobs` at once, and that failed; with a live table of them all."""

    def __init__(self, plans: Sequence[PlannedRun], jobs: int, cpu: bool) -> None:
        self._monitors = monitors_of(plans)
        self.waiting = deque(self._monitors)
        self.running: dict[PlannedRun, Worker] = {}
        self.failed: dict[PlannedRun, InputError] = {}
        self._jobs, self._cpu = jobs, cpu
        self._table = LiveTable(sys.stderr)

    def start_waiting(self) -> None:
        """Start a process for each run that there is a slot for."""
        while self.waiting and len(self.running) < self._jobs:
            slot = min(set(range(self._jobs)) - {worker.slot for worker in self.running.values()})
            plan = self.waiting.popleft()
            try:
                self.running[plan] = Worker(plan, self._cpu, slot, threads_a_run(self._jobs))
            except InputError as error:  # of a folder that cannot be written in, which hides no other run
                self.failed[plan] = error

    def look(self) -> None:
        """Note which processes have ended, and how; show where every run is."""
        for plan, worker in [*self.running.items()]:
            if worker.has_ended:
                if (problem := worker.problem) is not None:
                    self.failed[plan] = problem
                worker.close()
                del self.running[plan]
        self._table.show([monitor.row(self._state(plan)) for plan, monitor in self._monitors.items()])

    def _state(self, plan: PlannedRun) -> State:
        if plan in self.running:
            return self.running[plan].state
        if plan in self.failed:
            return "failed"
        return "waiting" if plan in self.waiting else final_state(plan.folder) or "stopped"


class Worker:
    """A process that makes one run; which `slot` of those at once it takes decides its GPU, where there are several."""

    def __init__(self, plan: PlannedRun, cpu: bool, slot: int, threads: int) -> None:
        self.plan, self.slot = plan, slot
        self._stopping = False
        self._log = plan.folder / LOG
        self._started = time.time()
        task = RunTask(plan.name, plan.scale, plan.seed, cpu, loaded_plugins())
        environment = {**os.environ, "OMP_NUM_THREADS": str(threads), **gpu_of(slot, cpu)}
        with writing(self._log):
            plan.folder.mkdir(parents=True, exist_ok=True)
            with self._log.open("ab") as log:
                log.write(f"{log_head(task, threads, platform.node())}\n".encode())
                log.flush()
                self._begin = log.tell()
        try:
            with self._log.open("ab") as log:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "luxel.ledger.run_process"],
                    stdin=subprocess.PIPE,
                    stdout=log,
                    stderr=log,
                    env=environment,
                    start_new_session=True,  # Ctrl-C is the caller's to handle
                )
        except OSError as error:
            why = error.strerror or error
            raise InputError(f"{plan.folder}: its process cannot be started: {why}; take fewer --jobs") from error
        self._say(json.dumps(asdict(task)))

    @property
    def state(self) -> State:
        """What the process is at, as its run folder tells."""
        if self._stopping:
            return "stopping"
        if (self.plan.folder / "result.json").exists():
            return "evaluating"
        return "training" if logs_since(self.plan.folder, self._started) else "starting"

    @property
    def has_ended(self) -> bool:
        """Whether the process has."""
        return self._process.poll() is not None

    @property
    def problem(self) -> InputError | None:
        """Why the process ended without having made the run, unless it was to stop; with the end of what it said."""
        code = self._process.wait()
        if code == 0 or self._stopping:
            return None
        with self._log.open("rb") as log:
            log.seek(self._begin)
            said = log.read().decode(errors="replace").splitlines()[-TAIL:]
        head = f"{self.plan.folder}: its process ended with exit code {code}"
        if not said:
            return InputError(f"{head}, without a word")
        return InputError("\n  ".join([f"{head}; the end of {self._log}:", *said]))

    def ask_to_stop(self) -> None:
        """Have the process end its step, write a checkpoint, and end."""
        self._stopping = True
        self._say("stop")

    def close(self) -> None:
        """End the process at once, if it has not ended."""
        self._process.kill()
        self._process.wait()
        with suppress(BrokenPipeError):  # by what it was not there to read
            self._pipe.close()

    def _say(self, line: str) -> None:
        with suppress(BrokenPipeError):  # it has ended, which `has_ended` tells
            self._pipe.write(line.encode() + b"\n")
            self._pipe.flush()

    @property
    def _pipe(self) -> IO[bytes]:
        assert self._process.stdin is not None
        return self._process.stdin


def gpu_of(slot: int, cpu: bool) -> dict[str, str]:
    """The environment of a process that sees one GPU of several: they are taken in turn."""
    if cpu:
        return {}
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    gpus = visible.split(",") if visible else [str(index) for index in range(torch.cuda.device_count())]
    return {"CUDA_VISIBLE_DEVICES": gpus[slot % len(gpus)]} if len(gpus) > 1 else {}
