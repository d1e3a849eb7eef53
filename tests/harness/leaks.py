"""What is left over after the same work many times: memory, open files, threads, processes."""

import gc
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import psutil

from harness.report import Report
from harness.verbs import call
from harness.workplace import TRAIN, workplace
from luxel import Renderer
from luxel.scene import Composed
from luxel.trace.path import PathTracer

WARM = 4
ROUNDS = {"render": 400, "trace": 400, "train": 60, "evaluate": 60}
"""Of each kind of work; a render is of four scenes, a training of four steps."""
COMMANDS = ("train", "evaluate")
GROWTH_MIB = 12.0
"""Allowed in all: of allocators, whose high-water mark may still move."""
COMMAND_MIB = 0.5
"""Allowed besides of each command line: tyro remembers the types of its options for good, 0.4 MiB a training."""


def run(report: Report, share: float = 1.0) -> None:
    """Do each kind of work again and again, and compare the end with the beginning."""
    renderer, tracer, distribution = Renderer.from_pretrained("ray-small"), PathTracer(), Composed()
    scenes = [distribution(7, index) for index in range(4)]

    def render(number: int) -> None:
        renderer.render(scenes, 16 + number % 3, 17)

    def trace(number: int) -> None:
        tracer.trace(scenes, 16 + number % 3, 17, 4, seed=number)

    def train(number: int) -> None:
        assert call(*TRAIN, "--data", "set", "--out", "out", cwd=root).code == 0
        shutil.rmtree(root / "out")

    def evaluate(number: int) -> None:
        assert call("evaluate", "run", "--data", "set", cwd=root).code == 0

    work: dict[str, Callable[[int], None]] = {"render": render, "trace": trace, "train": train, "evaluate": evaluate}
    with tempfile.TemporaryDirectory() as folder:
        root = workplace(Path(folder) / "made", compared=False)
        for name in report.some(list(work), 1.0):
            rounds = max(WARM, round(share * ROUNDS[name]))
            for number in range(WARM + rounds):
                if number == WARM:
                    before = held()
                work[name](number)
            allowed = GROWTH_MIB + COMMAND_MIB * rounds * (name in COMMANDS)
            report.add(f"{name} {rounds} times", grown(before, held(), allowed), rounds)


def held() -> dict[str, float]:
    """What this process holds: memory in MiB, open files, threads, child processes."""
    gc.collect()
    process = psutil.Process()
    return {
        "MiB": process.memory_info().rss / 2**20,
        "files": float(process.num_fds() if psutil.POSIX else process.num_handles()),
        "threads": float(process.num_threads()),
        "processes": float(len(process.children(recursive=True))),
    }


def grown(before: dict[str, float], after: dict[str, float], allowed_mib: float = GROWTH_MIB) -> str | None:
    """What has grown by more than it may."""
    more = {name: after[name] - before[name] for name in before}
    found = [f"{more[name]:.0f} more {name}" for name in more if more[name] > (allowed_mib if name == "MiB" else 0)]
    return ", ".join(found) or None
