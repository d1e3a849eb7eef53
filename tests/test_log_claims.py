"""The table of the log's claims against the log: which run it calls better, and that all are of runs there are."""

import pytest

from luxel.experiments import EXPERIMENTS
from luxel.ledger.claims import Better, Diverges, PreventsDivergence
from luxel.ledger.log_claims import CLAIMS


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ("spheres_O1", "spheres_O2"),
        ("spheres_lower_lr_O1", "spheres_O1"),
        ("spheres_O0", "broken_lr"),
        ("spheres_O0", "tanh"),
        ("perceptual_loss", "spheres_O0"),
        ("perceptual_loss", "use_exp"),
        ("just_image_to_seq", "standard_run"),
        ("big_new_run", "standard_run"),
        ("just_image_to_seq_big", "orig_big"),
        ("just_seq_blocks", "standard_run"),
        ("standard_run_raw", "just_seq_blocks_raw"),
        ("standard_run", "just_seq_blocks"),
        ("big_new_run", "add_seq_to_image_fixed"),
        ("add_seq_to_image_mix_bias", "add_seq_to_image_new"),
        ("add_seq_to_image_mix_bias", "big_new_run"),
        ("seq_to_image_all_channels", "add_seq_to_image_fixed"),
        ("minimal_base_transformer", "no_base_transformer"),
        ("minimal_base_transformer", "big_new_run"),
        ("only_descending_ch", "big_new_run"),
        ("just_image_to_seq_big", "just_image_to_seq"),
        ("big_new_run", "log_schedule"),
    ],
)
def test_which_run_the_log_calls_better(better, worse):
    """Read off the log; with sequence blocks the training loss is better, without them jumps and overfitting are."""
    (claim,) = [c for c in CLAIMS if isinstance(c, Better) and (c.better, c.worse) == (better, worse)]
    metrics = {
        ("perceptual_loss", "spheres_O0"): "flip",
        ("just_seq_blocks", "standard_run"): "train_loss",
        ("standard_run_raw", "just_seq_blocks_raw"): "jumpiness",
        ("standard_run", "just_seq_blocks"): "overfitting",
    }
    assert claim.metric == metrics.get((better, worse), "perceptual")


def test_no_comparison_is_missing_from_the_table():
    assert sum(isinstance(claim, Better) for claim in CLAIMS) == 21


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.text)
def test_every_claim_is_of_runs_there_are(claim):
    assert all(name in EXPERIMENTS for name in claim.runs)
    assert claim.date.startswith("2020-")
    assert claim.judge([])[0].verdict == "undecided"


def test_divergence_is_asked_in_the_precision_that_the_log_ran_in():
    """The log, 2020-06-02: it "appears to be related to mixed precision training"."""
    runs = {name for claim in CLAIMS if isinstance(claim, (Diverges, PreventsDivergence)) for name in claim.runs}
    precisions = {name: EXPERIMENTS[name].make("full").train.precision for name in runs}
    assert precisions == {name: "fp16-o2" if name == "spheres_O2" else "fp16-o1" for name in runs}
