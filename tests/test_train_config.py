"""What a training's configuration is refused for, and the steps that follow from it."""

from dataclasses import replace

import pytest

from luxel import InputError
from luxel.train.optim import OptimConfig, Schedule
from luxel.train.train_config import TrainConfig

CONFIG = TrainConfig(samples=60, batch_size=5, tests=3, optim=OptimConfig(learning_rate=0.05))


def scheduled(**changes) -> TrainConfig:
    return replace(CONFIG, optim=replace(CONFIG.optim, schedule=Schedule(**changes)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"batch_size": 0}, "batch_size is 0"),
        ({"accumulate": 2}, "batch_size is 5, must be a multiple of accumulate 2"),
        ({"loss_scale_floor": 128.0}, "loss_scale_floor needs an fp16 precision, train.precision is fp32"),
        (
            {"loss_scale_floor": -5.0, "precision": "fp16-o1"},
            r"loss_scale_floor is -5\.0, must be a number in \(0, 65536\]",
        ),
        (
            {"loss_scale_floor": 1e9, "precision": "fp16-o1"},
            r"loss_scale_floor is 1000000000\.0, must be a number in \(0, 65536\]",
        ),
        ({"samples": -1}, "samples is -1"),
        ({"loss": "hubr"}, "'hubr'"),
    ],
)
def test_a_wrong_field_is_named(change, message):
    with pytest.raises(InputError, match=message):
        replace(CONFIG, **change)


def test_steps_are_whole_batches_and_tests_are_spread_to_the_end():
    assert CONFIG.steps == 12
    assert CONFIG.test_steps == {4, 8, 12}
    assert replace(CONFIG, samples=64, tests=5).test_steps == {2, 5, 7, 10, 12}  # of 12 steps 2.4, 4.8, 7.2, 9.6, 12
    assert replace(CONFIG, samples=3).steps == 1


def test_a_run_is_branched_off_where_its_rate_begins_to_fall():
    """After three quarters of 12 steps; a rate that never falls, or falls from the start, has no such step."""
    decaying = scheduled(shape="stable_decay", decay=0.25)
    assert (decaying.last_stable_step, decaying.branching_step) == (9, 9)
    constant = scheduled(shape="constant")
    assert (constant.last_stable_step, constant.branching_step) == (12, 0)
    assert scheduled(shape="cosine").branching_step == 0
