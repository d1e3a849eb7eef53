"""A point cloud's figure: Luxel's default, against Mitsuba as papers run it, `scalar_rgb` at 256 spp.

    python benchmarks/point_cloud.py [--points 2048 20000 100000] [--width 1920] [--height 1080] [--spp 37]
        [--mitsuba-spp 256] [--reference-spp 4096] [--out /tmp/point_cloud]

Points on the tube of a trefoil knot, in the look `paper`: a floor and a panel.

**Time** is that of the whole picture of a scene that is in memory, by turns, ROUNDS of them, after a small picture has
compiled the kernels: medians of seconds, and of all processors' seconds, which other work changes little.
Of Mitsuba's paths a share is traced, SHARE, over the whole picture, and that time divided by it; loading its scene is
timed apart and counts once.

**Quality** is mean FLIP of clamped sRGB in a window at the middle of the same picture, a WINDOW-th of both its sides,
against Luxel's tracer at `--reference-spp`; there Mitsuba traces all of its paths.

What is done is kept in the folder --out, pictures too, and repeating the command goes on from there. The last line is
one JSON object.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Annotated, Any

from luxel.configuration import Configuration
from luxel.core.rays import image_plane_rays
from luxel.core.scene_batch import SceneBatch
from luxel.denoised import DEFAULT_SPP, denoised
from luxel.files.atomic import replacing, write_atomically
from luxel.image.formats import save_image
from luxel.image.metrics import flip
from luxel.image.tonemap import tone_map
from luxel.scene import from_points
from luxel.scene.description import Scene
from luxel.trace.mitsuba import MitsubaTracer, scene_plugin
from luxel.trace.path import PathTracer

import mitsuba
import numpy as np
import torch
import tyro
from jaxtyping import Float32, Float64
from pydantic import Field

Count = Annotated[int, Field(ge=1, le=1 << 24)]
Picture = Float32[np.ndarray, "height width 3"]
SEED, NOISE_SEED = 0, 1  # of the truth, and of what is judged by it
ROUNDS = 3
SHARE = 1 / 64
"""Of Mitsuba's paths whose time is taken, a round."""
WINDOW = 12
"""The picture's sides over the window's."""
STRATA = 16
"""Of the truth's pixels, along both sides."""


@dataclass(frozen=True)
class Options(Configuration):
    """What to measure."""

    points: tuple[Count, ...] = (2048, 20_000, 100_000)
    width: Count = 1920
    height: Count = 1080
    spp: Count = DEFAULT_SPP
    mitsuba_spp: Count = 256
    reference_spp: Count = 4096
    """A multiple of 256."""
    out: Path = Path("/tmp/point_cloud")


@dataclass(frozen=True)
class Window:
    """A part of a picture, in pixels."""

    left: int
    top: int
    width: int
    height: int

    def of(self, picture: Picture) -> Picture:
        """What it shows of the whole picture."""
        return picture[self.top : self.top + self.height, self.left : self.left + self.width]


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


class Kept:
    """Results by name in files of a folder: what is there already is not made again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def array(self, name: str, make: Callable[[], Picture]) -> Picture:
        """A picture, also written as PNG."""
        path = self.folder / f"{name}.npy"
        if not path.exists():
            made = make()
            save_image(path.with_suffix(".png"), made)
            with replacing(path) as partial, partial.open("wb") as file:
                np.save(file, made)
        found: Picture = np.load(path)
        return found

    def numbers(self, name: str, make: Callable[[], dict[str, float]]) -> dict[str, float]:
        """A few numbers."""
        path = self.folder / f"{name}.json"
        if not path.exists():
            write_atomically(path, json.dumps(make()).encode())
        found: dict[str, float] = json.loads(path.read_text())
        return found


def timed(work: Callable[[], Any]) -> tuple[Any, dict[str, float]]:
    """What it returns, and seconds of the wall's clock and of all processors."""
    wall, process = time.perf_counter(), time.process_time()
    result = work()
    return result, {"seconds": time.perf_counter() - wall, "cpu_seconds": time.process_time() - process}


