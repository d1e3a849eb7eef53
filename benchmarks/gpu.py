"""What does a borrowed GPU say in ten minutes: do its tests pass, how fast is all, and what do the next runs come to?

    PYTHONPATH=src python benchmarks/gpu.py [--minutes 10] [--out runs/gpu] [--records docs/ledger]

From a checkout with torch, Warp and what training needs; neither Mitsuba nor an installed Luxel. In this order: tests
marked `gpu`; the path tracer's images/s at 128², 64 spp; the ray model's seconds a picture and pictures/s; training
images/s of the image model by scale, precision and batch; then runs of the log's claims and ideas that neither
`--records` nor `<out>/records` has, at the largest scale of which one fits into what is left. Each step is a process of
its own, whose result is kept in `<out>/gpu.json`: the same command again goes on after the last one that ended, and a
run where it stood. The last line is one JSON object of all results; `luxel experiments findings --records docs/ledger
<out>/records` merges the records. Without a GPU it ends with an error.
"""

import argparse
import importlib.util
import itertools
import json
import math
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import torch

ROOT = Path(__file__).parent.parent
EXPERIMENT = "just_image_to_seq"
WIDTH, TRACED, SCENES = 128, 512, 64
BATCH, OTHER_BATCHES = 128, (16, 256)
"""Of the training rates at WIDTH: the first in every precision, the others in bfloat16."""
LIMITS = {"tests": 120.0, "tracer": 60.0, "ray_model": 60.0, "training": 150.0}
"""Seconds at most of each step; what a process needs to start and to compile kernels is in them."""
OVERHEAD = 45.0
"""Seconds of a run's start and of its tests, about, beside its training."""
GRACE = 30.0
"""Seconds in which a run that is interrupted ends its step and saves."""


