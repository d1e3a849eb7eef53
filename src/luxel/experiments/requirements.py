"""What an experiment has to meet before anything is traced or trained."""

from pathlib import Path

import torch

from luxel import InputError
from luxel.core.map_tables import TEXEL_BYTES
from luxel.data.manifest import DataError, Manifest
from luxel.data.split import Split
from luxel.experiments.experiment import Experiment
from luxel.experiments.scene_sizes import scene_sizes
from luxel.image.losses import bias_under_noise
from luxel.memory import check_fits
from luxel.models.cost import rendering_memory, training_memory
from luxel.models.model_types import model_of
from luxel.models.ray_model import RayModelConfig
from luxel.train.measured_points import points_memory


def check_model(experiment: Experiment) -> None:
    """Raise InputError for a precision or points to learn from that do not suit the experiment's network or data."""
    is_ray_model = isinstance(experiment.model, RayModelConfig)
    points = experiment.train.points
    if points is not None and not is_ray_model:
        raise InputError(f"train.points is {points}, but the network makes whole images; leave it out")
    if points is not None and experiment.stream is not None:
        raise InputError(
            f"train.points is {points}, but a stream's scenes come once only; make a data set (luxel generate) "
            "and give it with --data, or leave train.points out"
        )
    if is_ray_model and experiment.train.precision == "fp16-o2":
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
    rays, what = (train.points or 0, "points") if experiment.stream is None else (experiment.stream.rays, "rays")
    together = train.batch_size // train.accumulate // processes
    of_each = f"times {rays} {what}" if rays else f"pictures of {side}×{side}"
    check_fits(
        training_memory(model, together, objects, rays) + sizes.texels_together(together) * TEXEL_BYTES,
        f"train.batch_size is {train.batch_size}, {together} {of_each} at once (objects in one: {objects})",
        "take a smaller batch, or cut it into more parts with --train.accumulate",
        str(device),
    )
    check_points(experiment, data)
    tested = min(train.batch_size, pictures_in("test", experiment, data)) // processes
    check_fits(
        rendering_memory(model, tested, side, side, objects, device) + sizes.texels_together(tested) * TEXEL_BYTES,
        f"train.batch_size is {train.batch_size}, with which test pictures of {side}×{side} are rendered together",
        "take a smaller batch",
        str(device),
    )


def check_points(experiment: Experiment, data: Path | None = None) -> None:
    """Raise InputError, with an estimate, for more points to learn from than memory holds."""
    points = experiment.train.points
    if points is not None:
        pictures = pictures_in("train", experiment, data)
        check_fits(
            points_memory(pictures, points),
            f"train.points is {points}, of each of {pictures} pictures",
            "take fewer of them, or a smaller data set",
        )


def pictures_in(split: Split, experiment: Experiment, data: Path | None) -> int:
    """How many pictures a split of the data set in a folder has; of one that is yet to be made, all splits together."""
    if data is None:
        return experiment.data.count
    return sum(shard.scenes for shard in Manifest.load(data).of(split))


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


def check_size(model: int, width: int, height: int, data: str, options: str = "--") -> None:
    """Raise DataError unless the data's images are as large as the model's; `options` of data begin so."""
    if (width, height) != (model, model):
        trained = f", or train with --model.width {width}" if width == height else ""
        raise DataError(
            f"{data}: its images are {width}×{height}, the model's {model}×{model}; generate with "
            f"{options}width {model} {options}height {model}{trained}"
        )


def check_traced(experiment: Experiment, data: str) -> None:
    """Raise DataError unless the images that the experiment has traced, called `data`, are as large as its model's."""
    check_size(experiment.model.width, experiment.data.width, experiment.data.height, data, "--data.")
