"""Work on a cluster of three nodes on this machine, one of which is killed: the same bytes as without.

The cluster and the commands are processes of their own, as Ray warns of much that the suite takes for errors.
"""

import importlib.util
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from safetensors.torch import load_file

from luxel import InputError, __version__
from luxel.cli import main
from luxel.cluster import connected, in_folder
from luxel.train.checkpoint import read_progress
from luxel.train.run_folder import last_metrics, read_metrics

needs_ray = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="Ray is not installed: pip install 'luxel[cluster]'"
)
CLUSTER = """
import sys
from ray.cluster_utils import Cluster

cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
nodes = [cluster.add_node(num_cpus=1) for _ in range(2)]
print("address", cluster.address, flush=True)
for line in sys.stdin:
    cluster.remove_node(nodes.pop(), allow_graceful=False)
    print("killed", flush=True)
cluster.shutdown()
"""
PLUGIN = """
from dataclasses import replace
from luxel.experiments.experiment import EXPERIMENTS, with_data, with_train

def shorten(make):
    return lambda scale: with_train(with_data(make(scale), count=300, spp=2), samples=3200, tests=2, checkpoint_every=5)

for name in ("standard_run", "tanh"):
    EXPERIMENTS[name] = replace(EXPERIMENTS[name], make=shorten(EXPERIMENTS[name].make))
"""
STEPS = 200
COMPARE = ["experiments", "compare", "standard_run", "tanh", "--scale", "tiny", "--cpu", "--plugin", "shorter_runs"]


class Nodes:
    """The cluster's process."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", CLUSTER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.address = self._read("address ")

    def kill_one(self) -> None:
        self._process.stdin.write("kill\n")
        self._process.stdin.flush()
        self._read("killed")

    def close(self) -> None:
        self._process.communicate(timeout=60)

    def _read(self, beginning: str) -> str:
        for line in self._process.stdout:
            if line.startswith(beginning):
                return line.removeprefix(beginning).strip()
        raise AssertionError("the cluster ended")


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    made = Nodes()
    yield made
    made.close()


def command(*arguments: str, cwd: Path) -> "subprocess.Popen[str]":
    cwd.mkdir(exist_ok=True)
    return subprocess.Popen(
        [sys.executable, "-m", "luxel.cli", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=cwd,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )


def end_well(process: "subprocess.Popen[str]") -> str:
    said, _ = process.communicate(timeout=400)
    assert process.returncode == 0, said
    return said


@needs_ray
def test_shards_traced_and_labelled_on_a_cluster_have_the_same_bytes(nodes: Nodes, tmp_path: Path):
    options = ["generate", "spheres", "--count", "600", "--spp", "2", "--width", "7", "--height", "5", "--out", "set"]
    options += ["--masks", "--depth"]
    end_well(command(*options, "--cluster", nodes.address, cwd=tmp_path / "there"))
    end_well(command(*options, cwd=tmp_path / "here"))
    here, there = ({p.name: p.read_bytes() for p in (tmp_path / at / "set").rglob("*.*")} for at in ("here", "there"))
    for suffix in (".safetensors", ".tar"):
        assert len([name for name in here if name.endswith(suffix)]) > 2
    assert here == there


@needs_ray
def test_a_command_that_was_stopped_goes_on_and_a_lost_nodes_run_goes_on_elsewhere_to_the_same_end(
    nodes: Nodes, tmp_path: Path
):
    """Both runs are at work, one on each node, when the command is sent SIGTERM, and again when a node is killed."""
    for at in ("there", "here"):
        (tmp_path / at).mkdir()
        (tmp_path / at / "shorter_runs.py").write_text(PLUGIN)
    there = tmp_path / "there"
    process = command(*COMPARE, "--cluster", nodes.address, "--out", "page", cwd=there)
    logs = wait_for_steps(there, process, {})
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 130, said
    assert "goes on from here" in said
    reached = {log: read_metrics(log)[-1]["step"] for log in logs}
    for log, step in reached.items():
        assert read_progress(log.with_name("checkpoint.safetensors")).step == step < STEPS
    process = command(*COMPARE, "--cluster", nodes.address, "--out", "page", cwd=there)
    wait_for_steps(there, process, reached)
    nodes.kill_one()
    assert not any(log.with_name("result.json").exists() for log in logs), "which would be too late"
    end_well(process)
    starts = [log.with_name("log.txt").read_text().count("--- ") for log in logs]
    assert sorted(starts) == [2, 3]
    end_well(command(*COMPARE, "--out", "page", cwd=tmp_path / "here"))
    for log in logs:
        folder = log.parent.relative_to(there)
        for file in ("model/model.safetensors", "checkpoint.safetensors"):
            one, other = (load_file(tmp_path / at / folder / file) for at in ("here", "there"))
            assert one.keys() == other.keys()
            assert all((one[name] == other[name]).all() for name in one)
        assert [row["step"] for row in read_metrics(log)] == list(range(1, STEPS + 1))
        assert log.with_name("record.json").exists()


def wait_for_steps(root: Path, process: "subprocess.Popen[str]", beyond: dict[Path, int]) -> list[Path]:
    """The metrics of both runs, once both have made a step after these."""
    deadline = time.monotonic() + 240
    while True:
        logs = sorted(root.glob("runs/*/*/metrics.jsonl"))
        steps = {log: (last_metrics(log) or {"step": 0})["step"] for log in logs}
        if len(logs) == 2 and all(step > beyond.get(log, 0) for log, step in steps.items()):
            return logs
        assert time.monotonic() < deadline
        assert process.poll() is None, process.stdout.read()
        time.sleep(0.05)


@pytest.fixture
def no_ray(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)


def test_without_ray_it_is_said_what_to_install(no_ray, tmp_path: Path, capsys):
    with pytest.raises(InputError, match=r"pip install 'luxel\[cluster\]'"), connected("auto"):
        pass
    with pytest.raises(SystemExit) as exit_code:
        main(["generate", "spheres", "--out", str(tmp_path / "set"), "--cluster", "auto"])
    assert exit_code.value.code == 1
    assert "luxel generate: --cluster needs Ray" in capsys.readouterr().err
    assert not (tmp_path / "set").exists()


def test_a_cluster_and_jobs_are_not_for_both(capsys):
    with pytest.raises(SystemExit):
        main(["experiments", "compare", "tanh", "--cluster", "auto", "--jobs", "2"])
    assert "--jobs is 2, but a cluster makes as many runs as it can at once" in capsys.readouterr().err


def test_a_task_wants_the_same_version_and_a_shared_folder(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=rf"has luxel {__version__}, the caller 0\.0\.1; install the same"):
        in_folder(str(tmp_path), 1, "0.0.1", Path.cwd)
    with pytest.raises(InputError, match=r"has no folder .*away; call Luxel in one that all nodes share"):
        in_folder(str(tmp_path / "away"), 1, __version__, Path.cwd)
    (tmp_path / "shared").mkdir()
    assert in_folder(str(tmp_path / "shared"), 1, __version__, Path.cwd) == tmp_path / "shared"


def test_a_task_can_be_stopped_where_signals_are_ignored(tmp_path: Path, monkeypatch):
    """As by nodes that were begun in a shell's background."""
    monkeypatch.chdir(tmp_path)
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with pytest.raises(KeyboardInterrupt):
            in_folder(str(tmp_path), 1, __version__, signal.raise_signal, signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)
