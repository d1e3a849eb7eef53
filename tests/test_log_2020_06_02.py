"""Each run of 2020-06-02 changes what it says, and nothing else."""

import pytest
from ablation import Run, check_group, computes_otherwise

from luxel.experiments import EXPERIMENTS
from luxel.models.image_model import ImageModel

RUNS = [
    Run("add_seq_to_image_new", "add_seq_to_image_fixed", "model.seq_to_image.share", reshaped="seq_to_image"),
    Run("add_seq_to_image_mix_bias", "add_seq_to_image_new", "model.seq_to_image.overall_weight.mix_bias"),
    Run("no_base_transformer_O1", "no_base_transformer", "train.precision"),
    Run("no_base_transformer_reduced_lr_O1", "no_base_transformer_O1", "train.optim.lr_multiplier"),
    Run("min_loss_scale", "no_base_transformer_O1", "train.loss_scale_floor"),
    Run("no_base_transformer_reduced_lr", "no_base_transformer", "train.optim.lr_multiplier"),
    Run("minimal_base_transformer", "big_new_run", "model.base_transformer.layers model.base_transformer.shared"),
    Run(
        "single_layer_transformer_and_add_all",
        "minimal_base_transformer",
        "model.seq_to_image.join model.seq_to_image.overall_weight model.sequence_blocks",
        gained="seq_to_image sequence_block",
        reshaped="seq_to_image block",
    ),
]


@pytest.mark.parametrize("run", RUNS)
def test_a_run_changes_what_it_says_and_nothing_else(run):
    run.check()


def test_every_run_is_in_the_table():
    check_group(RUNS)


def tiny(name: str) -> ImageModel:
    return ImageModel(EXPERIMENTS[name].make("tiny").model)


def test_the_mix_bias_starts_at_0_instead_of_minus_10():
    for name, start in {"add_seq_to_image_new": -10.0, "add_seq_to_image_mix_bias": 0.0}.items():
        biases = [p.item() for n, p in tiny(name).named_parameters() if n.endswith("seq_to_image.weigh.bias")]
        assert biases == [start] * len(biases)
        assert biases


def test_a_subset_of_the_channels_is_added_to():
    stage = tiny("add_seq_to_image_new").stages[0]
    assert 0 < stage.seq_to_image.added < stage.norm.num_features
    assert tiny("single_layer_transformer_and_add_all").stages[0].seq_to_image.added == stage.norm.num_features


def test_one_base_layer_is_passed_once():
    assert computes_otherwise("minimal_base_transformer")
    transformer = tiny("minimal_base_transformer").base_transformer
    assert (len(transformer.layers), transformer.passes) == (1, 1)


def test_the_reduced_rate():
    rates = [EXPERIMENTS[f"no_base_transformer{end}"].make("full").train.rate(10**4) for end in ("", "_reduced_lr")]
    assert rates[1] == pytest.approx(0.85 * rates[0])
