"""Verdicts from made-up records, intervals against scipy's own numbers by hand."""

import math
from dataclasses import replace

import pytest
from records import record, seeds

from luxel.ledger.claims import NOTABLE, NOTABLE_SINCE, SEEN_BEFORE, Better, Diverges, PreventsDivergence, Same, ratio

BETTER = Better("t", "d", "l", better="just_image_to_seq", worse="standard_run")
SAME = Same("t", "d", "l", one="just_image_to_seq", other="standard_run")
DIVERGES = Diverges("t", "d", "l", run="tanh")


def test_a_ratio_by_hand():
    """Equal variances and sizes: ln 2 ± t · √(2 · 0.01² / 3), where t of 2 + 2 degrees of freedom is 2.776."""
    found = ratio([2 * math.exp(d) for d in (-0.01, 0.0, 0.01)], [math.exp(d) for d in (-0.01, 0.0, 0.01)])
    half = 2.7764 * math.sqrt(2 * 0.01**2 / 3)
    assert found.mean == pytest.approx(2)
    assert found.low == pytest.approx(2 * math.exp(-half), rel=1e-4)
    assert found.high == pytest.approx(2 * math.exp(half), rel=1e-4)


@pytest.mark.parametrize(
    ("image_to_seq", "standard", "verdict"),
    [
        ((1.0, 1.1, 1.05), (2.0, 2.1, 2.05), "holds"),
        ((2.0, 2.1, 2.05), (1.0, 1.1, 1.05), "does not hold"),
        ((1.0, 1.01, 1.02), (1.0, 1.01, 1.03), "does not hold"),
        ((1.0, 1.001, 1.002), (1.05, 1.051, 1.052), "holds"),
        ((1.0, 2.0, 1.5), (1.1, 2.1, 1.6), "undecided"),
    ],
)
def test_better(image_to_seq, standard, verdict):
    records = seeds("just_image_to_seq", *image_to_seq) + seeds("standard_run", *standard)
    judged, *_ = BETTER.judge(records)
    assert (judged.verdict, judged.scale) == (verdict, "small")
    assert "times" in judged.figure


def test_two_seeds_decide_nothing():
    judged, *_ = BETTER.judge(seeds("just_image_to_seq", 1.0, 1.01, 1.02) + seeds("standard_run", 5.0, 5.01))
    assert judged.verdict == "undecided"
    assert "2 of 3 seeds" in judged.figure


def test_what_was_not_run_is_undecided():
    (judged,) = BETTER.judge(seeds("standard_run", 1.0, 1.0, 1.0))
    assert judged.figure == "not run"


def test_the_largest_scale_counts():
    small = seeds("just_image_to_seq", 1.0, 1.01, 1.02) + seeds("standard_run", 2.0, 2.01, 2.02)
    full = seeds("just_image_to_seq", 2.0, 2.01, 2.02, scale="full") + seeds(
        "standard_run", 1.0, 1.01, 1.02, scale="full"
    )
    judged, *_ = BETTER.judge(small + full)
    assert (judged.verdict, judged.scale) == ("does not hold", "full")


def test_a_scale_with_too_few_seeds_does_not_hide_a_smaller_one():
    small = seeds("just_image_to_seq", 1.0, 1.01, 1.02) + seeds("standard_run", 2.0, 2.01, 2.02)
    full = seeds("just_image_to_seq", 2.0, scale="full") + seeds("standard_run", 1.0, scale="full")
    judged, other = BETTER.judge(small + full)
    assert (judged.verdict, judged.scale) == ("holds", "small")
    assert (other.verdict, other.scale) == ("undecided", "full")
    assert other.figure == "perceptual 0.5 times; one seed"


