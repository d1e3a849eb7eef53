"""A tracing process: a line of JSON in, a line of JSON and the images out. See `luxel.trace.pool`."""

import json
import os
import sys

from luxel.scene.description import Scene
from luxel.trace.mitsuba import MitsubaTracer


def main(options: str) -> None:
    """Answer requests until the input ends.

    A request holds the arguments of `Tracer.trace`. The answer is `{"error": message}`, or `{}` and then the
    mean and the variance as raw float32.
    """
    # Answers go to what was the standard output; whatever a library prints goes to the standard error.
    with os.fdopen(os.dup(1), "wb") as answers:
        os.dup2(2, 1)
        tracer = MitsubaTracer(**json.loads(options))
        for line in sys.stdin:
            request = json.loads(line)
            scenes = [Scene.model_validate(scene) for scene in request.pop("scenes")]
            try:
                radiance = tracer.trace(scenes, **request)
            except (ValueError, RuntimeError, ImportError) as error:
                answers.write(json.dumps({"error": str(error)}).encode() + b"\n")
            else:
                answers.write(b"{}\n" + radiance.mean.tobytes() + radiance.variance.tobytes())
            answers.flush()


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except BrokenPipeError:
        sys.exit(1)  # the caller is gone
