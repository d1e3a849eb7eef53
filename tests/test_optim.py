import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from luxel import InputError
from luxel.train.optim import OptimConfig, Schedule, moving_average, optimizer


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


@given(
    shape=st.sampled_from(["cosine", "stable_decay"]),
    warmup=st.floats(0, 0.5),
    progress=st.floats(0, 1),
)
def test_no_schedule_leaves_its_range(shape, warmup, progress):
    assert 0 <= Schedule(shape, warmup=warmup)(progress) <= 1


@pytest.mark.parametrize("wrong", [{"warmup": 1.0}, {"warmup": -0.1}, {"decay": 0.0}])
def test_a_share_that_is_none_is_named(wrong):
    (name,) = wrong
    with pytest.raises(InputError, match=rf"schedule\.{name} is"):
        Schedule(**wrong)


def test_the_rate_grows_with_the_batch():
    config = OptimConfig(learning_rate=2e-3, lr_multiplier=0.25)
    assert config.peak_rate(32) == 5e-4
    assert config.peak_rate(96) == pytest.approx(3 * config.peak_rate(32))


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
    average = moving_average(model, decay=0.5)
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
