"""`luxel demo`: from nothing to a trained renderer and a page that shows it, in minutes on two cores."""

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import count, islice
from pathlib import Path
from statistics import fmean

import torch

from luxel.core.intersect import MISS
from luxel.data.batches import ShardSource
from luxel.data.generate import generate
from luxel.data.generate_settings import GenerateSettings
from luxel.evaluation.evaluate import Background, Evaluation, EvaluationProtocol, evaluate
from luxel.evaluation.page import Line
from luxel.evaluation.report import Section, write_report
from luxel.experiments import EXPERIMENTS, Experiment, Scale
from luxel.experiments.folders import data_folder
from luxel.experiments.run import run
from luxel.files.exr import load_exr
from luxel.files.typed_json import read_json, write_json
from luxel.image.formats import save_image, save_pixels
from luxel.image.side_by_side import Figures, SideBySide, sheet
from luxel.image.tonemap import clamp
from luxel.models.pretrained import WEIGHTS
from luxel.pipeline import Renderer
from luxel.progress import ProgressBar
from luxel.scene.description import Scene, scene_id
from luxel.scene.distributions import Mixed, Spheres
from luxel.scene.registry import Distribution
from luxel.trace.path import PathTracer
from luxel.train.run_folder import Result, read_metrics
from luxel.trained_models import SHIPPED as SHIPPED_FOLDER
from luxel.trained_models import weights_folder

SHIPPED = ("ray-small", "ray-base")
SHIPPED_SCENES, SHIPPED_SIZE, SHIPPED_SPP, SHIPPED_SEED = 8, 160, 512, 2_000_003
"""What the models that come with Luxel are shown on: scenes of “mixed”, of a seed that they were not trained on."""
LOGS, LOGS_SIZE = ("log-64", "ray-small"), 64
"""What shows the log's network beside the ray model, on scenes like those of the log, at the one size that it has."""
TRAINED_SCENES, TRAINED_SPP = 12, 1024
"""Of the test set, for the network that the demo trains."""
PREVIEW_SIZE, PREVIEW_SPP = 32, 16
"""By which it is decided whether a scene is worth showing."""
TRUTH, SHOWN = "path_traced", "shown.json"


@dataclass(frozen=True)
class Shown:
    """shown.json, written last into the folder of a scene: what its pictures are of, and how near they come."""

    scene: str
    """Its `scene_id`."""
    size: int
    spp: int
    figures: dict[str, Figures]
    seconds: dict[str, float]
    """That each model took, and path tracing."""


def demo(out: Path, scale: Scale = "small") -> tuple[Path, str]:
    """Show the models that come with Luxel; then generate, train, evaluate and render; return page and training status.

    The page is there as soon as the first have been shown. A second call starts where the first left off.
    """
    page, title = out / "index.html", "Luxel: a neural renderer"
    shipped = [shipped_section(out / "shipped"), *log_section(out / "log")]
    if not page.exists():
        write_report(page, title, shipped, folders=written(page))
    print(f"{' and '.join(SHIPPED)}, which Luxel comes with: open {page.resolve()}", flush=True)
    experiment = EXPERIMENTS["demo"].make(scale)
    data = data_folder(experiment.data)
    seconds: dict[str, float] = {}

    with stage("trace", seconds):
        generate(experiment.data, data)
    with stage("train", seconds):
        result = run(experiment, out, data)
    with stage("evaluate", seconds):
        renderer, source = Renderer.from_pretrained(out), ShardSource(data)
        test, protocol = source.test, EvaluationProtocol.of(source.test, experiment.train.loss)
        evaluation, blank = (
            evaluate(model, source.test_batches(64, 0, 1), protocol)
            for model in (renderer.model, Background(experiment.model.width))
        )
        write_json(out / evaluation.file, asdict(evaluation))
    with stage("render", seconds):
        scenes, size = [test.scene(index) for index in range(min(TRAINED_SCENES, len(test)))], experiment.model.width
        pictures, _ = side_by_side(out / "renders", scenes, {"demo": out}, size, TRAINED_SPP)

    stages = longest_stages(out / "stages.json", {**seconds, "train": result["seconds"]})
    facts = facts_of(experiment, result, evaluation, blank, stages)
    trained = Section(
        f"Test scenes, by a network that this demo trained in {result['seconds']:.0f} s",
        pictures,
        facts,
        files_of(out / "renders", pictures),
    )
    folders = {**written(page), data: [data / "manifest.json"]}
    write_report(page, title, [*shipped, trained], evaluation, learning_curves(out), folders)
    print("\n".join(f"{name:>10}  {value}" for name, value in facts.items()))
    return page, result["status"]


