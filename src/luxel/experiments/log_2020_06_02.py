"""The lab log's runs of 2020-06-02: where the added seq→image starts, and how much base transformer is needed.

In single precision, as all our runs that do not say otherwise; the log ran in O1, and blames it for divergence. So
`no_base_transformer_O1`, `no_base_transformer_reduced_lr_O1` and `min_loss_scale`, which the log does not name, run as
it did.
"""

from dataclasses import replace

from luxel.experiments.experiment import Experiment, variant, with_model, with_optim, with_part, with_train
from luxel.experiments.log_2020_05_31 import sequence_blocks
from luxel.experiments.log_2020_06_01 import add_seq_to_image_fixed, big_new_run, no_base_transformer
from luxel.models.cross_attention import OverallWeight

GROUP = "2020-06-02"
SUBSET = 0.25
"""Share of the channels that is added to where the log says "a subset"."""


@variant(add_seq_to_image_fixed, GROUP, GROUP)
def add_seq_to_image_new(run: Experiment) -> Experiment:
    """Seq→image added to a subset of the channels: "almost the exact same result" as on all."""
    return with_part(run, "seq_to_image", share=SUBSET)


@variant(add_seq_to_image_new, GROUP, GROUP)
def add_seq_to_image_mix_bias(run: Experiment) -> Experiment:
    """The overall weight starts at one half instead of 4.5e-5: "works very well", "seems like the best approach"."""
    return with_part(run, "seq_to_image", overall_weight=OverallWeight(mix_bias=0.0))


@variant(no_base_transformer, GROUP, GROUP)
def no_base_transformer_reduced_lr(run: Experiment) -> Experiment:
    """`no_base_transformer` at 0.85 of the rate: "still diverges", "at almost the same point"."""
    return with_optim(run, lr_multiplier=0.85)


@variant(no_base_transformer, GROUP, GROUP)
def no_base_transformer_O1(run: Experiment) -> Experiment:
    """`no_base_transformer` as the log ran it, in O1: its divergence "appears to be related to mixed precision"."""
    return with_train(run, precision="fp16-o1")


@variant(no_base_transformer_O1, GROUP, GROUP)
def no_base_transformer_reduced_lr_O1(run: Experiment) -> Experiment:
    """`no_base_transformer_reduced_lr` as the log ran it, in O1: "still diverges"."""
    return no_base_transformer_reduced_lr(run)


@variant(no_base_transformer_O1, GROUP, GROUP)
def min_loss_scale(run: Experiment) -> Experiment:
    """The loss scale never falls below 128: "may help in some cases", "doesn't fix divergence in all cases"."""
    return with_train(run, loss_scale_floor=128.0)


@variant(big_new_run, GROUP, GROUP)
def minimal_base_transformer(run: Experiment) -> Experiment:
    """One layer in the base transformer: "better than no base transformer and hasn't (yet) diverged"."""
    return with_part(run, "base_transformer", layers=1, shared=False)


@variant(minimal_base_transformer, GROUP, GROUP)
def single_layer_transformer_and_add_all(run: Experiment) -> Experiment:
    """One base layer, one-layer sequence blocks, seq→image added to all channels: the "kitchen sink run"."""
    blocks = replace(sequence_blocks(run.image_model), layers=1, shared=False)
    with_blocks = with_model(run, sequence_blocks=blocks)
    return with_part(with_blocks, "seq_to_image", join="add", overall_weight=OverallWeight(mix_bias=0.0))
