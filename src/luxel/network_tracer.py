"""A trained model blended with paths, in the place of a tracer: data sets in a fraction of the time, not quite true."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import torch

from luxel import InputError, __version__
from luxel.data.generate_settings import GenerateSettings
from luxel.pipeline import Renderer
from luxel.scene.description import Scene
from luxel.trace.tracer import Radiance

DIGITS = 16
"""Of the model's fingerprint."""


@dataclass(frozen=True)
class NetworkTracer:
    """A Renderer as a Tracer."""

    network: Renderer

    @cached_property
    def renderer(self) -> str:
        """Name, versions, weights and device, for manifests and reports."""
        return f"luxel {__version__} {self.network.name} {self.network.fingerprint()[:DIGITS]} {self.network.device}"

    def trace(
        self,
        scenes: Sequence[Scene],
        width: int,
        height: int,
        spp: int,
        seed: int,
        progress: Callable[[int], object] | None = None,
    ) -> Radiance:
        """Pictures blended with `spp` paths a pixel, one after another; the variance is their expected squared error.

        `path_variance` is that of the paths. `progress` is called with every number of pixels that are done.
        """
        found = [self.network.estimate(scene, width, height, spp, seed, progress) for scene in scenes]
        mean, error, path_variance = (np.stack(values) for values in zip(*found, strict=True))
        return Radiance(mean, np.repeat(error[..., None], 3, -1), spp, path_variance)


@dataclass(frozen=True)
class NetworkSettings(GenerateSettings):
    """What decides every byte of a data set whose pictures are a model's, blended with `spp` paths a pixel."""

    model: str = "ray-small"
    """As `Renderer.from_pretrained` takes it."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.tracer != "path":
            raise InputError(f"tracer is {self.tracer}, must be path, as a model is blended with its paths alone")

    def make_tracer(self) -> NetworkTracer:
        """The model, on a GPU where there is one."""
        return tracer_of(self.model, "cuda" if torch.cuda.is_available() else "cpu", self.max_depth)


@lru_cache(maxsize=1)
def tracer_of(model: str, device: str, max_depth: int) -> NetworkTracer:
    """The tracer of a model, read once. Raises InputError as `Renderer.from_pretrained` does."""
    return NetworkTracer(Renderer.from_pretrained(model, device, max_depth))
