"""Each run of spheres_initial changes what it says, and nothing else."""

import pytest
from ablation import Run, check_group

from luxel.experiments import EXPERIMENTS

RUNS = [
    Run("spheres_O0", "standard_run", "train.loss train.optim.schedule.shape"),
    Run("spheres_O1", "spheres_O0", "train.precision"),
    Run("spheres_O2", "spheres_O0", "train.precision"),
    Run("spheres_lower_lr_O1", "spheres_O1", "train.optim.lr_multiplier"),
    Run("spheres_lower_lr_O2", "spheres_O2", "train.optim.lr_multiplier"),
    Run("broken_lr", "spheres_O0", "train.optim.schedule.drawn_for"),
]


@pytest.mark.parametrize("run", RUNS)
def test_a_run_changes_what_it_says_and_nothing_else(run):
    run.check()


def test_every_run_is_in_the_table():
    check_group(RUNS)


def test_the_modes_are_the_logs_opt_levels():
    modes = {level: EXPERIMENTS[f"spheres_{level}"].make("tiny").train.precision for level in ("O0", "O1", "O2")}
    assert modes == {"O0": "fp32", "O1": "fp16-o1", "O2": "fp16-o2"}


@pytest.mark.parametrize("level", ["O1", "O2"])
def test_lower_is_a_quarter(level):
    normal, lower = (EXPERIMENTS[name].make("full").train for name in (f"spheres_{level}", f"spheres_lower_lr_{level}"))
    assert lower.rate(1000) == normal.rate(1000) / 4


def test_the_broken_schedule_ends_high():
    right, broken = (EXPERIMENTS[name].make("small").train for name in ("spheres_O0", "broken_lr"))
    assert right.rate(right.steps) == pytest.approx(0.01 * 2e-3)
    assert broken.rate(broken.steps) > 0.7 * 2e-3
