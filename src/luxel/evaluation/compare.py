"""A self-contained HTML page, and a Markdown table, that set runs side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from luxel.evaluation.page import Line, Radiance, data_url, error_map, plot, write_page
from luxel.image.formats import to_bytes


@dataclass(frozen=True)
class Table:
    """Cells as they are shown, a row a run."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]

    def markdown(self) -> str:
        """The table in Markdown."""
        lines = [self.head, ["---"] * len(self.head), *self.rows]
        return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


@dataclass(frozen=True)
class SceneByAll:
    """One scene as path traced and as every run renders it, linear radiance, by the run's name."""

    title: str
    truth: Radiance
    outputs: Mapping[str, Radiance]


def write_comparison(
    path: Path,
    title: str,
    facts: dict[str, str],
    provenance: str,
    table: Table,
    plots: Mapping[tuple[str, str], Sequence[Line]],
    scenes: Sequence[SceneByAll],
    tone_map: str,
) -> None:
    """Write the page. `plots` maps (x label, y label) to the lines of one plot; all scenes are by the same runs."""
    write_page(
        path,
        "compare.html.j2",
        title=title,
        facts=facts,
        provenance=provenance,
        table=table,
        plots={f"{y} over {x}": plot(lines, x, y) for (x, y), lines in plots.items()},
        columns=["path traced", *(scenes[0].outputs if scenes else ())],
        scenes=[pictures(scene, tone_map) for scene in scenes],
        tone_map=tone_map,
    )


def pictures(scene: SceneByAll, tone: str) -> dict[str, str | list[str]]:
    """The scene's images, truth first, and the error maps, as data URLs."""
    images = [scene.truth, *scene.outputs.values()]
    errors = [error_map(scene.truth, output, tone) for output in scene.outputs.values()]
    return {
        "title": scene.title,
        "images": [data_url(to_bytes(image, tone)) for image in images],
        "errors": [data_url(image) for image in errors],
    }
