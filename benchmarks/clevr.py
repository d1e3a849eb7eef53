"""How many pictures of CLEVR's kind a second of one core's time, as good as path traced ones of 512 paths a pixel?

    python benchmarks/clevr.py [--scenes 4] [--width 320] [--height 240] [--spp 512] [--truth-spp 4096]

The truth is traced first; repeating the command goes on where it stood. Then the model's pictures are blended with 0,
1, 2, 4 … paths a pixel until their mean squared error, of sRGB clamped to [0, 1] and over all scenes, is no greater
than that of the path tracer's. Time is that of the processor, all threads together, one scene at a time, warm.

The last line is one JSON object: by method the error (which has the truth's own noise in it, too), PSNR and images a
second and core; `enough`, the fewest paths that are as good, or null; `times_faster`, its rate over the tracer's;
`label_s`, a core's seconds for all labels of a picture; and `labelled_per_s`, pictures of `enough` with their labels.
"""

import json
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

from luxel.configuration import Configuration, Paths, Pixels
from luxel.data.annotations import annotate
from luxel.data.dataset import ShardDataset
from luxel.data.generate import GenerateSettings, generate
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
    data: Path = Path("data/clevr_benchmark")
    """Where the truth is kept."""


@dataclass(frozen=True)
class Measured:
    """A method's pictures of all scenes."""

    mse: float
    """Against the truth, of sRGB in [0, 1]."""
    psnr: float
    """dB, of the same."""
    images_per_s: float
    """Of one core's time."""


def truths(options: Options) -> Iterator[tuple[Scene, Picture]]:
    """The scenes and their truth, traced if need be."""
    size = options.width, options.height
    folder = options.data / f"{size[0]}x{size[1]}-{options.scenes}-{options.truth_spp}spp"
    generate(GenerateSettings(Clevr(), options.scenes, SEED, *size, options.truth_spp, test_share=1.0), folder)
    test = ShardDataset(folder, "test")
    for index in range(len(test)):
        yield test.scene(index), test.batch([index]).radiance[0].numpy()


def measured(method: Callable[[Scene], Picture], truth: list[tuple[Scene, Picture]]) -> Measured:
    """Error and rate of a method."""
    errors, seconds = [], []
    for scene, target in truth:
        started = time.process_time()
        picture = method(scene)
        seconds.append(time.process_time() - started)
        shown = [clamp(torch.from_numpy(np.ascontiguousarray(radiance))) for radiance in (picture, target)]
        errors.append(float(((shown[0] - shown[1]) ** 2).mean()))
    mse = sum(errors) / len(errors)
    return Measured(mse, round(-10 * math.log10(mse), 2), round(len(seconds) / sum(seconds), 4))


def label_seconds(scenes: list[Scene], width: int, height: int) -> float:
    """A core's seconds for the labels of a picture, the mean over the scenes."""
    annotate(scenes[0], width, height)  # warm up
    started = time.process_time()
    for scene in scenes:
        annotate(scene, width, height)
    return (time.process_time() - started) / len(scenes)


def main(options: Options) -> None:
    """Measure, and print the JSON object."""
    truth = list(truths(options))
    tracer, renderer = PathTracer(), Renderer.from_pretrained(options.model)
    renderer(truth[0][0], 32, 24, spp=2)  # warm up
    found: dict[str, Measured] = {}

    def tell(name: str, method: Callable[[Scene], Picture]) -> Measured:
        found[name] = result = measured(method, truth)
        print(f"{name:<24} {result.psnr:6.2f} dB {result.images_per_s:9.3f} images/s a core", flush=True)
        return result

    size = options.width, options.height
    reference = tell(
        f"{options.spp} paths", lambda scene: tracer.trace([scene], *size, options.spp, NOISE_SEED).mean[0]
    )
    enough, rate, spp = None, 0.0, 0
    while enough is None and spp <= options.spp:
        result = tell(
            f"{options.model}, {spp} paths", partial(renderer, width=size[0], height=size[1], spp=spp, seed=NOISE_SEED)
        )
        if result.mse <= reference.mse:
            enough, rate = spp, result.images_per_s
        spp = 2 * spp or 1
    label_s = label_seconds([scene for scene, _ in truth], *size)
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
