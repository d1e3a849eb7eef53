"""Every experiment, one function each, that returns a whole configuration."""

from luxel.experiments.experiment import EXPERIMENTS, Entry, Experiment, Scale

__all__ = ["EXPERIMENTS", "Entry", "Experiment", "Scale"]
