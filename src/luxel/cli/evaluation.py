"""What `luxel evaluate` does: a test set is found or traced, a model rendered on it, its metrics and a page written."""

import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import tyro
from jaxtyping import Float32
from pydantic import Field
from torch import Tensor

from luxel.configuration import BatchSize, Configuration, Pixels
from luxel.data.batches import evaluation_batches
from luxel.data.dataset import ShardDataset
from luxel.evaluation.evaluate import Evaluation, EvaluationProtocol, evaluate, evaluation_file
from luxel.evaluation.report import Section, of_test_set, write_report
from luxel.experiments.data_sets import evaluation_set, is_run
from luxel.experiments.requirements import check_size
from luxel.experiments.run_config import experiment_of
from luxel.files.atomic import check_writable
from luxel.files.typed_json import write_json
from luxel.image.formats import Radiance
from luxel.image.tonemap import tone_map
from luxel.models.model_types import Model
from luxel.models.ray_model import RayModel
from luxel.pipeline import Renderer, check_shapes

GALLERY = 12
"""Scenes on the page."""


@dataclass(frozen=True)
class EvaluateOptions(Configuration):
    """What `luxel evaluate` is asked for."""

    model: tyro.conf.Positional[str]
    """A model that Luxel comes with, a run folder, a folder that `save_pretrained` wrote, or hf-hub:OWNER/NAME."""
    data: str | None = None
    """Data set whose test split to use; or scenes:DIR for a folder of scenes, which are traced beside it. Unless
    given, a run's own; for other ray models 32 unseen scenes of `mixed`, traced below data/."""
    width: Pixels | None = None
    """Of the pictures, where they are traced for this; any for a ray model. Width or height alone makes a square;
    neither, the model's own size, or 128 of the unseen scenes."""
    height: Pixels | None = None
    spp: Annotated[int, Field(ge=2, le=1 << 24)] | None = None
    """Paths a pixel of the truth, where it is traced for this; 256 unless given, or a run's own."""
    tone_map: str = "clamp"
    """For PSNR, SSIM and FLIP: clamp or reinhard."""
    batch_size: BatchSize = 64
    device: str = "cpu"


def evaluate_model(options: EvaluateOptions) -> int:
    """Evaluate the model, write its metrics and a page, print both, and return the exit code."""
    tone_map(options.tone_map)
    model = Renderer.from_pretrained(options.model, options.device).model
    folder = Path(options.model)
    chosen = evaluation_set(
        folder, model.config, options.data, width=options.width, height=options.height, spp=options.spp
    )
    check_writable(place_of(folder, "evaluation.json"))  # whose name will have the set's hash, once that is traced
    print(f"test set: {chosen}", file=sys.stderr)
    test = ShardDataset(chosen.traced(), "test")
    check_suits(model, test)
    path = place_of(folder, evaluation_file(test.content_hash, options.tone_map))
    page = path.with_suffix(".html")
    check_writable(path)
    check_writable(page)
    evaluation, pictures = evaluated(model, test, options)
    write_json(path, asdict(evaluation))
    print_metrics(evaluation)
    gallery = Section("The first test scenes", of_test_set(test, {folder.resolve().name: pictures}))
    write_report(page, f"Luxel: {options.model}", [gallery], evaluation)
    print(f"{evaluation.images_per_s:.1f} images/s; per image in {path}, pictures in {page}")
    return 0


def place_of(model: Path, file: str) -> Path:
    """Where a file about the model goes: into its run folder, else into the current one, with the model's name."""
    return model / file if is_run(model) else Path(f"{model.resolve().name}-{file}")


def check_suits(model: Model, test: ShardDataset) -> None:
    """Raise DataError for pictures of a size, or InputError for shapes, that an image model cannot render."""
    if isinstance(model, RayModel):
        return
    settings = test.manifest.settings
    check_size(model.config.width, int(settings["width"]), int(settings["height"]), str(test.root))
    check_shapes([test.scene(index) for index in range(len(test))])


def evaluated(
    model: Model, test: ShardDataset, options: EvaluateOptions
) -> tuple[Evaluation, Float32[np.ndarray, "scenes height width 3"]]:
    """The model's metrics over the test set, and its first pictures."""
    folder, pictures = Path(options.model), list[Radiance]()

    def keep_first(radiance: Tensor) -> None:
        pictures.extend(radiance[: GALLERY - len(pictures)].clamp(min=0).numpy())  # as `Renderer` does

    loss = experiment_of(folder).train.loss if is_run(folder) else "perceptual"
    evaluation = evaluate(
        model,
        evaluation_batches(test, options.batch_size),
        EvaluationProtocol.of(test, loss, options.tone_map),
        options.device,
        on_radiance=keep_first,
    )
    return evaluation, np.stack(pictures)


def print_metrics(evaluation: Evaluation) -> None:
    """A line a metric, under what it must be quoted with."""
    print(f"{evaluation.provenance}; mean and 95 % bootstrap interval")
    for metric, summary in evaluation.metrics.items():
        print(f"{metric:>15}  {summary.mean:10.4g}   {evaluation.interval(metric)}")
    if evaluation.left_out:
        print(evaluation.left_out)
