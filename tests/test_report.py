import re
from pathlib import Path

import numpy as np

from luxel.evaluation.evaluate import Evaluation, Summary
from luxel.evaluation.page import Line
from luxel.evaluation.report import Picture, write_report

HASH = "0123456789abcdef" * 4
RNG = np.random.default_rng(0)


def picture(title: str) -> Picture:
    truth, output = RNG.random((2, 5, 7, 3)).astype(np.float32)
    return Picture(title, truth, output)


def test_the_page_holds_everything_itself(tmp_path: Path):
    evaluation = Evaluation(
        "clamp", 128, "0123456789abcdef" * 4, 3, 9.0, "mse", {"psnr": Summary(21.5, 20.0, 22.0)}, {}
    )
    pictures = [picture("scene <1>"), picture("scene 2")]
    curves = [Line("train", [32, 64], [0.1, 0.05]), Line("test", [64], [0.07])]
    write_report(tmp_path / "deeper" / "index.html", "A run", {"machine": "2 cores"}, pictures, curves, evaluation)
    page = (tmp_path / "deeper" / "index.html").read_text()
    assert page.count('src="data:image/png;base64,') == 6
    assert "scene &lt;1&gt;" in page
    assert "<svg" in page
    assert "21.5" in page
    assert "0123456789abcdef," in page
    assert "2 cores" in page
    assert not re.search(r"(src|href)=\"(?!data:|#)", page), "nothing may be loaded from elsewhere"
