"""`luxel generate` as a user calls it."""

import json
import signal
import subprocess
import sys

import pytest
from command_line import GENERATE, call, wait_for


def test_generate_wrote_what_was_asked_for(data):
    settings = json.loads((data / "manifest.json").read_text())["settings"]
    assert (settings["distribution"], settings["max_objects"], settings["count"], settings["spp"]) == (
        "spheres", 3, 24, 2,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("options", "renderer"), [([], "luxel "), (["--tracer", "mitsuba", "--workers", "2"], "mitsuba ")]
)
def test_generate_by_either_tracer(options, renderer, tmp_path):
    few = ["--count", "8", "--width", "5", "--height", "3", "--spp", "2", *options]
    assert call("generate", "ellipsoids", "--out", tmp_path / "data", *few) == 0
    settings = json.loads((tmp_path / "data" / "manifest.json").read_text())["settings"]
    assert settings["renderer"].startswith(renderer)


def test_a_folder_of_other_settings_is_left_alone(data, capsys):
    before = {path.name: path.read_bytes() for path in data.iterdir()}
    assert call("generate", "spheres", "--out", data, "--max-objects", "4", *GENERATE) == 1
    assert "max_objects: the folder has 3, asked for is 4" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in data.iterdir()} == before


def test_sigterm_ends_generation_as_ctrl_c_does(tmp_path):
    command = [sys.executable, "-m", "luxel.cli", "generate", "spheres", "--out", "set", "--count", "100000"]
    run = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
    wait_for(tmp_path / "set" / "manifest.json", run)
    run.send_signal(signal.SIGTERM)
    _, errors = run.communicate(timeout=60)
    assert run.returncode == 130
    assert "goes on from here" in errors
    assert "Traceback" not in errors
