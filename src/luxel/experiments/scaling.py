"""The lab log's scaling question (2020-06-01): "how should the model be scaled up (ch multiplier, depth multiplier, seq
size multiplier)?" Three networks of the same number of operations, each grown from the baseline in one way.
"""

from luxel.experiments.experiment import Experiment, variant, with_size
from luxel.experiments.log_2020_06_01 import big_new_run

GROUP, DATE = "scaling", "2020-06-01"

WIDTH = {16: 1.58, 32: 1.54, 64: 1.45, 128: 1.44}
SEQUENCE = {16: 2.28, 32: 2.41, 64: 3.57, 128: 3.72}
"""Multipliers, by output width, whose operations are those of `double_depth`; tests/test_scaling.py counts them."""


@variant(big_new_run, GROUP, DATE)
def double_depth(run: Experiment) -> Experiment:
    """Twice the blocks a level: "correct (base) depth?", and the operations that the other two have."""
    return with_size(run, depth=2.0)


@variant(big_new_run, GROUP, DATE)
def same_flops_width(run: Experiment) -> Experiment:
    """The operations of `double_depth`, by channels."""
    return with_size(run, width=WIDTH[run.model.width])


@variant(big_new_run, GROUP, DATE)
def same_flops_seq_size(run: Experiment) -> Experiment:
    """The operations of `double_depth`, by the sequence's width."""
    return with_size(run, sequence=SEQUENCE[run.model.width])
