"""Progress bars on terminals, which move, and in logs, where they are a line now and then."""

import io
import re

import pytest

from luxel import progress
from luxel.progress import NEWS_EVERY_S, ProgressBar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch):
    """Seconds that pass only when told to."""

    class Clock:
        now = 1000.0

        def monotonic(self) -> float:
            return self.now

    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    return clock


def test_in_a_log_it_is_a_line_each_half_minute_and_its_ends(clock):
    log = io.StringIO()
    with ProgressBar(desc="rendering", total=1000, unit="frame", file=log, mininterval=0, miniters=1) as bar:
        for step in range(1000):
            clock.now += NEWS_EVERY_S / 400
            bar.set_postfix(loss=step)
            bar.update()
    lines = log.getvalue().splitlines()
    assert [re.match(r"rendering: +(\d+)%", line)[1] for line in lines] == ["0", "40", "80", "100"]
    assert "\r" not in log.getvalue()
    assert "loss=399" in lines[1]
    assert "1000/1000" in lines[-1]


def test_one_that_does_not_stay_leaves_no_empty_lines_in_a_log():
    log = io.StringIO()
    with ProgressBar(desc="outer", total=2, file=log) as outer:
        for _ in range(2):
            with ProgressBar(desc="inner", total=3, file=log, leave=False) as inner:
                inner.update(3)
            ProgressBar.write("said", file=log)
            outer.update()
    lines = [line.split(":")[0] for line in log.getvalue().splitlines()]
    assert lines == ["outer", "inner", "said", "inner", "said", "outer"]
    assert "\x1b" not in log.getvalue()


def test_on_a_terminal_it_moves_at_every_step(clock):
    terminal = Terminal()
    with ProgressBar(total=7, file=terminal, mininterval=0, miniters=1) as bar:
        for _ in range(7):
            bar.update()
    assert terminal.getvalue().count("\r") >= 8


def test_a_notebooks_stream_is_as_good_as_a_terminal():
    stream = type("OutStream", (io.StringIO,), {"__module__": "ipykernel.iostream"})()
    assert progress.redraws(stream)
    assert not progress.redraws(io.StringIO())


def test_one_that_is_disabled_says_nothing():
    log = io.StringIO()
    with ProgressBar(total=3, file=log, disable=True) as bar:
        bar.update(3)
    assert list(ProgressBar([2, 3, 5], file=log, disable=True)) == [2, 3, 5]
    assert log.getvalue() == ""
