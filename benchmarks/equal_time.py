"""In the same time, who comes nearest to the truth: a ray model, path tracing, path tracing denoised, or a ray model's
picture blended with paths?

    python benchmarks/equal_time.py [--models ray-small] [--distributions spheres varied] [--scenes 10]
        [--scenes-256 2] [--reference-spp 4096] [--people benchmarks/scenes] [--people-spp 5120]

Two kinds of test sets: scenes that distributions draw and no model has seen, and scenes that people wrote. `--scenes 0`
leaves out the first, `--people None` the second. What is missing of the truth is traced first, four billion paths in
all; repeating the command goes on where it stood. Then each method renders one image at a time on the GPU, or without
one on all cores, warm, methods interleaved. Paths are those of Luxel's own tracer; the denoiser is OIDN with exact
guides (albedo, normal), whose time counts. With a GPU, all render each test set in batch, too.

In the folder --out: equal_time.json, which has everything by test set; frontier.png; and people/, a strip of pictures
for each scene that people wrote. The last line is one JSON object: each method's figures on spheres at 128², the
models' perceptual loss and time over those of 16 paths a pixel denoised there, and PSNR on people's scenes. Loss and
equivalent spp are of linear radiance, PSNR and FLIP of sRGB clamped to [0, 1]. The truth has noise, too: its own PSNR,
which even a perfect picture can't exceed in the mean, stands beside the others'.
"""

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean, median
from typing import Annotated, Any, NamedTuple

from luxel import InputError
from luxel.configuration import Configuration, Paths, Repeats
from luxel.core.scene_batch import SceneBatch
from luxel.data.dataset import ShardDataset
from luxel.data.generate import generate
from luxel.data.generate_settings import GenerateSettings
from luxel.files.atomic import checksum, only_one, write_atomically
from luxel.image.denoise import denoise
from luxel.image.formats import save_pixels
from luxel.image.metrics import equivalent_spp, image_metrics, per_image, psnr
from luxel.image.side_by_side import SideBySide, sheet
from luxel.image.tonemap import tone_map
from luxel.pipeline import Renderer
from luxel.progress import ProgressBar
from luxel.scene import Distribution, Spheres
from luxel.scene.description import Scene
from luxel.scene.registry import distribution_type
from luxel.trace.path import PathTracer
from luxel.trace.tracer import Radiance

import numpy as np
import torch
import tyro
from jaxtyping import Float32
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from pydantic import Field
from safetensors.numpy import load_file, save

SEED = 20_261_125  # of the test scenes and their truth; training starts from small seeds
NOISE_SEED = 1  # of the images that are judged
TRACED, DENOISED = (1, 2, 4, 8, 16, 32, 64, 128, 256), (1, 2, 4, 8, 16, 32, 64)
BLENDED = (1, 4, 16, 64)
IN_TABLE = (1, 2, 4, 8, 16)  # spp of the tables by scene
TONE_MAP = "clamp"
TRACING, DENOISING = "path tracing", "path tracing + OIDN"
BASELINE, PICTURED = f"{DENOISING}, 16 spp", (f"{DENOISING}, 4 spp", f"{DENOISING}, 16 spp")
MAIN, PEOPLE, PEOPLE_WIDTH = "spheres 128²", "people's scenes 192²", 192

Row = dict[str, float]
Picture = Float32[np.ndarray, "width width 3"]
Pictures = Float32[np.ndarray, "scenes width width 3"]
Method = Callable[[Sequence[Scene], int], Pictures]
"""Scenes and a width → linear radiance."""


@dataclass(frozen=True)
class Options(Configuration):
    """What to measure."""

    models: tuple[str, ...] = ("ray-small",)
    """Names, or any folders with weights."""
    distributions: tuple[str, ...] = ("spheres", "varied")
    """Names; spheres are 1 to 8."""
    scenes: Annotated[int, Field(ge=0, le=1_000_000)] = 10
    """Of each distribution, at 128²; 0 leaves out the distributions, at 256² too."""
    scenes_256: Annotated[int, Field(ge=0, le=1_000_000)] = 2
    """Of each distribution, at 256²; 0 for none."""
    reference_spp: Paths = 4096
    people: Path | None = Path("benchmarks/scenes")
    """A folder of scenes (*.json) that people wrote, rendered at 192²; None leaves them out."""
    people_spp: Paths = 5120
    """Of their truth."""
    rounds: Repeats = 3
    """How often each method renders each scene; its time there is the median."""
    data: Path = Path("data/equal_time")
    """Where the truth is kept."""
    out: Path = Path("runs/benchmarks/equal_time")

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in self.distributions:
            distribution_type(name)
        if self.people is None and not (self.scenes and self.distributions):
            raise InputError("no test set is left: give --people a folder, or --scenes and --distributions some")


