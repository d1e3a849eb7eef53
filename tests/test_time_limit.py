"""`--minutes`: whatever the clock says, a training ends its step and saves. The timers here fire when they are told."""

import signal
import threading
from pathlib import Path

import pytest
from pydantic import BaseModel, model_serializer
from safetensors.torch import load_file

from luxel import InputError
from luxel.cli import main
from luxel.cli.command import handlers
from luxel.cli.time_limit import TIME_IS_UP, TimeIsUp, stops_after_s, time_limit
from luxel.train.checkpoint import read_progress
from luxel.train.run_folder import RunFolder


class Timer:
    """Stands for threading.Timer; its time is up when a test says so."""

    made: "list[Timer]" = []  # noqa: RUF012

    def __init__(self, seconds, function):
        self.seconds, self.fire, self.cancelled = seconds, function, False
        self.made.append(self)

    def start(self):
        pass

    def cancel(self):
        self.cancelled = True


@pytest.fixture
def timers(monkeypatch):
    monkeypatch.setattr(Timer, "made", [])
    monkeypatch.setattr(threading, "Timer", Timer)
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    yield Timer.made
    signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize(("minutes", "seconds"), [(1.0, 54), (5.0, 270), (10.0, 570), (60.0, 3570)])
def test_a_tenth_of_the_time_at_most_30_seconds_is_for_saving(minutes, seconds):
    assert stops_after_s(minutes) == pytest.approx(seconds)


def test_time_that_is_up_is_not_an_interruption(timers):
    with pytest.raises(TimeIsUp, match=r"stopped as 2\.5 minutes are nearly up"), time_limit(2.5):
        timers[0].fire()
    assert (timers[0].seconds, timers[0].cancelled) == (pytest.approx(135), True)


def test_time_that_is_up_stays_so_on_its_way_to_main(timers):
    with pytest.raises(TimeIsUp), handlers(), time_limit(2.5):
        timers[0].fire()


def test_time_that_is_up_while_something_is_serialized_is_not_an_error(timers):
    """Where pydantic makes a ValueError of the KeyboardInterrupt; other errors stay what they are."""

    class Serialized(BaseModel):
        @model_serializer
        def values(self) -> dict[str, int]:
            timers[-1].fire()
            return {}

    with pytest.raises(TimeIsUp), handlers(), time_limit(2.5):
        Serialized().model_dump()
    with pytest.raises(InputError, match="wrong"), handlers(), time_limit(2.5):
        raise InputError("wrong")


def test_a_limit_that_could_not_stop_anything_is_refused(timers):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with pytest.raises(InputError, match=r"minutes is 2\.5, .* SIGTERM ignored"), time_limit(2.5):
        pass
    assert not timers


def test_an_interruption_stays_one(timers):
    with pytest.raises(KeyboardInterrupt), time_limit(2.5):
        signal.raise_signal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), time_limit(None):
        signal.raise_signal(signal.SIGTERM)
    assert len(timers) == 1


def call(*arguments: str) -> int:
    with pytest.raises(SystemExit) as exit_code:
        main(list(arguments))
    return int(exit_code.value.code or 0)


def test_a_training_stops_with_a_checkpoint_and_goes_on_to_the_same_weights(
    tmp_path: Path, monkeypatch, timers, capsys
):
    monkeypatch.chdir(tmp_path)
    command = ["train", "standard_run", "--scale", "tiny", "--cpu", "--train.samples", "128", "--data.count", "48"]
    assert call(*command, "--out", "whole") == 0
    log = RunFolder.log

    def log_until_the_third(self, step, *arguments, **scalars):
        log(self, step, *arguments, **scalars)
        if step == 3:
            (timer,) = [timer for timer in timers if timer.seconds == pytest.approx(108)]  # others are for messages
            timer.fire()

    monkeypatch.setattr(RunFolder, "log", log_until_the_third)
    assert call(*command, "--out", "cut", "--minutes", "2") == TIME_IS_UP == 75
    told = capsys.readouterr().err.splitlines()[-1]
    again = " ".join(["luxel", *command, "--out", "cut", "--minutes", "2"])
    assert told == f"stopped as 2 minutes are nearly up; `{again}` goes on from here"
    assert read_progress(tmp_path / "cut" / "checkpoint.safetensors").step == 3
    assert call(*command, "--out", "cut", "--minutes", "2") == 0
    whole, cut = (load_file(tmp_path / name / "model" / "model.safetensors") for name in ("whole", "cut"))
    assert whole.keys() == cut.keys()
    assert all((whole[name] == cut[name]).all() for name in whole)
