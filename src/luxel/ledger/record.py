"""A record: what one run of an experiment came to, small enough to keep in the repository."""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from statistics import fmean
from typing import Any

from luxel import InputError
from luxel.configuration import Seed
from luxel.experiments.experiment import Scale
from luxel.experiments.run_config import RunData, read_config
from luxel.files.typed_json import read_json, write_json
from luxel.train.run_folder import Environment, Result, read_environment, read_metrics, read_result

POINTS = 40
"""Of a training curve; each is the mean of the steps before it."""


@dataclass(frozen=True)
class Curve:
    """Losses over a run: `samples` seen, `seconds` of training, `losses`."""

    samples: list[int]
    seconds: list[float]
    losses: list[float]


@dataclass(frozen=True)
class Record:
    """One run: experiment, scale and seed; its result.json, metrics over the test set, curves, machine and commit."""

    name: str
    """The experiment's, or the run folder's path."""
    scale: Scale | None
    """None of a run that was given by its folder."""
    seed: Seed
    experiment: dict[str, Any]
    """The whole configuration."""
    data: RunData
    result: Result
    metrics: Mapping[str, float | None]
    """Means over the test set, None for what is not finite; empty if the run diverged."""
    provenance: str
    """What the metrics must be quoted with."""
    train: Curve
    test: Curve
    environment: Environment

    @property
    def diverged(self) -> bool:
        """Whether the run ended before its time."""
        return self.result["status"] == "diverged"

    @property
    def file(self) -> str:
        """The record's file name."""
        return f"{self.name}-{self.scale}-seed{self.seed}.json"

    def figure(self, metric: str) -> float | None:
        """A metric of the test set, or one of three taken from the curves; None if unknown or not finite.

        `train_loss` is the mean over the curve's last quarter, `overfitting` the last test loss over it. `jumpiness` is
        the mean absolute second difference of the logarithm of the test loss in the run's second half: 0 for a steady
        fall, however steep; None where a loss is 0.
        """
        if metric == "train_loss":
            return fmean(self.train.losses[-(len(self.train.losses) // 4) :]) if self.train.losses else None
        if metric == "overfitting":
            train_loss, tested = self.figure("train_loss"), self.test.losses
            return tested[-1] / train_loss if train_loss and tested else None
        if metric == "jumpiness":
            losses = self.test.losses[len(self.test.losses) // 2 :]
            late = [math.log(loss) for loss in losses] if all(loss > 0 for loss in losses) else []
            slopes = [after - before for before, after in pairwise(late)]
            bends = [abs(after - before) for before, after in pairwise(slopes)]
            return fmean(bends) if bends else None
        value = self.metrics.get(metric)
        return value if value is not None and math.isfinite(value) else None

    def save(self, path: Path) -> None:
        """Write the record to a file."""
        write_json(path, asdict(self))

    @staticmethod
    def load(path: Path) -> "Record":
        """The record in a file. Raises InputError, naming it, if it is none."""
        return read_json(path, Record, "it is no record of a run; delete it")


@contextmanager
def collecting_errors(wrong: list[InputError]) -> Iterator[None]:
    """Within, an InputError ends the block and is added to the list: what is wrong with one run hides no other.

    So does an OSError, of a file that nobody may read, as the InputError that names it.
    """
    try:
        yield
    except InputError as error:
        wrong.append(error)
    except OSError as error:
        wrong.append(InputError(f"{error.filename}: {error.strerror or error}"))


def load_records(folder: Path) -> tuple[list[Record], list[InputError]]:
    """All records of a folder, by file name; and what is wrong with the files that are none.

    A record stands in the file of its own name alone: a copy would count as one more seed.
    """
    records: list[Record] = []
    wrong: list[InputError] = []
    for path in sorted(folder.glob("*.json")):
        with collecting_errors(wrong):
            record = Record.load(path)
            if record.file != path.name:
                raise InputError(f"{path}: holds the record that belongs in {record.file}; rename it so, or delete it")
            records.append(record)
    return records, wrong


def merge_records(records: Mapping[Path, Record]) -> tuple[list[Record], list[InputError]]:
    """The records of these files, of any folders, by file name, each run's once; and which files contradict each other.

    Of a run of which they do none is taken, as nothing tells which is right.
    """
    merged: list[Record] = []
    wrong: list[InputError] = []
    for name in sorted({record.file for record in records.values()}):
        (path, record), *others = ((path, record) for path, record in records.items() if record.file == name)
        differing = [other for other, there in others if there != record]
        if differing:
            wrong.append(InputError(f"{path} and {differing[0]} differ, and are of one run; delete one of them"))
        else:
            merged.append(record)
    return merged, wrong


def record_of(
    run: Path, name: str, scale: Scale | None, seed: int, metrics: Mapping[str, float | None], provenance: str
) -> Record:
    """The record of a run folder that has ended."""
    config = read_config(run)
    metrics_rows = read_metrics(run / "metrics.jsonl")
    rows = [row for row in metrics_rows if row.get("train_loss") is not None]
    size = max(1, -(-len(rows) // POINTS))
    chunks = [rows[start : start + size] for start in range(0, len(rows), size)]
    tests = [row for row in metrics_rows if row.get("test_loss") is not None]
    return Record(
        name=name,
        scale=scale,
        seed=seed,
        experiment=config["experiment"],
        data=config["data"],
        result=read_result(run),
        metrics=metrics,
        provenance=provenance,
        train=curve([chunk[-1] for chunk in chunks], [fmean(row["train_loss"] for row in chunk) for chunk in chunks]),
        test=curve(tests, [row["test_loss"] for row in tests]),
        environment=read_environment(run),
    )


def curve(rows: list[dict[str, Any]], losses: list[float]) -> Curve:
    """The curve through these rows of a run's metrics."""
    return Curve(
        [int(row["samples"]) for row in rows],
        [round(float(row["seconds"]), 1) for row in rows],
        [float(f"{loss:.4g}") for loss in losses],
    )
