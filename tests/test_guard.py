from math import inf, nan

import pytest

from luxel.train.guard import PATIENCE, Guard


@pytest.mark.parametrize(("loss", "norm"), [(nan, 1.0), (inf, 1.0), (1.0, nan), (1.0, inf)])
def test_a_bad_step_is_skipped_and_counted(loss, norm):
    assert Guard(skipped=3).observe(loss, norm) == (Guard(skipped=4, in_a_row=1), "skip")


def test_a_good_step_ends_the_row_but_keeps_the_count():
    assert Guard(skipped=5, in_a_row=2).observe(0.1, 2.0) == (Guard(skipped=5), "step")


def test_patience_ends():
    guard, verdicts = Guard(), []
    for _ in range(PATIENCE):
        guard, verdict = guard.observe(nan, nan)
        verdicts.append(verdict)
    assert verdicts == ["skip"] * (PATIENCE - 1) + ["diverged"]
