"""Files on both sides of options."""

from pathlib import Path

import pytest

from luxel.cli.options import pairs_joined, pairs_of, parsed
from luxel.cli.positionals import files_first
from luxel.cli.render_options import RenderOptions


@pytest.mark.parametrize(
    "words",
    [
        [
            "a.json",
            "b.npy",
            "-",
            "--width",
            "64",
            "--labels",
            "--no-box",
            "--view",
            "-30,15",
            "--color-range",
            "-1",
            "1",
        ],
        ["a.json", "--width", "64", "b.npy", "--labels", "-", "--no-box", "--view=-30,15", "--color-range", "-1", "1"],
        [
            "--no-box",
            "a.json",
            "--color-range",
            "-1",
            "1",
            "b.npy",
            "--view",
            "-30,15",
            "-",
            "--width",
            "64",
            "--labels",
        ],
        ["--no_box", "a.json", "--color_range", "-1,1", "b.npy", "--width=64", "-", "--view", "-30,15", "--labels"],
    ],
)
def test_files_stand_before_between_and_after_options(words):
    found = parsed(
        RenderOptions, "luxel render", files_first(pairs_joined(words, pairs_of(RenderOptions)), RenderOptions)
    )
    assert found.scenes == (Path("a.json"), Path("b.npy"), Path("-"))
    assert (found.width, found.labels) == (64, True)
    assert (found.figure.box, found.figure.view, found.figure.color_range) == (False, "-30,15", (-1.0, 1.0))


def test_an_option_that_there_is_not_is_left_to_the_parser():
    assert files_first(["a", "--nothing", "x", "b", "--out"], RenderOptions) == ["a", "b", "--nothing", "x", "--out"]
