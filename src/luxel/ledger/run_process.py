"""Making one run of a comparison, training and evaluation, in a process for it. See `luxel.ledger.parallel`."""

import json
import os
import signal
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from threading import Thread, main_thread
from typing import Any

from luxel import InputError

STOPPED = 130
"""Exit code of a process that was asked to stop, and has left a checkpoint, as after Ctrl-C."""


@dataclass(frozen=True)
class RunTask:
    """What a process is to do: the fields of a `PlannedRun`, on which device, after importing which plugins."""

    name: str
    scale: Any
    seed: int
    cpu: bool
    plugins: list[str]


def main() -> int:
    """Do the task that is the first line of the standard input, in JSON; return the exit code.

    The next line asks to stop: the step is ended and a checkpoint written; one more, to stop at once. Signals that all
    processes of a job receive are the caller's to handle.
    """
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    lines = os.fdopen(os.dup(0), "rb")  # as a thread that reads sys.stdin may keep the interpreter from ending
    task = RunTask(**json.loads(lines.readline()))
    Thread(target=interrupt_at_each_line, args=(lines,), daemon=True).start()
    try:
        work(task)
    except KeyboardInterrupt:
        print("stopped, to go on from the last checkpoint", file=sys.stderr)
        return STOPPED
    except InputError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def interrupt_at_each_line(lines: Iterable[bytes]) -> None:
    """Interrupt the main thread at every line; at their end, which is the caller's, whatever ended it, end at once."""
    main = main_thread().ident
    assert main is not None
    for _ in lines:
        signal.pthread_kill(main, signal.SIGINT)
    os._exit(1)


def log_head(task: RunTask, threads: int, where: str) -> str:
    """The line in a run's log.txt that a process begins with."""
    name = f"{task.name}, {task.scale}, seed {task.seed}"
    return f"--- {datetime.now():%Y-%m-%d %H:%M:%S} {name}, {threads} threads, {where}"


def work(task: RunTask) -> None:
    """Make the run, or what is missing of it."""
    from luxel.experiments.run import run
    from luxel.ledger.collect import evaluated
    from luxel.ledger.plan import PlannedRun
    from luxel.progress import ProgressBar
    from luxel.scene.registry import load_plugin

    for module in task.plugins:
        load_plugin(module)
    plan = PlannedRun(task.name, task.scale, task.seed)
    with ProgressBar(total=plan.experiment.train.samples, disable=True) as bar:
        run(plan.experiment, plan.folder, plan.data, task.cpu, bar)
    evaluated(plan, task.cpu)


if __name__ == "__main__":
    sys.exit(main())
