"""What a fit is of: pictures, the scene that may have made them, and the loss between them and the renderer's.

The loss is `display_huber` of radiance times an exposure: what a display shows, bright pixels relatively, and single
pixels that are far off, as noise of paths leaves them, count linearly.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
import torch
from jaxtyping import Float32, Float64
from pydantic import Field
from torch.nn.functional import adaptive_avg_pool2d

from luxel import InputError
from luxel.configuration import Configuration
from luxel.fit.gradient import Differences, Pairs, Pictured, PixelsMoved, Stepping, differences
from luxel.fit.parameters import Parameters, Vector, Views
from luxel.image.formats import as_radiance
from luxel.image.losses import DISPLAY_HUBER, display_huber, display_scale
from luxel.memory import check_fits
from luxel.models.ray_model import RayModel
from luxel.pipeline import Renderer
from luxel.scene.arguments import check_scene
from luxel.scene.description import Camera, Scene

Pictures = Float32[np.ndarray, "views height width 3"]
Entries = Float64[np.ndarray, "views height width 3"]
Jacobian = Float64[np.ndarray, "numbers entries"]

MEAN_EXPOSED, EXPOSED_QUANTILE = 0.3, 0.95
"""What the exposure brings pictures' mean to, in which no radiance counts more than all but the brightest 5 % have."""
JACOBIAN_ENTRY_BYTES = 28
"""Bytes of a number's derivative: in float32, and relative, weighted and squared in float64."""
MIN_SIDE = 10
"""Pixels that a side has at least in coarse pictures."""
MAX_STEP = 40.0
"""Steps that a number may go in one iteration: pictures are linear in none of them for longer."""


@dataclass(frozen=True)
class FitSettings(Configuration, path="fit"):
    """How a scene is searched for."""

    method: Literal["lm", "adam"] = "lm"
    """lm: Levenberg-Marquardt; adam: Adam."""
    iterations: Annotated[int, Field(ge=1, le=100_000)] = 60
    """At most, for lm ends when it gains no more."""
    learning_rate: Annotated[float, Field(gt=0, le=100)] = 1.0
    """Of Adam, in steps of differences: half a pixel, some hundredths of a colour, a twentieth of a lamp's radiance."""
    tolerance: Annotated[float, Field(ge=0, le=1)] = 1e-3
    """Of the loss, relative: lm ends after three iterations that gain less."""
    levels: Annotated[int, Field(ge=1, le=10)] = 3
    """Sizes of pictures, each half of the next; of a model of one size, and of small pictures, fewer are taken."""
    pixels: PixelsMoved = 0.5
    """How far differences move geometry, in pixels."""
    pairs: Pairs = 1
    """Pairs of pictures that each derivative is taken from."""


def exposure_of(images: Pictures) -> float:
    """That puts the mean of the pictures, but for their brightest pixels, in the middle; 1 of black ones."""
    most = float(np.quantile(images, EXPOSED_QUANTILE)) or float(images.max())
    return MEAN_EXPOSED / float(np.minimum(images, most).mean(dtype=np.float64)) if most > 0 else 1.0


def stacked_pictures(images: Sequence[Any], sources: Sequence[str] | None = None) -> Pictures:
    """The images in one array. Raises InputError, with their names in `sources`, for none, and unless sizes agree."""
    if not isinstance(images, Sequence) or not images:
        raise InputError("images must be a list of at least one picture, [height, width, 3]; of one, [image]")
    names = sources or [f"images[{number}]" for number in range(len(images))]
    pictures = [as_radiance(image, name) for image, name in zip(images, names, strict=True)]
    for picture, name in zip(pictures, names, strict=True):
        if picture.shape != pictures[0].shape:
            sizes = [f"{width}×{height}" for height, width, _ in (picture.shape, pictures[0].shape)]
            raise InputError(f"{name} is of {sizes[0]}, but {names[0]} of {sizes[1]}: give pictures of one size")
    return np.stack(pictures)


