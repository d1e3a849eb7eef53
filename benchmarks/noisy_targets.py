"""Does a network trained on noisy targets come out biased, and with which loss?

    python benchmarks/noisy_targets.py [--experiment ray_tiny] [--scale tiny] [--paths 16384] [--seeds 1]

Trains on fresh scenes with 4, 16 and 64 paths a pixel (spp), over equally many steps of 32, 8 and 2 samples, which have
the same number of paths, at the same learning rate. The losses are the noise-aware `weighted_l2` and, although
`luxel train` would refuse some of it, `perceptual` and `log1p_l1`. Noise shows once a network's own error is as small:
in a ray model, not in an image model after minutes. Repeating the command goes on where it stood.

The last line is one JSON object: by loss and spp the bias, which is (predicted light / true light − 1) over all test
scenes together, and the mean perceptual loss, both against a truth of 1024 spp and with 95 % bootstrap intervals over
scenes and seeds.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from luxel.configuration import Configuration, Repeats, Samples
from luxel.data.dataset import ShardDataset
from luxel.evaluation.evaluate import bootstrap
from luxel.experiments import EXPERIMENTS, Experiment, Scale
from luxel.experiments.experiment import with_data, with_optim, with_stream, with_train
from luxel.experiments.folders import data_folder
from luxel.experiments.run import run
from luxel.image.losses import perceptual
from luxel.pipeline import Renderer
from luxel.train.trainer import predict

import numpy as np
import torch
import tyro

SPP = (4, 16, 64)
LOSSES = ("weighted_l2", "perceptual", "log1p_l1")
PATHS_A_STEP = 128
"""Batch size × spp."""
TRUTH_SPP = 1024


@dataclass(frozen=True)
class Options(Configuration):
    """What to train."""

    experiment: str = "ray_tiny"
    scale: Scale = "tiny"
    paths: Samples = 16_384
    """Paths for each pixel (or ray) over a whole run: samples × spp."""
    seeds: Repeats = 1
    out: Path = Path("runs/benchmarks/noisy_targets")
    cpu: bool = False


@torch.no_grad()
def measured(made: Experiment, out: Path) -> tuple[np.ndarray, np.ndarray]:
    """Each test scene's light as predicted and as it is, and its perceptual loss."""
    test = ShardDataset(data_folder(made.data), "test")
    model = Renderer.from_pretrained(out).model.eval()
    light, losses = [], []
    for index in range(len(test)):
        batch = test.batch([index])
        prediction = predict(model, batch)
        light.append((float(prediction.mean()), float(batch.radiance.mean())))
        losses.append(float(perceptual(prediction, batch.radiance).mean()))
    return np.array(light), np.array(losses)


def relative_error(means: np.ndarray) -> np.ndarray:
    """Of all scenes' light together, with its sign: a dark scene has no relative error of its own."""
    return means[:, 0] / means[:, 1] - 1


def main(options: Options) -> None:
    """Train and measure every loss at every spp; print a table, then the JSON object."""
    base = with_data(EXPERIMENTS[options.experiment].make(options.scale), spp=TRUTH_SPP)
    base = with_optim(base, batch_scaling="none")
    results: dict[str, dict[int, dict[str, object]]] = {}
    for loss in LOSSES:
        for spp in SPP:
            figures = []
            for seed in range(options.seeds):
                made = with_stream(with_train(base, loss=loss, seed=seed, tests=1), spp=spp)
                made = with_train(made, samples=options.paths // spp, batch_size=PATHS_A_STEP // spp)
                name = f"{options.experiment}-{options.scale}-{loss}-{spp}spp-{options.paths}-seed{seed}"
                run(made, options.out / name, cpu=options.cpu, biased=True)
                figures.append(measured(made, options.out / name))
            light, losses = (np.concatenate(columns) for columns in zip(*figures, strict=True))
            bias, mean_loss = bootstrap(light, relative_error), bootstrap(losses)
            results.setdefault(loss, {})[spp] = {"bias": asdict(bias), "perceptual_loss": asdict(mean_loss)}
            print(
                f"{loss:>12} {spp:>3} spp  bias {bias.mean:+.2%} ({bias.low:+.2%} to {bias.high:+.2%})  "
                f"perceptual {mean_loss.mean:.2e}",
                flush=True,
            )
    settings = {**asdict(options), "out": str(options.out), "truth_spp": TRUTH_SPP}
    test_set = ShardDataset(data_folder(base.data), "test").content_hash
    print(json.dumps({"settings": settings, "test_set": test_set, "results": results}))


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__))
