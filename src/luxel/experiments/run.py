"""Running an experiment: its data set, its run folder, its training."""

import json
import sys
from collections.abc import Mapping
from contextlib import nullcontext, suppress
from glob import escape
from hashlib import sha256
from pathlib import Path
from typing import Any, NotRequired, cast

import torch
from torch import nn
from tqdm import tqdm
from typing_extensions import TypedDict

from luxel import InputError
from luxel.cluster import Cluster
from luxel.core.map_tables import TEXEL_BYTES
from luxel.data.batches import ShardSource
from luxel.data.generate import GenerateSettings, generate, same_images
from luxel.data.manifest import FORMER, DataError, Manifest, Setting, Settings
from luxel.data.split import SPLITS
from luxel.data.stream import StreamSource
from luxel.experiments.experiment import EXPERIMENTS, Experiment, Scale, in_todays_words, with_schedule, with_train
from luxel.experiments.scene_sizes import scene_sizes
from luxel.files.atomic import checksum, only_one, write_atomically
from luxel.files.typed_json import read_json, validated, write_json
from luxel.image.losses import bias_under_noise
from luxel.memory import check_fits
from luxel.models.cost import rendering_memory, training_memory
from luxel.models.kinds import load_model, model_of
from luxel.models.pretrained import WEIGHTS
from luxel.models.ray_model import RayModelConfig
from luxel.scene.folder import SceneFolder
from luxel.scene.registry import NAME_ITS_MODULE
from luxel.train.checkpoint import read_progress
from luxel.train.loop import train
from luxel.train.precision import check_precision
from luxel.train.run_folder import Result, RunFolder, RunFolderError, read_environment
from luxel.train.runtime import accelerator

PLACE = "data.json"
"""A run folder's file that says where its data set was when it was last trained: a `DataPlace`."""
BRANCH = "branch.safetensors"
"""The checkpoint that a cooldown began with, in its run folder."""


class RunData(Settings):
    """The data set of a run: its settings and the hash of its test split."""

    test_set: str


class RunConfig(TypedDict):
    """A run folder's config.json."""

    experiment: dict[str, Any]
    data: RunData
    branch: NotRequired[str]
    """SHA-256 of the checkpoint that a cooldown began with."""
    start: NotRequired[str]
    """SHA-256 of the weights that a fine-tuning began with."""


class DataPlace(TypedDict):
    """A run folder's data.json."""

    folder: str


def run(
    experiment: Experiment,
    out: Path,
    data: Path | None = None,
    cpu: bool = False,
    bar: "tqdm[None] | None" = None,
    branch: Path | None = None,
    biased: bool = False,
    start: Path | None = None,
) -> Result:
    """Train the experiment in the run folder `out`, or go on where it stands; return its result.

    Without `data`, the experiment's own data set is generated, or completed, below `data/`; of a stream, only the test
    split. `branch` is a checkpoint to begin with, see `cooldown`; `start` a folder of trained weights, of a network of
    the same layers. `biased` lets a stream's noise bias the loss, to measure by how much. Raises DataError for a data
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
    if start is not None:
        start_from(model, start)
    if data is None:
        check_size(experiment.model.width, experiment.data.width, experiment.data.height, "the experiment's data")
        data = data_folder(experiment.data)
        if runtime.num_processes > 1 and experiment.stream is None:
            raise InputError(f"several processes share one data set: make it first, and give it with --data {data}")
        with runtime.main_process_first():
            generate_for(experiment, data)
    source = source_of(experiment, data, runtime.device)
    settings = source.test.manifest.settings
    check_size(experiment.model.width, int(settings["width"]), int(settings["height"]), str(data))
    if experiment.stream is None and (bias := bias_under_noise(experiment.train.loss, int(settings["spp"]))):
        print(f"{data}: {bias}", file=sys.stderr)
    identity: dict[str, Any] = {
        "experiment": experiment.to_json(),
        "data": {**settings, "test_set": source.test.content_hash},
    }
    if branch is not None:
        identity["branch"] = checksum(branch)
    if start is not None:
        identity["start"] = checksum(start / WEIGHTS)
    with only_one(out) if runtime.is_main_process else nullcontext():
        with runtime.main_process_first():
            folder = RunFolder(out, identity, config_in_todays_words)
        if runtime.is_main_process:
            write_json(out / PLACE, {"folder": str(data.resolve())})
        if branch is not None and runtime.is_main_process and not folder.checkpoint.exists():
            write_atomically(folder.checkpoint, branch.read_bytes())
        return train(model, source, experiment.train, folder, runtime, bar)


def start_from(model: nn.Module, folder: Path) -> None:
    """Copy the weights that `save_pretrained` wrote to the folder. Raises InputError if they are of other layers."""
    try:
        model.load_state_dict(load_model(folder).state_dict())
    except RuntimeError as error:
        problem = " ".join(str(error).split())
        raise InputError(
            f"{folder}: its network has other layers than the one to be trained: {problem}; give the weights of one "
            "with the same --model options"
        ) from None


def generate_for(experiment: Experiment, data: Path, cluster: Cluster | None = None) -> None:
    """Generate what the experiment reads of its data set, in the folder `data`: of a stream, only the test split."""
    generate(experiment.data, data, splits=SPLITS if experiment.stream is None else ("test",), cluster=cluster)


def source_of(experiment: Experiment, data: Path, device: torch.device) -> ShardSource | StreamSource:
    """What the experiment learns from, with the folder `data`, and is tested on."""
    if experiment.stream is None:
        return ShardSource(data)
    return StreamSource(data, experiment.data, experiment.stream, device)


def check_model(experiment: Experiment) -> None:
    """Raise InputError for a precision that the experiment's network cannot be computed in."""
    if isinstance(experiment.model, RayModelConfig) and experiment.train.precision == "fp16-o2":
        raise InputError(
            "train.precision is fp16-o2, which would round a ray model's geometry to 11 bits; take fp16-o1 or bf16"
        )