@dataclass(frozen=True)
class TestSet:
    """Scenes and their truth."""

    name: str
    width: int
    scenes: dict[str, Scene]
    """By name."""
    truth: Radiance
    content_hash: str

    def psnr_of_truth(self) -> dict[str, float]:
        """By scene, in dB: the truth's beside what its paths converge to, as far as its variance tells."""
        mean, variance = torch.from_numpy(self.truth.mean), torch.from_numpy(self.truth.variance)
        noise = torch.randn(mean.shape, generator=torch.Generator().manual_seed(NOISE_SEED))
        found = psnr(*(tone_map(TONE_MAP)(image) for image in (mean + variance.sqrt() * noise, mean)))
        return dict(zip(self.scenes, found.tolist(), strict=True))


class Shot(NamedTuple):
    """What one method made of one scene."""

    picture: Picture
    figures: Row
    seconds: float


# ---- test sets


def distribution_sets(options: Options) -> Iterator[TestSet]:
    """Scenes of the distributions at 128² and 256², traced if need be."""
    for width, count in ((128, options.scenes), (256, options.scenes_256 if options.scenes else 0)):
        for kind in map(distribution, options.distributions) if count else ():
            folder = options.data / f"{kind.name}-{width}-{count}-{options.reference_spp}spp"
            generate(GenerateSettings(kind, count, SEED, width, width, options.reference_spp, test_share=1.0), folder)
            test = ShardDataset(folder, "test")
            batch = test.batch(range(len(test)))
            assert batch.path_variance is not None
            mean, variance, path_variance = (
                values.numpy() for values in (batch.radiance, batch.variance, batch.path_variance)
            )
            yield TestSet(
                name=f"{kind.name} {width}²",
                width=width,
                scenes={str(index): test.scene(index) for index in range(len(test))},
                truth=Radiance(mean, variance, options.reference_spp, path_variance),
                content_hash=test.content_hash,
            )


def distribution(name: str) -> Distribution:
    """The distribution of this name, with at most 8 spheres, as in the lab log, or the objects that it has."""
    return Spheres(max_objects=8) if name == Spheres.name else distribution_type(name)()


def scenes_of(folder: Path) -> dict[Path, Scene]:
    """The scenes in a folder. Raises InputError if there are none, or one can't be read."""
    scenes = {path: Scene.load(path) for path in sorted(folder.glob("*.json"))}
    if not scenes:
        raise InputError(f"{folder}: has no scenes (*.json); --people None leaves people's scenes out")
    return scenes


def people_set(scenes: dict[Path, Scene], spp: int, folder: Path, device: str) -> TestSet:
    """People's scenes with their truth, of which `folder` keeps a file a scene; what is missing is traced."""
    tracer, size = PathTracer(device=device), (PEOPLE_WIDTH, PEOPLE_WIDTH)
    # All that decides a truth, but for rounding between devices: an edited scene is another, and traced anew.
    how = [*size, spp, SEED, tracer.max_depth, tracer.renderer.rpartition(" ")[0]]
    keys = {path: digest([checksum(path), *how]) for path in scenes}
    kept = {path: folder / f"{path.stem}-{spp}spp-{key[:16]}.safetensors" for path, key in keys.items()}
    if due := [path for path in scenes if not kept[path].exists()]:
        folder.mkdir(parents=True, exist_ok=True)
        pixels = PEOPLE_WIDTH**2
        begun = {"total": len(scenes) * pixels, "initial": (len(scenes) - len(due)) * pixels}
        with only_one(folder), ProgressBar(desc="tracing people's scenes", unit="px", unit_scale=True, **begun) as bar:
            for path in due:
                found = tracer.trace([scenes[path]], *size, spp, SEED, bar.update)
                moments = {"mean": found.mean, "variance": found.variance, "path_variance": found.variance_of_a_path}
                write_atomically(kept[path], save(moments))
    files = [load_file(kept[path]) for path in scenes]
    mean, variance, path_variance = (
        np.concatenate([file[name] for file in files]) for name in ("mean", "variance", "path_variance")
    )
    return TestSet(
        name=PEOPLE,
        width=PEOPLE_WIDTH,
        scenes={path.stem: scene for path, scene in scenes.items()},
        truth=Radiance(mean, variance, spp, path_variance),
        content_hash=digest(list(keys.values())),
    )


