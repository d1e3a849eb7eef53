"""How well pictures determine the numbers that a fit has found, and what its user is warned of.

About the end the loss is a quadratic, of Gauss and Newton's matrix. Numbers whose changes of the pictures cancel each
other are directions that it hardly curves in: all colours and the light on them, or a mirror's place and that of the
lamp that it shows. What noise and the renderer get wrong ends up in these directions, many times as large, and no
residual tells.

The Jacobian has noise of its own (`luxel.fit.gradient`), which would curve every direction. The matrix is therefore one
of two Jacobians, over steps of different lengths, whose noises have little in common: w J₁ J₂ᵀ, right in the mean.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64

from luxel.fit.gradient import Differences
from luxel.fit.parameters import Vector, Views
from luxel.fit.problem import Entries, Pictures, Problem
from luxel.fit.steps import steps
from luxel.image.losses import DISPLAY_HUBER
from luxel.trace.path import PathTracer

SECOND_WIDENING = 1.5
"""How many times as long the second Jacobian's steps are."""
REFERENCE_SPP = 64
"""Of the path-traced picture of what was found, that the renderer's is compared with."""
RELIED_ON = 2.0
"""What the renderer gets wrong is warned of if it has moved a number by more standard errors than this …"""
NOTABLE = 0.5
"""… and by more than this share of the number's step, so that tiny standard errors make no warning."""
BLOCKS = 8
"""A side of a picture: pixels of a block are taken to be wrong together, as what a renderer gets wrong is."""
MIN_CURVATURE = 0.04
"""Directions that curve less are warned of; each number alone has 1. Errors are then 5 times as large as in one number:
of two numbers that is a correlation of 0.96."""
FLOOR = 1e-6
"""What curvature is taken for at least: less is rounding, and noise of the Jacobians can make it negative."""
TAKES_PART = 0.3
"""A number is named as part of a direction if its component is at least this share of the largest one."""
MAX_NAMED = 6
"""Numbers that a warning names."""
MAX_MISFIT = 0.01
"""Share of a display's range: pictures whose blocks are farther off than this in the mean are warned of."""
LITTLE_LOWER = 0.9
"""Share of the loss at the start, above which a fit is not to be believed."""


class WeakDirection(NamedTuple):
    """Numbers that can stand in for each other."""

    numbers: list[int]
    """Those that take the largest part first."""
    curvature: float
    """Where each number alone has 1; not below FLOOR."""


@dataclass(frozen=True)
class Certainty:
    """Of the numbers at the end of a fit, in the order of their names."""

    errors: Vector
    """Standard errors, each in its number's unit; inf of a number that changes no picture."""
    correlations: Vector
    """How nearly the others together can do what this one does: 0 not at all, 1 just so. √(1 − 1 / VIF)."""
    renderer_errors: Vector
    """By how much what the renderer gets wrong of the scene has moved each number, to first order: what was found less
    what a path tracer's pictures would have given."""
    units: Vector
    """Steps over which derivatives are taken: half a pixel, 0.08 of a colour, a twentieth of a radiance."""
    weak: list[WeakDirection]
    misfit: float
    """What blocks of the pictures are off by in the mean and noise does not explain, of a display's range."""

    def warnings(self, names: Sequence[str]) -> list[str]:
        """In words, of what these numbers are called."""
        unseen = [name for name, error in zip(names, self.errors, strict=True) if not np.isfinite(error)]
        told = [f"the pictures say nothing of {some_of(unseen)}: what is found is the start"] if unseen else []
        for numbers, curvature in self.weak:
            told.append(
                f"the pictures hardly tell apart {some_of([names[number] for number in numbers])}, which can stand in "
                f"for each other: what noise and the renderer get wrong is up to {curvature**-0.5:.0f} times as large "
                "in them as in one alone; free fewer, give bounds, or more pictures"
            )
        wrong = [
            f"{name} (about {error:+.2g})"
            for name, error, noise, unit in zip(names, self.renderer_errors, self.errors, self.units, strict=True)
            if np.isfinite(noise) and abs(error) > max(RELIED_ON * noise, NOTABLE * unit)
        ]
        if wrong:
            told.append(
                "what the renderer gets wrong of this scene, beside a path-traced picture, has moved numbers by more "
                f"than {RELIED_ON:g} standard errors: {some_of(wrong)}"
            )
        if self.misfit > MAX_MISFIT:
            told.append(
                f"the pictures are not reproduced: blocks of them are {self.misfit:.2g} of a display's range off, and "
                "noise does not explain that: something that is not free differs, or the fit has ended too early; "
                "numbers may be wrong by more than their standard errors"
            )
        return told


