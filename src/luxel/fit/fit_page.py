"""The page of a fit: what it warns of, pictures given, at the start and found, their errors, the numbers, the loss."""

import math
from pathlib import Path
from typing import Any

from luxel.evaluation.page import Line, plot, scene_row, write_page
from luxel.fit.optimise import Found
from luxel.fit.problem import Problem
from luxel.image.side_by_side import SideBySide

TONE = "clamp"
MIN_SHOWN_LOSS = 1e-12
"""Of a loss as a logarithmic axis shows it."""


def write_fit_page(path: Path, problem: Problem, result: Found, titles: list[str]) -> None:
    """Write the page, in one file. Pictures are shown at the exposure that the loss sees them at."""
    exposure = problem.exposure
    pairs = [
        SideBySide.of(title, image * exposure, {"start": start * exposure, "found": end * exposure})
        for title, image, start, end in zip(titles, problem.images, result.start_pictures, result.pictures, strict=True)
    ]
    write_page(
        path,
        "fit.html.j2",
        title="Luxel: a scene from pictures",
        facts={
            "pictures": f"{', '.join(titles)}; {problem.images.shape[2]}×{problem.images.shape[1]}",
            "renderer": problem.renderer.name,
            "iterations": f"{len(result.losses) - 1} of {problem.settings.method}",
            "loss": f"{result.start_loss:.4g} → {result.losses[-1]:.4g}",
            "shown": f"{math.log2(exposure):+.1f} stops",
        },
        scenes=[given_first(scene_row(pair, TONE)) for pair in pairs],
        tone_map=TONE,
        warnings=result.warnings,
        numbers=[
            (
                name,
                f"{result.start[name]:.5g}",
                f"{number:.5g}",
                error_in_words(result.errors[name]),
                f"{result.renderer_errors[name]:+.2g}",
                f"{result.correlations[name]:.3f}",
            )
            for name, number in result.numbers.items()
        ],
        plot=plot(loss_lines(problem, result), "iterations", "loss"),
    )


def loss_lines(problem: Problem, result: Found) -> list[Line]:
    """The loss of each size of pictures, which have less noise the smaller they are."""
    ends = (*result.begins[1:], len(result.losses))
    lines = []
    for level, begin, end in zip(problem.levels, result.begins, ends, strict=False):
        _, height, width, _ = level.images.shape
        losses = [max(loss, MIN_SHOWN_LOSS) for loss in result.losses[begin:end]]
        lines.append(Line(f"{width}×{height}", range(begin, end), losses))
    return lines


def given_first(row: dict[str, Any]) -> dict[str, Any]:
    """The row of a page with its first picture named for what it is: nobody says that it was path traced."""
    (picture, _), *others = row["images"]
    return {**row, "images": [(picture, ["given"]), *others]}


def error_in_words(error: float) -> str:
    """A standard error as pages and the command line show it."""
    return f"± {error:.2g}" if math.isfinite(error) else "changes no picture"
