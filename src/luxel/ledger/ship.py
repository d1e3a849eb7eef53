"""From a run to a model that comes with Luxel: its weights in half precision, and a card that is filled from the run.

    python -m luxel.ledger.ship RUN --out src/luxel/pretrained/NAME [--device cuda]

Of the card no number is written by hand: they are those of the run's result.json, config.json and environment.json,
and of an evaluation of the rounded weights on the run's own test set, which is kept in the run folder.
"""

import math
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import get_args

from luxel import InputError
from luxel.configuration import Configuration
from luxel.evaluation.evaluate import Evaluation
from luxel.experiments.data_sets import data_of
from luxel.experiments.experiment import EXPERIMENTS, Experiment, Scale
from luxel.experiments.run_config import experiment_of
from luxel.files.atomic import write_atomically
from luxel.files.typed_json import write_json
from luxel.ledger.collect import evaluation_of
from luxel.pipeline import Renderer
from luxel.train.run_folder import Environment, Result, machine_in_words, read_environment, read_result

SHOWN = {
    "perceptual": "perceptual loss",
    "psnr": "PSNR, dB",
    "ssim": "SSIM",
    "flip": "FLIP",
    "equivalent_spp": "equivalent spp",
}
"""Metrics on a card; one that could not be measured is left out."""
CARD = """---
library_name: luxel
license: mit
---

# {name}

An image model that comes with Luxel, the best of the 2020 log's: scene in, HDR image out.
`Renderer.from_pretrained("{name}")`, or `luxel render SCENE.json --model {name}`.

| | |
|---|---|
| network | {parameters:,} parameters, stored in half precision ({megabytes:.1f} MB), computed in float32 |
| pictures | {width}×{width}, of spheres and ellipsoids |
| data | {count:,} scenes of `{distribution}`, seed {data_seed}, traced with {spp} paths a pixel, depth {depth} |
| training | {samples:,} pictures, batches of {batch}, {precision}, loss `{loss}`, seed {seed} |
| command | `{command}` |
| took | {seconds:.0f} s on {machine}, {images_per_s:.0f} pictures/s, {memory} of memory |
| commit | {commit} |

On the test scenes of its data, which it has not seen ({provenance}), mean and 95 % bootstrap interval:

| metric | mean | interval |
|---|---|---|
{metrics}

It renders scenes like those that it learned from, at its one size; for all others take a ray model.
"""


@dataclass(frozen=True)
class Options(Configuration):
    """What to ship, and where to."""

    run: Path
    out: Path
    """Folder of the model, whose name it gets."""
    device: str = "cpu"
    """Of the evaluation."""


def ship(options: Options) -> Evaluation:
    """Write config.json, the weights and README.md of a finished run; return what the weights are worth.

    Raises InputError for a run that diverged, or that is no experiment's as it is, so that no command would repeat it.
    """
    run, out = options.run, options.out
    result, experiment = read_result(run), experiment_of(run)
    if result["status"] != "finished":
        raise InputError(f"{run}: diverged, {result['diagnosis']}; ship a run that has finished")
    command = command_of(experiment, run)
    Renderer.from_pretrained(run).model.save_half(out)
    evaluation = evaluation_of(out, data_of(run), experiment.train.loss, options.device)
    write_json(run / evaluation.file, asdict(evaluation))
    megabytes = (out / "model.safetensors").stat().st_size / 1e6
    text = card(out.name, command, experiment, result, read_environment(run), evaluation, megabytes)
    write_atomically(out / "README.md", text.encode())
    return evaluation


def command_of(experiment: Experiment, run: Path) -> str:
    """The command that makes the experiment. Raises InputError if none does as it is."""
    for entry, scale in product(EXPERIMENTS.values(), get_args(Scale)):
        if entry.make(scale) == experiment:
            return f"luxel train {entry.name} --scale {scale}"
    raise InputError(f"{run}: its experiment was changed from the command line; ship a run of an experiment as it is")


def card(
    name: str,
    command: str,
    experiment: Experiment,
    result: Result,
    environment: Environment,
    evaluation: Evaluation,
    megabytes: float,
) -> str:
    """The model's README.md."""
    data, train, memory = experiment.data, experiment.train, result["peak_memory_mib"]
    rows = [
        f"| {shown} | {summary.mean:.4g} | {summary.low:.4g} – {summary.high:.4g} |"
        for metric, shown in SHOWN.items()
        if (summary := evaluation.metrics.get(metric)) is not None and math.isfinite(summary.mean)
    ]
    return CARD.format(
        name=name,
        parameters=result["parameters"],
        megabytes=megabytes,
        width=experiment.model.width,
        count=data.count,
        distribution=data.distribution.name,
        data_seed=data.seed,
        spp=data.spp,
        depth=data.max_depth,
        samples=result["samples"],
        batch=train.batch_size,
        precision=train.precision,
        loss=train.loss,
        seed=train.seed,
        command=command,
        seconds=result["seconds"],
        machine=machine_in_words(environment),
        images_per_s=result["images_per_s"],
        memory="an unknown amount" if memory is None else f"{memory / 1024:.1f} GiB",
        commit=environment["commit"] or "unknown",
        provenance=evaluation.provenance,
        metrics="\n".join(rows),
    )


if __name__ == "__main__":
    import tyro

    print(ship(tyro.cli(Options, description=__doc__)).provenance)