def test_every_scale_with_runs_is_judged_the_largest_with_seeds_enough_first():
    records = seeds("just_image_to_seq", 1.0, scale="full") + seeds("standard_run", 1.0, scale="full")
    for scale, worse in (("tiny", 0.5), ("small", 1.0), ("medium", 2.0)):
        records += seeds("just_image_to_seq", 1.0, 1.01, 1.02, scale=scale)
        records += seeds("standard_run", *(worse * loss for loss in (1.0, 1.01, 1.02)), scale=scale)
    assert [(judged.scale, judged.verdict) for judged in BETTER.judge(records)] == [
        ("medium", "holds"),
        ("small", "does not hold"),
        ("tiny", "does not hold"),
        ("full", "undecided"),
    ]


def test_what_is_notable_was_fixed_before_runs_at_the_other_scales():
    """Whoever changes it must say which runs had been seen by then."""
    assert (NOTABLE, NOTABLE_SINCE, SEEN_BEFORE) == (1.1, "2026-11-26", ("tiny", "small"))


def test_a_seed_without_the_figure_decides_nothing():
    records = seeds("just_image_to_seq", 1.0, 1.01, 1.02) + seeds("standard_run", 2.0, 2.01, 2.02)
    records[-1].metrics["perceptual"] = math.nan
    judged, *_ = BETTER.judge(records)
    assert (judged.verdict, judged.figure) == ("undecided", "a seed has no perceptual")


def test_runs_of_different_test_sets_are_not_compared():
    other = [replace(r, data={**r.data, "test_set": "ef" * 32}) for r in seeds("standard_run", 2.0, 2.0, 2.0)]
    judged, *_ = BETTER.judge(seeds("just_image_to_seq", 1.0, 1.0, 1.1) + other)
    assert (judged.verdict, judged.figure) == ("undecided", "runs of different test sets")


@pytest.mark.parametrize(
    ("better", "worse", "verdict"), [(0, 3, "holds"), (3, 0, "does not hold"), (1, 3, "undecided"), (0, 2, "undecided")]
)
def test_a_run_that_diverges_is_the_worse_one(better, worse, verdict):
    def some(name: str, diverged: int):
        return [record(name, seed, diagnosis="loss spike" if seed < diverged else None) for seed in range(3)]

    assert BETTER.judge(some("just_image_to_seq", better) + some("standard_run", worse))[0].verdict == verdict


@pytest.mark.parametrize(
    ("other", "verdict"),
    [((1.0, 1.02, 1.01), "holds"), ((2.0, 2.02, 2.01), "does not hold"), ((1.0, 1.3, 1.6), "undecided")],
)
def test_same_within_a_tenth(other, verdict):
    records = seeds("just_image_to_seq", 1.0, 1.01, 1.02) + seeds("standard_run", *other)
    assert SAME.judge(records)[0].verdict == verdict


@pytest.mark.parametrize(("count", "verdict"), [(3, "holds"), (0, "does not hold"), (1, "undecided")])
def test_diverges(count, verdict):
    records = [record("tanh", seed, diagnosis="loss scale collapsed" if seed < count else None) for seed in range(3)]
    assert DIVERGES.judge(records)[0].verdict == verdict
    assert replace(DIVERGES, expected=False).judge(records)[0].verdict == {
        "holds": "does not hold", "does not hold": "holds"}.get(verdict, verdict)  # fmt: skip
    assert f"{count} of 3 diverged" in DIVERGES.judge(records)[0].figure


@pytest.mark.parametrize(
    ("changed", "without", "verdict"),
    [(0, 3, "holds"), (3, 3, "does not hold"), (1, 3, "undecided"), (0, 2, "undecided"), (0, 0, "undecided")],
)
def test_only_what_diverges_without_a_change_can_be_prevented_by_it(changed, without, verdict):
    claim = PreventsDivergence("t", "d", "l", run="use_exp", without="tanh")
    counts = {"use_exp": changed, "tanh": without}
    records = [
        record(name, seed, diagnosis="loss spike" if seed < count else None)
        for name, count in counts.items()
        for seed in range(3)
    ]
    (judged,) = claim.judge(records)
    assert judged.verdict == verdict
    assert judged.figure.startswith(f"diverged: {changed} of 3 of use_exp, {without} of 3 of tanh")
    assert judged.figure.endswith("; nothing to prevent") == (without == 0)
