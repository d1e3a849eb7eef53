"""Scenes found from pictures: the free numbers at which the renderer's pictures are nearest to those given.

Each iteration takes the pictures' Jacobian by all free numbers (`luxel.fit.gradient`), which either method steps by:
Adam by the loss's gradient alone, Levenberg and Marquardt's by the linearised least-squares problem, whose matrix comes
with the Jacobian for nothing. Numbers are counted in steps of `luxel.fit.steps`, so that a position in scene units and
a lamp's radiance are alike.

Coarse pictures come first, a quarter and half as large, beside the given ones' means over blocks: cheap, with less
noise, and what is some pixels away in large pictures is near in small ones.

The loss is `display_huber` of radiance times an exposure: what a display shows, bright pixels relatively, and single
pixels that are far off, as noise of paths leaves them, count linearly.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from typing import Annotated, Any, Literal

import numpy as np
import torch
from jaxtyping import Float32, Float64
from pydantic import Field
from torch.nn.functional import adaptive_avg_pool2d

from luxel import InputError
from luxel.configuration import Configuration
from luxel.fit.gradient import Differences, Pairs, PixelsMoved, differences
from luxel.fit.parameters import Parameters, Vector, Views
from luxel.fit.steps import steps
from luxel.image.formats import as_radiance
from luxel.image.losses import DISPLAY_HUBER, display_huber, display_scale
from luxel.memory import check_fits
from luxel.models.ray_model import RayModel
from luxel.pipeline import Renderer, check_scene
from luxel.scene.description import Camera, Scene

Pictures = Float32[np.ndarray, "views height width 3"]

MIDDLE, BRIGHTEST = 0.3, 0.95
"""What the exposure brings pictures' mean to, in which no radiance counts more than all but the brightest 5 % have."""
JACOBIAN = 28
"""Bytes of a number's derivative: in float32, and relative, weighted and squared in float64."""
SMALLEST = 10
"""Pixels that a side has at least in coarse pictures."""
BETA1, BETA2, EPSILON = 0.9, 0.99, 1e-12
"""Adam's (Kingma and Ba 2015), with a shorter memory of squares, as there are tens of iterations and not thousands."""
LAST_RATE = 0.05
"""The share of Adam's rate at its last iteration, which it falls to as a cosine."""
FARTHEST = 40.0
"""Steps that a number may go in one iteration: pictures are linear in none of them for longer."""
DAMPING, LESS, MORE, LEAST_DAMPING, TRIES = 1e-2, 0.25, 4.0, 1e-6, 8
"""Marquardt's λ at the start, times what after a step that helped and after one that did not; and how many of these."""
WIDEST = 2.0
"""The longest differences, over the usual: where no step helped, pictures' slopes are looked for over twice as far."""
PATIENCE = 3
"""Iterations that gain less than the tolerance, until the search ends."""


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


@dataclass(frozen=True)
class State:
    """Where a search stands after some iterations; with the problem all that the next one depends on."""

    numbers: tuple[float, ...]
    """The free numbers."""
    losses: tuple[float, ...] = ()
    """Before each iteration, of the pictures at its level."""
    damping: float = DAMPING
    """Marquardt's λ."""
    widening: float = 1.0
    """What the steps of differences are multiplied by."""
    mean: tuple[float, ...] = ()
    """Adam's mean of gradients."""
    square: tuple[float, ...] = ()
    """Adam's mean of their squares."""
    level: int = 0
    """Of pictures: 0 are the coarsest."""
    since: int = 0
    """Iterations before this level."""
    ended: bool = False

    @property
    def iterations(self) -> int:
        """How many there were."""
        return len(self.losses)


