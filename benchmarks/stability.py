"""Who flickers least while a camera moves over a still scene, in the same time: a ray model, or path tracing denoised?

    python benchmarks/stability.py [--models ray-small ray-base] [--scenes 8] [--people benchmarks/scenes]
        [--frames 9] [--shift 0.5] [--width 128] [--truth-spp 256] [--movie examples/movies/newtons_cradle.json]
    python benchmarks/stability.py --causes [--models ray-small]

The camera of each scene moves to the right, what it looks at by --shift pixels a frame to the left. Figures of every
method, in 1/255 of sRGB clamped to [0, 1] (`luxel.evaluation.stability`): how much places change from frame to frame;
and pixels' second difference in time, this also at its 99.9th percentile: what jumps. Paths have other random numbers
in every frame, as renderers of movies have; a model's that are blended with its picture are also the same in all
frames, as `luxel movie` has them. With --movie it is the first frames of that scene with keyframes, and no other, that
is filmed; places move with their objects. The truth moves, too, as highlights and reflections do; its row is the
least that can be asked, but for its noise. Tables are of medians over scenes; the last line is one JSON object.

With --causes it is counted, for every cause of flicker (`luxel.evaluation.flicker`), how often one of 128² pixels jumps
by more than a quarter of the range while the camera, or what gives no light, moves by a hundredth of a unit in 8
frames, a third of a pixel: of the picture; of its truth, the model's own picture of 4 × 4 times as many pixels,
averaged, as paths hardly find such lamps; of the error, picture minus truth; and of 16 paths a pixel denoised by OIDN,
which take about as long as ray-small. A lamp's edge that moves on steadily may jump in the truth, too, and a picture
may err by more than it jumps.
"""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Annotated

from luxel.configuration import Configuration
from luxel.evaluation.flicker import camera_path, causes, object_path
from luxel.evaluation.stability import jumps, reprojected_difference, second_difference, tracking_shot
from luxel.image.denoise import denoise
from luxel.image.tonemap import clamp
from luxel.movie.film import FrameRate, film_of_animation
from luxel.pipeline import Renderer
from luxel.progress import ProgressBar
from luxel.scene import Animation, Composed
from luxel.scene.description import Scene
from luxel.trace.path import PathTracer

import numpy as np
import torch
import tyro
from jaxtyping import Float32
from pydantic import Field

SEED = 20_261_126  # of the scenes; training starts from small seeds
PERCENTILE = 0.999
CAUSES_WIDTH, CAUSES_FRAMES, CAUSES_LENGTH = 128, 8, 0.01
DENOISED_SPP = 16  # about as long as ray-small takes
FINER = 4  # times as many pixels along both sides has the truth of --causes

Row = dict[str, float]
Frames = Float32[np.ndarray, "frames width width 3"]
Method = Callable[[Sequence[Scene]], Frames]
Count = Annotated[int, Field(ge=0, le=10_000)]


@dataclass(frozen=True)
class Options(Configuration):
    """What to film."""

    models: tuple[str, ...] = ("ray-small", "ray-base")
    scenes: Count = 8
    """Of the distribution `composed`, as no model has seen them."""
    people: Path | None = Path("benchmarks/scenes")
    """A folder of scenes (*.json) that people wrote; None leaves them out."""
    movie: Path | None = None
    """A scene with keyframes, to film instead."""
    fps: FrameRate = 24.0
    """Of the movie."""
    frames: Annotated[int, Field(ge=3, le=10_000)] = 9
    shift: Annotated[float, Field(gt=0, le=100)] = 0.5
    """Pixels a frame, by which what the camera looks at moves."""
    width: Annotated[int, Field(ge=8, le=4096)] = 128
    causes: bool = False
    """Count jumps, by what makes them, instead."""
    truth_spp: Annotated[int, Field(ge=1, le=1 << 16)] = 256


def methods(options: Options, device: str) -> dict[str, Method]:
    """Everyone who films, by name."""
    tracer, width = PathTracer(device=device), options.width

    def model(name: str) -> Method:
        renderer = Renderer.from_pretrained(name, device)
        return lambda scenes: np.stack([renderer(scene, width) for scene in scenes])

    def blended(name: str, spp: int, same_noise: bool) -> Method:
        renderer = Renderer.from_pretrained(name, device)

        def method(scenes: Sequence[Scene]) -> Frames:
            return np.concatenate(
                [renderer.blended(renderer.network([scene], width), spp, same_noise=same_noise) for scene in scenes]
            )

        return method

    return {
        **{Path(name).name: model(name) for name in options.models},
        **{
            f"{Path(name).name}, 4 spp, {noise} noise": blended(name, 4, noise == "same")
            for name in options.models
            for noise in ("other", "same")
        },
        **{f"path tracing + OIDN, {spp} spp": denoised(tracer, width, spp) for spp in (4, DENOISED_SPP)},
        f"truth, {options.truth_spp} spp": traced(tracer, width, options.truth_spp),
    }


def traced(tracer: PathTracer, width: int, spp: int) -> Method:
    """Path tracing, with other random numbers in every frame."""
    return lambda scenes: np.concatenate(
        [tracer.trace([scene], width, width, spp, seed).mean for seed, scene in enumerate(scenes)]
    )


