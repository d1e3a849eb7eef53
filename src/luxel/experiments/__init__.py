"""Every experiment, one function each, that returns a whole configuration."""

from luxel.experiments import log_2020_05_31, ours  # noqa: F401 (they register themselves)
from luxel.experiments.experiment import EXPERIMENTS, Entry, Experiment, Scale

__all__ = ["EXPERIMENTS", "Entry", "Experiment", "Scale"]
