"""Tracing in several processes, one thread each.

The processes are plain `python -m luxel.trace.worker`, fed through pipes: they start in a third of a second
(no torch), don't import the caller's main module, and end with the caller at once, even if it is killed.
"""

import contextlib
import json
import math
import os
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from queue import SimpleQueue

import numpy as np
from jaxtyping import Float32

from luxel.scene.description import Scene
from luxel.trace.mitsuba import MitsubaTracer, TraceError
from luxel.trace.tracer import Radiance

SCENES_A_PROCESS = 500  # then a fresh one, whatever a variant keeps of a scene (scalar_rgb: nothing measurable)
JOBS_AHEAD = 4  # a worker; enough that none waits for a slow neighbour


@dataclass(frozen=True)
class Job:
    """What `Tracer.trace` is asked for."""

    scenes: tuple[Scene, ...]
    width: int
    height: int
    spp: int
    seed: int


def trace_jobs(tracer: MitsubaTracer, jobs: Iterable[Job], workers: int = 0) -> Iterator[Radiance]:
    """Trace the jobs in `workers` processes (0: one a core), in their order; takes them as it goes.

    When the caller stops, by an exception or by closing the iterator, the processes are killed. Raises
    TraceError if a scene can't be traced or a process dies.
    """
    if workers < 0:
        raise TraceError(f"workers is {workers}, must be at least 0 (one a core)")
    count = workers or os.cpu_count() or 1
    processes = [_Process(tracer) for _ in range(count)]
    idle: SimpleQueue[_Process] = SimpleQueue()
    for process in processes:
        idle.put(process)

    def run(job: Job) -> Radiance:
        process = idle.get()
        try:
            return process.trace(job)
        finally:
            idle.put(process)

    threads = ThreadPoolExecutor(count)
    waiting: deque[Future[Radiance]] = deque()
    try:
        for job in jobs:
            waiting.append(threads.submit(run, job))
            if len(waiting) >= JOBS_AHEAD * count:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        threads.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            process.kill()  # frees the threads that wait for an answer
        threads.shutdown(wait=True)
        for process in processes:
            process.close()


class _Process:
    """A worker, started when it is first needed, and anew after SCENES_A_PROCESS scenes."""

    def __init__(self, tracer: MitsubaTracer) -> None:
        self._options = json.dumps(asdict(replace(tracer, threads=1)))
        self._process: subprocess.Popen[bytes] | None = None
        self._scenes = 0

    def trace(self, job: Job) -> Radiance:
        if self._scenes >= SCENES_A_PROCESS:
            self.close()
        process = self._process or self._start()
        self._scenes += len(job.scenes)
        try:
            mean, variance = _ask(process, job)
        except (OSError, EOFError):
            code = process.wait()
            raise TraceError(f"a tracing process ended with exit code {code}; its last words are above") from None
        return Radiance(mean, variance, job.spp)

    def kill(self) -> None:
        process = self._process  # which a thread may just be closing
        if process is not None:
            process.kill()

    def close(self) -> None:
        if self._process is None:
            return
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):  # what it did not read is lost, as it should be
                assert pipe is not None
                pipe.close()
        self._process.wait()
        self._process = None

    def _start(self) -> "subprocess.Popen[bytes]":
        self._scenes = 0
        self._process = subprocess.Popen(
            [sys.executable, "-m", "luxel.trace.worker", self._options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is the caller's to handle
        )
        return self._process


def _ask(process: "subprocess.Popen[bytes]", job: Job) -> Float32[np.ndarray, "2 batch height width 3"]:
    """Mean and variance; raises OSError or EOFError if the process is gone, TraceError as it says."""
    assert process.stdin is not None
    assert process.stdout is not None
    request = {**vars(job), "scenes": [scene.model_dump() for scene in job.scenes]}
    process.stdin.write(json.dumps(request).encode() + b"\n")
    process.stdin.flush()
    answer = process.stdout.readline()
    if not answer.endswith(b"\n"):
        raise EOFError
    if error := json.loads(answer).get("error"):
        raise TraceError(error)
    shape = (2, len(job.scenes), job.height, job.width, 3)
    size = math.prod(shape) * np.float32().itemsize
    data = process.stdout.read(size)
    if len(data) < size:
        raise EOFError
    return np.frombuffer(data, np.float32).reshape(shape)
