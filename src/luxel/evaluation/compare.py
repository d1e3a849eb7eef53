"""A self-contained HTML page, and a Markdown table, that set runs side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from luxel.evaluation.page import Line, plot, scene_row, write_page
from luxel.image.side_by_side import SideBySide


@dataclass(frozen=True)
class Table:
    """Cells as they are shown, a row a run."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]

    def markdown(self) -> str:
        """The table in Markdown."""
        lines = [self.head, ["---"] * len(self.head), *self.rows]
        return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def write_comparison(
    path: Path,
    title: str,
    facts: dict[str, str],
    provenance: str,
    table: Table,
    plots: Mapping[tuple[str, str], Sequence[Line]],
    scenes: Sequence[SideBySide],
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
        scenes=[scene_row(scene, tone_map) for scene in scenes],
        tone_map=tone_map,
    )
