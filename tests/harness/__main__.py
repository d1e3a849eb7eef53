"""`make harness`: every part, one after another; the last line is one JSON object of counts.

PYTHONPATH=tests python -m harness [--share 0.1] [--parts scenes kills] [--seed 1]
"""

import argparse
import faulthandler
import json
import sys
import time

from harness import damage, kills, leaks, options, scenes
from harness.report import Report

PARTS = {"scenes": scenes, "options": options, "kills": kills, "damage": damage, "leaks": leaks}
SECONDS = {"scenes": 60, "options": 300, "kills": 330, "damage": 330, "leaks": 60}
"""After which a part begins no more cases: 18 minutes in all, and what is made before the first ones."""
STUCK_S = 1195.0


def main() -> None:
    """Run the parts; exit with 1 if something failed that is not listed."""
    arguments = argparse.ArgumentParser(prog="harness", description=__doc__.splitlines()[0])
    arguments.add_argument("--share", type=float, default=1.0, help="of the cases of each part")
    arguments.add_argument("--seed", type=int, default=0, help="of the order of cases, and of what scenes are made")
    arguments.add_argument("--parts", nargs="*", choices=PARTS, default=list(PARTS))
    given = arguments.parse_args()
    faulthandler.dump_traceback_later(STUCK_S, exit=True)  # of what does not end
    counts = {}
    for name in given.parts:
        begun, report = time.monotonic(), Report(name, SECONDS[name], given.seed)
        PARTS[name].run(report, given.share)
        counts[name] = {**report.counts, "seconds": round(time.monotonic() - begun)}
        print(f"{name}: {counts[name]}", file=sys.stderr, flush=True)
    print(json.dumps(counts))
    sys.exit(any(part["failed"] for part in counts.values()))


if __name__ == "__main__":
    main()
