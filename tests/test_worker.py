"""The tracing process on its own: light to start, and it goes when its caller does."""

import json
import subprocess
import sys
import time

import numpy as np

from luxel.scene import Spheres

COMMAND = [sys.executable, "-m", "luxel.trace.worker", json.dumps({"threads": 1})]
REQUEST = {"scenes": [Spheres()(0, 0).model_dump()], "width": 5, "height": 3, "spp": 2, "seed": 0}


def test_answers_and_ends_with_its_input():
    with subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        ask(process, REQUEST | {"spp": 0})
        assert json.loads(process.stdout.readline()) == {"error": "spp is 0, must be at least 1"}
        process.terminate()  # as a scheduler does with all processes of a job
        ask(process, REQUEST)
        assert json.loads(process.stdout.readline()) == {}
        images = np.frombuffer(process.stdout.read(2 * 3 * 5 * 3 * 4), np.float32)
        mean, variance = images.reshape(2, 1, 3, 5, 3)
        assert mean.max() > 0
        assert variance.max() > 0
        process.stdin.close()
        assert process.wait(timeout=60) == 0
        assert process.stderr.read() == b""


def ask(process: "subprocess.Popen[bytes]", request: dict) -> None:
    process.stdin.write(json.dumps(request).encode() + b"\n")
    process.stdin.flush()


def test_ends_in_the_middle_of_long_work_when_its_caller_is_gone():
    """As when that was killed: this would take hours."""
    with subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        ask(process, REQUEST | {"spp": 0})
        process.stdout.readline()  # it has started
        ask(process, REQUEST | {"width": 1024, "height": 1024, "spp": 1 << 16})
        time.sleep(1)
        process.stdin.close()
        assert process.wait(timeout=20) == 0


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
