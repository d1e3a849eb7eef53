"""Branches off a run's stable phase: where they begin, how their rate falls, and what they end as."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from data_folder import SETTINGS, write_data_folder
from safetensors.torch import load_file

from luxel import InputError
from luxel.data.manifest import DataError
from luxel.experiments import EXPERIMENTS
from luxel.experiments.cooldown import cooldown
from luxel.experiments.experiment import Experiment, with_schedule, with_train
from luxel.experiments.run import run
from luxel.files.atomic import only_one
from luxel.train.run_folder import RunFolderError, read_metrics

TINY = EXPERIMENTS["standard_run"].make("tiny")


def scheduled(**changes) -> Experiment:
    """Twelve steps of 8, a checkpoint at each."""
    return with_schedule(with_train(TINY, samples=96, batch_size=8, tests=1, checkpoint_every=1), **changes)


@pytest.mark.parametrize(("shape", "begun"), [("constant", 12), ("stable_decay", 9)])
def test_a_cooldown_goes_on_from_the_stable_phase(tmp_path: Path, sixteen, shape, begun):
    """The branch's rate is the parent's where it begins, then falls in a straight line to 0."""
    parent = scheduled(shape=shape, warmup=0.25, decay=0.25)
    run(parent, tmp_path / "parent", sixteen, cpu=True)
    result = cooldown(tmp_path / "parent", 32, tmp_path / "end", sixteen, cpu=True)
    assert result["steps"] == begun + 4
    rows = read_metrics(tmp_path / "end" / "metrics.jsonl")
    assert [row["step"] for row in rows] == [begun + i for i in (1, 2, 3, 4)]
    peak = parent.train.optim.peak_rate(8)
    assert [row["rate"] for row in rows] == pytest.approx([peak * share for share in (0.75, 0.5, 0.25, 0.0)])


def test_a_cooldown_of_the_same_length_is_the_run_itself(tmp_path: Path, sixteen):
    """Branching off a stable_decay run, over as many images as it decayed, ends with its weights to the bit."""
    run(scheduled(shape="stable_decay", warmup=0.25, decay=0.25), tmp_path / "parent", sixteen, cpu=True)
    cooldown(tmp_path / "parent", 24, tmp_path / "end", sixteen, cpu=True)
    parent, end = (load_file(tmp_path / name / "model" / "model.safetensors") for name in ("parent", "end"))
    torch.testing.assert_close(end, parent, rtol=0, atol=0)


def test_a_cooldown_goes_on_although_its_parent_has_trained_on(tmp_path: Path, sixteen):
    run(scheduled(shape="constant"), tmp_path / "parent", sixteen, cpu=True)
    result = cooldown(tmp_path / "parent", 24, tmp_path / "end", sixteen, cpu=True)
    (tmp_path / "end" / "result.json").unlink()
    (tmp_path / "parent" / "checkpoint.safetensors").write_bytes(b"later")
    assert cooldown(tmp_path / "parent", 24, tmp_path / "end", sixteen, cpu=True)["test_loss"] == result["test_loss"]


def test_a_cooldown_learns_from_its_parents_data(tmp_path: Path, sixteen):
    run(scheduled(shape="constant"), tmp_path / "parent", sixteen, cpu=True)
    other = write_data_folder(tmp_path / "other", replace(SETTINGS, width=16, height=16, seed=4))
    for data in (None, other):
        with pytest.raises(DataError, match="was trained on other data than"):
            cooldown(tmp_path / "parent", 24, tmp_path / "end", data, cpu=True)
    assert not (tmp_path / "end").exists()


def test_a_cooldown_does_not_go_into_another_run(tmp_path: Path, sixteen):
    run(scheduled(shape="constant"), tmp_path / "parent", sixteen, cpu=True)
    with pytest.raises(RunFolderError, match="holds a run that is not a branch"):
        cooldown(tmp_path / "parent", 24, tmp_path / "parent", sixteen, cpu=True)


def test_a_run_without_a_stable_phase_has_no_cooldown(tmp_path: Path, sixteen):
    run(scheduled(shape="cosine"), tmp_path / "parent", sixteen, cpu=True)
    with pytest.raises(RunFolderError, match=r"no checkpoint in a stable phase .* its schedule is cosine"):
        cooldown(tmp_path / "parent", 24, tmp_path / "end", sixteen, cpu=True)
    assert not (tmp_path / "end").exists()


def test_the_loser_of_a_race_for_a_branchs_folder_is_told_so(tmp_path: Path, sixteen):
    run(scheduled(shape="constant"), tmp_path / "parent", sixteen, cpu=True)
    with only_one(tmp_path / "end"), pytest.raises(InputError, match="end: another process is writing to it"):
        cooldown(tmp_path / "parent", 24, tmp_path / "end", sixteen, cpu=True)
