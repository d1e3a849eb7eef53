"""Every experiment, one function each; a variant changes one thing of its base."""

from luxel.experiments import (
    log_2020_05_30,
    log_2020_05_31,
    log_2020_06_01,
    log_2020_06_02,
    log_spheres_initial,
    ours,
    ray,
    scaling,
    to_try,
)
from luxel.experiments.experiment import EXPERIMENTS, Entry, Experiment, Scale

LOG = (log_spheres_initial, log_2020_05_30, log_2020_05_31, log_2020_06_01, log_2020_06_02)
GROUPS = tuple(module.GROUP for module in (*LOG, to_try, scaling, ours, ray))
"""In the order of the log, whose entries build on later ones' base."""

__all__ = ["EXPERIMENTS", "GROUPS", "Entry", "Experiment", "Scale"]
