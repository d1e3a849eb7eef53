"""How many pictures of CLEVR's kind a second of one core's time, as good as path traced ones of 512 paths a pixel?

    python benchmarks/clevr.py [--scenes 4] [--width 320] [--height 240] [--spp 512] [--truth-spp 4096]
        [--device cuda]

The truth is traced first; repeating the command goes on where it stood. Then the model's pictures are blended with 0,
1, 2, 4 … paths a pixel until their mean squared error, of sRGB clamped to [0, 1] and over all scenes, is no greater
than that of the path tracer's. Time is that of the processor, all threads together, one scene at a time, warm; on a GPU
(--device cuda) that of the wall's clock, and rates are of the GPU in place of a core.

The last line is one JSON object: by method the error (which has the truth's own noise in it, too), PSNR, FLIP, images a
second and core, and two equivalent spp, the paths a pixel of whose pictures the error would be the same: of what is
shown, by the error of --spp paths and 1 / paths, which clamped error follows nearly; and of linear radiance, highlights
included, by the variance of a path (`luxel.image.metrics.equivalent_spp`). The truth's own noise is taken off both.
`enough` is the fewest paths that are as good, or null; `times_faster` its rate over the tracer's; `label_s` a core's
seconds for all labels of a picture; and `labelled_per_s` pictures of `enough` with their labels.
"""

import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

from luxel.configuration import Configuration, Paths, Pixels
from luxel.data.annotations import annotate
from luxel.data.dataset import Batch, ShardDataset
from luxel.data.generate import generate
from luxel.data.generate_settings import GenerateSettings
from luxel.image.metrics import equivalent_spp, flip
from luxel.image.tonemap import clamp
from luxel.pipeline import Renderer
from luxel.scene.clevr import Clevr
from luxel.scene.description import Scene
from luxel.trace.path import PathTracer

import numpy as np
import torch
import tyro
from jaxtyping import Float32
from pydantic import Field

SEED, NOISE_SEED = 20_261_127, 1
"""Of scenes and their truth; of the pictures that are judged."""
Picture = Float32[np.ndarray, "height width 3"]


@dataclass(frozen=True)
class Options(Configuration):
    """What to measure."""

    model: str = "ray-base"
    scenes: Annotated[int, Field(ge=1, le=1_000_000)] = 4
    width: Pixels = 320
    height: Pixels = 240
    spp: Paths = 512
    """Of the path traced pictures that are good enough."""
    truth_spp: Paths = 4096
    device: str = "cpu"
    """Where the pictures that are judged are made: cpu, or cuda."""
    data: Path = Path("data/clevr_benchmark")
    """Where the truth is kept."""


@dataclass(frozen=True)
class Measured:
    """A method's pictures of all scenes."""

    mse: float
    """Against the truth, of sRGB in [0, 1]."""
    psnr: float
    """dB, of the same."""
    psnr_of_worst: float
    """Of the scene with the largest error."""
    flip: float
    linear_equivalent_spp: float
    images_per_s: float
    """Of one core's time."""


@dataclass(frozen=True)
class Judged(Measured):
    """The same beside the path tracer's."""

    equivalent_spp: float


def truths(options: Options) -> tuple[list[Scene], Batch]:
    """The scenes and their truth, traced if need be."""
    size = options.width, options.height
    folder = options.data / f"{size[0]}x{size[1]}-{options.scenes}-{options.truth_spp}spp"
    generate(GenerateSettings(Clevr(), options.scenes, SEED, *size, options.truth_spp, test_share=1.0), folder)
    test = ShardDataset(folder, "test")
    return [test.scene(index) for index in range(len(test))], test.batch(range(len(test)))


