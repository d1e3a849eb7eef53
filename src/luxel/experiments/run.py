"""Running an experiment: its data set, its run folder, its training."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch

from luxel.data.batches import ShardSource
from luxel.data.generate import GenerateSettings, generate
from luxel.data.manifest import DataError
from luxel.experiments.experiment import Experiment
from luxel.models.image_model import ImageModel
from luxel.train.loop import train
from luxel.train.run_folder import RunFolder, RunFolderError, read_json


def run(experiment: Experiment, out: Path, data: Path | None = None, cpu: bool = False) -> dict[str, Any]:
    """Train the experiment in the run folder `out`, or go on where it stands; return its result.

    Without `data`, the experiment's own data set is generated, or completed, below `data/`. Raises DataError
    for a data set that cannot be used, RunFolderError if `out` holds another run.
    """
    if data is None:
        data = data_folder(experiment.data)
        generate(experiment.data, data)
    source = ShardSource(data)
    settings = source.train.manifest.settings
    size = experiment.model.width
    if (settings["width"], settings["height"]) != (size, size):
        raise DataError(
            f"{data}: its images are {settings['width']}×{settings['height']}, the model's {size}×{size}; "
            f"generate with --width {size} --height {size}, or set --model.width"
        )
    identity = {
        "experiment": experiment.to_json(),
        "data": {**settings, "test_set": source.test.content_hash},
    }
    folder = RunFolder(out, identity)
    torch.manual_seed(experiment.train.seed)
    return train(ImageModel(experiment.model), source, experiment.train, folder, cpu)


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
