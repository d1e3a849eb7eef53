"""The tracing process on its own: light to start, and it goes when its caller does."""

import json
import subprocess
import sys

import numpy as np

from luxel.scene import Spheres

COMMAND = [sys.executable, "-m", "luxel.trace.worker", json.dumps({"threads": 1})]
REQUEST = {"scenes": [Spheres()(0, 0).model_dump()], "width": 5, "height": 3, "spp": 2, "seed": 0}


def test_answers_and_ends_with_its_input():
    lines = f"{json.dumps(REQUEST | {'spp': 0})}\n{json.dumps(REQUEST)}\n"
    done = subprocess.run(COMMAND, input=lines.encode(), capture_output=True, timeout=60)
    assert done.returncode == 0
    assert done.stderr == b""
    error, ok, images = done.stdout.split(b"\n", 2)
    assert json.loads(error) == {"error": "spp is 0, must be at least 1"}
    assert json.loads(ok) == {}
    mean, variance = np.frombuffer(images, np.float32).reshape(2, 1, 3, 5, 3)
    assert mean.max() > 0
    assert variance.max() > 0


def test_ends_quietly_when_no_one_reads():
    with subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        process.stdin.write(json.dumps(REQUEST).encode() + b"\n")
        process.stdin.flush()
        assert process.wait(timeout=60) == 1
        assert process.stderr.read() == b""


def test_starts_without_torch():
    code = "import sys, luxel.trace.worker; print({'torch', 'mitsuba'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "set()\n"
