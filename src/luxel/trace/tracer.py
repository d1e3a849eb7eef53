"""What every path tracer offers: the radiance of scenes, and how far it may be off."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32

from luxel.scene.description import Scene


class Radiance(NamedTuple):
    """Traced images: linear RGB radiance, box-filtered over each pixel; row 0 is the top.

    `variance` is the estimated variance of `mean`, per pixel and channel; it is infinite if `spp` is 1,
    when nothing is known about it. `path_variance` is that of one path, the mean over an image; None: spp · `variance`,
    as it is where paths are independent, and not stratified.
    """

    mean: Float32[np.ndarray, "batch height width 3"]
    variance: Float32[np.ndarray, "batch height width 3"]
    spp: int
    path_variance: Float32[np.ndarray, " batch"] | None = None

    @property
    def variance_of_a_path(self) -> Float32[np.ndarray, " batch"]:
        """Of every image, the mean over pixels and channels."""
        if self.path_variance is None:
            return np.float32(self.spp) * self.variance.mean((1, 2, 3))
        return self.path_variance

    def rows(self, part: slice) -> "Radiance":
        """The images of this part."""
        return Radiance(self.mean[part], self.variance[part], self.spp, self.variance_of_a_path[part])

    @staticmethod
    def joined(parts: Sequence["Radiance"]) -> "Radiance":
        """The images of all parts, one after another, all of as many paths a pixel."""
        columns = zip(*((part.mean, part.variance, part.variance_of_a_path) for part in parts), strict=True)
        mean, variance, path_variance = map(np.concatenate, columns)
        return Radiance(mean, variance, parts[0].spp, path_variance)


@runtime_checkable
class Tracer(Protocol):
    """A path tracer; for one machine and version, what it returns depends on its arguments alone."""

    def trace(self, scenes: Sequence[Scene], width: int, height: int, spp: int, seed: int) -> Radiance:
        """Trace every scene with `spp` paths a pixel.

        An image depends on its own scene, not on the others or their order.
        """
        ...


@runtime_checkable
class InProcessTracer(Protocol):
    """A Tracer that works in the caller's process, and tells of its progress."""

    @property
    def renderer(self) -> str:
        """Name, versions and device, for manifests and reports."""
        ...

    def trace(
        self,
        scenes: Sequence[Scene],
        width: int,
        height: int,
        spp: int,
        seed: int,
        progress: Callable[[int], object] | None = None,
    ) -> Radiance:
        """As a Tracer does; `progress` is called with every number of pixels that are done."""
        ...
