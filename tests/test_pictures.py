"""Several scenes, standard input, labels and formats of `luxel render`."""

import io
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from luxel.cli import main
from luxel.files.exr import load_exr
from luxel.models.ray_model import RayModel, RayModelConfig
from luxel.scene import Scene

SCENES = Path(__file__).parent.parent / "examples" / "scenes"
STILL, SIX = SCENES / "still_life.json", SCENES / "six_objects.json"


@pytest.fixture(scope="module")
def untrained(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("untrained")
    RayModel(RayModelConfig(width=8)).save_pretrained(path)
    return path


@pytest.fixture
def render(untrained, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str | Path) -> int:
        with pytest.raises(SystemExit) as exit_:
            main(["render", *map(str, arguments), "--model", str(untrained)])
        return int(exit_.value.code or 0)

    return call


def test_several_scenes_go_into_a_folder_and_one_that_fails_stops_no_other(render, capsys):
    Path("broken.json").write_text("{}")
    assert render(STILL, "broken.json", SIX, "gone.json", "--width", "13", "--out", "pictures") == 1
    assert sorted(path.name for path in Path("pictures").iterdir()) == ["six_objects.png", "still_life.png"]
    printed = capsys.readouterr()
    assert printed.out.split() == ["pictures/still_life.png", "pictures/six_objects.png"]
    for told in ("broken.json: schema_version is missing", "gone.json: cannot be read", "2 of 4 scenes failed"):
        assert printed.err.count(f"luxel render: {told}") == 1, printed.err


def test_of_several_files_a_message_names_the_one_and_the_option(render, capsys):
    for name in ("a.npy", "b.npy"):
        np.save(name, np.eye(3))
    assert render("a.npy", "b.npy", "--select", "9:", "--width", "5") == 1
    told = capsys.readouterr().err
    for name in ("a", "b"):
        assert told.count(f"luxel render: {name}.npy: --select is '9:', which none of 3 particles is") == 1


def test_several_pictures_are_those_of_each_alone_with_paths_and_truth(render, capsys):
    options = ["--width", "7", "--spp", "2", "--seed", "3", "--format", "exr"]
    assert render(STILL, SIX, *options) == 0
    for scene in (STILL, SIX):
        assert render(scene, *options[:-2], "--out", "alone.exr") == 0
        np.testing.assert_array_equal(load_exr(Path(f"{scene.stem}.exr")), load_exr(Path("alone.exr")))
    capsys.readouterr()
    assert render(STILL, SIX, "--width", "7", "--truth", "2", "--out", "pairs") == 0
    assert capsys.readouterr().out.count(", from left to right: path traced, 2 spp;") == 2


def test_one_scene_goes_into_a_folder_that_is_there(render):
    Path("v1.2").mkdir()
    assert render(STILL, "--width", "5", "--out", "v1.2", "--format", "webp") == 0
    assert [path.name for path in Path("v1.2").iterdir()] == ["still_life.webp"]


def test_a_scene_from_standard_input(render, monkeypatch, capsys):
    for text, code, told in (
        (Scene.load(STILL).to_json(), 0, ""),
        ('{"schema_version": 1}', 1, "luxel render: standard input: objects is missing"),
    ):
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(text.encode())))
        assert render("-", "--width", "5", "--format", "jpg") == code
        assert told in capsys.readouterr().err
    with Image.open("stdin.jpg") as image:
        assert image.size == (5, 5)


def test_labels_are_drawn_on_the_picture_and_crowding_is_told(render, capsys):
    size = ("--width", "96")
    assert render(STILL, *size, "--out", "plain.png") == 0
    assert render(STILL, *size, "--out", "names.png", "--labels") == 0
    assert "no room" not in capsys.readouterr().err
    plain, names = (np.asarray(Image.open(name)) for name in ("plain.png", "names.png"))
    share = (plain != names).any(2).mean()
    assert 0.02 < share < 0.5
    assert render(SIX, "--width", "16", "--out", "small.png", "--labels") == 0
    assert "visible objects have no room for a label; a larger --width has" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "no scenes: give one file or more, or - for standard input"),
        ([STILL, SIX, "--out", "x.png"], "--out is x.png, one file, but there are 2 scenes; give a folder"),
        ([STILL, SIX, "--out", "x.gif"], "--out is x.gif, must be a folder, which is there or has no dot in its name"),
        (
            [STILL, "--out", "v1.0"],
            "--out is v1.0, must end in .exr (linear), or .png, .jpg or .webp (tone-mapped), or be ",
        ),
        ([STILL, "--out", "-"], "--out is -, but no picture goes to standard output; name a file, or a folder"),
        ([STILL, "--out", "x.png", "--format", "jpg"], "--format is jpg, but --out is x.png; leave one of them out"),
        ([STILL, "a/still_life.json"], "a/still_life.json: its picture would be still_life.png, as that of "),
        (["-", "-"], "-: is given twice; give it once"),
        ([STILL, "--out", "a/.PNG"], "--out is a/.PNG, an ending without a name; name a file, such as a/picture.PNG"),
        ([STILL, "--format", "exr", "--exposure", "1"], "--exposure is 1.0, but still_life.exr holds radiance"),
        ([STILL, "--out", "x.exr", "--labels"], "--labels is of tone-mapped pictures, but x.exr holds radiance"),
        ([STILL, "--out", "x.exr", "--tone-map", "reinhard"], "--tone-map is of tone-mapped pictures, but x.exr"),
        ([STILL, "--labels", "--truth", "2"], "--labels and --truth don't go together"),
        ([STILL, "--seed", "3"], "--seed is 3, which is of --spp's paths, but there are none"),
        ([STILL, "--max-depth", "9"], "--max-depth is 9, which is of --spp's and --truth's paths, but there are none"),
        ([STILL, "--tracer", "mitsuba"], "--tracer is mitsuba, which traces --truth, but there is none"),
        (["-", "--look", "dark"], "-: --look is dark, but a scene has its own look and camera"),
        ([STILL, "--look", "paper"], f"{STILL}: --look is paper, but a scene has its own look and camera"),
        (["cloud.npy", STILL, "--no-box"], f"{STILL}: --box is False, but a scene has its own look and camera"),
        ([STILL, SIX, "--view", "up"], "--view is 'up', must be azimuth,elevation in degrees"),
    ],
)
def test_what_does_not_go_together_is_told_before_any_work(words, told, render, capsys, tmp_path):
    assert render(*words) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"luxel render: {told}")
    assert error.count("\n") == 1
    assert not any(tmp_path.iterdir())
