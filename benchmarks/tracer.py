"""How fast is the path tracer at equal error, beside Mitsuba?

    python benchmarks/tracer.py [--objects 1 4 12 32 256 2048 20000] [--sizes 32 64] [--depths 6 2] [--rounds 3]
    python benchmarks/tracer.py --gpu-only

Efficiency is 1 / (variance × time) (Veach 1997, eq. 2.6), of the mean variance of a pixel: twice the efficiency is the
same error in half the time. Tracers take turns, every one on all cores, building of scenes included, and medians are
compared. The last line is one JSON object: `cpu_efficiency_ratio` is the geometric mean over all settings of the path
tracer over Mitsuba's `scalar_rgb` in a pool of processes; above 1, ours is better. `cold_start_s` is the time from
nothing compiled to the first image of 32², `warm_start_s` the same when Warp's cache has the kernels; both are a fresh
process's, without its imports. With a GPU there is also `gpu_images_per_s` (128², 64 paths a pixel, depth 8, up to 12
objects).
"""

import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated

from luxel.configuration import BatchSize, Configuration, Objects, Pixels, Repeats
from luxel.core.scene_batch import SceneBatch
from luxel.scene.description import Scene, Sphere
from luxel.scene.distributions import CAMERA, CUBE, Spheres, material
from luxel.scene.draws import Draws
from luxel.trace import Job, MitsubaTracer, Radiance, Tracer, trace_jobs
from luxel.trace.path import PathTracer

import torch
import tyro
from pydantic import Field

MANY = 100
"""Objects beyond which drawing a scene that keeps them apart takes longer than tracing it."""

Trace = Callable[[Sequence[Scene], int, int], tuple[list[Radiance], float]]
"""Images of scenes, and seconds, for (scenes, size, paths a pixel)."""


@dataclass(frozen=True)
class Options(Configuration):
    """What to measure."""

    objects: tuple[Objects, ...] = (1, 4, 12, 32, 256, 2048, 20_000)
    """Objects in every scene."""
    sizes: tuple[Pixels, ...] = (32, 64)
    """Widths and heights in pixels."""
    depths: tuple[Annotated[int, Field(ge=1, le=10_000)], ...] = (6, 2)
    """Most segments of a path, up to the light."""
    scenes: BatchSize = 16
    """Scenes of each setting."""
    rounds: Repeats = 3
    """How often every tracer has its turn."""
    gpu_only: bool = False
    """Measure `gpu_images_per_s` alone."""


@dataclass(frozen=True)
class Contestant:
    """A tracer, and the paths a pixel that make its turn long enough to time at 32²."""

    trace: Trace
    spp: int


