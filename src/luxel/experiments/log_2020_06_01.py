"""The lab log's runs of 2020-06-01: big runs, the pooling bug, seq→image added instead of concatenated.

"Big" is read as 200 epochs, twice the base's 100, see `log_2020_05_30`. The log ran in O1, single precision here but
for the runs whose names end so, which the log does not name: what diverges is asked in its own precision. The value
that was "added in twice" is read as the whole of what seq→image gathers, after its overall weight: with a weight that
starts at 4.5e-5, twice it is still next to nothing at first.
"""

from luxel.experiments.experiment import Experiment, variant, with_generator, with_optim, with_part, with_train
from luxel.experiments.log_2020_05_31 import just_image_to_seq, standard_run
from luxel.models.cross_attention import OverallWeight
from luxel.models.generator import Strategy

GROUP = "2020-06-01"


@variant(just_image_to_seq, GROUP, GROUP)
def just_image_to_seq_big(run: Experiment) -> Experiment:
    """Twice as long, with image→seq and its bug: "ended at 6e-4"; "definitely very effective"."""
    return with_train(run, samples=2 * run.train.samples)


@variant(standard_run, GROUP, GROUP)
def orig_big(run: Experiment) -> Experiment:
    """Twice as long, without image→seq: "ended up at 1.2e-3"."""
    return with_train(run, samples=2 * run.train.samples)


@variant(just_image_to_seq, GROUP, GROUP)
def big_new_run(run: Experiment) -> Experiment:
    """The "new baseline": "same as just-image-to-seq_big, but 100 epochs only and bug fixed".

    The bug: one overall weight for all objects in image→seq; fixed, each object has its own. A hundred epochs are the
    length of the base's training, at any scale, so this is `just_image_to_seq` without the bug.
    """
    return with_part(run, "image_to_seq", per_element=True)


@variant(big_new_run, GROUP, GROUP)
def add_seq_to_image(run: Experiment) -> Experiment:
    """Seq→image added to all channels under an overall weight, twice by mistake: "diverged"."""
    return with_part(run, "seq_to_image", join="add", overall_weight=OverallWeight(mix_bias=-10.0), added_twice=True)


@variant(add_seq_to_image, GROUP, GROUP)
def add_seq_to_image_quarter_lr(run: Experiment) -> Experiment:
    """`add_seq_to_image` at a quarter of the rate: "diverged, so I changed learning rates to be 1/4"."""
    return with_optim(run, lr_multiplier=0.25)


@variant(add_seq_to_image, GROUP, GROUP)
def add_seq_to_image_fixed(run: Experiment) -> Experiment:
    """Added once: "didn't diverge but performed poorly" (2020-06-02)."""
    return with_part(run, "seq_to_image", added_twice=False)


@variant(add_seq_to_image, GROUP, GROUP)
def add_seq_to_image_O1(run: Experiment) -> Experiment:
    """`add_seq_to_image` as the log ran it, in O1: "diverged"."""
    return with_train(run, precision="fp16-o1")


@variant(add_seq_to_image_O1, GROUP, GROUP)
def add_seq_to_image_quarter_lr_O1(run: Experiment) -> Experiment:
    """`add_seq_to_image_quarter_lr` as the log ran it, in O1."""
    return add_seq_to_image_quarter_lr(run)


@variant(add_seq_to_image_O1, GROUP, GROUP)
def add_seq_to_image_fixed_O1(run: Experiment) -> Experiment:
    """`add_seq_to_image_fixed` as the log ran it, in O1: "didn't diverge"."""
    return add_seq_to_image_fixed(run)


@variant(big_new_run, GROUP, GROUP)
def only_descending_ch(run: Experiment) -> Experiment:
    """Channels halve at every upsampling from the start: "somewhat better, but was a bigger model" (2020-06-02).

    The base's halving is continued back to the first level, channels of seq→image included, so that the levels after
    its widest stay as they are: at full scale 2048 channels at the start, where the log had 1024.
    """
    turn = (run.image_model.levels - 1) // 2
    return with_start_channels(run, "halve", run.image_model.generator.max_channels * 2**turn)


@variant(big_new_run, GROUP, GROUP)
def no_base_transformer(run: Experiment) -> Experiment:
    """No base transformer, the list's "eliminate input transformer": "eventually diverges", "promising" until then."""
    return with_part(run, "base_transformer", layers=0)


def with_start_channels(run: Experiment, strategy: Strategy, channels: int) -> Experiment:
    """The experiment with this plan of channels; seq→image's, which are relative to the start's, stay what they are."""
    attention, before = run.image_model.seq_to_image, run.image_model.generator.start_channels
    assert attention is not None
    changed = with_generator(run, strategy=strategy, start_channels=channels)
    return with_part(changed, "seq_to_image", channels=attention.channels * channels // before)
