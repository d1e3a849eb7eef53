"""Each run of 2020-05-30 changes what it says, and nothing else."""

import pytest
from ablation import Run, check_group, computes_otherwise, everywhere

from luxel.experiments import EXPERIMENTS
from luxel.models.image_model import ImageModel

RUNS = [
    Run("tanh", "spheres_O0", everywhere("weighting")),
    Run("perceptual_loss", "spheres_O0", "train.loss"),
    Run("use_exp", "perceptual_loss", "model.output"),
    Run("big_run_no_tanh", "perceptual_loss", "train.samples"),
    Run("big_run", "big_run_no_tanh", everywhere("weighting")),
    Run(
        "improve_seq",
        "perceptual_loss",
        "model.image_to_seq model.sequence_blocks",
        gained="image_to_seq sequence_block",
    ),
]


@pytest.mark.parametrize("run", RUNS)
def test_a_run_changes_what_it_says_and_nothing_else(run):
    run.check()


def test_every_run_is_in_the_table():
    check_group(RUNS)


@pytest.mark.parametrize("name", ["tanh", "use_exp", "big_run"])
def test_a_run_without_parameters_of_its_own_computes_otherwise(name):
    assert computes_otherwise(name)


@pytest.mark.parametrize("name", ["big_run", "big_run_no_tanh"])
def test_big_is_twice_as_long(name):
    assert EXPERIMENTS[name].make("full").train.samples == 2 * EXPERIMENTS["perceptual_loss"].make("full").train.samples


def test_nothing_is_held_back_at_first():
    model = ImageModel(EXPERIMENTS["improve_seq"].make("tiny").model)
    named = dict(model.named_parameters())
    biases = [value for name, value in named.items() if name.endswith("weigh.bias")]
    assert biases
    assert all(bias == 0 for bias in biases)
    assert not any(name.endswith("gates") for name in named)
