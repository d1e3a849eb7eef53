"""Each experiment of the log's lists changes what it says, and nothing else."""

import pytest
from ablation import Run, check_group, computes_otherwise, everywhere, parameters

from luxel.experiments import EXPERIMENTS

ATTENTIONS = "base_transformer start seq_to_image image_to_seq"
SEQUENCE = "input base_transformer sequence_norm start image_to_seq seq_to_image"
CHANNELS = "start norm image_to_seq seq_to_image block head head_norm"
WIDTHS = "model.generator.start_channels model.generator.max_channels model.generator.min_channels"

RUNS = [
    Run("black_background_relu", "big_new_run", "model.output data.distribution.background"),
    Run("seq_to_image_all_channels", "add_seq_to_image_fixed", "model.seq_to_image.overall_weight.mix_bias"),
    Run("image_to_seq_every_block", "big_new_run", "model.image_to_seq_at", gained="image_to_seq"),
    Run("seq_to_image_once_a_level", "big_new_run", "model.seq_to_image_at", lost="seq_to_image", reshaped="block"),
    Run(
        "staggered",
        "seq_to_image_once_a_level",
        "model.image_to_seq_at",
        gained="image_to_seq",
        lost="image_to_seq",
    ),
    Run("interlaced", "big_new_run", "model.interlaced"),
    Run("half_seq_size", "big_new_run", "model.seq_width", reshaped=SEQUENCE),
    Run("double_seq_size", "big_new_run", "model.seq_width", reshaped=SEQUENCE),
    Run("half_ch", "big_new_run", WIDTHS, reshaped=CHANNELS),
    Run("double_ch", "big_new_run", WIDTHS, reshaped=CHANNELS),
    Run(
        "half_depth",
        "big_new_run",
        "model.generator.repeats",
        gained="image_to_seq",
        lost="norm image_to_seq seq_to_image block",
        reshaped="norm image_to_seq seq_to_image block",
    ),
    Run("expand_ratio_2", "big_new_run", "model.generator.expand_ratio", reshaped="block"),
    Run("expand_ratio_6", "big_new_run", "model.generator.expand_ratio", reshaped="block"),
    Run(
        "initial_width_8",
        "big_new_run",
        "model.start.size",
        lost="norm image_to_seq seq_to_image block",
        reshaped="start norm seq_to_image block",
    ),
    Run(
        "constant_then_halve_ch",
        "big_new_run",
        "model.generator.start_channels model.generator.strategy model.seq_to_image.channels",
        reshaped="start norm image_to_seq seq_to_image block",
    ),
    Run("own_base_layers", "big_new_run", "model.base_transformer.shared", gained="base_transformer"),
    Run("seq_blocks_dropout", "new_improve_seq", "model.sequence_blocks.dropout"),
    Run("seq_blocks_stochastic_depth", "new_improve_seq", "model.sequence_blocks.stochastic_depth"),
    Run("more_residual_seq_blocks", "new_improve_seq", "model.sequence_blocks.shared", gained="sequence_block"),
    Run("queries_start", "big_new_run", "model.start.kind", gained="start", reshaped="start"),
    Run(
        "qk_norm_registers",
        "big_new_run",
        everywhere("qk_norm", "registers", more=("image_to_seq",)),
        gained=ATTENTIONS,
    ),
    Run(
        "intersection",
        "big_new_run",
        "model.base_transformer.activation " + everywhere("intersection", more=("image_to_seq",)),
        gained=ATTENTIONS,
        lost=ATTENTIONS,
    ),
    Run("longer", "big_new_run", "train.samples"),
    Run("log_schedule", "big_new_run", "train.optim.schedule.shape"),
    Run("stable_decay_schedule", "big_new_run", "train.optim.schedule.shape"),
    Run("constant_schedule", "big_new_run", "train.optim.schedule.shape"),
    Run("more_data", "big_new_run", "data.count"),
]


@pytest.mark.parametrize("run", RUNS)
def test_a_run_changes_what_it_says_and_nothing_else(run):
    run.check()


def test_every_run_is_in_the_table():
    check_group(RUNS)


@pytest.mark.parametrize(
    "name", ["black_background_relu", "interlaced", "seq_blocks_dropout", "seq_blocks_stochastic_depth"]
)
def test_a_run_without_parameters_of_its_own_computes_otherwise(name):
    assert computes_otherwise(name)


def attended_blocks(name: str, kind: str) -> list[int]:
    """The blocks before which cross-attention stands."""
    return sorted({int(path.split(".")[1]) for path in parameters(name) if f".{kind}." in path})


def test_staggered_cross_attentions_take_turns():
    """Three levels of two blocks; what follows the last seq→image is left out."""
    assert attended_blocks("seq_to_image_once_a_level", "seq_to_image") == [0, 2, 4]
    assert attended_blocks("seq_to_image_once_a_level", "image_to_seq") == [0, 2, 4]
    assert attended_blocks("staggered", "seq_to_image") == [0, 2, 4]
    assert attended_blocks("staggered", "image_to_seq") == [1, 3]


def test_every_block_means_every_block():
    assert attended_blocks("image_to_seq_every_block", "image_to_seq") == list(range(6))


def test_the_black_background_is_lit():
    data = EXPERIMENTS["black_background_relu"].make("small").data
    scenes = [data.distribution(data.seed, index) for index in range(20)]
    assert all(scene.background == (0.0, 0.0, 0.0) for scene in scenes)
    assert all(any(max(thing.material.emission) > 0 for thing in scene.objects) for scene in scenes)


@pytest.mark.parametrize(("name", "progress", "rate"), [("constant_schedule", 1.0, 1.0), ("log_schedule", 0.7, 0.1),
                                                        ("stable_decay_schedule", 0.8, 1.0)])  # fmt: skip
def test_schedules(name, progress, rate):
    assert EXPERIMENTS[name].make("small").train.optim.schedule(progress) == pytest.approx(rate)
