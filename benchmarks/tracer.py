"""How fast is each tracer at equal error?

    python benchmarks/tracer.py [--objects 1 4 12 32] [--sizes 32 64] [--depths 6 2] [--rounds 3]

Efficiency is 1 / (variance × time) (Veach 1997, eq. 2.6), of the mean variance of a pixel: twice the efficiency is the
same error in half the time. Tracers take turns, every one on all cores, and medians are compared. The last line is one
JSON object: `cpu_efficiency_ratio` is the geometric mean over all settings of compiled torch over Mitsuba's
`scalar_rgb` in a pool of processes, as `luxel generate` has it; above 1, ours is better. With a GPU there is also
`gpu_images_per_s` (128², 64 paths a pixel, depth 8, up to 12 objects), and the kernels that it is spent in.
"""

import itertools
import json
import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import tyro

from luxel.scene.description import Scene
from luxel.scene.distributions import Spheres
from luxel.trace import Job, MitsubaTracer, Radiance, Tracer, trace_jobs
from luxel.trace.path import PathTracer

Trace = Callable[[Sequence[Scene], int, int], tuple[list[Radiance], float]]
"""Images of scenes, and seconds, for (scenes, size, paths a pixel)."""


@dataclass(frozen=True)
class Options:
    """What to measure."""

    objects: tuple[int, ...] = (1, 4, 12, 32)
    """Objects in every scene."""
    sizes: tuple[int, ...] = (32, 64)
    """Widths and heights in pixels."""
    depths: tuple[int, ...] = (6, 2)
    """Most segments of a path, up to the light."""
    scenes: int = 16
    """Scenes of each setting."""
    rounds: int = 3
    """How often every tracer has its turn."""


@dataclass(frozen=True)
class Contestant:
    """A tracer, and the paths a pixel that make its turn long enough to time at 32²."""

    trace: Trace
    spp: int


def with_objects(count: int, scenes: int) -> list[Scene]:
    """The first scenes of the `spheres` distribution that have as many objects."""
    distribution = Spheres(max_objects=count)
    drawn = (distribution(7, index) for index in itertools.count())
    return list(itertools.islice((scene for scene in drawn if len(scene.objects) == count), scenes))


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

    def torch_tracer(device: str, compiled: bool) -> Trace:
        return alone(PathTracer(max_depth=depth, device=device, compiled=compiled))

    found = {
        "mitsuba scalar_rgb": Contestant(pooled(MitsubaTracer(max_depth=depth)), 128),
        "torch cpu eager": Contestant(torch_tracer("cpu", False), 8),
        "torch cpu compiled": Contestant(torch_tracer("cpu", True), 128),
    }
    if torch.cuda.is_available():
        found["torch cuda eager"] = Contestant(torch_tracer("cuda", False), 128)
        found["torch cuda compiled"] = Contestant(torch_tracer("cuda", True), 1024)
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
    """At 128², 64 paths a pixel, depth 8, up to 12 objects; prints where the time goes."""
    tracer = PathTracer(max_depth=8, device="cuda", compiled=True)
    distribution = Spheres(max_objects=12)
    scenes = [distribution(7, index) for index in range(256)]
    tracer.trace(scenes[:32], 128, 128, 64, 0)
    rates = []
    for _ in range(3):
        started = time.perf_counter()
        tracer.trace(scenes, 128, 128, 64, 0)
        rates.append(len(scenes) / (time.perf_counter() - started))
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as profile:
        tracer.trace(scenes[:32], 128, 128, 64, 0)
    print(profile.key_averages().table(sort_by="cuda_time_total", row_limit=20))
    return statistics.median(rates)


def main(options: Options) -> None:
    """Measure every setting, and print the table, then the JSON object."""
    settings, ratios = [], []
    for depth in options.depths:
        tracers = contestants(depth)
        started = time.perf_counter()
        for kind in ("mitsuba scalar_rgb", "torch cpu compiled"):  # what starts or compiles once
            tracers[kind].trace(with_objects(4, 8), 32, 2)
        print(f"depth {depth}: compiled and started in {time.perf_counter() - started:.0f} s", flush=True)
        for objects, size in itertools.product(options.objects, options.sizes):
            # Eager tracing is so slow that it gets few paths; its variance is as well known from them.
            results = measured(tracers, with_objects(objects, options.scenes), size, options.rounds)
            reference = results["mitsuba scalar_rgb"]["efficiency"]
            ratios.append(results["torch cpu compiled"]["efficiency"] / reference)
            for name, row in results.items():
                row["efficiency_ratio"] = round(row["efficiency"] / reference, 3)
                print(
                    f"{objects:>3} objects  {size:>3}²  depth {depth}  {name:<20}  {row['scenes_per_s']:8.1f} scenes/s"
                    f"  {row['paths_per_s'] / 1e6:7.2f} M paths/s  efficiency {row['efficiency_ratio']:6.2f}",
                    flush=True,
                )
            settings.append({"objects": objects, "size": size, "depth": depth, "tracers": results})
    summary = {
        "cpu_efficiency_ratio": round(statistics.geometric_mean(ratios), 3),
        "cpu_efficiency_ratio_least": round(min(ratios), 3),
        "gpu_images_per_s": round(gpu_images_per_s(), 1) if torch.cuda.is_available() else None,
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "settings": settings,
    }
    print(json.dumps(summary))


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__))