def facts_of(
    experiment: Experiment, result: Result, evaluation: Evaluation, blank: Evaluation, stages: dict[str, float]
) -> dict[str, str]:
    """What the page says of the network that the demo trains; `blank` is of the background alone, `stages` in s."""
    data, size = experiment.data, experiment.model.width
    return {
        "data": f"{data.count} scenes of “{data.distribution.name}”, traced at {data.spp} spp",
        "model": f"image model, {result['parameters'] / 1e6:.2f} M parameters, {size}×{size}",
        "training": f"{result['samples']} images seen, {result['seconds']:.0f} s, {result['images_per_s']} images/s",
        "test": f"perceptual loss {figure(evaluation, 'perceptual')}, PSNR {figure(evaluation, 'psnr')} dB, "
        f"{figure(evaluation, 'equivalent_spp')} equivalent spp ({evaluation.provenance})",
        "to beat": f"perceptual loss {figure(blank, 'perceptual')}, PSNR {figure(blank, 'psnr')} dB "
        "of the background alone",
        "rendering": f"{evaluation.images_per_s:.0f} images/s",
        "machine": f"{os.cpu_count()} cores",
        "stages": ", ".join(f"{name} {longest:.0f} s" for name, longest in stages.items()),
    }


def shipped_section(folder: Path) -> Section:
    """Unseen scenes by the models that come with Luxel, beside their truth."""
    return unseen("Unseen scenes, by the models that come with Luxel", folder, Mixed(), SHIPPED, SHIPPED_SIZE)


def log_section(folder: Path) -> list[Section]:
    """The log's scenes by its network and by a ray model, if the network is there, as in checkouts it may not be."""
    if not (SHIPPED_FOLDER / LOGS[0] / WEIGHTS).exists():
        return []
    return [unseen("The log's scenes, by its network and by a ray model", folder, Spheres(), LOGS, LOGS_SIZE)]


def unseen(title: str, folder: Path, distribution: Distribution, models: Sequence[str], size: int) -> Section:
    """The first scenes of a distribution, of a seed that no model was trained on, by these models, size × size."""
    candidates = (distribution(SHIPPED_SEED, index) for index in count())
    scenes = list(islice(filter(is_worth_showing, candidates), SHIPPED_SCENES))
    pictures, seconds = side_by_side(folder, scenes, {name: Path(name) for name in models}, size, SHIPPED_SPP)
    times = ", ".join(f"{name.replace('_', ' ')} {value:.2f} s" for name, value in seconds.items())
    facts = {
        "scenes": f"the first of “{distribution.name}”, seed {SHIPPED_SEED}, in which something is in view, and with "
        "little noise in the truth; no model was trained on them",
        "time": f"{times} an image of {size}×{size}, on {os.cpu_count()} cores",
    }
    print("\n".join(f"{name:>10}  {value}" for name, value in facts.items()))
    return Section(title, pictures, facts, files_of(folder, pictures))


def is_worth_showing(scene: Scene) -> bool:
    """Whether something is in view, and the truth at SHIPPED_SPP says more than 40 dB about it.

    In view: at least three objects cover a hundredth of the picture each, and half of it is neither dark nor white.
    """
    tracer, size, spp = PathTracer(), PREVIEW_SIZE, PREVIEW_SPP
    objects, pixels = tracer.features([scene], size, size).object_number.unique(return_counts=True)
    if int(((objects != MISS) & (pixels >= size * size / 100)).sum()) < 3:
        return False
    truth = tracer.trace([scene], size, size, spp, seed=0)
    brightness = float(clamp(torch.from_numpy(truth.mean)).median())
    return 0.1 < brightness < 0.9 and float(truth.variance.mean()) * spp / SHIPPED_SPP < 1e-4


