"""The lab log's "to try" lists, an experiment each, as changes of its baseline `big_new_run` or of its sequence blocks.

"Eliminate input transformer" and "standard descending channel type architecture" became runs of the log's own:
`no_base_transformer` and `only_descending_ch`. So did SeqToImage with an overall weight, but with a start that hid it.
"""

from dataclasses import replace

from luxel.experiments.experiment import (
    Experiment,
    variant,
    with_attention,
    with_data,
    with_generator,
    with_model,
    with_part,
    with_schedule,
    with_size,
    with_train,
)
from luxel.experiments.log_2020_05_31 import new_improve_seq
from luxel.experiments.log_2020_06_01 import add_seq_to_image_fixed, big_new_run, with_start_channels
from luxel.models.cross_attention import OverallWeight
from luxel.scene.distributions import Arrangement

GROUP = "to_try"
MAY_30, JUNE_1 = "2020-05-30", "2020-06-01"


@variant(big_new_run, GROUP, JUNE_1)
def black_background_relu(run: Experiment) -> Experiment:
    """ "Make background black and switch to RELU output activation.\""""
    assert isinstance(run.data.distribution, Arrangement)
    black = with_data(run, distribution=replace(run.data.distribution, background="black"))
    return with_model(black, output="relu")


@variant(add_seq_to_image_fixed, GROUP, JUNE_1)
def seq_to_image_all_channels(run: Experiment) -> Experiment:
    """Seq→image on all channels, its overall weight starting at one half: "I am guessing [it] is effective"."""
    return with_part(run, "seq_to_image", overall_weight=OverallWeight(mix_bias=0.0))


@variant(big_new_run, GROUP, JUNE_1)
def image_to_seq_every_block(run: Experiment) -> Experiment:
    """ "Correct frequencies of ImageToSeq": before every block instead of once a level."""
    return with_model(run, image_to_seq_at="every_block")


@variant(big_new_run, GROUP, JUNE_1)
def seq_to_image_once_a_level(run: Experiment) -> Experiment:
    """ "Correct frequencies of SeqToImage": once a level instead of before every block."""
    return with_model(run, seq_to_image_at="level_start")


@variant(seq_to_image_once_a_level, GROUP, JUNE_1)
def staggered(run: Experiment) -> Experiment:
    """ "Is staggering actually improving efficiency?": image→seq at a level's end, seq→image at its start."""
    return with_model(run, image_to_seq_at="level_end")


@variant(big_new_run, GROUP, MAY_30)
def interlaced(run: Experiment) -> Experiment:
    """ "Interlace": the image asks the sequence as the block before left it, so both can be computed at once."""
    return with_model(run, interlaced=True)


@variant(big_new_run, GROUP, JUNE_1)
def half_seq_size(run: Experiment) -> Experiment:
    """ "Correct (base) seq size?": half."""
    return with_size(run, sequence=0.5)


@variant(big_new_run, GROUP, JUNE_1)
def double_seq_size(run: Experiment) -> Experiment:
    """ "Correct (base) seq size?": double."""
    return with_size(run, sequence=2.0)


@variant(big_new_run, GROUP, JUNE_1)
def half_ch(run: Experiment) -> Experiment:
    """ "Correct (base) ch count?": half."""
    return with_size(run, width=0.5)


@variant(big_new_run, GROUP, JUNE_1)
def double_ch(run: Experiment) -> Experiment:
    """ "Correct (base) ch count?": double."""
    return with_size(run, width=2.0)


@variant(big_new_run, GROUP, JUNE_1)
def half_depth(run: Experiment) -> Experiment:
    """ "Correct (base) depth?": half the blocks a level."""
    return with_size(run, depth=0.5)


@variant(big_new_run, GROUP, JUNE_1)
def expand_ratio_2(run: Experiment) -> Experiment:
    """ "Correct expand ratio?": 2 instead of 3."""
    return with_generator(run, expand_ratio=2)


