"""The runs of a comparison: of experiments, which are made if they are missing, and of one's own."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from luxel import InputError
from luxel.experiments.data_sets import data_of
from luxel.experiments.experiment import EXPERIMENTS, Experiment, Scale, with_train
from luxel.experiments.folders import data_folder, run_folder
from luxel.experiments.run_config import experiment_of
from luxel.train.run_folder import read_result


@dataclass(frozen=True)
class PlannedRun:
    """A run of a comparison."""

    name: str
    scale: Scale
    seed: int

    @property
    def experiment(self) -> Experiment:
        """Its configuration: the experiment's, with this seed for weights and order."""
        return with_train(EXPERIMENTS[self.name].make(self.scale), seed=self.seed)

    @property
    def folder(self) -> Path:
        """Its run folder."""
        return run_folder(self.name, self.scale, self.experiment)

    @property
    def data(self) -> Path:
        """Its data set."""
        return data_folder(self.experiment.data)


@dataclass(frozen=True)
class FinishedRun:
    """A run that a comparison takes as it is, by its folder."""

    folder: Path
    scale: None = None

    @property
    def name(self) -> str:
        """Its path."""
        return self.folder.as_posix()

    @cached_property
    def experiment(self) -> Experiment:
        """Its configuration."""
        return experiment_of(self.folder)

    @property
    def seed(self) -> int:
        """Of its weights and order."""
        return self.experiment.train.seed

    @cached_property
    def data(self) -> Path:
        """Its data set."""
        return data_of(self.folder)


def finished_run(folder: Path) -> FinishedRun:
    """The run in a folder. Raises InputError if it is none, has not ended, or its data set is not to be found."""
    run = FinishedRun(folder)
    _ = run.experiment
    if not (folder / "result.json").exists():
        raise InputError(f"{folder}: the run has not ended; repeat its `luxel train` command")
    if read_result(folder)["status"] != "diverged":
        _ = run.data
    return run


def planned_runs(names: Sequence[str], scale: Scale, seeds: int) -> list[PlannedRun]:
    """Every run, all experiments with one seed before any with the next: an early end leaves whole comparisons."""
    return [PlannedRun(name, scale, seed) for seed in range(seeds) for name in dict.fromkeys(names)]
