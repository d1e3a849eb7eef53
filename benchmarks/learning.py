"""How much further does the ray model get than the 2020 network in the same time, on the same scenes and machine?

    python benchmarks/learning.py [--minutes 10] [--size 64] [--max-objects 8]

Scenes of 1 to 8 spheres under the log's grey sky. The image model is the best of the log's (`--image-model`) at this
size; it learns from a set of images that is traced beforehand, which its time does not count. The ray model learns
from a stream, whose tracing its time does count. Both see one test set; each trains for as many samples as a short
run says will fill the time, start-up and the test at the end left out, with its own schedule to the end. Repeating the
command goes on where it stood. The last line is one JSON object: `loss_ratio`, the image model's test perceptual loss
over the ray model's, the same less what the noise of the test images adds to either, that noise's loss, and each
one's loss, PSNR, samples and seconds.
"""

import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any

from luxel.configuration import Configuration, Objects, Pixels
from luxel.data.batches import evaluation_batches
from luxel.data.dataset import ShardDataset
from luxel.evaluation.evaluate import EvaluationProtocol, evaluate
from luxel.experiments import EXPERIMENTS
from luxel.experiments.experiment import Experiment, with_model, with_train
from luxel.experiments.folders import data_folder
from luxel.experiments.run import run
from luxel.pipeline import Renderer
from luxel.scene.distributions import Spheres
from luxel.train.run_folder import read_metrics

import tyro
from pydantic import Field

PROBE = 1280
"""Samples of the run that finds out how fast it is, from its second half."""


@dataclass(frozen=True)
class Options(Configuration):
    """What to train, for how long."""

    minutes: Annotated[float, Field(gt=0, le=1e6)] = 10.0
    """Of each."""
    size: Pixels = 64
    scenes: Annotated[int, Field(ge=1, le=1_000_000_000)] = 8192
    """In the image model's set; a twentieth is for testing."""
    max_objects: Objects = 8
    image_model: str = "no_base_transformer"
    ray_model: str = "ray_small"
    out: Path = Path("runs/benchmarks/learning")
    cpu: bool = False


def filling(made: Experiment, minutes: float, out: Path, cpu: bool) -> Experiment:
    """The experiment over as many samples as it sees in this time."""
    made = with_train(made, tests=1)
    run(with_train(made, samples=PROBE), out, cpu=cpu)
    rows = read_metrics(out / "metrics.jsonl")[:-1]  # the last one's time has the test in it
    middle = rows[len(rows) // 2]
    rate = (rows[-1]["samples"] - middle["samples"]) / (rows[-1]["seconds"] - middle["seconds"])
    return with_train(made, samples=max(PROBE, int(rate * minutes * 60)))


def figures(made: Experiment, folder: Path, seconds: float) -> dict[str, float | int | str]:
    """What came of a run, on its test set."""
    test = ShardDataset(data_folder(made.data), "test")
    model = Renderer.from_pretrained(folder).model
    protocol = EvaluationProtocol.of(test, made.train.loss)
    found = evaluate(model, evaluation_batches(test, 16), protocol, progress=False)
    means = {name: found.metrics[name].mean for name in ("perceptual", "psnr", "equivalent_spp")}
    means["loss"] = means.pop("perceptual")
    return {**means, "samples": made.train.samples, "seconds": seconds, "measured_on": found.provenance}


def noise_floor(test: ShardDataset) -> float:
    """The perceptual loss of the truth itself against the test images: half their variance over 1 + radiance."""
    batch = test.batch(range(len(test)))
    return float((batch.variance / (2 * (batch.radiance + 1))).mean())


def main(options: Options) -> None:
    """Train both and compare."""
    image = EXPERIMENTS[options.image_model].make("small")
    data = replace(
        image.data,
        distribution=Spheres(max_objects=options.max_objects),
        width=options.size,
        height=options.size,
        count=options.scenes,
        test_share=0.05,
    )
    results: dict[str, dict[str, Any]] = {}
    for kind, name in {"image_model": options.image_model, "ray_model": options.ray_model}.items():
        made = replace(with_model(EXPERIMENTS[name].make("small"), width=options.size), data=data)
        label = f"{name}-{options.size}-{options.max_objects}"
        made = filling(made, options.minutes, options.out / f"{label}-probe", options.cpu)
        folder = options.out / f"{label}-{made.train.samples}"
        run(made, folder, cpu=options.cpu)
        results[kind] = figures(made, folder, read_metrics(folder / "metrics.jsonl")[-2]["seconds"])
        print(kind, results[kind], flush=True)
    losses = [results[kind]["loss"] for kind in ("image_model", "ray_model")]
    settings = {**asdict(options), "out": str(options.out), "cores": os.cpu_count()}
    floor = noise_floor(ShardDataset(data_folder(data), "test"))
    ratios = {
        "loss_ratio": round(losses[0] / losses[1], 1),
        "loss_ratio_without_noise": round((losses[0] - floor) / (losses[1] - floor), 1),
    }
    print(json.dumps({"settings": settings, **ratios, **results, "noise_floor": floor}))


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__))
