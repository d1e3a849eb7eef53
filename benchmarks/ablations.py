"""What is each idea of the ray model worth?

    python benchmarks/ablations.py [--names ray_small ray_no_filter …] [--seeds 3] [--scenes 700]

Every variant learns from the same pictures of `assorted`, of which it measures some points once (`--train.points`), and
renders the same unseen ones. What mirrors show is shaded by the network before training. Repeating the command goes on
where it stood. The last line is one JSON object: by variant, over seeds, the mean of the test pictures' `LOSS`, its
median, and the mean of their PSNR in dB (sRGB, clamped), each the mean, the least and the largest of the seeds.
"""

import json
import statistics
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated

from luxel.configuration import Configuration, Pixels, Repeats, Samples
from luxel.data.batches import evaluation_batches
from luxel.data.dataset import ShardDataset
from luxel.data.generate import generate
from luxel.data.generate_settings import GenerateSettings
from luxel.evaluation.evaluate import EvaluationProtocol, evaluate
from luxel.experiments import EXPERIMENTS
from luxel.experiments.experiment import with_model, with_train
from luxel.experiments.folders import data_folder
from luxel.experiments.run import run
from luxel.pipeline import Renderer
from luxel.scene.distributions import Assorted

import tyro
from pydantic import Field

VARIANTS = (
    "ray_small",
    "ray_tiny",
    "ray_one_bounce",
    "ray_no_chains",
    "ray_no_filter",
    "ray_no_sampled_visibility",
    "ray_one_sample",
)
LOSS = "display_huber"


@dataclass(frozen=True)
class Options(Configuration):
    """What to train, on how much."""

    names: tuple[str, ...] = VARIANTS
    seeds: Repeats = 3
    scenes: Annotated[int, Field(ge=20, le=1_000_000)] = 700
    """A tenth of them, about, is for testing."""
    size: Pixels = 64
    spp: Annotated[int, Field(ge=2, le=1 << 24)] = 256
    points: Annotated[int, Field(ge=1, le=1 << 20)] = 512
    samples: Samples = 32_000
    out: Path = Path("runs/benchmarks/ablations")


def figures(name: str, seed: int, options: Options, data: GenerateSettings) -> dict[str, float]:
    """What a variant comes to on the test pictures."""
    made = with_model(EXPERIMENTS[name].make("full"), width=options.size)
    made = replace(made, data=data, stream=None)
    made = with_train(
        made, samples=options.samples, points=options.points, batch_mean="geometric", seed=seed, tests=1, loss=LOSS
    )
    out, folder = options.out / f"{name}-{seed}", data_folder(data)
    run(made, out, folder, cpu=True)
    test = ShardDataset(folder, "test")
    protocol = EvaluationProtocol.of(test, LOSS)
    found = evaluate(Renderer.from_pretrained(out).model, evaluation_batches(test, 8), protocol, progress=False)
    losses = found.per_image["loss"]
    return {"mean": statistics.mean(losses), "median": statistics.median(losses), "psnr": found.metrics["psnr"].mean}


def main(options: Options) -> None:
    """Train all variants, and compare."""
    data = GenerateSettings(
        Assorted(), count=options.scenes, width=options.size, height=options.size, spp=options.spp, test_share=0.1
    )
    generate(data, data_folder(data))
    results: dict[str, dict[str, list[float]]] = {}
    for name in options.names:
        of_seeds = [figures(name, seed, options, data) for seed in range(options.seeds)]
        results[name] = {
            metric: [take([found[metric] for found in of_seeds]) for take in (statistics.mean, min, max)]
            for metric in of_seeds[0]
        }
        print(name, results[name], flush=True)
    print(json.dumps({"settings": {**asdict(options), "out": str(options.out)}, **results}))


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__))
