"""Every experiment, one function each; a variant changes one thing of its base."""

# They register themselves; the order is that of `luxel experiments list`.
from luxel.experiments import (  # noqa: F401
    log_2020_05_30,
    log_2020_05_31,
    log_2020_06_01,
    log_2020_06_02,
    log_spheres_initial,
    ours,
    scaling,
    to_try,
)  # isort: skip
from luxel.experiments.experiment import EXPERIMENTS, Entry, Experiment, Scale

__all__ = ["EXPERIMENTS", "Entry", "Experiment", "Scale"]
