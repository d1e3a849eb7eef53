"""The lab log's runs of 2020-05-30: attention weights, loss, output activation, and the first try at the sequence.

They change the runs of the day before. The log ran them in O1; single precision here, so that a CPU can
(`--train.precision fp16-o1` on a GPU). "Big" is read as twice as long, after 2020-06-01, where a run is "same as" the
big one "but 100 epochs only" instead of 200.
"""

from dataclasses import replace

from luxel.experiments.experiment import Experiment, variant, with_attention, with_model, with_train
from luxel.experiments.log_2020_05_31 import image_to_seq, sequence_blocks
from luxel.experiments.log_spheres_initial import spheres_O0
from luxel.models.cross_attention import OverallWeight

GROUP = "2020-05-30"


@variant(spheres_O0, GROUP, "2020-05-29")
def tanh(run: Experiment) -> Experiment:
    """Every attention weighs by tanh instead of softmax: "observing effect of tanh over softmax"."""
    return with_attention(run, weighting="tanh")


@variant(spheres_O0, GROUP, GROUP)
def perceptual_loss(run: Experiment) -> Experiment:
    """Smooth L1 over the target + 1 instead of squared error: "worked well based on visual inspection"."""
    return with_train(run, loss="perceptual")


@variant(perceptual_loss, GROUP, GROUP)
def use_exp(run: Experiment) -> Experiment:
    """exp instead of celu at the output: "performed very poorly"."""
    return with_model(run, output="exp")


@variant(perceptual_loss, GROUP, GROUP)
def big_run_no_tanh(run: Experiment) -> Experiment:
    """Twice as long, with softmax: "I switched from tanh to not using tanh base[d] on preliminary results"."""
    return with_train(run, samples=2 * run.train.samples)


@variant(big_run_no_tanh, GROUP, GROUP)
def big_run(run: Experiment) -> Experiment:
    """The big run as it was started, with tanh."""
    return with_attention(run, weighting="tanh")


@variant(perceptual_loss, GROUP, GROUP)
def improve_seq(run: Experiment) -> Experiment:
    """Image→seq and sequence blocks with nothing held back at first: "looks better (based on test samples)".

    Before the next day's "initialization change": the overall weight starts at one half, blocks have no gates.
    """
    gated = replace(image_to_seq(run.image_model), overall_weight=OverallWeight(mix_bias=0.0))
    blocks = replace(sequence_blocks(run.image_model), gate_bias=None)
    return with_model(run, image_to_seq=gated, sequence_blocks=blocks)
