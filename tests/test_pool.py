"""Tracing in processes: the same images as in this one, in order, and no process left behind."""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from luxel.scene import Spheres
from luxel.trace import Job, MitsubaTracer, TraceError, pool, trace_jobs

TRACER = MitsubaTracer(max_depth=3)
SCENES = [Spheres(max_objects=3)(0, index) for index in range(7)]
JOBS = [Job((one,), 5, 3, 4, 9) for one in SCENES]


@pytest.fixture
def processes(monkeypatch):
    """Every process that is started; checked to be over at the end."""
    started = []
    popen = subprocess.Popen

    def recorded(*args, **kwargs):
        started.append(popen(*args, **kwargs))
        return started[-1]

    monkeypatch.setattr(subprocess, "Popen", recorded)
    yield started
    assert started
    assert all(process.poll() is not None for process in started)


def test_same_images_in_order_with_fresh_processes(processes, monkeypatch):
    monkeypatch.setattr(pool, "SCENES_A_PROCESS", 2)
    here = TRACER.trace(SCENES, 5, 3, 4, 9)
    there = list(trace_jobs(TRACER, JOBS, workers=2))
    np.testing.assert_array_equal(np.concatenate([part.mean for part in there]), here.mean)
    np.testing.assert_array_equal(np.concatenate([part.variance for part in there]), here.variance)
    assert {part.spp for part in there} == {4}
    assert len(processes) >= 4


def test_jobs_are_taken_as_it_goes(processes):
    taken = []

    def endless():
        while True:
            taken.append(len(taken))
            yield JOBS[0]

    traced = trace_jobs(TRACER, endless(), workers=1)
    next(traced)
    assert len(taken) == pool.JOBS_AHEAD
    traced.close()


def test_the_callers_exception_ends_it(processes):
    def broken():
        yield from JOBS[:5]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(trace_jobs(TRACER, broken(), workers=1))


ORPHANED = """
import subprocess, sys
from luxel.scene import Spheres
from luxel.trace import Job, MitsubaTracer, pool
popen = subprocess.Popen
def told(*arguments, **named):
    process = popen(*arguments, **named)
    print(process.pid, flush=True)
    return process
subprocess.Popen = told
list(pool.trace_jobs(MitsubaTracer(), [Job((Spheres()(0, 0),), 1024, 1024, 1 << 16, 0)], workers=1))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_process_ends_with_a_caller_that_is_killed():
    """In the middle of what would take hours."""
    with subprocess.Popen([sys.executable, "-c", ORPHANED], stdout=subprocess.PIPE) as caller:
        worker = int(caller.stdout.readline())
        time.sleep(3)  # the worker has begun
        caller.kill()
        caller.wait()
        deadline = time.monotonic() + 30
        while Path(f"/proc/{worker}").exists():
            assert time.monotonic() < deadline
            time.sleep(0.1)


def test_what_cannot_be_traced_says_why(processes):
    with pytest.raises(TraceError, match="spp is 0"):
        list(trace_jobs(TRACER, [Job((SCENES[0],), 5, 3, 0, 0)], workers=1))


def test_a_process_that_dies_is_reported(processes):
    def jobs():
        yield from JOBS[: pool.JOBS_AHEAD]
        processes[0].kill()
        yield from JOBS

    with pytest.raises(TraceError, match="ended with exit code -9"):
        list(trace_jobs(TRACER, jobs(), workers=1))