@dataclass(frozen=True)
class Problem:
    """Pictures, what may have made them, and how that is searched for."""

    renderer: Renderer
    parameters: Parameters
    images: Pictures
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
        if not isinstance(images, Sequence) or not images:
            raise InputError("images must be a list of at least one picture, [height, width, 3]; of one, [image]")
        names = sources or [f"images[{number}]" for number in range(len(images))]
        pictures = [as_radiance(image, name) for image, name in zip(images, names, strict=True)]
        for picture, name in zip(pictures, names, strict=True):
            if picture.shape != pictures[0].shape:
                sizes = [f"{width}×{height}" for height, width, _ in (picture.shape, pictures[0].shape)]
                raise InputError(f"{name} is of {sizes[0]}, but {names[0]} of {sizes[1]}: give pictures of one size")
        if len(images) != len(cameras or [scene.camera]):
            raise InputError(
                f"there are {len(images)} images and {len(cameras or [scene.camera])} cameras; give cameras, one an "
                "image, in the images' order"
            )
        parameters = Parameters.of(Views.of(scene, cameras), free, bounds)
        height, width, _ = pictures[0].shape
        numbers = len(parameters.names)
        check_fits(
            numbers * len(pictures) * pictures[0].size * JACOBIAN,
            f"{numbers} free numbers and {len(pictures)} images of {width}×{height}",
            "free fewer, or give smaller images",
        )
        return Problem(renderer, parameters, np.stack(pictures), settings or FitSettings())

    @property
    def start(self) -> State:
        """Before the first iteration."""
        return State(tuple(self.parameters.read(self.parameters.start).tolist()))

    @cached_property
    def exposure(self) -> float:
        """What radiance is multiplied by, as a photograph's would be chosen."""
        most = float(np.quantile(self.images, BRIGHTEST)) or float(self.images.max())
        return MIDDLE / float(np.minimum(self.images, most).mean(dtype=np.float64)) if most > 0 else 1.0

    @cached_property
    def levels(self) -> "list[Problem]":
        """This with coarser pictures, the coarsest first; at last this itself."""
        _, height, width, _ = self.images.shape
        count = self.settings.levels if isinstance(self.renderer.model, RayModel) else 1
        factors = [2**level for level in range(count) if level == 0 or min(width, height) >= SMALLEST << level]
        return [self._coarser(factor) for factor in reversed(factors)]

    def _coarser(self, factor: int) -> "Problem":
        if factor == 1:
            return self
        _, height, width, _ = self.images.shape
        rows = height // factor
        size = rows, max(1, round(width * rows / height))
        means = adaptive_avg_pool2d(torch.from_numpy(self.images).movedim(-1, 1), size).movedim(1, -1)
        coarse = replace(self, images=means.contiguous().numpy())
        coarse.__dict__["exposure"] = self.exposure
        return coarse

    def views(self, state: State) -> Views:
        """The scene as a state has it."""
        return self.parameters.at(np.array(state.numbers))

    def pictures(self, views: Views) -> Pictures:
        """As the renderer sees the views."""
        _, height, width, _ = self.images.shape
        return self.renderer.render(views.scenes, width, height)

    def differences(self, views: Views, widening: float = 1.0) -> Differences:
        """See `luxel.fit.gradient`; over steps so many times as long."""
        _, height, width, _ = self.images.shape
        pixels, pairs = self.settings.pixels, self.settings.pairs
        return differences(
            self.renderer, self.parameters, views, width, height, pixels=pixels, pairs=pairs, widening=widening
        )

    def loss(self, pictures: Pictures) -> float:
        """The mean of `display_huber` over pixels and channels."""
        seen, target = (torch.from_numpy(image).double() * self.exposure for image in (pictures, self.images))
        return float(display_huber(seen, target).mean())

    def least_squares(self, found: Differences, unit: Vector) -> "LeastSquares":
        """The loss about pictures, in numbers of `unit` each."""
        exposure = self.exposure
        scale = display_scale(torch.from_numpy(found.pictures).double() * exposure).numpy() / exposure
        error = (found.pictures - self.images) / scale
        weight = np.minimum(1.0, DISPLAY_HUBER / np.maximum(np.abs(error), 1e-30))
        jacobian = found.jacobian.reshape(len(unit), -1) / scale.reshape(-1) * unit[:, None]
        weighted = jacobian * weight.reshape(-1)
        return LeastSquares(
            weighted @ jacobian.T / error.size,
            weighted @ error.reshape(-1) / error.size,
            weighted @ (weighted * error.reshape(-1) ** 2).T / error.size,
            error.size,
            scale,
        )