def digest(values: list[Any]) -> str:
    """SHA-256 of what JSON can hold."""
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()


# ---- the race


def load_models(models: Sequence[str], device: str) -> dict[str, Renderer]:
    """The models by name. Raises InputError if one can't be loaded, or two have one name."""
    names = [Path(model).name for model in models]
    if twice := [name for name in names if names.count(name) > 1]:
        raise InputError(f"two models are called {twice[0]}: rename the folder of one")
    return {name: Renderer.from_pretrained(model, device) for name, model in zip(names, models, strict=True)}


def blended(model: str, spp: int) -> str:
    """What a model's picture is called when it is blended with so many paths a pixel."""
    return f"{model}, {spp} spp"


def methods(renderers: dict[str, Renderer], device: str) -> dict[str, Method]:
    """Everyone in the race, by name."""
    tracer = PathTracer(device=device)

    def model(renderer: Renderer, spp: int = 0) -> Method:
        return lambda scenes, width: renderer.render(scenes, width, width, spp, NOISE_SEED)

    def traced(spp: int) -> Method:
        return lambda scenes, width: tracer.trace(scenes, width, width, spp, NOISE_SEED).mean

    def denoised(spp: int) -> Method:
        def method(scenes: Sequence[Scene], width: int) -> Pictures:
            batch = SceneBatch.of(scenes, device)
            noisy = torch.from_numpy(tracer.trace(batch, width, width, spp, NOISE_SEED).mean).to(device)
            guides = tracer.features(batch, width, width)
            images = zip(noisy, guides.albedo, guides.normal, strict=True)
            return np.stack([denoise(*image).cpu().numpy() for image in images])

        return method

    return {
        **{name: model(renderer) for name, renderer in renderers.items()},
        **{blended(name, spp): model(renderer, spp) for name, renderer in renderers.items() for spp in BLENDED},
        **{f"{TRACING}, {spp} spp": traced(spp) for spp in TRACED},
        **{f"{DENOISING}, {spp} spp": denoised(spp) for spp in DENOISED},
    }


def measured(test: TestSet, race: dict[str, Method], rounds: int) -> dict[str, list[Shot]]:
    """What each method makes of each scene, in their order."""
    for method in race.values():  # warm up
        method([next(iter(test.scenes.values()))], test.width)
    shots: dict[str, list[Shot]] = {name: [] for name in race}
    for index, scene in enumerate(ProgressBar(test.scenes.values(), desc=test.name, unit="scene")):
        seconds: dict[str, list[float]] = {name: [] for name in race}
        pictures: dict[str, Picture] = {}
        for _ in range(rounds):
            for name, method in race.items():
                started = time.perf_counter()
                pictures[name] = method([scene], test.width)[0]
                seconds[name].append(time.perf_counter() - started)
        for name, picture in pictures.items():
            shots[name].append(Shot(picture, figures(picture, test.truth, index), median(seconds[name])))
    return shots


def figures(picture: Picture, truth: Radiance, index: int) -> Row:
    """Every metric of a picture against truth number `index`, and the truth's own noise."""
    mean, variance, path_variance = (
        torch.from_numpy(values[index : index + 1]) for values in (truth.mean, truth.variance, truth.variance_of_a_path)
    )
    found = image_metrics(torch.from_numpy(picture)[None], mean, variance, path_variance, TONE_MAP)
    found |= {"noise": per_image(variance), "path_variance": path_variance}
    return {name: float(value) for name, value in found.items()}


