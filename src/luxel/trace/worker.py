"""A tracing process: a line of JSON in, a line of JSON and the images out. See `luxel.trace.pool`."""

import json
import os
import signal
import sys
from collections.abc import Iterator
from queue import SimpleQueue
from threading import Thread

from luxel.scene.description import Scene
from luxel.trace.mitsuba import MitsubaTracer


def main(options: str) -> None:
    """Answer requests until the input ends.

    A request holds the arguments of `Tracer.trace`. The answer is `{"error": message}`, or `{}` and then the
    mean and the variance as raw float32.
    """
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # sent to all processes of a job, it is the caller's to handle
    # Answers go to what was the standard output; whatever a library prints goes to the standard error.
    with os.fdopen(os.dup(1), "wb") as answers:
        os.dup2(2, 1)
        tracer = MitsubaTracer(**json.loads(options))
        for line in requests():
            request = json.loads(line)
            scenes = [Scene.model_validate(scene) for scene in request.pop("scenes")]
            try:
                radiance = tracer.trace(scenes, **request)
            except (ValueError, RuntimeError, ImportError) as error:
                answers.write(json.dumps({"error": str(error)}).encode() + b"\n")
            else:
                answers.write(b"{}\n" + radiance.mean.tobytes() + radiance.variance.tobytes())
            answers.flush()


def requests() -> Iterator[bytes]:
    """The lines of the standard input. When it ends, so does the process, at once and whatever it is doing.

    The caller is gone then, by kill -9 perhaps, and nobody waits for an answer that may be minutes away.
    """
    lines: SimpleQueue[bytes] = SimpleQueue()

    def read() -> None:
        with os.fdopen(os.dup(0), "rb") as source:
            for line in source:
                lines.put(line)
        os._exit(0)

    Thread(target=read, daemon=True).start()
    while True:
        yield lines.get()


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except BrokenPipeError:
        sys.exit(1)  # the caller is gone