@dataclass(frozen=True)
class LeastSquares:
    """Huber's loss about a point, reweighted (Holland and Welsch 1977): half the mean of w e², of errors e + J x.

    That is b·x + x A x / 2 and a constant.
    """

    matrix: Float64[np.ndarray, "numbers numbers"]
    """A: the mean of w J Jᵀ."""
    gradient: Vector
    """b: the mean of w e J."""
    spread: Float64[np.ndarray, "numbers numbers"]
    """The mean of (w e)² J Jᵀ."""
    count: int
    scale: Float64[np.ndarray, "views height width 3"]
    """What errors of radiance are divided by."""

    def step(self, damping: float, is_free: np.ndarray) -> Vector:
        """Marquardt's (1963, eq. 18), of the numbers that are free to go; of those without effect none."""
        step, chosen = np.zeros(len(self.gradient)), is_free & (np.diag(self.matrix) > 0)
        if chosen.any():
            matrix = self.matrix[np.ix_(chosen, chosen)]
            damped = matrix + damping * np.diag(np.diag(matrix))
            step[chosen] = -np.linalg.lstsq(damped, self.gradient[chosen], rcond=1e-12)[0]
        return np.clip(step, -FARTHEST, FARTHEST)

    @property
    def errors(self) -> Vector:
        """Standard errors of the numbers by the pixels' residuals, taken as independent (White 1980); inf if unseen."""
        seen = np.diag(self.matrix) > 0
        errors = np.full(len(seen), np.inf)
        if seen.any():
            inverse = np.linalg.pinv(self.matrix[np.ix_(seen, seen)], rcond=1e-10, hermitian=True)
            covariance = inverse @ self.spread[np.ix_(seen, seen)] @ inverse / self.count
            errors[seen] = np.sqrt(np.maximum(np.diag(covariance), 0))
        return errors


def advance(problem: Problem, state: State) -> State:
    """The state after one more iteration."""
    settings, level = problem.settings, problem.levels[state.level]
    views = problem.views(state)
    found = level.differences(views, state.widening)
    unit = steps(problem.parameters, views, found.pictures.shape[1], settings.pixels)
    local = level.least_squares(found, unit)
    state = replace(state, losses=(*state.losses, level.loss(found.pictures)))
    if settings.method == "adam":
        state = _adam(problem, state, local.gradient, unit)
        is_through = state.iterations >= settings.iterations * (state.level + 1) / len(problem.levels)
    else:
        state, is_through = _marquardt(level, state, found, local, unit)
    if state.iterations >= settings.iterations or (is_through and state.level == len(problem.levels) - 1):
        return replace(state, ended=True)
    if is_through:
        return replace(state, level=state.level + 1, since=state.iterations, damping=DAMPING, widening=1.0)
    return state


def _marquardt(
    problem: Problem, state: State, found: Differences, local: LeastSquares, unit: Vector
) -> tuple[State, bool]:
    """A step that lowers the loss of one level, and whether there is no more to gain."""
    parameters, vector = problem.parameters, np.array(state.numbers)
    rises = local.gradient > 0
    is_free = ~((vector <= parameters.low) & rises | (vector >= parameters.high) & ~rises)
    damping, before = state.damping, _huber(problem, found.pictures, local.scale)
    for _ in range(TRIES):
        there = np.clip(vector + local.step(damping, is_free) * unit, parameters.low, parameters.high)
        views = parameters.at(there)
        after = _huber(problem, problem.pictures(views), local.scale)
        if after < before:
            losses = state.losses[state.since :]
            gains = [1 - after / before, *(1 - then / first for first, then in pairwise(losses[-PATIENCE:]))]
            is_through = len(gains) == PATIENCE and max(gains) < problem.settings.tolerance
            numbers = tuple(parameters.read(views).tolist())
            damping, widening = max(damping * LESS, LEAST_DAMPING), max(state.widening / 2, 1.0)
            return replace(state, numbers=numbers, damping=damping, widening=widening), is_through
        damping *= MORE
    return replace(state, widening=2 * state.widening), state.widening >= WIDEST