@variant(big_new_run, GROUP, JUNE_1)
def expand_ratio_6(run: Experiment) -> Experiment:
    """ "Correct expand ratio?": 6, as MobileNetV2's, instead of 3."""
    return with_generator(run, expand_ratio=6)


@variant(big_new_run, GROUP, JUNE_1)
def initial_width_8(run: Experiment) -> Experiment:
    """ "Correct initial dim?": the start block makes 8×8 pixels instead of 4×4."""
    return with_part(run, "start", size=8)


@variant(big_new_run, GROUP, "2020-06-02")
def constant_then_halve_ch(run: Experiment) -> Experiment:
    """The log's third way with channels: "keep channels constant and then half channels every upsample"."""
    return with_start_channels(run, "constant_then_halve", run.image_model.generator.max_channels)


@variant(big_new_run, GROUP, "2020-06-02")
def own_base_layers(run: Experiment) -> Experiment:
    """ "Multiple layers, but with different parameters for each layer", in the base transformer: as many passes."""
    return with_part(run, "base_transformer", shared=False)


@variant(new_improve_seq, GROUP, JUNE_1)
def seq_blocks_dropout(run: Experiment) -> Experiment:
    """ "Dropout (on seq blocks)": one activation in ten."""
    return with_part(run, "sequence_blocks", dropout=0.1)


@variant(new_improve_seq, GROUP, JUNE_1)
def seq_blocks_stochastic_depth(run: Experiment) -> Experiment:
    """ "And other regularization", "some form of strong regularization": a branch in five is dropped whole."""
    return with_part(run, "sequence_blocks", stochastic_depth=0.2)


@variant(new_improve_seq, GROUP, JUNE_1)
def more_residual_seq_blocks(run: Experiment) -> Experiment:
    """ "More residual blocks somehow": sequence blocks of as many layers, but with parameters of their own."""
    return with_part(run, "sequence_blocks", shared=False)


@variant(big_new_run, GROUP, MAY_30)
def queries_start(run: Experiment) -> Experiment:
    """ "4x4 is worse than it should be - better start block?": a learned query for every pixel."""
    return with_part(run, "start", kind="queries")


@variant(big_new_run, GROUP, MAY_30)
def qk_norm_registers(run: Experiment) -> Experiment:
    """ "Better strategies for attention": normalised queries and keys, and four registers to attend to."""
    return with_attention(run, qk_norm=True, registers=4)


@variant(big_new_run, GROUP, MAY_30)
def intersection(run: Experiment) -> Experiment:
    """ ""Intersection" modules/activation": soft ANDs for attention's values and in the base transformer."""
    return with_attention(with_part(run, "base_transformer", activation="intersection"), intersection=True)


@variant(big_new_run, GROUP, JUNE_1)
def longer(run: Experiment) -> Experiment:
    """ "Way more epochs are required": four times as long."""
    return with_train(run, samples=4 * run.train.samples)


@variant(big_new_run, GROUP, JUNE_1)
def log_schedule(run: Experiment) -> Experiment:
    """Is cosine annealing "a better idea"? The log's first schedule, straight lines, instead."""
    return with_schedule(run, shape="piecewise")


@variant(big_new_run, GROUP, JUNE_1)
def stable_decay_schedule(run: Experiment) -> Experiment:
    """ "The decay phase needs to be at a higher learning rate": at the peak until the last fifth, then down."""
    return with_schedule(run, shape="stable_decay")


@variant(big_new_run, GROUP, JUNE_1)
def constant_schedule(run: Experiment) -> Experiment:
    """No decay at all: the far end of "a higher learning rate"."""
    return with_schedule(run, shape="constant")


@variant(big_new_run, GROUP, MAY_30)
def more_data(run: Experiment) -> Experiment:
    """ "MOAR data????": four times the scenes, seen as many times less often."""
    return with_data(run, count=4 * run.data.count)
