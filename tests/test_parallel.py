"""Several runs at once: the same weights as in turn; what ends one process, or all, loses and leaves nothing.

Experiments are shortened by a plugin, which the processes import as the command does.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import torch
from safetensors.torch import load_file

from luxel import InputError
from luxel.core.launch import cores
from luxel.experiments.experiment import EXPERIMENTS
from luxel.ledger.collect import collect
from luxel.ledger.comparison import compare
from luxel.ledger.parallel import gpu_of, threads_a_run
from luxel.ledger.plan import planned_runs
from luxel.scene import registry
from luxel.train.checkpoint import read_progress
from luxel.train.run_folder import read_metrics

PLUGIN = """
import os, signal, sys
from dataclasses import replace
from luxel.experiments.experiment import EXPERIMENTS, with_data, with_train
from luxel.train.run_folder import RunFolder

def shorten(make):
    return lambda scale: with_train(with_data(make(scale), count=24, spp=2), samples=SAMPLES, tests=1)

for name in ("standard_run", "tanh"):
    EXPERIMENTS[name] = replace(EXPERIMENTS[name], make=shorten(EXPERIMENTS[name].make))

log = RunFolder.log
def die_in_the_second_step(self, step, *arguments, **scalars):
    log(self, step, *arguments, **scalars)
    if step == 2 and "tanh" in self.path.name and "DIES" in os.environ:
        print("last words", file=sys.stderr, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
RunFolder.log = die_in_the_second_step
"""
NAMES = ["standard_run", "tanh"]


@pytest.fixture
def shortened(tmp_path: Path, monkeypatch):
    """Runs of four steps, in an empty folder, in this process and those it starts, all of one thread."""
    (tmp_path / "shorter_runs.py").write_text(PLUGIN.replace("SAMPLES", "64"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setattr(registry, "_plugins", [])
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "shorter_runs", raising=False)
    for name in NAMES:
        monkeypatch.setitem(EXPERIMENTS, name, EXPERIMENTS[name])
    from luxel.train.run_folder import RunFolder

    monkeypatch.setattr(RunFolder, "log", RunFolder.log)
    registry.load_plugin("shorter_runs")
    return tmp_path


def test_a_process_that_dies_is_told_and_the_weights_in_the_end_are_those_of_runs_in_turn(shortened: Path, monkeypatch):
    """Told with its last words, when the other run is made; the next call makes what is missing."""
    assert torch.get_num_threads() == 1
    runs = planned_runs(NAMES, "tiny", 1)
    dying = runs[1].folder
    monkeypatch.setenv("DIES", "yes")
    with pytest.raises(InputError) as error:
        compare(NAMES, "tiny", 1, Path("page"), cpu=True, jobs=2)
    head, *said, consequence = str(error.value).splitlines()
    assert head == f"{dying}: its process ended with exit code -9; the end of {dying}/log.txt:"
    assert said[-1] == "  last words"
    assert consequence == "page/index.html is without them"
    assert "| standard_run | 1 | fp32 | 64 |" in Path("page/comparison.md").read_text()
    monkeypatch.delenv("DIES")
    made, wrong = collect(runs, cpu=True, jobs=2)
    assert not wrong
    (shortened / "runs").rename(shortened / "at_once")
    in_turn, _ = collect(runs, cpu=True)
    for plan in runs:
        assert made[plan].metrics == in_turn[plan].metrics
        for file in ("model/model.safetensors", "checkpoint.safetensors"):
            one, other = (
                load_file(shortened / top / plan.folder.relative_to("runs") / file) for top in ("at_once", "runs")
            )
            assert one.keys() == other.keys()
            assert all((one[name] == other[name]).all() for name in one)
    log = shortened / "at_once" / runs[0].folder.relative_to("runs") / "log.txt"
    assert "standard_run, tiny, seed 0, 1 threads, " in log.read_text()


def test_a_run_whose_folder_cannot_be_made_is_told_and_the_others_are_made(shortened: Path):
    made, blocked = planned_runs(NAMES, "tiny", 1)
    blocked.folder.parent.mkdir(parents=True)
    blocked.folder.touch()
    records, (wrong,) = collect([made, blocked], cpu=True, jobs=2)
    assert list(records) == [made]
    assert str(wrong).startswith(f"{blocked.folder}/log.txt: cannot be written: File exists")


@pytest.mark.skipif(sys.platform != "linux", reason="the processes are looked for as Linux has them")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_processes_end_with_the_command_whatever_ends_it(tmp_path: Path, number):
    """SIGTERM, as Ctrl-C and the end of --minutes: with the step that they are at in their checkpoints."""
    (tmp_path / "longer_runs.py").write_text(PLUGIN.replace("SAMPLES", "1000000"))
    command = ["experiments", "compare", *NAMES, "--scale", "tiny", "--cpu", "--jobs", "2", "--plugin", "longer_runs"]
    with subprocess.Popen(
        [sys.executable, "-m", "luxel.cli", *command],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    ) as caller:
        folders = wait_for_runs(tmp_path, caller)
        workers = psutil.Process(caller.pid).children()
        assert len([worker for worker in workers if "luxel.ledger.run_process" in worker.cmdline()]) == 2
        caller.send_signal(number)
        _, told = caller.communicate(timeout=120)
    _, alive = psutil.wait_procs(workers, timeout=60)
    assert not alive
    steps = [read_progress(folder / "checkpoint.safetensors").step for folder in folders]
    if number == signal.SIGTERM:
        assert caller.returncode == 130
        assert f"`luxel {' '.join(command)}` goes on from here" in told
        assert steps == [read_metrics(folder / "metrics.jsonl")[-1]["step"] for folder in folders]
        assert min(steps) > 0
        assert told.count(": stopped, done") == 2


def wait_for_runs(root: Path, caller: "subprocess.Popen[str]") -> list[Path]:
    """The folders of both runs, once both train."""
    deadline = time.monotonic() + 240
    while len(found := sorted(root.glob("runs/*/*/metrics.jsonl"))) < 2:
        assert time.monotonic() < deadline
        assert caller.poll() is None, caller.stderr.read()
        time.sleep(0.05)
    return [path.parent for path in found]


def test_threads_are_shared_unless_they_are_asked_for(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert [threads_a_run(jobs) for jobs in (1, cores(), 2 * cores())] == [cores(), 1, 1]
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert threads_a_run(2) == 3


def test_gpus_are_taken_in_turn(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,6")
    assert [gpu_of(slot, cpu=False)["CUDA_VISIBLE_DEVICES"] for slot in range(3)] == ["4", "6", "4"]
    assert gpu_of(1, cpu=True) == {}
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4")
    assert gpu_of(1, cpu=False) == {}, "as there is one"