def measured(method: Callable[[Scene], Picture], scenes: list[Scene], truth: Batch, device: str) -> Measured:
    """Error and rate of a method on a device."""
    clock = time.process_time if device == "cpu" else time.perf_counter
    pictures, seconds = [], []
    for scene in scenes:
        started = clock()
        pictures.append(method(scene))
        seconds.append(clock() - started)
    found = torch.from_numpy(np.stack(pictures))
    shown, target = clamp(found), clamp(truth.radiance)
    errors = ((shown - target) ** 2).mean((1, 2, 3))
    linear, noise = ((found - truth.radiance) ** 2).mean(), truth.variance.mean()
    assert truth.path_variance is not None
    return Measured(
        mse=float(errors.mean()),
        psnr=decibels(errors.mean()),
        psnr_of_worst=decibels(errors.max()),
        flip=round(float(flip(shown, target).mean()), 5),
        linear_equivalent_spp=round(float(equivalent_spp(linear, noise, truth.path_variance.mean())), 1),
        images_per_s=round(len(seconds) / sum(seconds), 4),
    )


def decibels(mse: torch.Tensor) -> float:
    """PSNR."""
    return round(-10 * math.log10(float(mse)), 2)


def as_paths(result: Measured, reference: Measured, options: Options) -> float:
    """Paths a pixel whose error of what is shown is the result's: e = V / paths + V / truth_spp, for both."""
    path_variance = reference.mse / (1 / options.spp + 1 / options.truth_spp)
    of_truth = path_variance / options.truth_spp
    return round(path_variance / max(result.mse - of_truth, of_truth), 1)


def label_seconds(scenes: list[Scene], width: int, height: int) -> float:
    """A core's seconds for the labels of a picture, the mean over the scenes."""
    annotate(scenes[0], width, height)  # warm up
    started = time.process_time()
    for scene in scenes:
        annotate(scene, width, height)
    return (time.process_time() - started) / len(scenes)


def main(options: Options) -> None:
    """Measure, and print the JSON object."""
    scenes, truth = truths(options)
    tracer = PathTracer(device=options.device)
    renderer = Renderer.from_pretrained(options.model, options.device)
    for _ in range(3):  # warm up: kernels are compiled, and a GPU records a frame the second time
        renderer(scenes[0], options.width, options.height, spp=2)
    tracer.trace(scenes[:1], options.width, options.height, 2, NOISE_SEED)
    found: dict[str, Judged] = {}

    def tell(name: str, method: Callable[[Scene], Picture], reference: Measured | None = None) -> Judged:
        result = measured(method, scenes, truth, options.device)
        found[name] = judged = Judged(**asdict(result), equivalent_spp=as_paths(result, reference or result, options))
        equivalent = f"as {judged.equivalent_spp:.0f} paths, {judged.linear_equivalent_spp:.0f} in linear radiance"
        rate = f"{judged.images_per_s:.3f} a second and core"
        print(f"{name:<24} {judged.psnr:6.2f} dB, {equivalent}, FLIP {judged.flip:.4f}, {rate}", flush=True)
        return judged

    size = options.width, options.height

    def traced(spp: int, reference: Measured | None = None) -> Judged:
        return tell(f"{spp} paths", lambda scene: tracer.trace([scene], *size, spp, NOISE_SEED).mean[0], reference)

    reference = traced(options.spp)
    for part in (4, 16):  # by whose FLIP that of the model is judged
        traced(max(2, options.spp // part), reference)
    enough, rate, spp = None, 0.0, 0
    while enough is None and spp <= options.spp:
        result = tell(
            f"{options.model}, {spp} paths",
            partial(renderer, width=size[0], height=size[1], spp=spp, seed=NOISE_SEED),
            reference,
        )
        if result.mse <= reference.mse:
            enough, rate = spp, result.images_per_s
        spp = 2 * spp or 1
    label_s = label_seconds(scenes, *size)
    print(f"labels {label_s:.4f} s a picture")
    summary = {
        "size": size,
        "enough": enough,
        "times_faster": None if enough is None else round(rate / reference.images_per_s, 1),
        "label_s": round(label_s, 4),
        "labelled_per_s": None if enough is None else round(1 / (1 / rate + label_s), 3),
        "methods": {name: asdict(result) for name, result in found.items()},
    }
    print(json.dumps(summary))


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__))
