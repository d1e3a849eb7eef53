"""`luxel evaluate`: metrics of a model over a test set."""

import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import tyro
from pydantic import Field

from luxel.cli.options import parsed
from luxel.configuration import BatchSize, Configuration, Pixels

GALLERY = 12
"""Scenes on the page."""


def evaluate(arguments: list[str]) -> int:
    """Metrics of a model over a test set: luxel evaluate MODEL."""
    import numpy as np
    from torch import Tensor

    from luxel.data.batches import evaluation_batches
    from luxel.data.dataset import ShardDataset
    from luxel.evaluation.evaluate import evaluate as run
    from luxel.evaluation.evaluate import evaluation_file
    from luxel.evaluation.report import Section, of_test_set, write_report
    from luxel.experiments.data_sets import evaluation_set, is_run
    from luxel.experiments.requirements import check_size
    from luxel.experiments.run_config import experiment_of
    from luxel.files.atomic import check_writable
    from luxel.files.typed_json import write_json
    from luxel.image.formats import Radiance
    from luxel.image.tonemap import tone_map
    from luxel.models.ray_model import RayModel
    from luxel.pipeline import Renderer, check_shapes

    @dataclass(frozen=True)
    class Options(Configuration):
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

    options = parsed(Options, "luxel evaluate", arguments)
    tone_map(options.tone_map)
    renderer, folder = Renderer.from_pretrained(options.model, options.device), Path(options.model)
    name = folder.resolve().name
    model, tone, device = renderer.model, options.tone_map, options.device
    chosen = evaluation_set(
        folder, model.config, options.data, width=options.width, height=options.height, spp=options.spp
    )

    def placed(file: str) -> Path:
        return folder / file if is_run(folder) else Path(f"{name}-{file}")

    check_writable(placed("evaluation.json"))  # whose name will have the set's hash, once that is traced
    print(f"test set: {chosen}", file=sys.stderr)
    test = ShardDataset(chosen.traced(), "test")
    settings = test.manifest.settings
    if not isinstance(model, RayModel):
        check_size(model.config.width, int(settings["width"]), int(settings["height"]), str(test.root))
        check_shapes([test.scene(index) for index in range(len(test))])
    path = placed(evaluation_file(test.content_hash, tone))
    page = path.with_suffix(".html")
    check_writable(path)
    check_writable(page)
    loss = experiment_of(folder).train.loss if is_run(folder) else "perceptual"
    batches = evaluation_batches(test, options.batch_size)
    pictures: list[Radiance] = []

    def keep_first(radiance: Tensor) -> None:
        pictures.extend(radiance[: GALLERY - len(pictures)].clamp(min=0).numpy())  # as `Renderer` does

    evaluation = run(model, batches, int(settings["spp"]), test.content_hash, loss, tone, device, seen=keep_first)
    write_json(path, asdict(evaluation))
    print(f"{evaluation.provenance}; mean and 95 % bootstrap interval")
    for metric, summary in evaluation.metrics.items():
        print(f"{metric:>15}  {summary.mean:10.4g}   {summary.low:.4g} – {summary.high:.4g}")
    if evaluation.left_out:
        print(evaluation.left_out)
    gallery = Section("The first test scenes", of_test_set(test, {name: np.stack(pictures)}))
    write_report(page, f"Luxel: {options.model}", [gallery], evaluation)
    print(f"{evaluation.images_per_s:.1f} images/s; per image in {path}, pictures in {page}")
    return 0