def with_objects(count: int, scenes: int) -> list[Scene]:
    """Scenes of `spheres` that have as many objects; of many, as many smaller spheres at random."""
    if count > MANY:
        return [crowd(count, index) for index in range(max(1, scenes // 8))]
    distribution = Spheres(max_objects=count)
    drawn = (distribution(7, index) for index in itertools.count())
    return list(itertools.islice((scene for scene in drawn if len(scene.objects) == count), scenes))


def crowd(count: int, index: int) -> Scene:
    """Spheres of the distribution's materials, a quarter of them lamps, that fill its cube as twelve of its own do."""
    draws, shrink = Draws(7, index), (12 / count) ** (1 / 3)
    objects = tuple(
        Sphere(
            center=draws.triple(-CUBE, CUBE),
            radius=draws.log_uniform(0.17 * shrink, 0.65 * shrink),
            material=material(draws, 0.25),
        )
        for _ in range(count)
    )
    return Scene(objects=objects, camera=CAMERA, background=(0.2, 0.2, 0.2))


def pooled(tracer: MitsubaTracer) -> Trace:
    """Mitsuba in as many one-thread processes as there are cores."""

    def trace(scenes: Sequence[Scene], size: int, spp: int) -> tuple[list[Radiance], float]:
        # Results come in order, so that after these every process has started; that isn't counted.
        first = [Job((scenes[0],), 4, 4, 1, 0)] * (2 * (os.cpu_count() or 1))
        results = trace_jobs(tracer, [*first, *(Job((scene,), size, size, spp, 0) for scene in scenes)])
        for _ in first:
            next(results)
        started = time.perf_counter()
        images = list(results)
        return images, time.perf_counter() - started

    return trace


def alone(tracer: Tracer) -> Trace:
    """A tracer that takes all cores itself."""

    def trace(scenes: Sequence[Scene], size: int, spp: int) -> tuple[list[Radiance], float]:
        started = time.perf_counter()
        image = tracer.trace(scenes, size, size, spp, 0)
        return [image], time.perf_counter() - started

    return trace


def contestants(depth: int) -> dict[str, Contestant]:
    """Every tracer that works here."""
    import mitsuba

    found = {
        "mitsuba scalar_rgb": Contestant(pooled(MitsubaTracer(max_depth=depth)), 128),
        "path cpu": Contestant(alone(PathTracer(max_depth=depth)), 128),
    }
    if torch.cuda.is_available():
        found["path cuda"] = Contestant(alone(PathTracer(max_depth=depth, device="cuda")), 1024)
    for variant in mitsuba.variants():
        if variant.startswith(("llvm_ad_rgb", "cuda_ad_rgb")) and _works(variant):
            found[f"mitsuba {variant}"] = Contestant(alone(MitsubaTracer(max_depth=depth, variant=variant)), 128)
    return found


def _works(variant: str) -> bool:
    """Whether a process of its own can trace with it; some LLVM versions abort."""
    from luxel.trace import TraceError

    try:
        next(trace_jobs(MitsubaTracer(variant=variant), [Job((with_objects(1, 1)[0],), 4, 4, 1, 0)], workers=1))
    except TraceError:
        return False
    return True


def measured(
    tracers: dict[str, Contestant], scenes: list[Scene], size: int, rounds: int
) -> dict[str, dict[str, float]]:
    """Medians for every tracer; each has a turn before that isn't counted."""
    results: dict[str, list[tuple[float, float]]] = {name: [] for name in tracers}
    for turn, (name, tracer) in itertools.product(range(rounds + 1), tracers.items()):
        spp = max(2, tracer.spp * 32 * 32 // (size * size))
        images, seconds = tracer.trace(scenes, size, spp)
        variance = statistics.mean(float(image.variance.mean()) for image in images)
        if turn:
            results[name].append((seconds, 1 / (variance * seconds / len(scenes))))
    medians = {}
    for name, values in results.items():
        seconds, efficiency = (statistics.median(column) for column in zip(*values, strict=True))
        spp = max(2, tracers[name].spp * 32 * 32 // (size * size))
        medians[name] = {
            "scenes_per_s": round(len(scenes) / seconds, 3),
            "paths_per_s": round(len(scenes) * size * size * spp / seconds),
            "efficiency": float(f"{efficiency:.4g}"),
        }
    return medians


def gpu_images_per_s() -> float:
    """At 128², 64 paths a pixel, depth 8, up to 12 objects."""
    tracer = PathTracer(max_depth=8, device="cuda")
    distribution = Spheres(max_objects=12)
    batch = SceneBatch.of([distribution(7, index) for index in range(1024)], "cuda")
    tracer.trace(batch[:32], 128, 128, 64, 0)
    rates = []
    for _ in range(3):
        started = time.perf_counter()
        tracer.trace(batch, 128, 128, 64, 0)
        rates.append(len(batch) / (time.perf_counter() - started))
    return statistics.median(rates)


FIRST_IMAGE = """
import sys, time, warp
warp.config.kernel_cache_dir = sys.argv[1]
from luxel.scene.distributions import Spheres
from luxel.trace.path import PathTracer
started = time.perf_counter()
PathTracer().trace([Spheres()(7, 0)], 32, 32, 16, 0)
print(time.perf_counter() - started)
"""


def first_image_s() -> tuple[float, float]:
    """Seconds to the first image, with nothing compiled and with all."""
    with tempfile.TemporaryDirectory() as cache:
        runs = [
            subprocess.run([sys.executable, "-c", FIRST_IMAGE, cache], capture_output=True, text=True, check=True)
            for _ in range(2)
        ]
    cold, warm = (float(run.stdout.split()[-1]) for run in runs)
    return cold, warm


def main(options: Options) -> None:
    """Measure every setting, and print the table, then the JSON object."""
    has_gpu = torch.cuda.is_available()
    gpu = {
        "gpu_images_per_s": round(gpu_images_per_s(), 1) if has_gpu else None,
        "gpu": torch.cuda.get_device_name() if has_gpu else None,
    }
    if options.gpu_only:
        print(json.dumps(gpu))
        return
    cold, warm = first_image_s()
    settings, ratios = [], []
    for depth, objects, size in itertools.product(options.depths, options.objects, options.sizes):
        results = measured(contestants(depth), with_objects(objects, options.scenes), size, options.rounds)
        reference = results["mitsuba scalar_rgb"]["efficiency"]
        ratios.append(results["path cpu"]["efficiency"] / reference)
        for name, row in results.items():
            row["efficiency_ratio"] = round(row["efficiency"] / reference, 3)
            print(
                f"{objects:>5} objects  {size:>3}²  depth {depth}  {name:<20}  {row['scenes_per_s']:8.2f} scenes/s"
                f"  {row['paths_per_s'] / 1e6:7.2f} M paths/s  efficiency {row['efficiency_ratio']:6.2f}",
                flush=True,
            )
        settings.append({"objects": objects, "size": size, "depth": depth, "tracers": results})
    summary = {
        "cpu_efficiency_ratio": round(statistics.geometric_mean(ratios), 3),
        "cpu_efficiency_ratio_least": round(min(ratios), 3),
        "cold_start_s": round(cold, 2),
        "warm_start_s": round(warm, 3),
        **gpu,
        "cores": os.cpu_count(),
        "settings": settings,
    }
    print(json.dumps(summary))


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__))
