from dataclasses import replace

import pytest
from ablation import SCALES

from luxel import InputError
from luxel.experiments import EXPERIMENTS, Experiment
from luxel.experiments.experiment import (
    experiment,
    group_of,
    variant,
    with_attention,
    with_data,
    with_distribution,
    with_schedule,
    with_stream,
)
from luxel.experiments.log_2020_05_31 import new_improve_seq, standard_run
from luxel.models.image_model import ImageModelConfig
from luxel.scene.distributions import Ellipsoids, Spheres

SIZES = {"tiny": 16, "small": 32, "long": 32, "medium": 64, "full": 128}
NAMES = {
    "spheres_initial": "spheres_O1 spheres_O2 spheres_lower_lr_O1 spheres_lower_lr_O2 broken_lr",
    "2020-05-30": "tanh perceptual_loss use_exp big_run big_run_no_tanh improve_seq",
    "2020-05-31": "standard_run just_image_to_seq new_improve_seq just_seq_blocks improve_seq_half_lr",
    "2020-06-01": "just_image_to_seq_big orig_big add_seq_to_image big_new_run add_seq_to_image_quarter_lr "
    "add_seq_to_image_fixed only_descending_ch no_base_transformer",
    "2020-06-02": "add_seq_to_image_new add_seq_to_image_mix_bias no_base_transformer_reduced_lr "
    "minimal_base_transformer single_layer_transformer_and_add_all",
}
"""The log's runs, in its folders."""


@pytest.mark.parametrize("group", NAMES)
def test_every_run_of_the_log_is_there(group):
    assert set(NAMES[group].split()) <= set(group_of(group))


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_a_configuration_survives_json_and_has_one_size(name):
    for scale in SCALES:
        made = EXPERIMENTS[name].make(scale)
        assert Experiment.from_json(made.to_json()) == made, scale
        assert made.model.width == made.data.width == made.data.height, scale
        if isinstance(made.model, ImageModelConfig):
            assert made.model.width == SIZES[scale]


def test_alternatives_survive_json():
    base = with_schedule(EXPERIMENTS["standard_run"].make("tiny"), shape="stable_decay", decay=0.3)
    changed = replace(base, data=replace(base.data, distribution=Ellipsoids(7)))
    assert Experiment.from_json(changed.to_json()) == changed
    streamed = with_stream(changed, rays=64, aim="objects")
    assert Experiment.from_json(streamed.to_json()) == streamed
    assert with_stream(streamed, spp=4).stream.rays == 64


def test_another_distribution_is_alike_in_all_else():
    made = with_data(EXPERIMENTS["standard_run"].make("tiny"), distribution=Spheres(5, "black", lights=0.5))
    assert with_distribution(made, "ellipsoids").data.distribution == Ellipsoids(5, "black", lights=0.5)
    with pytest.raises(InputError, match="'cubes' is unknown; choose one of spheres, ellipsoids"):
        with_distribution(made, "cubes")


@pytest.mark.parametrize("part", ["model", "train", "data"])
def test_a_field_from_elsewhere_is_refused(part):
    values = EXPERIMENTS["standard_run"].make("tiny").to_json()
    values[part]["fancy"] = 1
    with pytest.raises(ValueError, match="fancy"):
        Experiment.from_json(values)


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_says_what_it_is_and_when(name):
    entry = EXPERIMENTS[name]
    assert entry.name == name
    assert len(entry.summary) > 20
    assert entry.date[:5] in ("2020-", "2026-")
    assert entry.base is None or entry.base in EXPERIMENTS


def test_no_two_experiments_are_the_same():
    made = [EXPERIMENTS[name].make("small") for name in EXPERIMENTS]
    assert all(made.count(one) == 1 for one in made)


def test_a_name_is_taken_once():
    def demo(scale):
        return EXPERIMENTS["demo"].make(scale)

    with pytest.raises(ValueError, match="two experiments are called demo"):
        experiment("elsewhere", "2026-01-01")(demo)
    with pytest.raises(ValueError, match="two experiments are called demo"):
        variant(standard_run, "elsewhere", "2026-01-01")(demo)


def test_attention_is_changed_everywhere():
    model = with_attention(EXPERIMENTS[new_improve_seq.__name__].make("tiny"), registers=7).model
    parts = (model.base_transformer, model.start, model.seq_to_image, model.image_to_seq, model.sequence_blocks)
    assert [part.attention.registers for part in parts] == [7] * 5


def test_a_group_or_a_name():
    assert group_of("tanh") == ["tanh"]
    assert group_of("scaling") == ["double_depth", "same_flops_width", "same_flops_seq_size"]
    with pytest.raises(InputError, match="'tan' is neither an experiment nor a group"):
        group_of("tan")
