"""Compiled stages: one compilation for all sizes, the same light as the eager ones, and eager where they can't be."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from luxel.trace import stages


def run(backend: str) -> dict:
    script = Path(__file__).with_name("compiled_stages.py")
    done = subprocess.run([sys.executable, str(script), backend], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


# With and without lights, a surface meets two rays or one, and what it lands with differs.
ONCE = {"camera_rays": 1, "begin": 1, "scatter": 1, "draw": 1, "aim": 1, "meet": 2, "land": 2}


def test_nothing_is_compiled_again_when_sizes_change():
    """Numbers of scenes, objects, lights and paths, resolution, and depth; tracing alone, which is what recompiles."""
    found = run("eager")
    assert found["compilations"] == ONCE
    assert found["difference"] == 0


@pytest.mark.slow  # minutes of compiling
def test_compiled_light_is_the_eager_light():
    """But for paths that rounding sends elsewhere, fewer than one value in a hundred."""
    found = run("inductor")
    assert found["compilations"] == ONCE
    assert found["difference"] < 1e-3
    assert found["means"] < 0.02


def test_without_a_compiler_it_is_eager(monkeypatch):
    monkeypatch.setattr(stages.shutil, "which", lambda name: None)
    stages.compiled_stages.cache_clear()
    assert stages.compiled_stages("cpu") is stages.EAGER
    stages.compiled_stages.cache_clear()
