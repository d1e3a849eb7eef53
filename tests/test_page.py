import base64
import io
import re
from pathlib import Path

import jinja2
import numpy as np
import pytest
from PIL import Image

from luxel.evaluation.page import ERROR_WHITE, Line, data_url, error_map, links, plot, write_page


def test_the_error_map_runs_from_black_to_the_end_of_magma():
    truth = np.zeros((1, 2, 3), np.float32)
    output = truth.copy()
    output[0, 1] = 1.0
    assert ERROR_WHITE < 1
    pixels = error_map(truth, output, "clamp")
    assert pixels[0, 0].max() <= 4
    assert pixels[0, 1].min() > 180


def test_a_data_url_holds_the_pixels():
    pixels = np.arange(5 * 7 * 3, dtype=np.uint8).reshape(5, 7, 3)
    head, data = data_url(pixels).split(",")
    assert head == "data:image/png;base64"
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(base64.b64decode(data)))), pixels)


def test_lines_of_a_group_share_a_colour_and_one_name():
    lines = [Line("one", [1, 2], [0.1, 0.2], 0), Line("", [1, 2], [0.2, 0.3], 0), Line("two", [1, 2], [0.4, 0.5], 1)]
    svg = plot(lines, "images", "loss")
    assert svg.startswith("<svg")
    drawn = re.findall(r"stroke: (#[0-9a-f]{6}); stroke-width: 1.2", svg)
    assert drawn.count("#1f77b4") == 3, "two lines and a legend entry"
    assert drawn.count("#ff7f0e") == 2


def test_a_long_legend_goes_below_the_plot():
    def height(lines: int) -> float:
        svg = plot([Line(f"run {i}", [1, 2], [0.1, 0.2], i) for i in range(lines)], "images", "loss")
        return float(re.search(r'height="([0-9.]+)pt"', svg).group(1))

    assert height(18) > height(6) == height(2)


def test_a_value_that_the_template_lacks_is_a_mistake(tmp_path: Path):
    with pytest.raises(jinja2.UndefinedError):
        write_page(tmp_path / "page.html", "report.html.j2", title="half a page")
    assert not (tmp_path / "page.html").exists()


def test_links_lead_from_the_page_to_files_anywhere(tmp_path: Path):
    page = tmp_path / "runs" / "demo" / "index.html"
    found = links([page.parent / "a b" / "ü#1.exr", tmp_path / "data" / "manifest.json"], page)
    assert found == {"ü#1.exr": "a%20b/%C3%BC%231.exr", "manifest.json": "../../data/manifest.json"}
