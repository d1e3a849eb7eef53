"""The table of the log's ideas: every run of its lists is in it, against the run that it changes."""

import pytest

from luxel.experiments import EXPERIMENTS
from luxel.experiments.experiment import group_of
from luxel.ledger.log_claims import CLAIMS
from luxel.ledger.log_ideas import IDEAS


def test_every_run_of_the_lists_is_an_idea_or_in_a_claim():
    asked = {name for claim in (*IDEAS, *CLAIMS) for name in claim.runs}
    assert {*group_of("to_try"), *group_of("scaling")} <= asked


def test_no_idea_is_a_claim_or_there_twice():
    pairs = [(claim.better, claim.worse) for claim in IDEAS]
    assert len(set(pairs)) == len(pairs)
    assert not {claim.runs for claim in IDEAS} & {claim.runs for claim in CLAIMS}


@pytest.mark.parametrize("idea", IDEAS, ids=lambda idea: idea.text)
def test_an_idea_is_tried_against_the_run_that_it_changes(idea):
    """But for what the log compares otherwise: three ways to scale up, what follows one layer, a weight's start."""
    other = {
        ("same_flops_width", "double_depth"),
        ("same_flops_seq_size", "double_depth"),
        ("own_base_layers", "minimal_base_transformer"),
        ("seq_to_image_all_channels", "big_new_run"),
    }
    assert EXPERIMENTS[idea.better].base == idea.worse or idea.runs in other
    assert idea.metric == "perceptual"
    assert idea.date in ("2020-05-30", "2020-06-01", "2020-06-02")
