"""The lab log's first runs, of 2020-05-29: mixed precision and learning rate, in the folder spheres_initial.

Loss and schedule of that day are those of its code (rgreenblatt/neural-render src/train.py): mean squared error, and
straight lines from a quarter of the peak up to it and down to a tenth and a hundredth. `spheres_O0` is not in the log:
the same in single precision, which a CPU can run, for the runs of the next day to be compared with.
"""

from luxel.experiments.experiment import Experiment, variant, with_optim, with_schedule, with_train
from luxel.experiments.log_2020_05_31 import standard_run

GROUP, DATE = "spheres_initial", "2020-05-29"


@variant(standard_run, GROUP, DATE)
def spheres_O0(run: Experiment) -> Experiment:
    """The first runs' loss and schedule in single precision; ours, the log has O1 and O2 only."""
    return with_schedule(with_train(run, loss="mse"), shape="piecewise")


@variant(spheres_O0, GROUP, DATE)
def spheres_O1(run: Experiment) -> Experiment:
    """Autocast to half precision: "O1 is best" ("O1 seems fine", 2020-05-30)."""
    return with_train(run, precision="fp16-o1")


@variant(spheres_O0, GROUP, DATE)
def spheres_O2(run: Experiment) -> Experiment:
    """Weights in half precision: "BAD divergence behavior. DO NOT BE TEMPTED" (2020-05-30)."""
    return with_train(run, precision="fp16-o2")


@variant(spheres_O1, GROUP, DATE)
def spheres_lower_lr_O1(run: Experiment) -> Experiment:
    """`spheres_O1` at a quarter of the rate: "determined lr should be halved"."""
    return with_optim(run, lr_multiplier=0.25)


@variant(spheres_O2, GROUP, DATE)
def spheres_lower_lr_O2(run: Experiment) -> Experiment:
    """`spheres_O2` at a quarter of the rate, for the same comparison."""
    return with_optim(run, lr_multiplier=0.25)


@variant(spheres_O0, GROUP, DATE)
def broken_lr(run: Experiment) -> Experiment:
    """The wrong schedule, kept as a negative: "Oops, screwed up the lr schedule".

    The log does not say what was wrong. Read as the usual mistake: the knots of a run four times as long, so that
    training ends while the rate is still near its peak. In single precision, not the day's O1, to tell one thing.
    """
    return with_schedule(run, drawn_for=4.0)
