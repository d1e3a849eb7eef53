"""A point cloud's figure: Luxel, blended with a few paths, against Mitsuba as papers run it, `scalar_rgb` at 256 spp.

    python benchmarks/point_cloud.py [--width 1920] [--height 1080] [--points 2048 20000 100000] [--spp 4]
        [--mitsuba-spp 256] [--reference-spp 4096] [--out /tmp/point_cloud]

Points on the tube of a trefoil knot, in the look `paper`: a floor and a panel. The truth is Luxel's own tracer at
`--reference-spp`, of a picture as much smaller as --reference-pixels says, in which quality is measured, by mean FLIP
of clamped sRGB; time is that of the full size, each method once, of this process and its threads, after a small picture
has compiled the kernels. `--full` measures quality at the full size, too, for those who have an hour. Pictures go to
the folder --out. The last line is one JSON object.
"""

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import tyro
from jaxtyping import Float32, Float64
from pydantic import Field

from luxel.configuration import Configuration
from luxel.image.formats import save_image
from luxel.image.metrics import flip
from luxel.image.tonemap import tone_map
from luxel.pipeline import Renderer
from luxel.scene import from_points
from luxel.scene.description import Scene
from luxel.trace.mitsuba import MitsubaTracer
from luxel.trace.path import PathTracer

Count = Annotated[int, Field(ge=1, le=1 << 24)]
Picture = Float32[np.ndarray, "height width 3"]
SEED, NOISE_SEED = 0, 1  # of the truth, and of what is judged by it


@dataclass(frozen=True)
class Options(Configuration):
    """What to measure."""

    width: Count = 1920
    height: Count = 1080
    points: tuple[Count, ...] = (2048, 20_000, 100_000)
    model: str = "ray-small"
    spp: Count = 4
    """Paths a pixel that the model's picture is blended with."""
    mitsuba_spp: Count = 256
    reference_spp: Count = 4096
    reference_pixels: Count = 30_000
    """Of the picture in which quality is measured, about; it has the full one's shape."""
    full: bool = False
    """Quality of the full size, too."""
    out: Path = Path("/tmp/point_cloud")


def trefoil(points: int, seed: int = 0) -> Float64[np.ndarray, "points 3"]:
    """Points at random on a tube about a trefoil knot."""
    random = np.random.default_rng(seed)
    t, around = random.uniform(0, 2 * np.pi, (2, points))
    knot = np.stack([np.sin(t) + 2 * np.sin(2 * t), -np.sin(3 * t), np.cos(t) - 2 * np.cos(2 * t)], 1)
    tangent = np.stack([np.cos(t) + 4 * np.cos(2 * t), -3 * np.cos(3 * t), -np.sin(t) + 4 * np.sin(2 * t)], 1)
    normal = np.cross(tangent, [0.0, 1.0, 0.0])
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    binormal = np.cross(tangent, normal)
    binormal /= np.linalg.norm(binormal, axis=1, keepdims=True)
    return knot + 0.55 * (np.cos(around)[:, None] * normal + np.sin(around)[:, None] * binormal)


def cloud(points: int, aspect: float) -> Scene:
    """The figure, its colours by the height."""
    places = trefoil(points)
    height = (places[:, 2] - places[:, 2].min()) / np.ptp(places[:, 2])
    colors = np.stack([0.2 + 0.7 * height, 0.3 + 0.4 * height, 0.8 - 0.6 * height], 1)
    return from_points(places, colors, look="paper", aspect=aspect)


def timed(render: Callable[[], Picture]) -> tuple[Picture, dict[str, float]]:
    """The picture, and seconds of the wall's clock and of all processors."""
    wall, process = time.perf_counter(), time.process_time()
    picture = render()
    return picture, {"seconds": time.perf_counter() - wall, "cpu_seconds": time.process_time() - process}


def methods(options: Options, renderer: Renderer) -> dict[str, Callable[[Scene, int, int], Picture]]:
    """Scene, width and height to linear radiance."""

    def luxel(scene: Scene, width: int, height: int) -> Picture:
        return renderer(scene, width, height)

    def blended(scene: Scene, width: int, height: int) -> Picture:
        image = renderer(scene, width, height)
        return renderer.refined([scene], image[None], options.spp, NOISE_SEED)[0]

    def mitsuba(scene: Scene, width: int, height: int) -> Picture:
        return MitsubaTracer().render(scene, width, height, options.mitsuba_spp, NOISE_SEED)

    return {
        options.model: luxel,
        f"{options.model}, {options.spp} spp": blended,
        f"Mitsuba, {options.mitsuba_spp} spp": mitsuba,
    }


def mean_flip(picture: Picture, truth: Picture) -> float:
    """Of clamped sRGB."""
    shown, expected = (tone_map("clamp")(torch.from_numpy(image[None])) for image in (picture, truth))
    return float(flip(shown, expected)[0])


def measured(options: Options, scene: Scene, name: str) -> dict[str, Any]:
    """Every method's time at the full size and FLIP at the size of the truth."""
    factor = 1.0 if options.full else min(1.0, math.sqrt(options.reference_pixels / (options.width * options.height)))
    width, height = (max(round(side * factor), 1) for side in (options.width, options.height))
    truth = PathTracer().trace([scene], width, height, options.reference_spp, SEED).mean[0]
    save_image(options.out / f"{name}_truth.png", truth)
    found: dict[str, Any] = {}
    for method, render in methods(options, Renderer.from_pretrained(options.model)).items():
        quality = mean_flip(render(scene, width, height), truth)
        picture, times = timed(lambda render=render: render(scene, options.width, options.height))  # type: ignore[misc]
        save_image(options.out / f"{name}_{method.replace(', ', '_').replace(' ', '')}.png", picture)
        found[method] = {"flip": quality, **times}
        print(f"{name}: {method}: FLIP {quality:.4f} at {width}×{height}, {times['seconds']:.1f} s", flush=True)
    return found


def main(options: Options) -> None:
    """Measure, and print one JSON object last."""
    options.out.mkdir(parents=True, exist_ok=True)
    result = {
        str(points): measured(options, cloud(points, options.width / options.height), f"points_{points}")
        for points in options.points
    }
    print(json.dumps({"width": options.width, "height": options.height, "points": result}))


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__))