def check_memory(experiment: Experiment, device: torch.device, processes: int = 1, data: Path | None = None) -> None:
    """Raise InputError, with an estimate, for a network or a batch that does not fit into the device's memory.

    `data` is the folder of the data set, if it is there already.
    """
    with torch.device("meta"):
        model = model_of(experiment.model)
    weights = sum(parameter.numel() for parameter in model.parameters())
    copies = 5 * 4  # in bytes: weights, their gradients, Adam's two moments, the moving average
    check_fits(
        weights * copies, f"model: its {weights:,} parameters are to be trained", "take a smaller one", str(device)
    )
    train, side, sizes = experiment.train, experiment.model.width, scene_sizes(experiment, data)
    objects = sizes.most_objects
    rays = 0 if experiment.stream is None else experiment.stream.rays
    together = train.batch_size // train.accumulate // processes
    asked = f"train.batch_size is {train.batch_size}, {together}"
    check_fits(
        training_memory(model, together, objects, rays) + sizes.texels_together(together) * TEXEL_BYTES,
        f"{asked} {f'times {rays} rays' if rays else f'pictures of {side}×{side}'} at once (objects in one: {objects})",
        "take a smaller batch, or cut it into more parts with --train.accumulate",
        str(device),
    )
    tested = min(train.batch_size, experiment.data.count) // processes
    check_fits(
        rendering_memory(model, tested, side, side, objects, device) + sizes.texels_together(tested) * TEXEL_BYTES,
        f"train.batch_size is {train.batch_size}, with which test pictures of {side}×{side} are rendered together",
        "take a smaller batch",
        str(device),
    )


def check_stream(experiment: Experiment, biased: bool = False) -> None:
    """Raise InputError if the network cannot learn from the experiment's stream, or its loss not rightly."""
    assert experiment.stream is not None
    rays, spp = experiment.stream.rays, experiment.stream.paths(experiment.data)
    if rays and not isinstance(experiment.model, RayModelConfig):
        raise InputError(
            f"stream.rays is {rays}, but the network makes whole images; leave stream.rays at 0, or train a ray model"
        )
    if not biased and (bias := bias_under_noise(experiment.train.loss, spp)):
        raise InputError(f"{bias}; the stream's paths are stream.spp")


