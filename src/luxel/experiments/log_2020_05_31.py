"""The lab log's runs of 2020-05-31: what image→seq and sequence blocks add to the standard network.

The log describes `just_image_to_seq` as "just SeqToImage" and `standard_run` as "no SeqToImage or seq blocks".
Read here as a slip for ImageToSeq, after the runs' names and the next day's entry ("big run with ImageToSeq and
SeqToImage", "without ImageToSeq"): seq→image was there from the start, image→seq is what these runs add.
"""

from dataclasses import replace

from luxel.experiments.base import base
from luxel.experiments.experiment import Experiment, Scale, experiment
from luxel.models.exchange import ImageToSeqConfig
from luxel.models.image_model import ImageModelConfig
from luxel.models.sequence import TransformerConfig

GROUP = "2020-05-31"


@experiment(GROUP)
def standard_run(scale: Scale) -> Experiment:
    """No image→seq, no sequence blocks (2020-05-31)."""
    return base(scale)


@experiment(GROUP)
def just_image_to_seq(scale: Scale) -> Experiment:
    """The standard run with image→seq (2020-05-31): "both seem to work quite well"."""
    run = standard_run(scale)
    return replace(run, model=with_image_to_seq(run.model))


@experiment(GROUP)
def just_seq_blocks(scale: Scale) -> Experiment:
    """The standard run with sequence blocks (2020-05-31): "test loss is SUPER jumpy"."""
    run = standard_run(scale)
    return replace(run, model=with_sequence_blocks(run.model))


@experiment(GROUP)
def new_improve_seq(scale: Scale) -> Experiment:
    """Image→seq and sequence blocks whose gates start negative (2020-05-31)."""
    run = just_image_to_seq(scale)
    return replace(run, model=with_sequence_blocks(run.model))


@experiment(GROUP)
def improve_seq_half_lr(scale: Scale) -> Experiment:
    """`new_improve_seq` at half its learning rate (2020-05-31; "95% sure, but this might be an old run")."""
    run = new_improve_seq(scale)
    return replace(run, train=replace(run.train, optim=replace(run.train.optim, lr_multiplier=0.5)))


def with_image_to_seq(model: ImageModelConfig) -> ImageModelConfig:
    """The model with image→seq at the start of every level."""
    return replace(model, image_to_seq=ImageToSeqConfig(attention=model.base_transformer.attention))


def with_sequence_blocks(model: ImageModelConfig) -> ImageModelConfig:
    """The model with a transformer layer at the start of every level, its gates almost closed at first."""
    block = TransformerConfig(layers=1, gate_bias=-3.0, attention=model.base_transformer.attention)
    return replace(model, sequence_blocks=block)
