"""Scenes found from pictures: the free numbers at which the renderer's pictures are nearest to those given.

Each iteration takes the pictures' Jacobian by all free numbers (`luxel.fit.gradient`), which either method steps by:
Adam by the loss's gradient alone, Levenberg and Marquardt's by the linearised least-squares problem, whose matrix comes
with the Jacobian for nothing. Numbers are counted in steps of `luxel.fit.steps`, so that a position in scene units and
a lamp's radiance are alike.

Coarse pictures come first, a quarter and half as large, beside the given ones' means over blocks: cheap, with less
noise, and what is some pixels away in large pictures is near in small ones.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any
from warnings import warn

import numpy as np

from luxel import InputWarning
from luxel.fit.certainty import certainty, hardly_fallen
from luxel.fit.gradient import Differences
from luxel.fit.parameters import Vector
from luxel.fit.problem import FitSettings, LeastSquares, Pictures, Problem
from luxel.fit.steps import steps
from luxel.pipeline import Renderer
from luxel.scene.description import Camera, Scene

BETA1, BETA2, EPSILON = 0.9, 0.99, 1e-12
"""Adam's (Kingma and Ba 2015), with a shorter memory of squares, as there are tens of iterations and not thousands."""
LAST_RATE = 0.05
"""The share of Adam's rate at its last iteration, which it falls to as a cosine."""
DAMPING, DAMPING_DECREASE, DAMPING_INCREASE, MIN_DAMPING, MAX_TRIES = 1e-2, 0.25, 4.0, 1e-6, 8
"""Marquardt's λ at the start, its factors after a step that helped and after one that did not, its least value, and the
most tries of one iteration."""
MAX_WIDENING = 2.0
"""Where no step helped, pictures' slopes are taken over steps twice as long, up to so many times the usual ones."""
PATIENCE = 3
"""Iterations that gain less than the tolerance, until the search ends."""


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
    begins: tuple[int, ...] = (0,)
    """Iterations before each level of pictures so far, the coarsest first."""
    ended: bool = False

    @staticmethod
    def of(problem: Problem) -> "State":
        """Before the first iteration."""
        return State(tuple(problem.parameters.read(problem.parameters.start).tolist()))

    @property
    def level(self) -> int:
        """Of pictures: 0 are the coarsest."""
        return len(self.begins) - 1

    @property
    def iterations(self) -> int:
        """How many there were."""
        return len(self.losses)


def advance(problem: Problem, state: State) -> State:
    """The state after one more iteration."""
    settings, level = problem.settings, problem.levels[state.level]
    views = problem.parameters.at(np.array(state.numbers))
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
        return replace(state, begins=(*state.begins, state.iterations), damping=DAMPING, widening=1.0)
    return state


def _marquardt(
    problem: Problem, state: State, found: Differences, local: LeastSquares, unit: Vector
) -> tuple[State, bool]:
    """A step that lowers the loss of one level, and whether there is no more to gain."""
    parameters, vector = problem.parameters, np.array(state.numbers)
    rises = local.gradient > 0
    is_free = ~((vector <= parameters.low) & rises | (vector >= parameters.high) & ~rises)
    damping, before = state.damping, problem.loss_over(found.pictures, local.scale)
    for _ in range(MAX_TRIES):
        there = np.clip(vector + local.step(damping, is_free) * unit, parameters.low, parameters.high)
        views = parameters.at_if_any(there)
        after = math.inf if views is None else problem.loss_over(problem.pictures(views), local.scale)
        if views is not None and after < before:
            losses = state.losses[state.begins[-1] :]
            gains = [1 - after / before, *(1 - then / first for first, then in pairwise(losses[-PATIENCE:]))]
            is_through = len(gains) == PATIENCE and max(gains) < problem.settings.tolerance
            numbers = tuple(parameters.read(views).tolist())
            damping, widening = max(damping * DAMPING_DECREASE, MIN_DAMPING), max(state.widening / 2, 1.0)
            return replace(state, numbers=numbers, damping=damping, widening=widening), is_through
        damping *= DAMPING_INCREASE
    return replace(state, widening=2 * state.widening), state.widening >= MAX_WIDENING


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
    views = problem.parameters.at_if_any(there)
    numbers = state.numbers if views is None else tuple(problem.parameters.read(views).tolist())
    return replace(
        state,
        numbers=numbers,
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
    """Standard errors by the pictures' noise and misfit, blocks of pixels taken as independent (White 1980; Liang and
    Zeger 1986); inf of a number that changes no picture."""
    correlations: dict[str, float]
    """How nearly the other free numbers can do what this one does to the pictures: 0 not at all, 1 just so."""
    renderer_errors: dict[str, float]
    """By how much what the renderer gets wrong, beside a path-traced picture of what was found, has moved each number,
    to first order: subtract it for what a path tracer would have given."""
    warnings: tuple[str, ...]
    """Why numbers may be wrong by more than their errors, in words."""
    losses: tuple[float, ...]
    """`display_huber` before each iteration, of pictures of its size, and at the end."""
    begins: tuple[int, ...]
    """Where in `losses` each size of pictures begins, the smallest first."""
    start_loss: float
    """Of pictures of the size at the end."""
    start_pictures: Pictures
    pictures: Pictures


def found(problem: Problem, state: State) -> Found:
    """What a search has come to."""
    parameters = problem.parameters
    views = parameters.at(np.array(state.numbers))
    final = problem.differences(views)
    names, start_pictures = parameters.names, problem.pictures(parameters.start)
    start_loss, loss = problem.loss(start_pictures), problem.loss(final.pictures)
    sure = certainty(problem, views, final)
    return Found(
        scene=views.scenes[0],
        cameras=views.cameras,
        numbers=dict(zip(names, state.numbers, strict=True)),
        start=dict(zip(names, State.of(problem).numbers, strict=True)),
        errors=dict(zip(names, sure.errors.tolist(), strict=True)),
        correlations=dict(zip(names, sure.correlations.tolist(), strict=True)),
        renderer_errors=dict(zip(names, sure.renderer_errors.tolist(), strict=True)),
        warnings=(*hardly_fallen(start_loss, loss), *sure.warnings(names)),
        losses=(*state.losses, loss),
        begins=state.begins,
        start_loss=start_loss,
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
    after every iteration. Raises InputError for names, bounds and images that cannot be. Warns, with InputWarning, of
    numbers that the images do not determine, and of images that are not reproduced: `Found.warnings`.
    """
    problem = Problem.of(renderer, images, scene, free, cameras=cameras, bounds=bounds, settings=settings)
    state = State.of(problem)
    while not state.ended:
        state = advance(problem, state)
        if progress is not None:
            progress(state)
    result = found(problem, state)
    for warning in result.warnings:
        warn(warning, InputWarning, stacklevel=2)
    return result
