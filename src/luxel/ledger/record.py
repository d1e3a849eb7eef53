"""A record: what one run of an experiment came to, small enough to keep in the repository."""

import json
import math
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from statistics import fmean
from typing import Any

from luxel import InputError
from luxel.experiments.experiment import Scale
from luxel.train.run_folder import read_json, read_metrics, write_json

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
    scale: Scale
    seed: int
    experiment: dict[str, Any]
    """The whole configuration."""
    data: dict[str, Any]
    """The data set's settings and the hash of its test set."""
    result: dict[str, Any]
    metrics: dict[str, float]
    """Means over the test set; empty if the run diverged."""
    provenance: str
    """What the metrics must be quoted with."""
    train: Curve
    test: Curve
    environment: dict[str, Any]

    @property
    def diverged(self) -> bool:
        """Whether the run ended before its time."""
        return self.result["status"] == "diverged"

    @property
    def file(self) -> str:
        """The record's file name."""
        return f"{self.name}-{self.scale}-seed{self.seed}.json"

    def figure(self, metric: str) -> float | None:
        """A metric of the test set, or one of two taken from the curves; None if unknown or not finite.

        `train_loss` is the mean over the curve's last quarter. `jumpiness` is the mean absolute second difference of
        the logarithm of the test loss in the run's second half: 0 for a steady fall, however steep.
        """
        if metric == "train_loss":
            return fmean(self.train.losses[-(len(self.train.losses) // 4) :]) if self.train.losses else None
        if metric == "jumpiness":
            late = [math.log(loss) for loss in self.test.losses[len(self.test.losses) // 2 :]]
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
        try:
            values = json.loads(path.read_text())
            return Record(**{**values, "train": Curve(**values["train"]), "test": Curve(**values["test"])})
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path}: not a record of a run ({error}); delete it") from error


def load_records(folder: Path) -> list[Record]:
    """All records of a folder, by file name."""
    return [Record.load(path) for path in sorted(folder.glob("*.json"))]


def record_of(run: Path, name: str, scale: Scale, seed: int, metrics: dict[str, float], provenance: str) -> Record:
    """The record of a run folder that has ended."""
    config = read_json(run / "config.json")
    metrics_rows = read_metrics(run / "metrics.jsonl")
    rows = [row for row in metrics_rows if row["train_loss"] is not None]
    size = max(1, -(-len(rows) // POINTS))
    chunks = [rows[start : start + size] for start in range(0, len(rows), size)]
    tests = [row for row in metrics_rows if row.get("test_loss") is not None]
    return Record(
        name=name,
        scale=scale,
        seed=seed,
        experiment=config["experiment"],
        data=config["data"],
        result=read_json(run / "result.json"),
        metrics=metrics,
        provenance=provenance,
        train=curve([chunk[-1] for chunk in chunks], [fmean(row["train_loss"] for row in chunk) for chunk in chunks]),
        test=curve(tests, [row["test_loss"] for row in tests]),
        environment=read_json(run / "environment.json"),
    )


def curve(rows: list[dict[str, Any]], losses: list[float]) -> Curve:
    """The curve through these rows of a run's metrics."""
    return Curve(
        [int(row["samples"]) for row in rows],
        [round(float(row["seconds"]), 1) for row in rows],
        [float(f"{loss:.4g}") for loss in losses],
    )
