"""The lab log's runs of 2020-05-31: what image→seq and sequence blocks add to the standard network.

The log describes `just_image_to_seq` as "just SeqToImage" and `standard_run` as "no SeqToImage or seq blocks".
Read here as a slip for ImageToSeq, after the runs' names and the next day's entry ("big run with ImageToSeq and
SeqToImage", "without ImageToSeq"): seq→image was there from the start, image→seq is what these runs add.

In single precision, where the log ran in O1. The bug that was found on 2020-06-01, one overall weight for all objects,
was in every image→seq of this day. All our runs are tested by a moving average of their weights; the two whose names
end with `raw`, which the log does not name, by the weights themselves, which make its test loss jump.
"""

from luxel.experiments.base import SHARED_LAYERS, base
from luxel.experiments.experiment import Experiment, Scale, experiment, variant, with_model, with_optim, with_train
from luxel.models.cross_attention import ImageToSeqConfig
from luxel.models.image_model import ImageModelConfig
from luxel.models.sequence import TransformerConfig

GROUP = "2020-05-31"


@experiment(GROUP, GROUP)
def standard_run(scale: Scale) -> Experiment:
    """The base of all others: no image→seq, no sequence blocks; perceptual loss, cosine schedule."""
    return base(scale)


@variant(standard_run, GROUP, GROUP)
def just_image_to_seq(run: Experiment) -> Experiment:
    """The standard run with image→seq, which starts by ignoring the image: "seem to work quite well"."""
    return with_model(run, image_to_seq=image_to_seq(run.image_model))


@variant(standard_run, GROUP, GROUP)
def just_seq_blocks(run: Experiment) -> Experiment:
    """The standard run with sequence blocks: "test loss is SUPER jumpy", yet "in general [they] seem to work"."""
    return with_model(run, sequence_blocks=sequence_blocks(run.image_model))


@variant(standard_run, GROUP, GROUP)
def standard_run_raw(run: Experiment) -> Experiment:
    """The standard run with its raw weights tested: what `just_seq_blocks_raw` jumps more than."""
    return with_raw_weights_tested(run)


@variant(just_seq_blocks, GROUP, GROUP)
def just_seq_blocks_raw(run: Experiment) -> Experiment:
    """Sequence blocks with their raw weights tested: is "test loss SUPER jumpy"?"""
    return with_raw_weights_tested(run)


@variant(just_image_to_seq, GROUP, GROUP)
def new_improve_seq(run: Experiment) -> Experiment:
    """Image→seq and sequence blocks "with initialization change (negative bias)"."""
    return with_model(run, sequence_blocks=sequence_blocks(run.image_model))


@variant(new_improve_seq, GROUP, GROUP)
def improve_seq_half_lr(run: Experiment) -> Experiment:
    """`new_improve_seq` at half its learning rate ("95% sure, but this might actually just be an old run")."""
    return with_optim(run, lr_multiplier=0.5)


def with_raw_weights_tested(run: Experiment) -> Experiment:
    """The experiment without a moving average, which hides jumps, and tested four times as often.

    Training is the same to the bit. At scale small, 10 tests leave 3 bends of the test loss to tell jumps by; 40, 18.
    """
    return with_train(with_optim(run, ema_decay=0.0), tests=4 * run.train.tests)


def image_to_seq(model: ImageModelConfig) -> ImageToSeqConfig:
    """Image→seq as of this day: at first almost ignored, one overall weight for all objects."""
    return ImageToSeqConfig(per_element=False, attention=model.base_transformer.attention)


def sequence_blocks(model: ImageModelConfig) -> TransformerConfig:
    """Transformers between the image's blocks, of shared parameters as the base's, their gates at first almost shut.

    That the blocks shared parameters is read from 2020-06-02: "this may also extend to seq blocks".
    """
    return TransformerConfig(
        layers=SHARED_LAYERS // 2, shared=True, gate_bias=-3.0, attention=model.base_transformer.attention
    )
