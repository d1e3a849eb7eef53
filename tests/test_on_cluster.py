"""Runs as tasks of a cluster that calls them at once, here; of a true one: tests/test_cluster.py."""

import io
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pytest

from luxel import InputError
from luxel.cluster import Cluster, Task
from luxel.files.atomic import FolderInUse
from luxel.ledger import on_cluster
from luxel.ledger.on_cluster import LOCK_TRIES, make, make_on_cluster
from luxel.ledger.plan import PlannedRun
from luxel.ledger.run_process import RunTask

PLANS = [PlannedRun("standard_run", "tiny", 0), PlannedRun("tanh", "tiny", 0)]


class Here(Cluster):
    """A task is its call, which is made when it is asked for."""

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Task:
        return partial(function, *arguments)

    def ended(self, tasks: Sequence[Task], timeout_s: float | None = None) -> list[Task]:
        return [tasks[0]]

    def result(self, task: Task) -> Any:
        return task()

    def stop(self, tasks: Sequence[Task]) -> None:
        self.ray.extend(tasks)


@pytest.fixture
def here(tmp_path, monkeypatch) -> Here:
    """In an empty folder, without waiting; `ray` lists the tasks that were stopped."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(on_cluster, "LOCK_WAIT_S", 0.0)
    return Here([], 1.0, 0.0)


def test_a_run_that_fails_is_told_and_the_others_are_made(here, monkeypatch):
    made = []

    def work(task: RunTask) -> None:
        print(f"{task.name} is made")
        if task.name == "tanh":
            raise InputError("tanh is wrong")
        made.append((task.name, task.scale, task.seed, task.cpu))

    monkeypatch.setattr(on_cluster, "work", work)
    failed = make_on_cluster([*PLANS, PLANS[0]], here, stream=io.StringIO())
    assert {plan.name: str(error) for plan, error in failed.items()} == {"tanh": "tanh is wrong"}
    assert made == [("standard_run", "tiny", 0, True)]
    assert here.ray == []
    head, said = (PLANS[0].folder / "log.txt").read_text().splitlines()
    assert "standard_run, tiny, seed 0" in head
    assert said == "standard_run is made"


def test_ctrl_c_stops_what_has_not_ended(here, monkeypatch):
    def interrupted(task: RunTask) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(on_cluster, "work", interrupted)
    with pytest.raises(KeyboardInterrupt):
        make_on_cluster(PLANS, here, stream=io.StringIO())
    assert [task.args[0].name for task in here.ray] == ["tanh"]


@pytest.mark.parametrize("busy", [LOCK_TRIES - 1, LOCK_TRIES])
def test_a_run_waits_for_its_folder_but_not_for_ever(here, tmp_path, monkeypatch, busy):
    calls = []

    def work(task: RunTask) -> None:
        calls.append(task)
        if len(calls) <= busy:
            raise FolderInUse("runs: another process is writing to it")

    monkeypatch.setattr(on_cluster, "work", work)
    task = RunTask("tanh", "tiny", 0, True, [])
    if busy < LOCK_TRIES:
        make(task, tmp_path / "run")
    else:
        with pytest.raises(FolderInUse):
            make(task, tmp_path / "run")
    assert len(calls) == LOCK_TRIES
