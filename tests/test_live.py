"""What is shown of runs at work, from run folders made up for it and a clock that stands."""

import io
import json
import os
import shutil
from pathlib import Path

import pytest
from records import result

from luxel.ledger.live import NEWS_EVERY_S, LiveTable, Row, RunMonitor, clock, final_state, fitting, logs_since

AT_WORK = Row("tanh", 1, "training", 300, 1000, 25.0, 0.0123)
ROWS = [Row("standard_run", 0, "finished", 1000, 1000, 20.0, 0.01), AT_WORK, Row("use_exp", 2, "waiting", 0, 1000)]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def append(folder: Path, **row: float) -> None:
    with (folder / "metrics.jsonl").open("a") as file:
        file.write(json.dumps({"step": 1, **row}) + "\n")


def test_a_row_is_read_from_the_runs_folder(tmp_path: Path):
    monitor = RunMonitor("tanh", 1, 1000, tmp_path)
    assert monitor.row("starting") == Row("tanh", 1, "starting", 0, 1000)
    append(tmp_path, samples=100, seconds=50.0, train_loss=0.5)
    assert monitor.row("training") == Row("tanh", 1, "training", 100, 1000, None, 0.5), "of before this process, maybe"
    append(tmp_path, samples=300, seconds=58.0, train_loss=0.25)
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write('{"step": 1, "samples": 40')
    assert monitor.row("training") == Row("tanh", 1, "training", 300, 1000, 25.0, 0.25)


@pytest.mark.parametrize(
    ("text", "state"),
    [(None, None), (json.dumps(result()), "finished"), (json.dumps(result("loss spike")), "diverged"), ("{", "failed")],
)
def test_how_a_run_ended(tmp_path: Path, text, state):
    if text is not None:
        (tmp_path / "result.json").write_text(text)
    assert final_state(tmp_path) == state


def test_a_table_by_hand():
    """700 images at 25 a second are 28 seconds."""
    assert fitting(ROWS, height=4) == [
        "run           seed  state     done  images/s      loss  time left",
        "standard_run     0  finished  100%         –  1.00e-02          –",
        "tanh             1  training   30%      25.0  1.23e-02    0:00:28",
        "use_exp          2  waiting     0%         –         –          –",
    ]


def test_on_a_low_terminal_runs_at_work_come_first():
    assert fitting(ROWS, height=3) == [
        "run   seed  state     done  images/s      loss  time left",
        "tanh     1  training   30%      25.0  1.23e-02    0:00:28",
        "and 1 finished, 1 waiting",
    ]


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0:00:00"), (59.6, "0:01:00"), (3723.0, "1:02:03")])
def test_a_clock(seconds, text):
    assert clock(seconds) == text


def test_a_terminal_is_drawn_over(monkeypatch):
    monkeypatch.setattr(shutil, "get_terminal_size", lambda: os.terminal_size((40, 24)))
    terminal = Terminal()
    table = LiveTable(terminal)
    table.show(ROWS)
    table.show(ROWS)
    up_and_clear = "\x1b[4F\x1b[J"
    first, again = terminal.getvalue().split(up_and_clear)
    assert first == again
    lines = first.splitlines()
    assert len(lines) == 4
    assert max(map(len, lines)) < 40, "no line is broken in two, which would be one more"


def test_elsewhere_there_are_lines_of_what_is_new():
    stream, time = io.StringIO(), [0.0]
    table = LiveTable(stream, now=lambda: time[0])
    table.show(ROWS)
    table.show(ROWS)
    news = ["standard_run seed 0: finished, done 100%, loss 1.00e-02"]
    at_work = "tanh seed 1: training, done 30%, images/s 25.0, loss 1.23e-02, time left 0:00:28"
    assert stream.getvalue().splitlines() == [*news, at_work]
    time[0] += NEWS_EVERY_S
    table.show(ROWS)
    assert stream.getvalue().splitlines() == [*news, at_work, at_work], "of what is at work alone"


def test_a_run_trains_once_it_has_logged_a_step_since(tmp_path):
    assert not logs_since(tmp_path, 0.0)
    (tmp_path / "metrics.jsonl").write_text("{}\n")
    os.utime(tmp_path / "metrics.jsonl", (1000, 1000))
    assert [logs_since(tmp_path, began) for began in (999.0, 1001.0)] == [True, False]
