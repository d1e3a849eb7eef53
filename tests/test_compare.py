import re
from pathlib import Path

import numpy as np

from luxel.evaluation.compare import Table, write_comparison
from luxel.evaluation.page import Line
from luxel.image.side_by_side import SideBySide

TABLE = Table(["experiment", "loss"], [["<one>", "1.5"], ["two", "2.5"]])


def test_the_table_in_markdown():
    assert TABLE.markdown() == "| experiment | loss |\n| --- | --- |\n| <one> | 1.5 |\n| two | 2.5 |\n"


def test_the_page_shows_every_scene_by_every_run(tmp_path: Path):
    images = np.random.default_rng(0).random((3, 4, 5, 7, 3)).astype(np.float32)
    scenes = [
        SideBySide.of(f"scene {i}", truth, {"<one>": a, "two": b, "three": c})
        for i, (truth, a, b, c) in enumerate(images)
    ]
    plots = {
        ("images", "loss"): [Line("one", [1, 2], [0.1, 0.2], 0)],
        ("seconds", "loss"): [Line("one", [1], [0.1], 0)],
    }
    write_comparison(tmp_path / "index.html", "Two", {"scale": "tiny"}, "hash 123", TABLE, plots, scenes, "clamp")
    page = (tmp_path / "index.html").read_text()
    assert page.count('src="data:image/png;base64,') == 3 * (1 + 3 + 3), "truth, three outputs, three errors"
    assert all(line in page for scene in scenes for figures in scene.figures.values() for line in figures.lines)
    assert page.count("<svg") == 2
    assert '<td class="number">&lt;one&gt;</td>' in page
    assert "hash 123" in page
    assert not re.search(r"(src|href)=\"(?!data:|#)", page), "nothing may be loaded from elsewhere"


def test_without_pictures_there_is_no_empty_gallery(tmp_path: Path):
    write_comparison(tmp_path / "index.html", "None", {}, "every run diverged", TABLE, {}, [], "clamp")
    assert "unseen scenes" not in (tmp_path / "index.html").read_text()
