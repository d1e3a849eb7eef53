"""Metrics of a model over a test set: each image's, their mean and a bootstrap interval of it."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from luxel.core.scene_batch import SceneBatch
from luxel.data.dataset import Batch, ShardDataset
from luxel.image.losses import loss_function
from luxel.image.metrics import LOWER_IS_BETTER, SSIM_WINDOW, equivalent_spp, image_metrics, per_image
from luxel.models.ray_model import RayModel
from luxel.progress import ProgressBar

RESAMPLES = 2000
Images: TypeAlias = Float[Tensor, "batch height width 3"]
Statistic = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Summary:
    """A mean over images and its 95 % bootstrap interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Evaluation:
    """Metrics of one model on one test set. `per_image` has one value an image, in the set's order.

    The set's equivalent spp is that of its mean squared error: one hard image weighs as much as its error.
    """

    tone_map: str
    reference_spp: int
    test_set: str
    """Content hash of the test set."""
    images: int
    images_per_s: float
    loss: str
    """The loss that the model was trained with, which the metric of this name is."""
    metrics: dict[str, Summary]
    per_image: dict[str, list[float]]

    @property
    def provenance(self) -> str:
        """What a figure of this evaluation must be quoted with."""
        return (
            f"{self.images} test images, hash {self.test_set[:16]}, reference {self.reference_spp} spp, "
            f"tone map {self.tone_map}, loss {self.loss}"
        )

    def interval(self, metric: str) -> str:
        """The metric's interval in words; of a single image there is none."""
        summary = self.metrics[metric]
        return "one image" if self.images == 1 else f"{summary.low:.4g} – {summary.high:.4g}"

    @property
    def left_out(self) -> str:
        """What is missing among the metrics, and why; empty if nothing is."""
        missing = ", ".join(name for name in LOWER_IS_BETTER if name not in self.metrics)
        return missing and f"{missing} is left out: images are smaller than its window of {SSIM_WINDOW}×{SSIM_WINDOW}"

    @property
    def file(self) -> str:
        """A file name that no other test set or tone map shares."""
        return evaluation_file(self.test_set, self.tone_map)


def evaluation_file(test_set: str, tone_map: str) -> str:
    """`Evaluation.file`, before there is one."""
    return f"evaluation-{test_set[:8]}-{tone_map}.json"


@dataclass(frozen=True)
class EvaluationProtocol:
    """What figures are measured by, and quoted with; `Evaluation` says it, too."""

    reference_spp: int
    """Of the truth."""
    test_set: str
    """Its content hash."""
    loss: str = "perceptual"
    tone_map: str = "clamp"

    @staticmethod
    def of(test: ShardDataset, loss: str = "perceptual", tone_map: str = "clamp") -> "EvaluationProtocol":
        """That of the pictures of a test set."""
        return EvaluationProtocol(int(test.manifest.settings["spp"]), test.content_hash, loss, tone_map)


@torch.no_grad()
def evaluate(
    model: nn.Module,
    batches: Iterable[Batch],
    protocol: EvaluationProtocol,
    device: str | torch.device = "cpu",
    progress: bool = True,
    on_radiance: Callable[[Images], object] | None = None,
) -> Evaluation:
    """Evaluate in float32 and evaluation mode, on the device where the model is; a ray model at the images' size.

    `on_radiance` is called with the radiance of every batch as the model renders it, on the CPU.
    """
    model.eval()
    loss = loss_function(protocol.loss)
    columns: dict[str, list[float]] = {}
    seconds = 0.0
    for batch in ProgressBar(batches, desc="evaluate", unit="batch", disable=not progress):
        batch = batch.to(device)
        started = time.monotonic()
        height, width = batch.radiance.shape[1:3]
        size = {"width": width, "height": height} if isinstance(model, RayModel) else {}
        radiance = model(batch.scenes, **size).cpu()
        seconds += time.monotonic() - started
        if on_radiance is not None:
            on_radiance(radiance)
        target, variance = batch.radiance.cpu(), batch.variance.cpu()
        noise = per_image(variance)
        of_a_path = protocol.reference_spp * noise if batch.path_variance is None else batch.path_variance.cpu()
        values = image_metrics(radiance, target, variance, of_a_path, protocol.tone_map, loss)
        for name, column in {**values, "noise": noise, "path_variance": of_a_path}.items():
            columns.setdefault(name, []).extend(column.tolist())
    noises, path_variances = np.array(columns.pop("noise")), np.array(columns.pop("path_variance"))
    metrics = {name: bootstrap(np.array(values)) for name, values in columns.items()}

    def pooled(means: np.ndarray) -> np.ndarray:
        return equivalent_spp(*torch.from_numpy(means).unbind(dim=1)).numpy()

    metrics["equivalent_spp"] = bootstrap(np.stack([columns["mse"], noises, path_variances], axis=1), pooled)
    images = len(noises)
    return Evaluation(
        tone_map=protocol.tone_map,
        reference_spp=protocol.reference_spp,
        test_set=protocol.test_set,
        images=images,
        images_per_s=images / seconds,
        loss=protocol.loss,
        metrics=metrics,
        per_image=columns,
    )


class Background(nn.Module):
    """What a model must beat: the background everywhere, size × size."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def forward(self, scenes: SceneBatch) -> Images:
        """The background of each scene."""
        return scenes.background[:, None, None].expand(-1, self.size, self.size, -1).contiguous()


def bootstrap(values: Float[np.ndarray, "images *columns"], statistic: Statistic = lambda mean: mean) -> Summary:
    """A statistic of the mean over images and its 95 % percentile bootstrap interval (Efron 1979)."""
    draws = np.random.default_rng(0).integers(len(values), size=(RESAMPLES, len(values)))
    resampled = statistic(values[draws].mean(axis=1))
    low, high = np.quantile(resampled, [0.025, 0.975])
    return Summary(float(statistic(values.mean(axis=0, keepdims=True))[0]), float(low), float(high))
