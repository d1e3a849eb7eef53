"""Running an experiment: its data set, its run folder, its training."""

import sys
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator

from luxel import InputError
from luxel.cluster import Cluster
from luxel.configuration import cut, shortened
from luxel.data.batches import ShardSource
from luxel.data.generate import generate
from luxel.data.split import SPLITS
from luxel.data.stream import StreamSource
from luxel.experiments.experiment import Experiment
from luxel.experiments.folders import data_folder
from luxel.experiments.requirements import check_memory, check_model, check_size, check_stream, check_traced
from luxel.experiments.run_config import PLACE, migrated_config
from luxel.files.atomic import checksum, only_one, write_atomically
from luxel.files.typed_json import write_json
from luxel.image.losses import bias_under_noise
from luxel.models.model_types import Model, load_model, model_of
from luxel.models.pretrained import WEIGHTS
from luxel.progress import ProgressBar
from luxel.train.checkpoint import load_model_state
from luxel.train.loop import train
from luxel.train.precision import check_precision
from luxel.train.run_folder import Result, RunFolder, differences
from luxel.train.runtime import accelerator


@dataclass(frozen=True)
class Start:
    """What a run begins with in place of new weights; which that is belongs to what the run is."""

    weights: Path | None = None
    """A folder that `save_pretrained` wrote, of a network of the same layers, to fine-tune it."""
    checkpoint: Path | None = None
    """Of another run's stable phase, to branch off it: see `luxel.experiments.cooldown`."""
    checkpoint_measures: bool = False
    """Whether points to learn from are measured with the checkpoint's weights, in place of new ones."""

    def identity(self) -> dict[str, str]:
        """What a run folder's config.json says of it: hashes of the files."""
        files = {"branch": self.checkpoint, "start": None if self.weights is None else self.weights / WEIGHTS}
        return {name: checksum(file) for name, file in files.items() if file is not None}


NEW_WEIGHTS = Start()


def run(
    experiment: Experiment,
    out: Path,
    data: Path | None = None,
    cpu: bool = False,
    bar: ProgressBar | None = None,
    start: Start = NEW_WEIGHTS,
    biased: bool = False,
) -> Result:
    """Train the experiment in the run folder `out`, or go on where it stands; return its result.

    Without `data`, the experiment's own data set is generated, or completed, below `data/`; of a stream, only the test
    split. `biased` lets a stream's noise bias the loss, to measure by how much. Raises DataError for a data
    set that cannot be used, RunFolderError if `out` holds another run, InputError for a stream that does not suit the
    model or the loss. Under `torchrun` every process calls it, with `data` unless it is a stream.
    """
    runtime = accelerator(cpu)
    check_precision(experiment.train.precision, runtime.device)
    check_model(experiment)
    if experiment.stream is not None:
        check_stream(experiment, biased)
    check_memory(experiment, runtime.device, runtime.num_processes, data)
    torch.manual_seed(experiment.train.seed)
    model = model_of(experiment.model)
    if start.weights is not None:
        copy_weights(model, start.weights)
    if start.checkpoint is not None and start.checkpoint_measures:
        load_model_state(start.checkpoint, model)
    if data is None:
        data = generate_own(experiment, runtime)
    source = source_of(experiment, data, runtime.device)
    settings = source.test.manifest.settings
    check_size(experiment.model.width, int(settings["width"]), int(settings["height"]), str(data))
    if experiment.stream is None and (bias := bias_under_noise(experiment.train.loss, int(settings["spp"]))):
        print(f"{data}: {bias}", file=sys.stderr)
    identity: dict[str, Any] = {
        "experiment": experiment.to_json(),
        "data": {**settings, "test_set": source.test.content_hash},
        **start.identity(),
    }
    with only_one(out) if runtime.is_main_process else nullcontext():
        with runtime.main_process_first():
            folder = RunFolder(out, identity, migrated_config)
        if runtime.is_main_process:
            write_json(out / PLACE, {"folder": str(data.resolve())})
            if start.checkpoint is not None and not folder.checkpoint.exists():
                write_atomically(folder.checkpoint, start.checkpoint.read_bytes())
        return train(model, source, experiment.train, folder, runtime, bar)


def copy_weights(model: Model, folder: Path) -> None:
    """Copy the weights that `save_pretrained` wrote to the folder. Raises InputError if they are of other layers."""
    trained = load_model(folder)
    try:
        model.load_state_dict(trained.state_dict())
    except RuntimeError:
        differing = differences(asdict(trained.config), asdict(model.config), "model")
        told = ", ".join(
            f"{name} is {shortened(there)} there, {shortened(here)} here" for name, there, here in differing
        )
        raise InputError(
            f"{folder}: its network has other layers than the one to be trained: {cut(told, 400)}; train its own "
            "experiment, or give the weights of one with the same --model options"
        ) from None


def generate_own(experiment: Experiment, runtime: Accelerator) -> Path:
    """Generate, or complete, the experiment's own data set; return its folder. Raises InputError for many processes."""
    check_traced(experiment, "the experiment's data")
    folder = data_folder(experiment.data)
    if runtime.num_processes > 1 and experiment.stream is None:
        raise InputError(f"several processes share one data set: make it first, and give it with --data {folder}")
    with runtime.main_process_first():
        generate_for(experiment, folder)
    return folder


def generate_for(experiment: Experiment, data: Path, cluster: Cluster | None = None) -> None:
    """Generate what the experiment reads of its data set, in the folder `data`: of a stream, only the test split."""
    generate(experiment.data, data, splits=SPLITS if experiment.stream is None else ("test",), cluster=cluster)


def source_of(experiment: Experiment, data: Path, device: torch.device) -> ShardSource | StreamSource:
    """What the experiment learns from, with the folder `data`, and is tested on."""
    if experiment.stream is None:
        return ShardSource(data)
    return StreamSource(data, experiment.data, experiment.stream, device)
