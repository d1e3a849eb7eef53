import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from luxel import InputError
from luxel.train.optim import REFERENCE_BATCH, MovingAverage, OptimConfig, Schedule, optimizer


def test_cosine_by_hand():
    schedule = Schedule("cosine", warmup=0.2, final=0.1)
    expected = {0.0: 0.0, 0.1: 0.5, 0.2: 1.0, 0.6: 0.55, 1.0: 0.1}
    for progress, rate in expected.items():
        assert math.isclose(schedule(progress), rate, abs_tol=1e-12)


def test_warmup_stable_decay_by_hand():
    schedule = Schedule("stable_decay", warmup=0.1, decay=0.4, final=0.0)
    expected = {0.05: 0.5, 0.1: 1.0, 0.6: 1.0, 0.8: 0.5, 1.0: 0.0}
    for progress, rate in expected.items():
        assert math.isclose(schedule(progress), rate, abs_tol=1e-12)


def test_the_logs_first_schedule_by_hand():
    """Its code's 0.0005, 0.002, 0.0002, 0.00002 at epochs 0, 10, 70 and 100."""
    schedule = Schedule("piecewise", start=0.25)
    for epoch, rate in {0: 5e-4, 5: 1.25e-3, 10: 2e-3, 40: 1.1e-3, 70: 2e-4, 85: 1.1e-4, 100: 2e-5}.items():
        assert math.isclose(2e-3 * schedule(epoch / 100), rate, rel_tol=1e-9)


def test_the_logs_correction_by_hand():
    """LRSched of its code: from a quarter linearly, then half a cosine to 0."""
    schedule = Schedule("cosine", warmup=0.1, start=0.25)
    for progress, rate in {0.0: 0.25, 0.05: 0.625, 0.1: 1.0, 0.55: 0.5, 1.0: 0.0}.items():
        assert math.isclose(schedule(progress), rate, abs_tol=1e-12)


def test_constant_stays():
    schedule = Schedule("constant", warmup=0.2)
    assert [schedule(progress) for progress in (0.1, 0.2, 0.7, 1.0)] == [0.5, 1.0, 1.0, 1.0]


def test_a_shape_drawn_for_a_longer_run_is_cut_off():
    whole, cut = Schedule("cosine", warmup=0.2), Schedule("cosine", warmup=0.2, drawn_for=4.0)
    assert [cut(progress) for progress in (0.1, 0.5, 1.0)] == [whole(progress / 4) for progress in (0.1, 0.5, 1.0)]


@pytest.mark.parametrize(
    ("schedule", "until"),
    [
        (Schedule("constant"), 1.0),
        (Schedule("stable_decay", decay=0.25), 0.75),
        (Schedule("cosine"), 0.0),
        (Schedule("piecewise"), 0.0),
    ],
)
def test_where_a_cooldown_may_branch_off(schedule, until):
    assert schedule.stable_until == until
    assert until == 0 or schedule(until) == 1


@given(
    schedule=st.builds(
        Schedule,
        shape=st.sampled_from(["cosine", "stable_decay", "constant", "piecewise"]),
        warmup=st.floats(0, 0.5),
        start=st.floats(0, 1),
        final=st.floats(0, 1),
        drawn_for=st.floats(1, 9),
    ),
    progress=st.floats(0, 1),
)
def test_no_schedule_leaves_its_range(schedule, progress):
    assert 0 <= schedule(progress) <= 1 + 1e-12


@pytest.mark.parametrize("wrong", [{"warmup": 1.0}, {"warmup": -0.1}, {"decay": 0.0}, {"start": 1.5}, {"final": -1.0},
                                   {"drawn_for": 0.5}])  # fmt: skip
def test_a_share_that_is_none_is_named(wrong):
    (name,) = wrong
    with pytest.raises(InputError, match=rf"schedule\.{name} is"):
        Schedule(**wrong)


@pytest.mark.parametrize(("scaling", "factor"), [("linear", 9.0), ("sqrt", 3.0), ("none", 1.0)])
def test_the_rate_follows_the_batch(scaling, factor):
    config = OptimConfig(learning_rate=2e-3, lr_multiplier=0.25, batch_scaling=scaling)
    assert config.peak_rate(REFERENCE_BATCH) == 5e-4
    assert config.peak_rate(9 * REFERENCE_BATCH) == pytest.approx(factor * 5e-4)


@pytest.mark.parametrize(("algorithm", "kind"), [("adam", torch.optim.Adam), ("adamw", torch.optim.AdamW)])
def test_the_configured_optimiser_is_built(algorithm, kind):
    config = OptimConfig(algorithm=algorithm, betas=(0.8, 0.95), weight_decay=0.03)
    built = optimizer(config, nn.Linear(2, 3).parameters())
    assert type(built) is kind
    assert built.defaults["betas"] == (0.8, 0.95)
    assert built.defaults["weight_decay"] == 0.03


def test_the_average_by_hand():
    """Step 0 copies; then the decay is min(0.5, (1 + n) / (10 + n)), so 2/11 and 3/12."""
    model = nn.BatchNorm1d(1)
    average = MovingAverage(model, decay=0.5)
    for weight in (1.0, 12.0, 4.0):
        with torch.no_grad():
            model.weight.fill_(weight)
            model.running_mean.fill_(-weight)
        model.num_batches_tracked += 1
        average.update_parameters(model)
    second = 2 / 11 * 1 + 9 / 11 * 12
    third = 3 / 12 * second + 9 / 12 * 4
    torch.testing.assert_close(average.module.weight.item(), third, rtol=1e-6, atol=0)
    torch.testing.assert_close(average.module.running_mean.item(), -third, rtol=1e-6, atol=0)
    assert average.module.num_batches_tracked == 3
