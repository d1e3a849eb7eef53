"""A self-contained HTML page about one run: pictures beside their truth, curves and numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from luxel.evaluation.evaluate import Evaluation
from luxel.evaluation.page import Line, Pixels, Radiance, data_url, error_map, plot, write_page
from luxel.image.formats import to_bytes
from luxel.image.metrics import LOWER_IS_BETTER


@dataclass(frozen=True)
class Picture:
    """One scene as path traced and as the model renders it, both linear radiance."""

    title: str
    truth: Radiance
    output: Radiance


def write_gallery(path: Path, title: str, facts: dict[str, str], pictures: Sequence[Picture], tone: str) -> None:
    """Write a page of pictures alone."""
    write_page(path, "gallery.html.j2", title=title, facts=facts, pictures=shown(pictures, tone), tone_map=tone)


def write_report(
    path: Path,
    title: str,
    facts: dict[str, str],
    pictures: Sequence[Picture],
    curves: Sequence[Line],
    evaluation: Evaluation,
) -> None:
    """Write the page. The curves are losses over training images."""
    tone = evaluation.tone_map
    write_page(
        path,
        "report.html.j2",
        title=title,
        facts=facts,
        pictures=shown(pictures, tone),
        tone_map=tone,
        plot=plot(curves, "training images", f"loss ({evaluation.loss})"),
        evaluation=evaluation,
        lower_is_better=LOWER_IS_BETTER,
    )


def shown(pictures: Sequence[Picture], tone: str) -> list[dict[str, object]]:
    """What the template reads of them."""
    return [{"title": p.title, "images": [data_url(image) for image in panels(p, tone)]} for p in pictures]


def panels(picture: Picture, tone: str) -> list[Pixels]:
    """Truth, output and error map as display bytes."""
    truth, output = picture.truth, picture.output
    return [to_bytes(truth, tone), to_bytes(output, tone), error_map(truth, output, tone)]
