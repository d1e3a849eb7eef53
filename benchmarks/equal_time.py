"""In the same time, who comes nearest to the truth: the ray model, path tracing, or path tracing denoised?

    python benchmarks/equal_time.py [--model ray-small] [--scenes 10] [--scenes-256 2] [--reference-spp 4096]

The test set, scenes that no model has seen, is traced once, half an hour on two busy cores; repeating the command goes
on where it stood. Then each method renders one image at a time on all cores, warm, methods interleaved: paths by
Mitsuba, or, with a GPU, by the path tracer there. The denoiser is OIDN with exact guides (albedo, normal), which it
gets for nothing: their time is not counted. With a GPU, all render the test set in batch, too.

In the folder --out: equal_time.json, which has everything by distribution and size, and frontier.png. The last line is
one JSON object: each method's figures on spheres at 128², and the model's perceptual loss and time over those of 16
paths a pixel denoised. Loss and equivalent spp are of linear radiance, PSNR and FLIP of sRGB clamped to [0, 1].
"""

import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from statistics import fmean, median

import numpy as np
import torch
import tyro
from jaxtyping import Float
from matplotlib.figure import Figure

from luxel import InputError
from luxel.data.dataset import ShardDataset
from luxel.data.generate import GenerateSettings, generate
from luxel.image.denoise import denoise
from luxel.image.metrics import equivalent_spp, image_metrics, per_image
from luxel.pipeline import Renderer
from luxel.scene.description import Scene
from luxel.scene.distributions import Distribution, Spheres, Varied
from luxel.trace.mitsuba import MitsubaTracer
from luxel.trace.path import PathTracer

SEED = 20_261_125  # of the test scenes and their truth; training starts from small seeds
NOISE_SEED = 1  # of the images that are judged
TRACED, DENOISED = (1, 2, 4, 8, 16, 32, 64, 128, 256), (1, 2, 4, 8, 16, 32, 64)
TONE_MAP = "clamp"
MODEL, BASELINE, MAIN = "model", "path tracing + OIDN, 16 spp", "spheres 128²"

Row = dict[str, float]
Image = np.ndarray
Method = Callable[[Scene, int], tuple[Image, float]]
"""A scene and a width → an image and the seconds that it took."""


@dataclass(frozen=True)
class Options:
    """What to measure."""

    model: str = "ray-small"
    """Its name, or any folder with weights."""
    scenes: int = 10
    """Of each distribution, at 128²."""
    scenes_256: int = 2
    """Of each distribution, at 256²; 0 for none."""
    reference_spp: int = 4096
    rounds: int = 3
    """How often each method renders each scene; its time is the median of all."""
    data: Path = Path("data/equal_time")
    out: Path = Path("runs/benchmarks/equal_time")


def methods(renderer: Renderer) -> dict[str, Method]:
    """Everyone in the race, by name."""
    trace = MitsubaTracer().render if renderer.device == "cpu" else traced_on_gpu

    def model(scene: Scene, width: int) -> tuple[Image, float]:
        started = time.perf_counter()
        return renderer(scene, width, width), time.perf_counter() - started

    def traced(spp: int) -> Method:
        def method(scene: Scene, width: int) -> tuple[Image, float]:
            started = time.perf_counter()
            return trace(scene, width, width, spp, NOISE_SEED), time.perf_counter() - started

        return method

    def denoised(spp: int) -> Method:
        def method(scene: Scene, width: int) -> tuple[Image, float]:
            albedo, normal = (guide[0].cpu().numpy() for guide in guides_of([scene], width, renderer.device))
            started = time.perf_counter()
            image = denoise(trace(scene, width, width, spp, NOISE_SEED), albedo, normal)
            return image, time.perf_counter() - started

        return method

    return {
        MODEL: model,
        **{f"path tracing, {spp} spp": traced(spp) for spp in TRACED},
        **{f"path tracing + OIDN, {spp} spp": denoised(spp) for spp in DENOISED},
    }


def traced_on_gpu(scene: Scene, width: int, height: int, spp: int, seed: int) -> Image:
    """As `MitsubaTracer.render`, by the path tracer on the GPU."""
    return PathTracer(device="cuda").trace([scene], width, height, spp, seed).mean[0]


def guides_of(
    scenes: list[Scene], width: int, device: str | torch.device
) -> tuple[Float[torch.Tensor, "scenes width width 3"], Float[torch.Tensor, "scenes width width 3"]]:
    """Albedo and normal of square pictures, on the device."""
    found = PathTracer(device=str(device)).features(scenes, width, width)
    return found.albedo, found.normal


def measured(test: ShardDataset, width: int, race: dict[str, Method], options: Options) -> dict[str, Row]:
    """Each method's figures over one test set."""
    for method in race.values():  # warm up
        method(test.scene(0), width)
    seconds: dict[str, list[float]] = {name: [] for name in race}
    columns: dict[str, list[Row]] = {name: [] for name in race}
    for index in range(len(test)):
        scene, batch = test.scene(index), test.batch([index])
        for turn in range(options.rounds):
            for name, method in race.items():
                image, took = method(scene, width)
                seconds[name].append(took)
                if turn == 0:
                    output = torch.from_numpy(image)[None]
                    of_a_path = batch.path_variance
                    assert of_a_path is not None
                    found = image_metrics(output, batch.radiance, batch.variance, of_a_path, TONE_MAP)
                    found |= {"noise": per_image(batch.variance), "path_variance": of_a_path}
                    columns[name].append({key: float(value) for key, value in found.items()})
    return {name: summary(columns[name], seconds[name]) for name in race}