def denoised(tracer: PathTracer, width: int, spp: int) -> Method:
    """The same, denoised frame by frame."""

    def method(scenes: Sequence[Scene]) -> Frames:
        guides = [tracer.features([scene], width, width) for scene in scenes]
        return np.stack(
            [
                denoise(noisy, guide.albedo[0].cpu().numpy(), guide.normal[0].cpu().numpy())
                for noisy, guide in zip(traced(tracer, width, spp)(scenes), guides, strict=True)
            ]
        )

    return method


def figures(method: Method, scenes: list[Scene]) -> Row:
    """Of one film."""
    started = time.perf_counter()
    frames = method(scenes)
    seconds = (time.perf_counter() - started) / len(scenes)
    shown = 255 * clamp(torch.from_numpy(frames))
    places, second = reprojected_difference(scenes, shown), second_difference(shown).flatten()
    return {
        "places": float(places.mean()) if len(places) else 0.0,
        "second_difference": float(second.mean()),
        "jumps": float(second.quantile(PERCENTILE)),
        "seconds": seconds,
    }


def films(options: Options) -> dict[str, list[Scene]]:
    """The scenes of all films' frames, by name."""
    if options.movie is not None:
        return {
            options.movie.stem: list(film_of_animation(Animation.load(options.movie), options.fps)[: options.frames])
        }
    scenes = {f"composed {index}": Composed()(SEED, index) for index in range(options.scenes)}
    if options.people is not None:
        scenes |= {path.stem: Scene.load(path) for path in sorted(options.people.glob("*.json"))}
    return {name: tracking_shot(scene, options.frames, options.shift, options.width) for name, scene in scenes.items()}


def finer_picture(renderer: Renderer, scene: Scene, width: int) -> Float32[np.ndarray, "width width 3"]:
    """A picture's pixels as means of FINER × FINER smaller ones'."""
    finer = renderer(scene, FINER * width)
    return finer.reshape(width, FINER, width, FINER, 3).mean((1, 3))


def jumps_of_path(renderer: Renderer, tracer: PathTracer, path: Sequence[Scene]) -> dict[str, int]:
    """Of the picture, its truth, its error and paths denoised along a path."""
    picture, truth = (
        clamp(torch.from_numpy(np.stack([render(frame) for frame in path])))
        for render in (
            lambda frame: renderer(frame, CAUSES_WIDTH),
            lambda frame: finer_picture(renderer, frame, CAUSES_WIDTH),
        )
    )
    noisy = clamp(torch.from_numpy(denoised(tracer, CAUSES_WIDTH, DENOISED_SPP)(path)))
    return {
        "picture": jumps(picture),
        "truth": jumps(truth),
        "error": jumps(picture - truth),
        "OIDN": jumps(noisy),
    }


def jumps_by_cause(model: str, device: str) -> dict[str, dict[str, dict[str, int]]]:
    """Of a model's pictures, while the camera moves and while objects do."""
    renderer, tracer = Renderer.from_pretrained(model, device), PathTracer(device=device)
    paths = {"camera": camera_path, "objects": object_path}
    return {
        name: {
            moving: jumps_of_path(renderer, tracer, path(scene, CAUSES_FRAMES, CAUSES_LENGTH))
            for moving, path in paths.items()
        }
        for name, scene in ProgressBar(causes().items(), desc=model, unit="scene")
    }


def count_jumps(options: Options, device: str) -> None:
    """Print the table of causes and the JSON object."""
    counts = {Path(model).name: jumps_by_cause(model, device) for model in options.models}
    for model, of_causes in counts.items():
        columns = [f"{moving}: {of}" for moving, found in next(iter(of_causes.values())).items() for of in found]
        print(f"{model:>30}", *(f"{column:>17}" for column in columns))
        for name, found in of_causes.items():
            print(f"{name:>30}", *(f"{count:17}" for of in found.values() for count in of.values()))
    print(json.dumps({"settings": vars(options), "jumps": counts}, default=str))


def main(options: Options) -> None:
    """Film every scene by every method; print the table and the JSON object."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if options.causes:
        count_jumps(options, device)
        return
    everyone = methods(options, device)
    rows: dict[str, dict[str, Row]] = {name: {} for name in everyone}
    for name, film in ProgressBar(films(options).items(), desc="filming", unit="film"):
        for method, filmed in everyone.items():
            if not rows[method]:
                filmed(film[:1])  # warm up
            rows[method][name] = figures(filmed, film)
    kinds = list(next(iter(rows[next(iter(rows))].values())))
    print(f"{'median over scenes':>28}", *(f"{kind:>18}" for kind in kinds))
    medians = {
        method: {kind: median(row[kind] for row in of.values()) for kind in kinds} for method, of in rows.items()
    }
    for method, row in medians.items():
        print(f"{method:>28}", *(f"{row[kind]:18.3f}" for kind in kinds))
    print(json.dumps({"settings": vars(options), "median": medians, "by_scene": rows}, default=str))


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__))
