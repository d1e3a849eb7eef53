"""Each run of 2020-05-31 changes what it says, and nothing else."""

import pytest
import torch
from ablation import Run, check_group

from luxel.experiments import EXPERIMENTS
from luxel.models.image_model import ImageModel
from luxel.train.optim import MovingAverage

RAW = "train.optim.ema_decay train.tests"
RUNS = [
    Run("just_image_to_seq", "standard_run", "model.image_to_seq", gained="image_to_seq"),
    Run("just_seq_blocks", "standard_run", "model.sequence_blocks", gained="sequence_block"),
    Run("standard_run_raw", "standard_run", RAW),
    Run("just_seq_blocks_raw", "just_seq_blocks", RAW),
    Run("new_improve_seq", "just_image_to_seq", "model.sequence_blocks", gained="sequence_block"),
    Run("improve_seq_half_lr", "new_improve_seq", "train.optim.lr_multiplier"),
]


@pytest.mark.parametrize("run", RUNS)
def test_a_run_changes_what_it_says_and_nothing_else(run):
    run.check()


def test_every_run_is_in_the_table():
    check_group(RUNS)


def test_the_standard_run_has_neither_and_shares_its_base_layers():
    model = EXPERIMENTS["standard_run"].make("tiny").model
    assert model.image_to_seq is None
    assert model.sequence_blocks is None
    assert len(ImageModel(model).base_transformer.layers) == 1 < ImageModel(model).base_transformer.passes


def test_sequence_blocks_start_almost_closed():
    model = ImageModel(EXPERIMENTS["new_improve_seq"].make("tiny").model)
    gates = [p for n, p in model.named_parameters() if n.endswith("gates")]
    assert gates
    assert all((gate.sigmoid() < 0.05).all() for gate in gates)


def test_half_the_rate_is_half_the_rate():
    rates = [EXPERIMENTS[name].make("tiny").train.rate(20) for name in ("new_improve_seq", "improve_seq_half_lr")]
    assert rates[1] == rates[0] / 2


def test_what_raw_runs_test_are_the_weights_themselves():
    torch.manual_seed(0)
    model = torch.nn.Linear(3, 2)
    average = MovingAverage(model, EXPERIMENTS["just_seq_blocks_raw"].make("small").train.optim.ema_decay)
    for _ in range(3):
        torch.nn.init.normal_(model.weight)
        average.update_parameters(model)
        assert torch.equal(average.module.weight, model.weight)