def side_by_side(
    folder: Path, scenes: Sequence[Scene], models: Mapping[str, Path], size: int, spp: int
) -> tuple[list[SideBySide], dict[str, float]]:
    """The scenes by every model and path traced, size × size, and the mean seconds that each took.

    Every scene has a folder in `folder`: its description, the pictures as EXR and, side by side, as PNG. Those of an
    earlier call are read, unless a model is newer.
    """
    newest = max((weights_folder(model) / WEIGHTS).stat().st_mtime for model in models.values())
    missing = [
        (place, scene)
        for place, scene in zip(places(folder, scenes), scenes, strict=True)
        if not is_shown(place, scene, models, size, spp, newest)
    ]
    seconds: dict[Path, dict[str, float]] = {place: {} for place, _ in missing}
    for name, model in models.items() if missing else ():
        renderer = Renderer.from_pretrained(model)
        renderer(missing[0][1], size)  # what starts once is not in the times
        for place, scene in missing:
            started = time.monotonic()
            image = renderer(scene, size)
            seconds[place][name] = time.monotonic() - started
            save_image(place / f"{name}.exr", image)
    tracer = GenerateSettings().make_tracer()
    for place, scene in ProgressBar(missing, "path tracing", unit="image", disable=not missing):
        started = time.monotonic()
        truth = tracer.trace([scene], size, size, spp, seed=1)
        seconds[place][TRUTH] = time.monotonic() - started
        outputs = {name: load_exr(place / f"{name}.exr") for name in models}
        path_variance = float(truth.variance_of_a_path[0])
        pair = SideBySide.of(str(place), truth.mean[0], outputs, spp, truth.variance[0], path_variance)
        scene.save(place / "scene.json")
        save_image(place / f"{TRUTH}.exr", pair.truth)
        save_pixels(place / "side_by_side.png", sheet([pair]))
        shown = Shown(scene_id(scene), size, spp, dict(pair.figures), seconds[place])
        write_json(place / SHOWN, asdict(shown))
    recorded = [read_json(place / SHOWN, Shown, "delete it") for place in places(folder, scenes)]
    pictures = [
        SideBySide(
            f"scene {index}, objects: {len(scene.objects)}",
            load_exr(place / f"{TRUTH}.exr"),
            {name: load_exr(place / f"{name}.exr") for name in models},
            shown.figures,
            spp,
        )
        for index, (place, scene, shown) in enumerate(zip(places(folder, scenes), scenes, recorded, strict=True))
    ]
    return pictures, {name: fmean(shown.seconds[name] for shown in recorded) for name in (TRUTH, *models)}


def places(folder: Path, scenes: Sequence[object]) -> list[Path]:
    """A folder for each scene."""
    return [folder / f"{index:02d}" for index in range(len(scenes))]


def is_shown(place: Path, scene: Scene, models: Mapping[str, Path], size: int, spp: int, newest: float) -> bool:
    """Whether an earlier call has left this scene's pictures by these models there, and no model is newer."""
    path, pictures = place / SHOWN, [place / f"{name}.exr" for name in (TRUTH, *models)]
    if not all(file.is_file() for file in (path, *pictures)) or path.stat().st_mtime < newest:
        return False
    shown = read_json(path, Shown, "delete it")
    return (shown.scene, shown.size, shown.spp, set(shown.figures)) == (scene_id(scene), size, spp, set(models))


def files_of(folder: Path, scenes: Sequence[object]) -> list[list[Path]]:
    """The files of each scene's folder."""
    return [sorted(place.iterdir()) for place in places(folder, scenes)]


def written(page: Path) -> dict[Path, list[Path]]:
    """Everything that the demo has left on the disk beside its page, by folder."""
    folders: dict[Path, list[Path]] = {}
    for path in sorted(page.parent.rglob("*")):
        if path.is_file() and path != page and not path.name.startswith("."):
            folders.setdefault(path.parent, []).append(path)
    return folders


def longest_stages(path: Path, seconds: dict[str, float]) -> dict[str, float]:
    """Each stage's longest time over all calls: a call that goes on from an earlier one does little of it again."""
    before = read_json(path, dict[str, float], "delete it") if path.exists() else {}
    longest = {name: max(value, before.get(name, 0.0)) for name, value in seconds.items()}
    write_json(path, longest)
    return longest


def figure(evaluation: Evaluation, metric: str) -> str:
    """A metric's mean, to three digits."""
    return f"{evaluation.metrics[metric].mean:.3g}"


def learning_curves(out: Path) -> list[Line]:
    """Train loss, averaged over runs of 25 steps, and test loss, from the run's metrics.

    A step whose loss was not finite, and so is null there, was skipped and is left out.
    """
    metrics = read_metrics(out / "metrics.jsonl")
    rows = [row for row in metrics if row.get("train_loss") is not None]
    chunks = [rows[start : start + 25] for start in range(0, len(rows), 25)]
    tests = [row for row in metrics if row.get("test_loss") is not None]
    return [
        Line(
            "train",
            [int(chunk[-1]["samples"]) for chunk in chunks],
            [sum(row["train_loss"] for row in chunk) / len(chunk) for chunk in chunks],
        ),
        Line("test", [int(row["samples"]) for row in tests], [row["test_loss"] for row in tests]),
    ]


@contextmanager
def stage(name: str, seconds: dict[str, float]) -> Iterator[None]:
    """Announce a stage and record how long it took."""
    print(f"{name} …", flush=True)
    started = time.monotonic()
    yield
    seconds[name] = time.monotonic() - started