def cooldown(parent: Path, samples: int, out: Path, data: Path | None = None, cpu: bool = False) -> Result:
    """Branch off the stable phase of a run and let the rate decay to 0 over `samples`; return the result.

    One long run at a constant rate gives finished models of any length that way (Hu et al. 2024, §4; Hägele et al.
    2024). The branch starts where a `stable_decay` run began to decay, or where a `constant` run stands. Raises
    RunFolderError if `parent` has no stable phase.
    """
    experiment = experiment_of(parent)
    config, schedule = experiment.train, experiment.train.optim.schedule
    check_data(parent, experiment, data)
    branch = out / BRANCH
    if not branch.exists():  # else the parent may have trained on since
        check_branch(parent, experiment, out)
        with only_one(out):
            write_atomically(branch, stable_checkpoint(parent, experiment).read_bytes())
    begun = read_progress(branch).step
    steps = begun + max(1, samples // config.batch_size)
    decaying = with_schedule(
        experiment,
        shape="stable_decay",
        warmup=schedule.warmup * schedule.drawn_for * config.steps / steps,
        decay=(steps - begun) / steps,
        final=0.0,
        drawn_for=1.0,
    )
    return run(with_train(decaying, samples=steps * config.batch_size), out, data, cpu, branch=branch)


def stable_checkpoint(parent: Path, experiment: Experiment) -> Path:
    """The run's last checkpoint of its stable phase."""
    decays = experiment.train.last_stable_step < experiment.train.steps
    return parent / ("stable.safetensors" if decays else "checkpoint.safetensors")


def check_branch(parent: Path, experiment: Experiment, out: Path) -> None:
    """Raise RunFolderError if the parent has no stable phase to branch off, or the branch's folder is another run's."""
    config, schedule = experiment.train, experiment.train.optim.schedule
    source = stable_checkpoint(parent, experiment)
    if (out / "config.json").exists():
        raise RunFolderError(f"{out} holds a run that is not a branch; name another folder with --out")
    if config.last_stable_step == 0 or not source.exists():
        raise RunFolderError(
            f"{parent} has no checkpoint in a stable phase to branch off: its schedule is {schedule.shape}; train with "
            "--train.optim.schedule.shape constant, or stable_decay up to its decay"
        )
    begun = read_progress(source).step
    if begun < schedule.warmup * schedule.drawn_for * config.steps:
        raise RunFolderError(f"{source} is still warming up, at step {begun}; train on before branching off")


def check_data(parent: Path, experiment: Experiment, data: Path | None) -> None:
    """Raise DataError unless `data`, or the experiment's own data set, is what the run folder was trained on."""
    recorded = read_config(parent)["data"]
    if data is None:
        asked = experiment.data.flat()
        settings = cast(Mapping[str, Setting], recorded)
        same = same_images({name: value for name, value in settings.items() if name in asked}, asked)
    else:
        same = Manifest.load(data).content_hash("test") == recorded["test_set"]
    if not same:
        raise DataError(
            f"{parent} was trained on other data than {data or 'its experiment generates'}; give it with --data"
        )


def check_size(model: int, width: int, height: int, data: str) -> None:
    """Raise DataError unless the data's images are as large as the model's."""
    if (width, height) != (model, model):
        raise DataError(
            f"{data}: its images are {width}×{height}, the model's {model}×{model}; generate with --width {model} "
            f"--height {model}, or train with --model.width of the data's"
        )


def experiment_of(run_folder: Path) -> Experiment:
    """The experiment that a run folder holds. Raises RunFolderError if it is not a run folder, or another version's."""
    values = in_todays_words(read_config(run_folder)["experiment"])
    try:
        return validated(values, Experiment, str(run_folder / "config.json"))
    except InputError as error:
        if NAME_ITS_MODULE in str(error):  # which no version of Luxel has
            raise RunFolderError(str(error)) from error
        made_by = version_of(run_folder)
        raise RunFolderError(f"{error}; train again with this version, or install {made_by}, which made it") from error


def read_config(run_folder: Path) -> RunConfig:
    """What a run folder was made from. Raises RunFolderError, with file and field, if it is none."""
    path = run_folder / "config.json"
    try:
        return read_json(path, RunConfig)
    except InputError as error:
        raise RunFolderError(f"{error}; not the configuration of a run: name the folder of one") from error


def version_of(run_folder: Path) -> str:
    """The version of Luxel that made a run folder, as far as that is told."""
    try:
        made = read_environment(run_folder)
    except InputError:
        return "the version of Luxel"
    return f"luxel {made['luxel']}" + (f" of commit {made['commit'][:12]}" if made["commit"] else "")


def config_in_todays_words(config: dict[str, Any]) -> dict[str, Any]:
    """A run folder's config.json as it would be written today."""
    data = config.get("data")
    if isinstance(data, dict):
        data = {name: value for name, value in data.items() if name not in FORMER}
    return {**config, "experiment": in_todays_words(config.get("experiment")), "data": data}


def run_folder(name: str, scale: Scale, experiment: Experiment, start: Path | None = None) -> Path:
    """Where the run of an experiment lives, unless the user says otherwise: by seed, change and first weights."""
    seed = experiment.train.seed
    original = with_train(EXPERIMENTS[name].make(scale), seed=seed)
    digest = sha256(json.dumps(experiment.to_json(), sort_keys=True).encode()).hexdigest()[:6]
    ends = [f"seed{seed}"] * bool(seed) + [f"changed-{digest}"] * (experiment != original)
    if start is not None:
        ends.append(f"from-{checksum(start / WEIGHTS)[:6]}")
    return Path("runs") / EXPERIMENTS[name].group / "-".join([name, scale, *ends])


def data_folder(settings: GenerateSettings) -> Path:
    """Where the data set of these settings lives, unless the user says otherwise: in data/, of a SceneFolder beside it.

    If it is not where it would be made, one of the same images is taken: of another device, or an earlier version.
    """
    flat, size, scenes = settings.flat(), f"{settings.width}x{settings.height}", settings.distribution
    digest = sha256(json.dumps(flat, sort_keys=True).encode()).hexdigest()[:8]
    place = Path(scenes.folder).resolve() if isinstance(scenes, SceneFolder) else Path("data") / scenes.name
    stem = f"{place.name}-{size}-{settings.spp}spp-{settings.count}"
    folder = place.parent / f"{stem}-{digest}"
    if not folder.exists():
        for other in sorted(folder.parent.glob(f"{escape(stem)}-*")):
            with suppress(DataError):
                there = Manifest.load(other)
                if there.settings == flat or (there.is_complete and same_images(there.settings, flat)):
                    return other
    return folder