def _huber(problem: Problem, pictures: Pictures, scale: np.ndarray) -> float:
    """The mean of Huber's loss of errors over a scale that stays, as two pictures are compared by."""
    error = np.abs(pictures - problem.images) / scale
    return float(np.where(error < DISPLAY_HUBER, error**2, DISPLAY_HUBER * (2 * error - DISPLAY_HUBER)).mean())


def _adam(problem: Problem, state: State, gradient: Vector, unit: Vector) -> State:
    """Kingma and Ba 2015, algorithm 1, in steps of differences."""
    count, settings = state.iterations, problem.settings
    zeros = np.zeros_like(gradient)
    mean = BETA1 * (np.array(state.mean) if state.mean else zeros) + (1 - BETA1) * gradient
    square = BETA2 * (np.array(state.square) if state.square else zeros) + (1 - BETA2) * gradient**2
    step = mean / (1 - BETA1**count) / (np.sqrt(square / (1 - BETA2**count)) + EPSILON)
    through = (count - 1) / settings.iterations
    rate = settings.learning_rate * (LAST_RATE + (1 - LAST_RATE) * (1 + math.cos(math.pi * through)) / 2)
    there = np.clip(np.array(state.numbers) - rate * step * unit, problem.parameters.low, problem.parameters.high)
    numbers = problem.parameters.read(problem.parameters.at(there))
    return replace(
        state,
        numbers=tuple(numbers.tolist()),
        mean=tuple(mean.tolist()),
        square=tuple(square.tolist()),
    )


@dataclass(frozen=True)
class Found:
    """A scene that was found, and how near it comes."""

    scene: Scene
    cameras: tuple[Camera, ...]
    """One an image; of one, the scene's."""
    numbers: dict[str, float]
    """Each free number, by its name."""
    start: dict[str, float]
    errors: dict[str, float]
    """Standard errors by the pictures' noise and misfit; inf of a number that changes no picture. What the renderer
    itself gets wrong is not in them."""
    losses: tuple[float, ...]
    """`display_huber` before each iteration, of pictures of its size, and at the end."""
    start_loss: float
    """Of pictures of the size at the end."""
    start_pictures: Pictures
    pictures: Pictures


def found(problem: Problem, state: State) -> Found:
    """What a search has come to."""
    parameters, views = problem.parameters, problem.views(state)
    final = problem.differences(views)
    unit = steps(parameters, views, final.pictures.shape[1], problem.settings.pixels)
    errors = problem.least_squares(final, unit).errors * unit
    names, start_pictures = parameters.names, problem.pictures(parameters.start)
    return Found(
        scene=views.scenes[0],
        cameras=views.cameras,
        numbers=dict(zip(names, state.numbers, strict=True)),
        start=dict(zip(names, problem.start.numbers, strict=True)),
        errors=dict(zip(names, errors.tolist(), strict=True)),
        losses=(*state.losses, problem.loss(final.pictures)),
        start_loss=problem.loss(start_pictures),
        start_pictures=start_pictures,
        pictures=final.pictures,
    )


def fit(
    renderer: Renderer,
    images: Sequence[Any],
    scene: Scene,
    free: Sequence[str],
    *,
    cameras: Sequence[Camera] | None = None,
    bounds: Mapping[str, tuple[float, float]] | None = None,
    settings: FitSettings | None = None,
    progress: Callable[[State], object] | None = None,
) -> Found:
    """The scene like `scene` whose pictures are nearest to `images`, by the leaves that are `free` to change.

        found = fit(renderer, [image], start, ["objects[2].center", "objects[1].material.base_color", "background"])

    Images are linear radiance, [height, width, 3], of one size, noisy or not; of several, `cameras` has one each, whose
    leaves are `cameras[0].position` and so on. `bounds` of a leaf are (low, high) of its numbers. `progress` is called
    after every iteration. Raises InputError for names, bounds and images that cannot be.
    """
    problem = Problem.of(renderer, images, scene, free, cameras=cameras, bounds=bounds, settings=settings)
    state = problem.start
    while not state.ended:
        state = advance(problem, state)
        if progress is not None:
            progress(state)
    return found(problem, state)