@dataclass(frozen=True)
class Problem:
    """Pictures, what may have made them, and how that is searched for."""

    renderer: Renderer
    parameters: Parameters
    images: Pictures
    exposure: float
    """What radiance is multiplied by, as a photograph's would be chosen; that of the finest pictures."""
    settings: FitSettings = field(default_factory=FitSettings)

    @staticmethod
    def of(
        renderer: Renderer,
        images: Sequence[Any],
        scene: Scene,
        free: Sequence[str],
        *,
        cameras: Sequence[Camera] | None = None,
        bounds: Mapping[str, tuple[float, float]] | None = None,
        settings: FitSettings | None = None,
        sources: Sequence[str] | None = None,
    ) -> "Problem":
        """See `fit`; `sources` are the images' names in messages."""
        check_scene("scene", scene)
        pictures = stacked_pictures(images, sources)
        views = Views.of(scene, cameras)
        if len(images) != len(views.cameras):
            raise InputError(
                f"there are {len(images)} images and {len(views.cameras)} cameras; give cameras, one an image, in the "
                "images' order"
            )
        parameters = Parameters.of(views, free, bounds)
        count, height, width, _ = pictures.shape
        numbers = len(parameters.names)
        check_fits(
            numbers * pictures.size * JACOBIAN_ENTRY_BYTES,
            f"{numbers} free numbers and {count} images of {width}×{height}",
            "free fewer, or give smaller images",
        )
        return Problem(renderer, parameters, pictures, exposure_of(pictures), settings or FitSettings())

    @cached_property
    def levels(self) -> "list[Problem]":
        """This with coarser pictures, the coarsest first; at last this itself."""
        _, height, width, _ = self.images.shape
        count = self.settings.levels if isinstance(self.renderer.model, RayModel) else 1
        factors = [2**level for level in range(count) if level == 0 or min(width, height) >= MIN_SIDE << level]
        return [self._coarser(factor) for factor in reversed(factors)]

    def _coarser(self, factor: int) -> "Problem":
        if factor == 1:
            return self
        _, height, width, _ = self.images.shape
        rows = height // factor
        size = rows, max(1, round(width * rows / height))
        means = adaptive_avg_pool2d(torch.from_numpy(self.images).movedim(-1, 1), size).movedim(1, -1)
        return replace(self, images=means.contiguous().numpy())

    def pictures(self, views: Views) -> Pictures:
        """As the renderer sees the views."""
        _, height, width, _ = self.images.shape
        return self.renderer.render(views.scenes, width, height)

    def differences(self, views: Views, widening: float = 1.0) -> Differences:
        """See `luxel.fit.gradient`; over steps so many times as long."""
        _, height, width, _ = self.images.shape
        stepping = Stepping(self.settings.pixels, self.settings.pairs, widening)
        return differences(Pictured(self.renderer, width, height), self.parameters, views, stepping)

    def loss(self, pictures: Pictures) -> float:
        """The mean of `display_huber` over pixels and channels."""
        seen, target = (torch.from_numpy(image).double() * self.exposure for image in (pictures, self.images))
        return float(display_huber(seen, target).mean())

    def loss_over(self, pictures: Pictures, scale: Entries) -> float:
        """The same with errors over a scale that stays, by which two pictures can be compared."""
        error = np.abs(pictures - self.images) / scale
        return float(np.where(error < DISPLAY_HUBER, error**2, DISPLAY_HUBER * (2 * error - DISPLAY_HUBER)).mean())

    def residuals(self, pictures: Pictures) -> "Residuals":
        """Of pictures, as the loss weighs them."""
        exposure = self.exposure
        scale = display_scale(torch.from_numpy(pictures).double() * exposure).numpy() / exposure
        error = (pictures - self.images) / scale
        return Residuals(error, np.minimum(1.0, DISPLAY_HUBER / np.maximum(np.abs(error), 1e-30)), scale)

    def least_squares(self, found: Differences, unit: Vector) -> "LeastSquares":
        """The loss about pictures, in numbers of `unit` each."""
        residuals = self.residuals(found.pictures)
        jacobian = residuals.relative(found.jacobian, unit)
        weighted = jacobian * residuals.weight.reshape(-1)
        count = residuals.error.size
        return LeastSquares(
            matrix=weighted @ jacobian.T / count,
            gradient=weighted @ residuals.error.reshape(-1) / count,
            scale=residuals.scale,
        )


class Residuals(NamedTuple):
    """What pictures are off by."""

    error: Entries
    """Over `scale`: 1 is a display's range."""
    weight: Entries
    """Huber's: 1 of errors that count in square, less of those that count linearly."""
    scale: Entries
    """What errors of radiance are divided by."""

    def relative(self, jacobian: Float32[np.ndarray, "numbers views height width 3"], unit: Vector) -> Jacobian:
        """Derivatives of errors by numbers of `unit` each."""
        return jacobian.reshape(len(unit), -1) / self.scale.reshape(-1) * unit[:, None]


@dataclass(frozen=True)
class LeastSquares:
    """Huber's loss about a point, reweighted (Holland and Welsch 1977): half the mean of w e², of errors e + J x.

    That is b·x + x A x / 2 and a constant.
    """

    matrix: Float64[np.ndarray, "numbers numbers"]
    """A: the mean of w J Jᵀ."""
    gradient: Vector
    """b: the mean of w e J."""
    scale: Entries
    """What errors of radiance are divided by."""

    def step(self, damping: float, is_free: np.ndarray) -> Vector:
        """Marquardt's (1963), of the numbers that are free to go; of those without effect none."""
        step, chosen = np.zeros(len(self.gradient)), is_free & (np.diag(self.matrix) > 0)
        if chosen.any():
            matrix = self.matrix[np.ix_(chosen, chosen)]
            damped = matrix + damping * np.diag(np.diag(matrix))
            step[chosen] = -np.linalg.lstsq(damped, self.gradient[chosen], rcond=1e-12)[0]
        return np.clip(step, -MAX_STEP, MAX_STEP)
