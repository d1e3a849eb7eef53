"""`luxel demo`: from nothing to a trained renderer and a page that shows it, in minutes on two cores."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from tqdm import tqdm

from luxel.data.batches import ShardSource
from luxel.data.generate import GenerateSettings, generate
from luxel.evaluation.evaluate import Background, Evaluation, evaluate
from luxel.evaluation.page import Line
from luxel.evaluation.report import Picture, write_gallery, write_report
from luxel.experiments import EXPERIMENTS, Scale
from luxel.experiments.run import data_folder, run
from luxel.image.formats import save_image
from luxel.pipeline import Renderer, weights_folder
from luxel.scene.distributions import Mixed
from luxel.train.run_folder import read_json, read_metrics, write_json

PICTURES = 24
TRUTH_SPP = 1024
SHIPPED = "ray-small"
UNSEEN, UNSEEN_SIZE, UNSEEN_SPP, UNSEEN_SEED = 12, 128, 256, 2_000_003
"""Scenes for the shipped renderer, of a seed that it was not trained on."""


def demo(out: Path, scale: Scale = "small") -> tuple[Path, str]:
    """Show the shipped renderer; then generate, train, evaluate and render; return the page and the training's status.

    A second call starts where the first left off.
    """
    first = out / "pretrained.html"
    weights = weights_folder(Path(SHIPPED)) / "model.safetensors"
    if not first.exists() or first.stat().st_mtime < weights.stat().st_mtime:
        show_pretrained(first)
    print(f"{SHIPPED}, which Luxel comes with: open {first.resolve()}", flush=True)
    experiment = EXPERIMENTS["demo"].make(scale)
    data, page = data_folder(experiment.data), out / "index.html"
    seconds: dict[str, float] = {}

    with stage("trace", seconds):
        generate(experiment.data, data)
    with stage("train", seconds):
        result = run(experiment, out, data)
    with stage("evaluate", seconds):
        renderer, source = Renderer.from_pretrained(out), ShardSource(data)
        test, spp, loss = source.test, experiment.data.spp, experiment.train.loss
        evaluation, blank = (
            evaluate(model, source.test_batches(64, 0, 1), spp, test.content_hash, loss)
            for model in (renderer.model, Background(experiment.model.width))
        )
        write_json(out / evaluation.file, asdict(evaluation))
    with stage("render", seconds):
        scenes = [test.scene(index) for index in range(min(PICTURES, len(test)))]
        size = experiment.model.width
        truths = experiment.data.make_tracer().trace(scenes, size, size, TRUTH_SPP, seed=1).mean
        outputs = renderer.render(scenes)
        pictures = [
            Picture(f"test scene {index}, objects: {len(scene.objects)}", truth, output)
            for index, (scene, truth, output) in enumerate(zip(scenes, truths, outputs, strict=True))
        ]
        for index, picture in enumerate(pictures[:3]):
            save_image(out / "renders" / f"{index}.exr", picture.output)
            scenes[index].save(out / "renders" / f"{index}.json")

    stages = longest_stages(out / "stages.json", {**seconds, "train": result["seconds"]})
    facts = {
        "data": f"{experiment.data.count} scenes of “{experiment.data.distribution.name}”, traced at {spp} spp",
        "model": f"image model, {result['parameters'] / 1e6:.2f} M parameters, {size}×{size}",
        "training": f"{result['samples']} images seen, {result['seconds']:.0f} s, {result['images_per_s']} images/s",
        "test": f"perceptual loss {figure(evaluation, 'perceptual')}, PSNR {figure(evaluation, 'psnr')} dB, "
        f"{figure(evaluation, 'equivalent_spp')} equivalent spp ({evaluation.provenance})",
        "to beat": f"perceptual loss {figure(blank, 'perceptual')}, PSNR {figure(blank, 'psnr')} dB "
        "of the background alone",
        "rendering": f"{evaluation.images_per_s:.0f} images/s",
        "pictures": f"truth at {TRUTH_SPP} spp",
        "machine": f"{os.cpu_count()} cores",
        "stages": ", ".join(f"{name} {longest:.0f} s" for name, longest in stages.items()),
    }
    curves = learning_curves(out)
    write_report(page, "Luxel: a first renderer", facts, pictures, curves, evaluation)
    print("\n".join(f"{name:>10}  {value}" for name, value in facts.items()))
    return page, result["status"]


def show_pretrained(page: Path) -> None:
    """Render unseen scenes with the shipped model, trace them, and set both side by side."""
    renderer = Renderer.from_pretrained(SHIPPED)
    scenes = [Mixed()(UNSEEN_SEED, index) for index in range(UNSEEN)]
    tracer = GenerateSettings().make_tracer()
    renderer(scenes[0], UNSEEN_SIZE)  # what starts once is not in the times
    tracer.trace(scenes[:1], 1, 1, 2, 0)
    started = time.monotonic()
    outputs = [renderer(scene, UNSEEN_SIZE) for scene in scenes]
    rendering = (time.monotonic() - started) / UNSEEN
    print(f"{SHIPPED} rendered {UNSEEN} unseen scenes, {rendering:.2f} s each; their truth takes longer", flush=True)
    started = time.monotonic()
    truths = [
        tracer.trace([scene], UNSEEN_SIZE, UNSEEN_SIZE, UNSEEN_SPP, seed=1).mean[0]
        for scene in tqdm(scenes, "path tracing", unit="image")
    ]
    tracing = (time.monotonic() - started) / UNSEEN
    facts = {
        "model": f"{SHIPPED}, {sum(weights.numel() for weights in renderer.model.parameters()):,} parameters",
        "scenes": f"“mixed”, seed {UNSEEN_SEED}, none of which it was trained on",
        "rendering": f"{rendering:.2f} s an image of {UNSEEN_SIZE}×{UNSEEN_SIZE}",
        "path tracing": f"{tracing:.2f} s an image at {UNSEEN_SPP} spp, by Luxel's own path tracer",
        "machine": f"{os.cpu_count()} cores",
    }
    pictures = [
        Picture(f"scene {index}, objects: {len(scene.objects)}", truth, output)
        for index, (scene, truth, output) in enumerate(zip(scenes, truths, outputs, strict=True))
    ]
    write_gallery(page, "Luxel: the renderer that it comes with", facts, pictures, "clamp")
    print("\n".join(f"{name:>12}  {value}" for name, value in facts.items()))


def longest_stages(path: Path, seconds: dict[str, float]) -> dict[str, float]:
    """Each stage's longest time over all calls: a call that goes on from an earlier one does little of it again."""
    before = read_json(path) if path.exists() else {}
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
    rows = [row for row in metrics if row["train_loss"] is not None]
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