def summary(rows: list[Row], seconds: list[float]) -> Row:
    """Means over images; the equivalent spp is that of the means, as in `luxel.evaluation.evaluate`."""
    mean = {key: fmean(row[key] for row in rows) for key in rows[0]}
    pooled = equivalent_spp(*(torch.tensor([mean[name]]) for name in ("mse", "noise", "path_variance")))
    return {
        "seconds": median(seconds),
        "loss": mean["perceptual"],
        "psnr": mean["psnr"],
        "flip": mean["flip"],
        "equivalent_spp": float(pooled),
    }


def in_batch(test: ShardDataset, width: int, renderer: Renderer) -> dict[str, float]:
    """Images a second on the GPU, all of the test set together, the third of three times."""
    scenes = [test.scene(index) for index in range(len(test))]
    tracer = PathTracer(device="cuda")
    albedo, normal = guides_of(scenes, width, "cuda")

    def denoised(spp: int) -> None:
        noisy = torch.from_numpy(tracer.trace(scenes, width, width, spp, NOISE_SEED).mean).cuda()
        for image in zip(noisy, albedo, normal, strict=True):
            denoise(*image)

    race: dict[str, Callable[[], object]] = {MODEL: partial(renderer.render, scenes, width, width)}
    for spp in TRACED:
        race[f"path tracing, {spp} spp"] = partial(tracer.trace, scenes, width, width, spp, NOISE_SEED)
    for spp in DENOISED:
        race[f"path tracing + OIDN, {spp} spp"] = partial(denoised, spp)
    rates = {}
    for name, method in race.items():
        for _ in range(3):
            torch.cuda.synchronize()
            started = time.perf_counter()
            method()
            torch.cuda.synchronize()
            rates[name] = len(scenes) / (time.perf_counter() - started)
    return rates


def frontier(path: Path, results: dict[str, dict[str, Row]]) -> None:
    """Loss over seconds of every method, a panel a test set."""
    figure = Figure(figsize=(4.6 * len(results), 4.2), layout="constrained")
    for axes, (name, rows) in zip(figure.subplots(1, len(results), squeeze=False)[0], results.items(), strict=True):
        for prefix, style in (("path tracing,", "o-"), ("path tracing + OIDN,", "s-"), (MODEL, "*")):
            points = [(row["seconds"], row["loss"]) for method, row in rows.items() if method.startswith(prefix)]
            axes.plot(*zip(*points, strict=True), style, label=prefix.rstrip(","), markersize=12 if style == "*" else 4)
        axes.set(title=name, xlabel="seconds an image", ylabel="perceptual loss", xscale="log", yscale="log")
        axes.grid(alpha=0.3)
        axes.legend(fontsize="small")
    figure.savefig(path, dpi=130)


def main(options: Options) -> None:
    """Trace what is missing of the truth, race, print the tables and the JSON object."""
    if options.scenes < 1:
        raise InputError(f"scenes is {options.scenes}, must be at least 1: the last line is of scenes at 128²")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    renderer = Renderer.from_pretrained(options.model, device)
    race = methods(renderer)
    results: dict[str, dict[str, Row]] = {}
    sets, batches = {}, {}
    for width, count in ((128, options.scenes), (256, options.scenes_256)):
        kinds: tuple[Distribution, ...] = (Spheres(max_objects=8), Varied()) if count else ()
        for kind in kinds:
            name = f"{kind.name} {width}²"
            folder = options.data / f"{kind.name}-{width}-{count}-{options.reference_spp}spp"
            settings = GenerateSettings(kind, count, SEED, width, width, options.reference_spp, test_share=1.0)
            generate(settings, folder)
            test = ShardDataset(folder, "test")
            sets[name] = {"images": len(test), "hash": test.content_hash}
            results[name] = measured(test, width, race, options)
            if device == "cuda":
                batches[name] = in_batch(test, width, renderer)
            print(f"\n{name}: {len(test)} images, test set {test.content_hash[:16]}")
            for method, row in results[name].items():
                print(
                    f"{method:>28}  {row['seconds']:7.3f} s  loss {row['loss']:.2e}  {row['psnr']:5.1f} dB  "
                    f"FLIP {row['flip']:.4f}  {row['equivalent_spp']:7.1f} spp",
                    flush=True,
                )
    options.out.mkdir(parents=True, exist_ok=True)
    frontier(options.out / "frontier.png", results)
    settings_of = {**{name: str(value) for name, value in asdict(options).items()}, "tone_map": TONE_MAP}
    machine = {"cores": os.cpu_count(), "device": device}
    record = {
        "settings": settings_of,
        "machine": machine,
        "test_sets": sets,
        "results": results,
        "images_per_s": batches,
    }
    (options.out / "equal_time.json").write_text(json.dumps(record, indent=1))
    rows = results[MAIN]
    ratios = {
        f"{key}_ratio_vs_oidn16": rows[MODEL][field] / rows[BASELINE][field]
        for key, field in (("loss", "loss"), ("time", "seconds"))
    }
    head = {"tone_map": TONE_MAP, "reference_spp": options.reference_spp, "test_set": sets[MAIN]["hash"], **machine}
    print(json.dumps({**head, "methods": rows, **ratios, "images_per_s": batches}))


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__))
