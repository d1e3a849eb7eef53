"""Calling the verbs as a user does; `main` is the console script's function."""

import subprocess
import time
from pathlib import Path

import pytest

from luxel.cli import main

SCENE = Path(__file__).parent.parent / "examples" / "scenes" / "still_life.json"


GENERATE = ["--count", "24", "--width", "16", "--height", "16", "--spp", "2", "--test-share", "0.25"]


TRAIN = ["train", "standard_run", "--scale", "tiny", "--cpu", "--train.samples", "128", "--train.tests", "2"]


def call(*arguments: str | Path) -> int:
    with pytest.raises(SystemExit) as exit_:
        main([str(argument) for argument in arguments])
    return int(exit_.value.code or 0)


def wait_for(path: Path, process: "subprocess.Popen[str] | subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 120
    while not path.exists():
        assert time.monotonic() < deadline
        assert process.poll() is None, "it ended before it could be stopped"
        time.sleep(0.01)
