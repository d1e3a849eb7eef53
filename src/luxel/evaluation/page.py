"""What self-contained HTML pages are made of: template, plots as SVG, pictures as data URLs."""

import base64
import io
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2
import matplotlib
import numpy as np
from matplotlib.figure import Figure

from luxel.files.atomic import make_folder_of, write_atomically
from luxel.image.formats import Radiance, display_values, encoded, to_bytes
from luxel.image.side_by_side import Pixels, SideBySide

ERROR_WHITE = 0.2
"""Difference of display values, from 0 to 1, at which the error map saturates."""

LEGEND_INSIDE, LEGEND_COLUMNS = 6, 3
COLOURS = [matplotlib.colormaps["tab20"](index) for index in range(20)]


@dataclass(frozen=True)
class Line:
    """A line of a plot. Lines of one group share a colour; those without a name are left out of the legend."""

    name: str
    x: Sequence[float | int]
    y: Sequence[float]
    group: int | None = None


def write_page(path: Path, template: str, **values: Any) -> None:
    """Fill a template of this package; everything that the page shows is inside the one file."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("luxel.evaluation", "."),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    page = environment.get_template(template).render(**values, error_white=ERROR_WHITE)
    make_folder_of(path)
    write_atomically(path, page.encode())


def plot(lines: Sequence[Line], x_label: str, y_label: str) -> str:
    """The lines, on a logarithmic y axis, as inline SVG; a long legend goes below."""
    named = sum(bool(line.name) for line in lines)
    legend_rows = -(-named // LEGEND_COLUMNS) if named > LEGEND_INSIDE else 0
    figure = Figure(figsize=(7.2, 3.4 + 0.2 * legend_rows), layout="constrained")
    axes = figure.add_subplot()
    for line in lines:
        # tab20 has ten strong colours, then their ten pale ones, in turn.
        colour = None if line.group is None else COLOURS[line.group % 10 * 2 + line.group // 10 % 2]
        axes.plot(line.x, line.y, label=line.name or None, linewidth=1.2, color=colour)
    axes.set(xlabel=x_label, ylabel=y_label, yscale="log")
    axes.grid(alpha=0.3)
    if legend_rows:
        figure.legend(loc="outside lower center", ncols=LEGEND_COLUMNS, fontsize="small", frameon=False)
    elif named:
        axes.legend(fontsize="small")
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg")
    svg = buffer.getvalue()
    return svg[svg.index("<svg") :]


def scene_row(scene: SideBySide, tone: str, links: Mapping[str, str] | None = None) -> dict[str, Any]:
    """What scenes.html.j2 reads of a scene: images with their captions, error maps below those of models, links."""
    images = [data_url(to_bytes(image, tone)) for image in scene.images]
    return {
        "title": scene.title,
        "images": list(zip(images, scene.captions, strict=True)),
        "errors": [data_url(error_map(scene.truth, output, tone)) for output in scene.outputs.values()],
        "links": links or {},
    }


def links(files: Iterable[Path], page: Path) -> dict[str, str]:
    """Names of files and folders, and where a page finds them."""
    return {file.name: quote(Path(os.path.relpath(file, page.parent)).as_posix()) for file in files}


def error_map(truth: Radiance, output: Radiance, tone: str) -> Pixels:
    """What an eye sees of the error: mean absolute difference of display values, in magma from 0 to ERROR_WHITE."""
    display_truth, display_output = (display_values(image, tone) for image in (truth, output))
    error = np.abs(display_output - display_truth).mean(axis=-1) / ERROR_WHITE
    colours = matplotlib.colormaps["magma"](error.clip(0, 1))
    return (colours[..., :3] * 255 + 0.5).astype(np.uint8)


def data_url(image: Pixels) -> str:
    """A PNG as a data URL."""
    return "data:image/png;base64," + base64.b64encode(encoded(image, ".png")).decode()
