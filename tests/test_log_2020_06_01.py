"""Each run of 2020-06-01 changes what it says, and nothing else."""

import pytest
from ablation import SCALES, Run, check_group, computes_otherwise, parameters

from luxel.experiments import EXPERIMENTS
from luxel.models.image_model import ImageModel

RUNS = [
    Run("just_image_to_seq_big", "just_image_to_seq", "train.samples"),
    Run("orig_big", "standard_run", "train.samples"),
    Run("big_new_run", "just_image_to_seq", "model.image_to_seq.per_element"),
    Run(
        "add_seq_to_image",
        "big_new_run",
        "model.seq_to_image.join model.seq_to_image.overall_weight model.seq_to_image.added_twice",
        gained="seq_to_image",
        reshaped="block seq_to_image",
    ),
    Run("add_seq_to_image_quarter_lr", "add_seq_to_image", "train.optim.lr_multiplier"),
    Run("add_seq_to_image_fixed", "add_seq_to_image", "model.seq_to_image.added_twice"),
    Run("add_seq_to_image_O1", "add_seq_to_image", "train.precision"),
    Run("add_seq_to_image_quarter_lr_O1", "add_seq_to_image_O1", "train.optim.lr_multiplier"),
    Run("add_seq_to_image_fixed_O1", "add_seq_to_image_O1", "model.seq_to_image.added_twice"),
    Run(
        "only_descending_ch",
        "big_new_run",
        "model.generator.start_channels model.generator.strategy model.seq_to_image.channels",
        reshaped="start norm image_to_seq seq_to_image block",
    ),
    Run("no_base_transformer", "big_new_run", "model.base_transformer.layers", lost="base_transformer"),
]


@pytest.mark.parametrize("run", RUNS)
def test_a_run_changes_what_it_says_and_nothing_else(run):
    run.check()


def test_every_run_is_in_the_table():
    check_group(RUNS)


@pytest.mark.parametrize("name", ["big_new_run", "add_seq_to_image_fixed"])
def test_a_run_without_parameters_of_its_own_computes_otherwise(name):
    assert computes_otherwise(name)


def test_added_and_weighed_is_what_seq_to_image_gains():
    gained = parameters("add_seq_to_image").keys() - parameters("big_new_run").keys()
    assert {path.split(".", 3)[3] for path in gained} == {"weigh.gain", "weigh.bias"}
    model = ImageModel(EXPERIMENTS["add_seq_to_image"].make("tiny").model)
    biases = [p.item() for n, p in model.named_parameters() if n.endswith("seq_to_image.weigh.bias")]
    assert biases == [-10.0] * len(biases)


@pytest.mark.parametrize("scale", SCALES)
def test_descending_channels_end_like_the_base_and_begin_wider(scale):
    base, own = (EXPERIMENTS[name].make(scale).model for name in ("big_new_run", "only_descending_ch"))
    before, after = (model.generator.channels(model.levels) for model in (base, own))
    top = before.index(max(before))
    assert after[top:] == before[top:]
    assert after[: top + 1] == [before[top] * 2 ** (top - level) for level in range(top + 1)]
    asked = [
        [stage.seq_to_image.extra_channels for stage in ImageModel(model).stages][(top + 1) * model.generator.repeats :]
        for model in (base, own)
    ]
    assert asked[0] == asked[1]