def summary(shots: list[Shot]) -> Row:
    """Means over scenes; the equivalent spp is that of the means, as in `luxel.evaluation.evaluate`."""
    mean = {name: fmean(shot.figures[name] for shot in shots) for name in shots[0].figures}
    of_shots = [shot.figures["psnr"] for shot in shots]
    pooled = equivalent_spp(*(torch.tensor([mean[name]]) for name in ("mse", "noise", "path_variance")))
    return {
        "seconds": median(shot.seconds for shot in shots),
        "loss": mean["perceptual"],
        "psnr": mean["psnr"],
        "psnr_median": median(of_shots),
        "psnr_least": min(of_shots),
        "flip": mean["flip"],
        "equivalent_spp": float(pooled),
    }


def in_batch(test: TestSet, race: dict[str, Method]) -> Row:
    """Images a second on the GPU, all of the test set together, the third of three times."""
    scenes, rates = list(test.scenes.values()), {}
    for name, method in race.items():
        for _ in range(3):
            started = time.perf_counter()
            method(scenes, test.width)
            rates[name] = len(scenes) / (time.perf_counter() - started)
    return rates


# ---- what is shown


def print_summary(test: TestSet, rows: dict[str, Row]) -> None:
    """A line a method."""
    print(f"\n{test.name}: {len(test.scenes)} images, test set {test.content_hash[:16]}")
    for method, row in rows.items():
        print(
            f"{method:>28}  {row['seconds']:7.3f} s  loss {row['loss']:.2e}  {row['psnr']:5.1f} dB  "
            f"(median {row['psnr_median']:5.1f}, least {row['psnr_least']:5.1f})  FLIP {row['flip']:.4f}  "
            f"{row['equivalent_spp']:7.1f} spp",
            flush=True,
        )


def print_by_scene(test: TestSet, shots: dict[str, list[Shot]], models: Sequence[str]) -> None:
    """PSNR and seconds, a line a scene, a column a method."""
    columns = {name: name for name in (*models, *(blended(name, spp) for name in models for spp in BLENDED))}
    columns |= {f"{spp} spp": f"{TRACING}, {spp} spp" for spp in IN_TABLE}
    columns |= {f"{spp} + OIDN": f"{DENOISING}, {spp} spp" for spp in IN_TABLE}
    width = max(map(len, columns)) + 1
    shown = [shots[method] for method in columns.values()]
    of_pictures = np.array([[shot.figures["psnr"] for shot in of_method] for of_method in shown])
    seconds = np.array([[shot.seconds for shot in of_method] for of_method in shown])
    for title, values, digits in (("PSNR, dB", of_pictures, 1), ("seconds", seconds, 4)):
        lines = dict(zip(test.scenes, values.T, strict=True)) | {"median": np.median(values, axis=1)}
        if values is of_pictures:
            lines["least"] = values.min(axis=1)
        print(f"\n{title:>16}", *(f"{header:>{width}}" for header in columns))
        for head, cells in lines.items():
            print(f"{head:>16}", *(f"{cell:{width}.{digits}f}" for cell in cells))
    of_truth = (f"{scene} {value:.1f}" for scene, value in test.psnr_of_truth().items())
    print("\nPSNR of the truth, dB:", ", ".join(of_truth))


def write_strips(folder: Path, test: TestSet, shots: dict[str, list[Shot]], models: Sequence[str]) -> None:
    """A PNG for each scene: the truth, each model, and what is denoised, side by side, with their figures."""
    folder.mkdir(parents=True, exist_ok=True)
    for index, scene in enumerate(test.scenes):
        shown = [*models, *(blended(name, spp) for name in models for spp in (4, 16)), *PICTURED]
        outputs = {name: shots[name][index].picture for name in shown}
        pictures = SideBySide.of(scene, test.truth.mean[index], outputs, test.truth.spp)
        save_pixels(folder / f"{scene}.png", sheet([pictures], tone=TONE_MAP))


