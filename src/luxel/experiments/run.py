"""Running an experiment: its data set, its run folder, its training."""

import json
from contextlib import nullcontext
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch

from luxel import InputError
from luxel.data.atomic import only_one
from luxel.data.batches import ShardSource
from luxel.data.generate import GenerateSettings, generate
from luxel.data.manifest import DataError
from luxel.experiments.experiment import Experiment
from luxel.models.image_model import ImageModel
from luxel.train.loop import train
from luxel.train.run_folder import RunFolder, RunFolderError, read_json
from luxel.train.runtime import accelerator


def run(experiment: Experiment, out: Path, data: Path | None = None, cpu: bool = False) -> dict[str, Any]:
    """Train the experiment in the run folder `out`, or go on where it stands; return its result.

    Without `data`, the experiment's own data set is generated, or completed, below `data/`. Raises DataError
    for a data set that cannot be used, RunFolderError if `out` holds another run. Under `accelerate launch` every
    process calls it, with `data`.
    """
    runtime = accelerator(cpu)
    torch.manual_seed(experiment.train.seed)
    model = ImageModel(experiment.model)
    if data is None:
        check_size(experiment.model.width, experiment.data.width, experiment.data.height, "the experiment's data")
        data = data_folder(experiment.data)
        if runtime.num_processes > 1:
            raise InputError(f"several processes share one data set: make it first, and give it with --data {data}")
        generate(experiment.data, data)
    source = ShardSource(data)
    settings = source.train.manifest.settings
    check_size(experiment.model.width, int(settings["width"]), int(settings["height"]), str(data))
    identity = {"experiment": experiment.to_json(), "data": {**settings, "test_set": source.test.content_hash}}
    with runtime.main_process_first():
        folder = RunFolder(out, identity)
    with only_one(out) if runtime.is_main_process else nullcontext():
        return train(model, source, experiment.train, folder, runtime)


def check_size(model: int, width: int, height: int, data: str) -> None:
    """Raise DataError unless the data's images are as large as the model's."""
    if (width, height) != (model, model):
        raise DataError(
            f"{data}: its images are {width}×{height}, the model's {model}×{model}; generate with --width {model} "
            f"--height {model}, or train with --model.width of the data's"
        )


def experiment_of(run_folder: Path) -> Experiment:
    """The experiment that a run folder holds. Raises RunFolderError if it is not a run folder."""
    path = run_folder / "config.json"
    try:
        return Experiment.from_json(read_json(path)["experiment"])
    except (OSError, KeyError, ValueError) as error:
        raise RunFolderError(f"{path}: not the configuration of a run ({error})") from error


def data_folder(settings: GenerateSettings) -> Path:
    """Where the data set of these settings lives, unless the user says otherwise."""
    digest = sha256(json.dumps(settings.flat(), sort_keys=True).encode()).hexdigest()[:8]
    size = f"{settings.width}x{settings.height}"
    return Path("data") / f"{settings.distribution.name}-{size}-{settings.spp}spp-{settings.count}-{digest}"