def tests(out: Path) -> dict[str, Any]:
    """How many tests marked `gpu` passed, failed and could not run; None where pytest is not installed."""
    if any(importlib.util.find_spec(name) is None for name in ("pytest", "beartype", "hypothesis")):
        return {"passed": None, "why": "pytest, beartype or hypothesis is not installed"}
    # pyproject has pytest say -q, of which a second would leave out the line that counts
    command = [sys.executable, "-m", "pytest", "-m", "gpu", "--rootdir", str(ROOT), str(ROOT / "tests")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return {"passed": done.returncode == 0, "summary": done.stdout.strip().rpartition("\n")[2]}


def rate(work: Callable[[], object], count: int, rounds: int = 3) -> float:
    """`count` over the median seconds of the work, after one that warms up."""
    seconds = []
    for _ in range(rounds + 1):
        synchronise()
        started = time.perf_counter()
        work()
        synchronise()
        seconds.append(time.perf_counter() - started)
    return count / statistics.median(seconds[1:])


def synchronise() -> None:
    """Wait for the GPU, if there is one."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def tracer(out: Path) -> dict[str, Any]:
    """Images/s at 128², 64 paths a pixel, depth 8, up to 12 objects."""
    from luxel.core.scene_batch import SceneBatch
    from luxel.scene.distributions import Spheres
    from luxel.trace.path import PathTracer

    tracing = PathTracer(max_depth=8, device=device())
    batch = SceneBatch.of([Spheres(max_objects=12)(7, index) for index in range(TRACED)], device())
    return {"images_per_s": round(rate(lambda: tracing.trace(batch, WIDTH, WIDTH, 64, 0), TRACED), 1)}


def ray_model(out: Path) -> dict[str, Any]:
    """Milliseconds of one picture of 128², and pictures/s of many at once, from scenes to NumPy."""
    from luxel.pipeline import Renderer
    from luxel.scene.distributions import Spheres

    found: dict[str, Any] = {}
    scenes = [Spheres(max_objects=12)(7, index) for index in range(SCENES)]
    for name in ("ray-small", "ray-base"):
        renderer = Renderer.from_pretrained(name, device())
        one = rate(lambda renderer=renderer: renderer.render(scenes[:1], WIDTH), 1, rounds=9)  # type: ignore[misc]
        many = rate(lambda renderer=renderer: renderer.render(scenes, WIDTH), SCENES)  # type: ignore[misc]
        found[name] = {"ms_a_picture": round(1e3 / one, 2), "pictures_per_s": round(many, 1)}
    return found


def training(out: Path) -> dict[str, Any]:
    """Training images/s, all of a step, of the experiment: full by precision and batch, smaller ones as they are."""
    from luxel.data.batches import ShardSource
    from luxel.data.generate import generate
    from luxel.experiments import EXPERIMENTS, Scale
    from luxel.experiments.experiment import with_train
    from luxel.train.precision import Precision

    found: dict[str, Any] = {}
    for scale in get_args(Scale):
        made = EXPERIMENTS[EXPERIMENT].make(scale)
        folder = out / "data" / scale
        generate(replace(made.data, count=TRACED, spp=2), folder, progress=False)
        found[f"{scale} as it is"] = images_per_s(made, ShardSource(folder), out)
        kinds = [(precision, BATCH) for precision in get_args(Precision)] + [("bf16", batch) for batch in OTHER_BATCHES]
        for precision, batch in kinds if made.model.width == WIDTH else ():
            changed = with_train(made, precision=precision, batch_size=batch)
            found[f"{scale} {precision} {batch}"] = images_per_s(changed, ShardSource(folder), out)
    return found


def images_per_s(experiment: Any, source: Any, out: Path, seconds: float = 4.0) -> float | None:
    """The median rate of ten training steps or more, after three that warm up; None if they don't fit into memory."""
    from luxel.models.model_types import model_of
    from luxel.train.runtime import accelerator
    from luxel.train.trainer import Trainer

    torch.manual_seed(0)
    config, path = replace(experiment.train, samples=1 << 20), out / "rate.safetensors"
    path.unlink(missing_ok=True)
    try:
        trainer = Trainer(model_of(experiment.model), config, source, accelerator(cpu=device() == "cpu"))
        seconds_a_step = timed_steps(trainer, path, seconds)
    except torch.OutOfMemoryError:
        return None
    finally:
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
    return round(config.batch_size / seconds_a_step, 1)


def timed_steps(trainer: Any, path: Path, seconds: float) -> float:
    """Median seconds of a step."""
    progress = trainer.begin(path)
    times = list[float]()
    while len(times) < 13 or sum(times) < seconds:
        started = time.perf_counter()
        progress, _, _ = trainer.step(progress)  # which waits for its loss
        times.append(time.perf_counter() - started)
    return statistics.median(times[3:])


STEPS: dict[str, Callable[[Path], dict[str, Any]]] = {
    "tests": tests,
    "tracer": tracer,
    "ray_model": ray_model,
    "training": training,
}


def device() -> str:
    """Where everything is measured."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def due(records: list[Path]) -> Iterator[tuple[str, Any, int]]:
    """Runs without a record, (name, scale, seed): the largest scale first, claims before ideas, whole seeds in turn."""
    from luxel.experiments import EXPERIMENTS, Scale
    from luxel.ledger.claims import SEEDS
    from luxel.ledger.log_claims import CLAIMS
    from luxel.ledger.log_ideas import IDEAS

    data_of = {name: entry.make("tiny").data for name, entry in EXPERIMENTS.items()}
    comparable = [idea for idea in IDEAS if data_of[idea.better] == data_of[idea.worse]]  # others can't be decided
    named = [dict.fromkeys(name for claim in claims for name in claim.runs) for claims in (CLAIMS, comparable)]
    for scale, names, seed in itertools.product(reversed(get_args(Scale)), named, range(SEEDS)):
        for name in names:
            if not any((folder / f"{name}-{scale}-seed{seed}.json").exists() for folder in records):
                yield name, scale, seed


def next_run(records: list[Path], rates: dict[str, Any], left: float) -> tuple[str, Any, int] | None:
    """The first run that is due and, at the rates of its scale, fits into so many seconds."""
    from luxel.experiments import EXPERIMENTS

    for name, scale, seed in due(records):
        images_per_s = rates.get(f"{scale} as it is", 0.0)
        if images_per_s and EXPERIMENTS[name].make(scale).train.samples / images_per_s + OVERHEAD < left:
            return name, scale, seed
    return None


def train_one(name: str, scale: Any, seed: int, out: Path) -> None:
    """Make a run, or go on with it, and leave its record among the others."""
    from luxel.ledger.collect import collect
    from luxel.ledger.plan import PlannedRun

    signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell may have had it ignore
    plan = PlannedRun(name, scale, seed)
    records, wrong = collect([plan])
    for error in wrong:
        raise error
    (out / "records").mkdir(parents=True, exist_ok=True)
    records[plan].save(out / "records" / records[plan].file)


def process(arguments: list[str], seconds: float) -> bool:
    """Whether this script, called with these arguments, ended well in time; it is interrupted at the end of it."""
    source = os.pathsep.join(filter(None, [str(ROOT / "src"), os.environ.get("PYTHONPATH")]))
    child = subprocess.Popen(
        [sys.executable, __file__, *arguments], stdout=sys.stderr, env={**os.environ, "PYTHONPATH": source}
    )
    try:
        return child.wait(max(1.0, seconds)) == 0
    except subprocess.TimeoutExpired:
        child.send_signal(signal.SIGINT)
        try:
            child.wait(GRACE)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        return False


def read(path: Path) -> dict[str, Any]:
    """The results so far."""
    return json.loads(path.read_text()) if path.exists() else {}


def write(path: Path, results: dict[str, Any]) -> None:
    """Keep the results, whole or as they were."""
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(results))
    partial.replace(path)


def main(options: argparse.Namespace) -> None:
    """Every step that has no result yet, then runs, until the time is up; then the JSON object."""
    deadline = time.monotonic() + 60 * options.minutes - GRACE
    out: Path = options.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    kept, wrong = out / "gpu.json", list[str]()
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    write(kept, {**read(kept), "gpu": gpu})
    for name in STEPS:
        left = min(LIMITS[name], deadline - time.monotonic())
        if name not in read(kept) and left > 0 and not process(["--step", name, "--out", str(out)], left):
            wrong.append(name)
    made, folders = list[str](), [options.records.resolve(), out / "records"]
    while (left := deadline - time.monotonic()) > 0:
        run = next_run(folders, read(kept).get("training", {}), left)
        if run is None:
            break
        label = "-".join(map(str, run))
        if not process(["--run", *map(str, run), "--out", str(out)], left):
            wrong.append(label)
            break
        made.append(label)
    records = sorted(path.stem for path in (out / "records").glob("*.json"))
    print(json.dumps({**read(kept), "made": made, "records": records, "failed_or_cut_off": wrong}))


def step(name: str, out: Path) -> None:
    """One step, whose result is kept."""
    result = STEPS[name](out)
    write(out / "gpu.json", {**read(out / "gpu.json"), name: result})


def parsed() -> argparse.Namespace:
    """The command line, by argparse: tyro need not be there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--out", type=Path, default=Path("runs/gpu"))
    parser.add_argument("--records", type=Path, default=ROOT / "docs" / "ledger", help="runs that need not be made")
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    parser.add_argument("--run", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if not 0 < options.minutes < math.inf:
        parser.error(f"--minutes is {options.minutes}, must be above 0")
    return options


if __name__ == "__main__":
    options = parsed()
    sys.path.insert(0, str(ROOT / "src"))
    if options.step:
        step(options.step, options.out)
    elif options.run:
        name, scale, seed = options.run
        train_one(name, scale, int(seed), options.out)
    elif torch.cuda.is_available():
        main(options)
    else:
        sys.exit("benchmarks/gpu.py: torch sees no GPU here; run it on a machine that has one")
