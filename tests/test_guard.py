"""Every fault is injected as the guard would see it; what it does with weights and files is test_loop's."""

import json
from dataclasses import asdict, replace
from math import inf, nan

import pytest

from luxel import InputError
from luxel.files.typed_json import parse_json
from luxel.train.guard import Diagnosis, Guard, GuardConfig, Verdict

CONFIG = GuardConfig(patience=4, window=5)
RECOVER, STOP = (replace(CONFIG, response=response) for response in ("recover", "stop"))


def fed(guard: Guard, config: GuardConfig, losses: list[float], norm=1.0, **more) -> tuple[Guard, list[Verdict]]:
    verdicts = []
    for step, loss in enumerate(losses, start=1):
        guard, verdict = guard.observe(config, step, loss, norm, **more)
        verdicts.append(verdict)
    return guard, verdicts


def diagnoses(guard: Guard) -> list[Diagnosis]:
    return [event.diagnosis for event in guard.events]


@pytest.mark.parametrize(("loss", "norm"), [(nan, 1.0), (inf, 1.0), (1.0, nan), (1.0, inf)])
def test_a_bad_step_is_skipped_and_counted(loss, norm):
    after, verdict = Guard(skipped=3).observe(CONFIG, 1, loss, norm)
    assert (after, verdict) == (Guard(skipped=4, in_a_row=1), "skip")
    assert not after.healthy


def test_a_good_step_ends_the_row_but_keeps_the_count():
    after, verdict = Guard(skipped=5, in_a_row=2).observe(CONFIG, 1, 0.25, 2.0)
    assert (after, verdict) == (Guard(skipped=5, losses=(0.25,)), "go on")


@pytest.mark.parametrize(("config", "last"), [(CONFIG, "stop"), (RECOVER, "roll back"), (STOP, "stop")])
def test_patience_ends(config, last):
    guard, verdicts = fed(Guard(), config, [nan] * 4)
    assert verdicts == ["skip", "skip", "skip", last]
    assert diagnoses(guard) == ["loss or gradient not finite"]
    assert guard.events[0].step == 4


def test_a_loss_scale_that_still_falls_has_not_collapsed():
    guard, verdicts = fed(Guard(), CONFIG, [1.0] * 9, norm=inf, at_floor=False)
    assert verdicts == ["skip"] * 9
    assert guard.events == ()
    assert guard.skipped == 9


def test_overflow_at_the_floor_is_a_collapse():
    guard, _ = fed(Guard(), CONFIG, [1.0] * 3, norm=inf, at_floor=False)
    guard, verdicts = fed(guard, CONFIG, [1.0] * 4, norm=inf, at_floor=True)
    assert verdicts[-1] == "stop"
    assert diagnoses(guard) == ["loss scale collapsed"]


@pytest.mark.parametrize("at_floor", [True, False])
def test_a_loss_that_is_not_finite_is_no_matter_of_the_scale(at_floor):
    guard, verdicts = fed(Guard(), CONFIG, [nan] * 4, at_floor=at_floor)
    assert verdicts[-1] == "stop"
    assert diagnoses(guard) == ["loss or gradient not finite"]


def test_a_run_is_lost_if_it_stays_where_a_spike_took_it():
    guard, _ = fed(Guard(), CONFIG, [1.0] * 5)
    assert not guard.lost(CONFIG)
    guard, _ = fed(guard, CONFIG, [30.0] * 4)
    assert diagnoses(guard) == ["loss spike"]
    assert guard.lost(CONFIG)
    assert fed(guard, CONFIG, [30.0] * 9)[0].lost(CONFIG)
    assert not fed(guard, CONFIG, [1.0] * 9)[0].lost(CONFIG)


def test_one_hard_batch_is_no_spike():
    guard, verdicts = fed(Guard(), STOP, [1.0] * 5 + [50.0] * 3 + [1.0] * 5 + [50.0] * 3)
    assert set(verdicts) == {"go on"}
    assert guard.events == ()
    assert 50.0 not in guard.losses


@pytest.mark.parametrize(("config", "last"), [(CONFIG, "go on"), (RECOVER, "roll back"), (STOP, "stop")])
def test_a_lasting_spike_over_the_median(config, last):
    guard, verdicts = fed(Guard(), config, [1.0, 2.0, 3.0, 4.0, 5.0] + [30.1] * 4)
    assert verdicts == ["go on"] * 8 + [last]
    assert diagnoses(guard) == ["loss spike"]


