"""A process that makes one run: how it ends, and what it says."""

import json
import subprocess
import sys
from dataclasses import asdict

import pytest

from luxel.ledger.run_process import STOPPED, RunTask, log_head

TASK = RunTask("standard_run", "tiny", 3, True, [])
# The process with work that is told by the task's name, in place of training.
PROCESS = """
import sys, time
from luxel import InputError
from luxel.ledger import run_process

def work(task):
    print("at work", flush=True)
    if task.name == "wrong":
        raise InputError("runs/wrong: is wrong")
    if task.name == "long":
        time.sleep(60)

run_process.work = work
sys.exit(run_process.main())
"""


def process(name: str) -> subprocess.Popen[str]:
    """It, at work; its standard input is open."""
    pipe = subprocess.PIPE
    started = subprocess.Popen([sys.executable, "-c", PROCESS], stdin=pipe, stdout=pipe, stderr=pipe, text=True)
    started.stdin.write(json.dumps(asdict(TASK) | {"name": name}) + "\n")
    started.stdin.flush()
    assert started.stdout.readline() == "at work\n"
    return started


@pytest.mark.parametrize(("name", "code", "told"), [("right", 0, ""), ("wrong", 1, "runs/wrong: is wrong\n")])
def test_it_ends_with_what_became_of_the_run(name, code, told):
    with process(name) as ended:
        assert ended.wait(60) == code
        assert ended.stderr.read() == told


def test_a_line_asks_it_to_stop():
    with process("long") as stopped:
        stopped.stdin.write("stop\n")
        stopped.stdin.flush()
        assert stopped.wait(60) == STOPPED
        assert stopped.stderr.read() == "stopped, to go on from the last checkpoint\n"


def test_it_ends_with_its_caller():
    with process("long") as orphan:
        orphan.stdin.close()
        assert orphan.wait(60) == 1


def test_the_log_says_which_run_where():
    assert log_head(TASK, 2, "node7").endswith(" standard_run, tiny, seed 3, 2 threads, node7")
