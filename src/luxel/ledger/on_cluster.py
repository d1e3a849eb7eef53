"""The runs of a comparison as tasks of a cluster, each on whatever node has room for it.

Run folders and data sets are in the caller's current folder, which all nodes share; so a run whose node was lost goes
on from its last checkpoint on another, and ends with the same weights to the bit, if the processors are of a kind.
"""

import platform
import sys
import time
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import torch

from luxel import InputError
from luxel.cluster import Cluster, Task
from luxel.files.atomic import FolderInUse, writing
from luxel.ledger.live import LiveTable, Output, State, final_state, logs_since, monitors_of
from luxel.ledger.plan import PlannedRun
from luxel.ledger.run_process import RunTask, log_head, work
from luxel.scene.registry import loaded_plugins
from luxel.train.run_folder import LOG

POLL_S = 1.0
LOCK_WAIT_S, LOCK_TRIES = 5.0, 24
"""How long a run waits for its folder: a process of a node that is going down may write to it for a while."""


def make_on_cluster(
    plans: Sequence[PlannedRun], cluster: Cluster, cpu: bool = False, stream: Output | None = None
) -> dict[PlannedRun, InputError]:
    """Train and evaluate the runs as tasks; return what is wrong with those that failed.

    Their data sets must be there. Progress is shown on `stream`, the standard error unless given. At
    KeyboardInterrupt every task ends its step and writes a checkpoint.
    """
    monitors = monitors_of(plans)
    table = LiveTable(stream or sys.stderr)
    failed: dict[PlannedRun, InputError] = {}
    plan_of: dict[Task, PlannedRun] = {}
    began = time.time()

    def state(plan: PlannedRun) -> State:
        if plan in failed:
            return "failed"
        return final_state(plan.folder) or ("training" if logs_since(plan.folder, began) else "waiting")

    try:
        for plan in monitors:
            run_task = RunTask(plan.name, plan.scale, plan.seed, cpu or not cluster.gpus, loaded_plugins())
            plan_of[cluster.submit(make, run_task, plan.folder)] = plan
        while plan_of:
            for task in cluster.ended([*plan_of], POLL_S):
                plan = plan_of.pop(task)
                try:
                    cluster.result(task)
                except InputError as error:
                    failed[plan] = error
            table.show([monitor.row(state(plan)) for plan, monitor in monitors.items()])
    finally:
        cluster.stop([*plan_of])
    return failed


def make(task: RunTask, folder: Path) -> None:
    """A cluster's task: make the run, or what is missing of it; what is said meanwhile is in its folder's log.txt."""
    with writing(folder / LOG):
        folder.mkdir(parents=True, exist_ok=True)
        log = (folder / LOG).open("a", encoding="utf-8", buffering=1)
    with log, redirect_stdout(log), redirect_stderr(log):
        print(log_head(task, torch.get_num_threads(), platform.node()))
        for attempt in range(LOCK_TRIES):
            try:
                return work(task)
            except FolderInUse:
                if attempt + 1 == LOCK_TRIES:
                    raise
                time.sleep(LOCK_WAIT_S)
