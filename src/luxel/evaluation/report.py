"""A self-contained HTML page about one run: pictures beside their truth, curves and numbers."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import jinja2
import matplotlib
import numpy as np
import torch
from jaxtyping import Float32, UInt8
from matplotlib.figure import Figure
from PIL import Image

from luxel.evaluation.evaluate import Evaluation
from luxel.image.formats import to_bytes
from luxel.image.metrics import LOWER_IS_BETTER
from luxel.image.tonemap import tone_map

ERROR_WHITE = 0.5
"""Difference of display values, from 0 to 1, at which the error map saturates."""

Radiance = Float32[np.ndarray, "height width 3"]


@dataclass(frozen=True)
class Picture:
    """One scene as path traced and as the model renders it, both linear radiance."""

    title: str
    truth: Radiance
    output: Radiance


@dataclass(frozen=True)
class Curve:
    """A line of the page's plot: loss over training samples."""

    name: str
    samples: Sequence[int]
    losses: Sequence[float]


def write_report(
    path: Path,
    title: str,
    facts: dict[str, str],
    pictures: Sequence[Picture],
    curves: Sequence[Curve],
    evaluation: Evaluation,
) -> None:
    """Write the page; everything it shows is inside the one file."""
    template = jinja2.Template(
        files("luxel.evaluation").joinpath("report.html.j2").read_text(encoding="utf-8"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    rows = [
        {"title": p.title, "images": [data_url(image) for image in panels(p, evaluation.tone_map)]} for p in pictures
    ]
    page = template.render(
        title=title,
        facts=facts,
        pictures=rows,
        plot=plot(curves, evaluation.loss),
        evaluation=evaluation,
        lower_is_better=LOWER_IS_BETTER,
        error_white=ERROR_WHITE,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8")


def panels(picture: Picture, tone: str) -> list[UInt8[np.ndarray, "height width 3"]]:
    """Truth, output and error map as display bytes."""
    return [to_bytes(picture.truth, tone), to_bytes(picture.output, tone), error_map(picture, tone)]


def error_map(picture: Picture, tone: str) -> UInt8[np.ndarray, "height width 3"]:
    """What an eye sees of the error: mean absolute difference of display values, in magma from 0 to ERROR_WHITE."""
    truth, output = (tone_map(tone)(torch.from_numpy(image)) for image in (picture.truth, picture.output))
    error = (output - truth).abs().mean(dim=-1).numpy() / ERROR_WHITE
    colours = matplotlib.colormaps["magma"](error.clip(0, 1))
    return (colours[..., :3] * 255 + 0.5).astype(np.uint8)


def plot(curves: Sequence[Curve], loss: str) -> str:
    """Losses, on a logarithmic axis, over samples, as inline SVG."""
    figure = Figure(figsize=(7.2, 3.4), layout="constrained")
    axes = figure.add_subplot()
    for curve in curves:
        axes.plot(curve.samples, curve.losses, label=curve.name, linewidth=1.2)
    axes.set(xlabel="training images", ylabel=f"loss ({loss})", yscale="log")
    axes.grid(alpha=0.3)
    axes.legend()
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg")
    svg = buffer.getvalue()
    return svg[svg.index("<svg") :]


def data_url(image: UInt8[np.ndarray, "height width 3"]) -> str:
    """A PNG as a data URL."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, format="PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