def test_ten_medians_are_the_limit():
    guard, _ = fed(Guard(), STOP, [1.0, 2.0, 3.0, 4.0, 5.0] + [30.0] * 20)
    assert guard.events == ()


@pytest.mark.parametrize(("config", "last"), [(CONFIG, "go on"), (RECOVER, "reset statistics"), (STOP, "stop")])
@pytest.mark.parametrize("exploded", [0.21, inf, nan])
def test_test_loss_explodes_while_training_converges(config, last, exploded):
    guard, _ = fed(Guard(), config, [0.02] * 5)
    guard, verdict = guard.observe_test(config, 5, 0.02)
    assert verdict == "go on"
    guard, _ = fed(guard, config, [0.01] * 5)
    guard, verdict = guard.observe_test(config, 10, exploded)
    assert verdict == last
    assert diagnoses(guard) == ["batch-norm statistics blown up"]


@pytest.mark.parametrize("first", [inf, nan])
def test_a_test_loss_that_is_not_finite_from_the_start(first):
    guard, _ = fed(Guard(), STOP, [0.02] * 5)
    guard, verdict = guard.observe_test(STOP, 5, first)
    assert (verdict, diagnoses(guard)) == ("stop", ["batch-norm statistics blown up"])


def test_a_test_loss_that_grows_with_the_training_loss_is_no_matter_of_statistics():
    guard, _ = fed(Guard(), STOP, [0.02] * 5)
    guard, _ = guard.observe_test(STOP, 5, 0.02)
    guard, _ = fed(guard, STOP, [0.1] * 5)
    guard, verdict = guard.observe_test(STOP, 10, 1.0)
    assert (verdict, guard.events) == ("go on", ())


def test_rollbacks_halve_the_rate_and_end():
    guard, rates = Guard(), []
    for _ in range(RECOVER.rollbacks):
        guard, verdicts = fed(guard, RECOVER, [nan] * 4)
        assert verdicts[-1] == "roll back"
        guard = Guard(losses=(1.0,)).after_rollback(guard)
        rates.append(guard.rate)
    assert rates == [0.5, 0.25, 0.125]
    guard, verdicts = fed(guard, RECOVER, [nan] * 4)
    assert verdicts[-1] == "stop"
    assert len(guard.events) == RECOVER.rollbacks + 1
    assert guard.skipped == 4 * (RECOVER.rollbacks + 1)


def test_a_guard_survives_json():
    guard, _ = fed(Guard(), CONFIG, [1.0, 2.0, nan, nan, nan, nan])
    assert guard.events
    assert through_json(guard).events == guard.events
    whole = replace(guard, train_at_best=0.5, before_spike=0.25)
    assert through_json(whole) == whole


def through_json(guard: Guard) -> Guard:
    return parse_json(json.dumps(asdict(guard)), Guard, "guard")


@pytest.mark.parametrize("config", [CONFIG, RECOVER, STOP])
def test_data_that_are_not_finite_are_not_blamed_on_the_model(config):
    """Which no remedy mends."""
    guard, verdicts = fed(Guard(), config, [nan] * 4, data_finite=False)
    assert (verdicts[-1], diagnoses(guard)) == ("stop", ["data not finite"])
    guard, verdict = Guard().observe_test(config, 5, nan, data_finite=False)
    assert (verdict, diagnoses(guard)) == ("stop", ["data not finite"])


@pytest.mark.parametrize(("config", "last"), [(CONFIG, "go on"), (RECOVER, "roll back"), (STOP, "stop")])
@pytest.mark.parametrize("exploded", [0.21, nan])
def test_a_model_without_batch_norm_is_not_said_to_have_statistics(config, last, exploded):
    guard, _ = fed(Guard(), config, [0.02] * 5)
    guard, _ = guard.observe_test(config, 5, 0.02, batch_norm=False)
    guard, verdict = guard.observe_test(config, 10, exploded, batch_norm=False)
    assert (verdict, diagnoses(guard)) == (last, ["test loss blown up"])


@pytest.mark.parametrize(
    "wrong", [{"patience": 0}, {"window": 0}, {"rollbacks": -1}, {"spike": 1.0}, {"test_jump": 0.5}]
)
def test_a_limit_that_is_none_is_named(wrong):
    (name,) = wrong
    with pytest.raises(InputError, match=rf"guard\.{name} is"):
        GuardConfig(**wrong)
