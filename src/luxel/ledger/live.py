"""What several runs are doing, a line each, on a terminal kept up to date, and else as news.

It is all read from the run folders, so that it does not matter which process or machine makes a run.
"""

import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias, runtime_checkable

from luxel import InputError
from luxel.ledger.plan import PlannedRun
from luxel.train.run_folder import last_metrics, read_result

State: TypeAlias = Literal[
    "waiting", "starting", "training", "evaluating", "stopping", "finished", "diverged", "stopped", "failed"
]
ACTIVE: tuple[State, ...] = ("starting", "training", "evaluating", "stopping")
NEWS_EVERY_S = 60.0
"""Between two lines of one run where the output is no terminal and its state stays."""
HEAD = ("run", "seed", "state", "done", "images/s", "loss", "time left")


@dataclass(frozen=True)
class Row:
    """One run at a moment: `samples` of `total` images seen, the speed of this process, the last training loss."""

    name: str
    seed: int
    state: State
    samples: int = 0
    total: int = 1
    images_per_s: float | None = None
    loss: float | None = None

    @property
    def cells(self) -> tuple[str, ...]:
        """The row as text, by HEAD; what is not known, or of the past, is a dash."""
        speed = self.images_per_s if self.state == "training" else None
        left = clock((self.total - self.samples) / speed) if speed else "–"
        return (
            self.name,
            str(self.seed),
            self.state,
            f"{self.samples / self.total:.0%}",
            f"{speed:.1f}" if speed else "–",
            f"{self.loss:.2e}" if self.loss is not None else "–",
            left,
        )


def clock(seconds: float) -> str:
    """Hours, minutes and seconds: 1:02:03."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"


class RunMonitor:
    """A run's rows, from the metrics in its folder; its speed is that since the first reading."""

    def __init__(self, name: str, seed: int, total: int, folder: Path) -> None:
        self._name, self._seed, self._total, self._folder = name, seed, total, folder
        self._first: tuple[int, float] | None = None

    def row(self, state: State) -> Row:
        """The run as it is now."""
        last = last_metrics(self._folder / "metrics.jsonl")
        if last is None:
            return Row(self._name, self._seed, state, 0, self._total)
        samples, seconds = last["samples"], last["seconds"]
        if self._first is None or samples < self._first[0]:  # which a run is that was rolled back
            self._first = samples, seconds
        images, took = samples - self._first[0], seconds - self._first[1]
        speed = images / took if images > 0 and took > 0 else None
        return Row(self._name, self._seed, state, samples, self._total, speed, last.get("train_loss"))


def monitors_of(plans: Iterable[PlannedRun]) -> dict[PlannedRun, RunMonitor]:
    """A monitor for each run, those that are named twice once."""
    return {plan: RunMonitor(plan.name, plan.seed, plan.experiment.train.samples, plan.folder) for plan in plans}


def logs_since(folder: Path, began: float) -> bool:
    """Whether the run has logged a step since this time, in seconds of `time.time`."""
    metrics = folder / "metrics.jsonl"
    return metrics.exists() and metrics.stat().st_mtime > began


def final_state(folder: Path) -> State | None:
    """What the result in a run's folder says; None while there is none."""
    if not (folder / "result.json").exists():
        return None
    try:
        return "diverged" if read_result(folder)["status"] == "diverged" else "finished"
    except InputError:  # which whoever reads more of it tells
        return "failed"


def aligned(rows: Sequence[Row]) -> list[str]:
    """A table's lines, with its head: names to the left, numbers to the right."""
    cells = [HEAD, *(row.cells for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    text = (0, 2)
    return [
        "  ".join(
            cell.ljust(width) if number in text else cell.rjust(width)
            for number, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in cells
    ]


def fitting(rows: Sequence[Row], height: int) -> list[str]:
    """The table in at most `height` lines: those that are at work come first, of the others there is the number."""
    if len(rows) < height:
        return aligned(rows)
    first = sorted(rows, key=lambda row: row.state not in ACTIVE)  # which is stable
    shown = max(0, height - 2)
    others = Counter(row.state for row in first[shown:])
    return [*aligned(first[:shown]), "and " + ", ".join(f"{count} {state}" for state, count in others.items())]


@runtime_checkable
class Output(Protocol):
    """What text can be written to: a terminal, or a file or pipe in its place."""

    def write(self, text: str, /) -> Any:
        """Append the text."""

    def flush(self) -> None:
        """Hand on what was written."""

    def isatty(self) -> bool:
        """Whether it is a terminal."""


class LiveTable:
    """The rows on a stream: drawn over and over on a terminal; elsewhere a line when a state changes, and each minute.

    `tqdm` draws one bar a position, on terminals alone and with neither states nor a bound on their number.
    """

    def __init__(self, stream: Output, now: Callable[[], float] = time.monotonic) -> None:
        self._stream, self._now = stream, now
        self._drawn = 0
        self._told: dict[tuple[str, int], tuple[State, float]] = {}

    def show(self, rows: Sequence[Row]) -> None:
        """Bring what is shown up to date."""
        if self._stream.isatty():
            self._draw(rows)
        else:
            self._tell(rows)
        self._stream.flush()

    def _draw(self, rows: Sequence[Row]) -> None:
        size = shutil.get_terminal_size()
        lines = [line[: size.columns - 1] for line in fitting(rows, size.lines - 1)]
        back = f"\x1b[{self._drawn}F\x1b[J" if self._drawn else ""  # to the table's first line; clear from there
        self._stream.write(back + "".join(line + "\n" for line in lines))
        self._drawn = len(lines)

    def _tell(self, rows: Sequence[Row]) -> None:
        for row in rows:
            state, then = self._told.get((row.name, row.seed), ("waiting", self._now()))
            due = row.state in ACTIVE and self._now() - then >= NEWS_EVERY_S
            if row.state != state or due:
                name, seed, *rest = row.cells
                said = [f"{what} {cell}" for what, cell in zip(HEAD[3:], rest[1:], strict=True) if cell != "–"]
                self._stream.write(f"{name} seed {seed}: {row.state}, {', '.join(said)}\n")
                self._told[row.name, row.seed] = row.state, self._now()
            else:
                self._told.setdefault((row.name, row.seed), (state, then))