def hardly_fallen(start_loss: float, loss: float) -> list[str]:
    """A warning, if that is so."""
    if loss <= LITTLE_LOWER * start_loss:
        return []
    return [
        "the loss has hardly fallen: unless the start was right already, what is free has not found the pictures; "
        "start nearer, where objects overlap what they are to match (docs/fit.md)"
    ]


def some_of(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    rest = len(names) - MAX_NAMED
    return ", ".join(names[:MAX_NAMED]) + (f" and {rest} more" if rest > 0 else "")


def certainty(problem: Problem, views: Views, first: Differences) -> Certainty:
    """Of the numbers of `views`, whose pictures' differences are `first`; takes a second Jacobian, and traces paths."""
    second = problem.differences(views, SECOND_WIDENING)
    unit = steps(problem.parameters, views, first.pictures.shape[1], problem.settings.pixels)
    residuals = problem.residuals(first.pictures)
    one, two = (residuals.relative(found.jacobian, unit) for found in (first, second))
    crossed = (one * residuals.weight.reshape(-1)) @ two.T / residuals.error.size
    weighted = (one + two) / 2 * residuals.weight.reshape(-1) / residuals.error.size
    scores = (weighted * residuals.error.reshape(-1)).reshape(len(unit), *residuals.error.shape)
    blocks = block_sums(scores.sum(-1)).reshape(len(unit), -1)
    pull = weighted @ renderer_error(problem.renderer.tracer, views, first.pictures, residuals.scale).reshape(-1)
    errors, correlations, moved = np.full(len(unit), np.inf), np.zeros(len(unit)), np.zeros(len(unit))
    weak: list[WeakDirection] = []
    chosen = np.flatnonzero(np.diag(crossed) > 0)
    if len(chosen):
        scale = np.sqrt(np.diag(crossed)[chosen])
        values, vectors = np.linalg.eigh((crossed + crossed.T)[np.ix_(chosen, chosen)] / (2 * np.outer(scale, scale)))
        values = np.maximum(values, FLOOR)
        inverse = vectors / values @ vectors.T
        # The sandwich C⁻¹ (Σ s sᵀ) C⁻¹ of blocks' scores s; of each row the length of C⁻¹ s.
        errors[chosen] = np.linalg.norm(inverse @ (blocks[chosen] / scale[:, None]), axis=1) / scale * unit[chosen]
        correlations[chosen] = np.sqrt((1 - 1 / np.diag(inverse)).clip(0))
        moved[chosen] = -inverse @ (pull[chosen] / scale) / scale * unit[chosen]
        weak = [
            WeakDirection(chosen[largest_first(vector)].tolist(), float(value))
            for value, vector in zip(values, vectors.T, strict=True)
            if value < MIN_CURVATURE
        ]
    return Certainty(errors, correlations, moved, unit, weak, misfit(residuals.error))


def renderer_error(tracer: PathTracer, views: Views, pictures: Pictures, scale: Entries) -> Entries:
    """Of the renderer's pictures beside path-traced ones, over the scale of residuals; single bright paths cut off."""
    _, height, width, _ = pictures.shape
    traced = tracer.trace(views.scenes, width, height, REFERENCE_SPP, seed=0).mean
    return ((pictures - traced) / scale).clip(-DISPLAY_HUBER, DISPLAY_HUBER)


def largest_first(direction: Vector) -> np.ndarray:
    """Which components take part in a direction."""
    size = np.abs(direction)
    order = np.argsort(-size)
    return order[size[order] >= TAKES_PART * size.max()]


def block_sums(pixels: Float64[np.ndarray, "*all height width"]) -> Float64[np.ndarray, "*all rows columns"]:
    """Over blocks of pixels, BLOCKS to a side, or as many as there are pixels."""
    rows, columns = (np.unique(np.arange(BLOCKS) * side // BLOCKS) for side in pixels.shape[-2:])
    return np.add.reduceat(np.add.reduceat(pixels, rows, -2), columns, -1)


def misfit(error: Entries) -> float:
    """Root mean square of blocks' means, less what the spread within the blocks leaves in a mean of so many pixels."""
    grey = error.clip(-DISPLAY_HUBER, DISPLAY_HUBER).mean(-1)
    count = block_sums(np.ones_like(grey))
    mean = block_sums(grey) / count
    variance = (block_sums(grey**2) / count - mean**2) * count / np.maximum(count - 1, 1)
    return float(np.sqrt(max(0.0, (mean**2 - variance / count).mean())))