def truth(scene: Scene, options: Options, window: Window) -> Picture:
    """The window by the path tracer, STRATA × STRATA of each pixel sampled equally."""
    batch = SceneBatch.of([scene])
    scale = 2 * float(batch.tan_half_fov[0]) / options.height
    random = np.random.default_rng(SEED)
    rows, columns = np.mgrid[window.top : window.top + window.height, window.left : window.left + window.width].reshape(
        2, -1, 1
    )
    total = np.zeros((window.height * window.width, 3))
    for down in range(STRATA):  # a row of strata at a time, lest memory be short
        u, v = random.random((2, len(rows), STRATA))
        x = (columns + (np.arange(STRATA) + u) / STRATA - options.width / 2) * scale
        y = (options.height / 2 - rows - (down + v) / STRATA) * scale
        places = torch.from_numpy(np.stack([x, y], -1).reshape(-1, 2).astype(np.float32))
        rays = image_plane_rays(batch, places, torch.zeros(len(places), dtype=torch.int32))
        found = PathTracer().trace_rays(batch, rays, options.reference_spp // STRATA**2, SEED + down)
        total += found.mean.reshape(-1, STRATA, 3).numpy().mean(1)
    return (total / STRATA).astype(np.float32).reshape(window.height, window.width, 3)


def loaded(scene: Scene, options: Options, window: Window | None = None) -> Any:
    """The scene as Mitsuba has it, of whose picture it renders the window."""
    MitsubaTracer().start()
    plugin = scene_plugin(scene, options.width, options.height, PathTracer.max_depth)
    if window is not None:
        film = plugin["sensor"]["film"]
        film |= {"crop_offset_x": window.left, "crop_offset_y": window.top}
        film |= {"crop_width": window.width, "crop_height": window.height}
    return mitsuba.load_dict(plugin)


def times(scene: Scene, options: Options, kept: Kept, number: int) -> dict[str, dict[str, float]]:
    """Of one round: Luxel's picture, and Mitsuba's scene and a share of its paths."""
    spp = max(round(options.mitsuba_spp * SHARE), 1)

    def luxel() -> dict[str, float]:
        picture, found = timed(lambda: denoised(scene, options.width, options.height, options.spp, NOISE_SEED))
        kept.array("luxel", lambda: picture)
        return found

    def load() -> dict[str, float]:
        return timed(lambda: loaded(scene, options))[1]

    def render() -> dict[str, float]:
        ready = loaded(scene, options)
        return timed(lambda: np.array(mitsuba.render(ready, spp=spp, seed=number)))[1]

    found = {work.__name__: kept.numbers(f"{work.__name__}_{number}", work) for work in (luxel, load, render)}
    found["render"] = {name: value * options.mitsuba_spp / spp for name, value in found["render"].items()}
    return found


def mean_flip(picture: Picture, expected: Picture) -> float:
    """Of clamped sRGB."""
    shown, right = (tone_map("clamp")(torch.from_numpy(image[None].copy())) for image in (picture, expected))
    return float(flip(shown, right)[0])


def measured(options: Options, points: int) -> dict[str, float]:
    """Medians of times, their ratio, and FLIP."""
    scene = cloud(points, options.width / options.height)
    kept = Kept(options.out / f"{points}_{options.width}x{options.height}_{options.spp}")
    width, height = options.width // WINDOW, options.height // WINDOW
    window = Window((options.width - width) // 2, (options.height - height) // 2, width, height)
    rounds = [times(scene, options, kept, number) for number in range(ROUNDS)]
    result: dict[str, float] = {}
    for unit in ("seconds", "cpu_seconds"):
        ours = median(each["luxel"][unit] for each in rounds)
        theirs = median(each["load"][unit] + each["render"][unit] for each in rounds)
        result |= {f"luxel_{unit}": ours, f"mitsuba_{unit}": theirs, f"{unit}_ratio": theirs / ours}
    print(f"{points} points: {json.dumps(result)}", flush=True)
    right = kept.array("truth", lambda: truth(scene, options, window))
    mitsuba_window = kept.array(
        "mitsuba",
        lambda: np.array(
            mitsuba.render(loaded(scene, options, window), spp=options.mitsuba_spp, seed=NOISE_SEED), np.float32
        ),
    )
    result["luxel_flip"] = mean_flip(window.of(kept.array("luxel", lambda: right)), right)
    result["mitsuba_flip"] = mean_flip(mitsuba_window, right)
    print(f"{points} points: {json.dumps(result)}", flush=True)
    return result


def main(options: Options) -> None:
    """Measure, and print one JSON object last."""
    denoised(cloud(300, 1.0), 16, 16)
    result = {str(points): measured(options, points) for points in options.points}
    print(json.dumps({"width": options.width, "height": options.height, "spp": options.spp, "points": result}))


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__))
