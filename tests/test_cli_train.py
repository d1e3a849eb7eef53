"""`luxel train` and `luxel cooldown` as a user calls them."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import TRAIN, call, wait_for
from safetensors.torch import load_file

from luxel.cli.options import DIVERGED
from luxel.train.checkpoint import read_progress


def test_overrides_reach_the_run(trained):
    config = json.loads((trained / "config.json").read_text())["experiment"]
    assert config["train"]["samples"] == 128
    assert json.loads((trained / "result.json").read_text())["samples"] == 128


def test_a_folder_of_scenes_is_learned_from_and_generated(scenes, monkeypatch, capsys):
    monkeypatch.chdir(scenes.parent)
    few = ["--data.spp", "2", "--data.test-share", "0.5"]
    assert call(*TRAIN, "--data", f"scenes:{scenes}", *few, "--out", "run") == 0
    assert json.loads(Path("run/config.json").read_text())["data"]["distribution"] == "scenes"
    capsys.readouterr()
    assert call("evaluate", "run") == 0
    assert "reference 2 spp" in capsys.readouterr().out
    assert call("generate", f"scenes:{scenes}", "--out", "set", "--width", "4", "--height", "4", "--spp", "2") == 0
    assert "8 scenes in set" in capsys.readouterr().out
    assert call("experiments", "compare", "run", "--out", "page", "--cpu") == 0
    assert "| run | 1 | fp32 | 128 |" in capsys.readouterr().out
    assert call("experiments", "list", "--runs", "run") == 0
    assert "other runs\n  run: finished" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (
            ["--data.width", "9", "--data.height", "9"],
            "its images are 9×9, the model's 16×16; generate with --data.width 16 --data.height 16, or train with "
            "--model.width 9\n",
        ),
        (
            ["--data.width", "9"],
            "its images are 9×16, the model's 16×16; generate with --data.width 16 --data.height 16\n",
        ),
        (["--train.points", "5"], "train.points is 5, but the network makes whole images"),
    ],
)
def test_a_folder_of_scenes_is_not_traced_for_a_run_that_cannot_be(asked, message, scenes, monkeypatch, capsys):
    monkeypatch.chdir(scenes.parent)
    before = set(Path().iterdir())
    assert call(*TRAIN, "--data", f"scenes:{scenes}", *asked, "--out", "refused") == 1
    assert message in capsys.readouterr().err
    assert set(Path().iterdir()) == before


def test_a_diverged_run_has_its_own_exit_code(data, tmp_path, capsys):
    explosive = ["--train.optim.learning-rate", "1e30", "--train.samples", "4096"]
    assert call("train", "standard_run", "--scale", "tiny", "--cpu", "--data", data, "--out", tmp_path, *explosive) == (
        DIVERGED
    )
    printed = capsys.readouterr()
    assert '"status": "diverged"' in printed.out
    assert "loss or gradient not finite" in printed.err


def test_training_streams_and_is_evaluated(tmp_path, monkeypatch, capsys):
    """No data set is prepared; the other distribution keeps the experiment's parameters."""
    monkeypatch.chdir(tmp_path)
    few = ["--data.count", "16", "--data.spp", "4"]
    assert call(*TRAIN, "--data", "stream:ellipsoids", "--stream.spp", "8", *few, "--out", "run") == 0
    config = json.loads(Path("run/config.json").read_text())["experiment"]
    assert config["stream"] == {"spp": 8, "rays": 0, "aim": "picture"}
    distribution = config["data"]["distribution"]
    assert (distribution["name"], distribution["max_objects"]) == ("ellipsoids", 4)
    assert call("evaluate", "run") == 0
    assert "reference 4 spp" in capsys.readouterr().out
    assert len(list(Path("data").iterdir())) == 1


def test_the_short_form_of_the_lr_multiplier(data, tmp_path):
    assert call(*TRAIN, "--data", data, "--out", tmp_path, "--lr-multiplier", "0.5") == 0
    assert json.loads((tmp_path / "config.json").read_text())["experiment"]["train"]["optim"]["lr_multiplier"] == 0.5


def test_a_cooldown_branches_off_a_run(data, tmp_path, capsys):
    constant = ["--train.optim.schedule.shape", "constant"]
    assert call(*TRAIN, *constant, "--data", data, "--out", tmp_path / "run") == 0
    capsys.readouterr()
    end = ["--samples", "64", "--out", tmp_path / "end", "--data", data, "--cpu"]
    assert call("cooldown", tmp_path / "run", *end) == 0
    assert f"run folder: {tmp_path / 'end'}" in capsys.readouterr().out
    assert json.loads((tmp_path / "end" / "result.json").read_text())["samples"] == 128 + 64


def test_a_killed_training_ends_with_the_weights_of_one_that_was_not(data, tmp_path):
    """SIGKILL after the first checkpoint, then the same command again; all of one thread, as weights depend on that."""
    options = ["--train.samples", "480", "--train.checkpoint-every", "5", "--data", data]
    train = ["train", "new_improve_seq", "--scale", "tiny", "--cpu", *options]
    assert call(*train, "--out", tmp_path / "whole") == 0
    command = [sys.executable, "-m", "luxel.cli", *train, "--out", tmp_path / "killed"]
    victim = subprocess.Popen(command, stderr=subprocess.DEVNULL, env=os.environ | {"OMP_NUM_THREADS": "1"})
    wait_for(tmp_path / "killed" / "checkpoint.safetensors", victim)  # of step 5 of 30, or one after
    victim.send_signal(signal.SIGKILL)
    victim.wait()
    assert not (tmp_path / "killed" / "result.json").exists()
    assert call(*train, "--out", tmp_path / "killed") == 0
    whole, killed = (load_file(tmp_path / name / "model" / "model.safetensors") for name in ("whole", "killed"))
    assert whole.keys() == killed.keys()
    for name in whole:
        assert (whole[name] == killed[name]).all(), name


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_says_how_to_go_on(tmp_path, number):
    """As does a scheduler's SIGTERM; all processes of the job receive it, those that make a stream's scenes, too."""
    source = ["stream:spheres", "--data.count", "9"]
    command = [sys.executable, "-m", "luxel.cli", *TRAIN, "--train.samples", "100000", "--data", *source]
    run = subprocess.Popen(
        [*command, "--out", "run"], stderr=subprocess.PIPE, text=True, cwd=tmp_path, start_new_session=True
    )
    wait_for(tmp_path / "run" / "metrics.jsonl", run)
    os.killpg(run.pid, number)
    _, errors = run.communicate(timeout=60)
    assert run.returncode == 130
    assert "goes on from here" in errors
    assert "Traceback" not in errors
    assert read_progress(tmp_path / "run" / "checkpoint.safetensors").step > 0