def frontier(path: Path, results: dict[str, dict[str, Row]], models: Sequence[str]) -> None:
    """Every method's quality over its seconds, a panel a test set, four in a row."""
    columns, lines = min(4, len(results)), -(-len(results) // 4)
    figure = Figure(figsize=(4.6 * columns, 4.2 * lines), layout="constrained")
    for number, (name, rows) in enumerate(results.items(), start=1):
        axes = figure.add_subplot(lines, columns, number)
        axes.set(title=name, xlabel="seconds an image", xscale="log")
        if name == PEOPLE:
            axes.set(ylabel="median PSNR, dB")
            draw_methods(axes, rows, "psnr_median", models)
        else:
            axes.set(ylabel="perceptual loss", yscale="log")
            draw_methods(axes, rows, "loss", models)
    figure.savefig(path, dpi=130)


def draw_methods(axes: Axes, rows: dict[str, Row], figure: str, models: Sequence[str]) -> None:
    """Curves of path tracing, with and without OIDN, and a star a model."""
    for family, style in ((TRACING, "o-"), (DENOISING, "s-")):
        points = [(row["seconds"], row[figure]) for name, row in rows.items() if name.startswith(f"{family},")]
        axes.plot(*zip(*points, strict=True), style, label=family, markersize=4)
    for number, name in enumerate(models):
        point = rows[name]["seconds"], rows[name][figure]
        line = [point, *((row["seconds"], row[figure]) for row in (rows[blended(name, spp)] for spp in BLENDED))]
        axes.plot(*zip(*line, strict=True), "^-", color=f"C{2 + number}", label=f"{name}, blended", markersize=4)
        axes.plot(*point, "*", color=f"C{2 + number}", markersize=12, zorder=3)
        axes.annotate(name, point, (7, 5), textcoords="offset points", fontsize="small")
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small")


def ratios(rows: dict[str, Row], models: Sequence[str]) -> dict[str, Row]:
    """Each model's loss and time over those of 16 paths a pixel denoised."""
    fields = {"loss": "loss", "time": "seconds"}
    return {
        name: {f"{key}_ratio_vs_oidn16": rows[name][field] / rows[BASELINE][field] for key, field in fields.items()}
        for name in models
    }


def by_scene(test: TestSet, shots: list[Shot], row: Row) -> dict[str, Any]:
    """One method's PSNR and time on people's scenes."""
    return {
        "psnr": {scene: shot.figures["psnr"] for scene, shot in zip(test.scenes, shots, strict=True)},
        "psnr_median": row["psnr_median"],
        "psnr_least": row["psnr_least"],
        "seconds": {scene: shot.seconds for scene, shot in zip(test.scenes, shots, strict=True)},
        "seconds_median": row["seconds"],
    }


def main(options: Options) -> None:
    """Trace what is missing of the truth, race, print the tables and the JSON object."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    renderers = load_models(options.models, device)
    models, race = tuple(renderers), methods(renderers, device)
    scenes = {} if options.people is None else scenes_of(options.people)  # read before hours of tracing
    tests = list(distribution_sets(options))
    if scenes:
        tests.append(people_set(scenes, options.people_spp, options.data / f"people-{PEOPLE_WIDTH}", device))
    results: dict[str, dict[str, Row]] = {}
    batches: dict[str, Row] = {}
    people: dict[str, dict[str, Any]] = {}
    for test in tests:
        shots = measured(test, race, options.rounds)
        rows = results[test.name] = {name: summary(of_method) for name, of_method in shots.items()}
        print_summary(test, rows)
        if test.name == PEOPLE:
            people = {name: by_scene(test, of_method, rows[name]) for name, of_method in shots.items()}
            print_by_scene(test, shots, models)
            write_strips(options.out / "people", test, shots, models)
        if device == "cuda":
            batches[test.name] = in_batch(test, race)
    head: dict[str, Any] = {
        "settings": {**asdict(options), "tone_map": TONE_MAP},
        "machine": {"cores": os.cpu_count(), "tracer": PathTracer(device=device).renderer},
        "test_sets": {
            test.name: {
                "images": len(test.scenes),
                "hash": test.content_hash,
                "psnr_of_truth": fmean(test.psnr_of_truth().values()),
            }
            for test in tests
        },
        "images_per_s": batches,
    }
    if device == "cuda":
        head["machine"]["gpu"] = torch.cuda.get_device_name()
    options.out.mkdir(parents=True, exist_ok=True)
    frontier(options.out / "frontier.png", results, models)
    record = {**head, "results": results, "people": people}
    (options.out / "equal_time.json").write_text(json.dumps(record, indent=1, default=str))
    if MAIN in results:
        head |= {"methods": results[MAIN], "ratios": ratios(results[MAIN], models)}
    if people:
        shown = [*models, *(blended(name, spp) for name in models for spp in BLENDED), *PICTURED]
        head["people"] = {name: people[name] for name in shown}
    print(json.dumps(head, default=str))


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__))
