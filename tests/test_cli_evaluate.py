"""`luxel evaluate` as a user calls it."""

import json
import shutil

import pytest
from command_line import SCENE, call
from data_folder import write_data_folder

from luxel.data.dataset import ShardDataset
from luxel.evaluation.page import data_url
from luxel.image.formats import to_bytes
from luxel.pipeline import Renderer
from luxel.scene import Box, Scene


def test_evaluate_names_what_a_figure_needs(trained, data, capsys):
    assert call("evaluate", trained, "--data", data, "--tone-map", "reinhard") == 0
    printed = capsys.readouterr().out
    for word in ("reinhard", "reference 2 spp", "hash", "psnr", "equivalent_spp", "flip"):
        assert word in printed
    page = next(trained.glob("evaluation-*-reinhard.html")).read_text()
    assert page.index("path traced<br>2 spp") < page.index("run<br>PSNR")
    (file,) = trained.glob("evaluation-*-reinhard.json")
    stored = json.loads(file.read_text())
    assert stored["tone_map"] == "reinhard"
    assert len(stored["per_image"]["psnr"]) == stored["images"]


def test_a_shipped_model_is_evaluated_at_any_size(scenes, monkeypatch, capsys):
    """On a folder of scenes, traced beside it; the figures come to the current folder, not into the package."""
    monkeypatch.chdir(scenes.parent)
    asked = ["--data", f"scenes:{scenes}", "--width", "12", "--height", "4", "--spp", "4"]
    assert call("evaluate", "ray-small", *asked) == 0
    printed = capsys.readouterr()
    assert "8 test images" in printed.out
    assert "ssim is left out: images are smaller than its window of 11×11" in printed.out
    assert "nan" not in printed.out
    said = f"test set: 8 scenes of {scenes}, 12×4, 4 spp, traced now, once: {scenes.parent}/scenes-12x4-4spp-8-"
    assert printed.err.index(said) < printed.err.index("tracing test images:"), "before it is done"
    (folder,) = scenes.parent.glob("scenes-12x4-4spp-8-*")
    test, renderer = ShardDataset(folder, "test"), Renderer.from_pretrained("ray-small")
    (page,) = scenes.parent.glob("ray-small-evaluation-*-clamp.html")
    for image in renderer.render([test.scene(index) for index in range(8)], 12, 4):
        assert data_url(to_bytes(image)) in page.read_text()
    (figures,) = scenes.parent.glob("ray-small-evaluation-*-clamp.json")
    assert len(json.loads(figures.read_text())["per_image"]["psnr"]) == 8


def test_of_a_single_scene_there_is_no_interval(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scenes").mkdir()
    shutil.copy(SCENE, tmp_path / "scenes")
    assert call("evaluate", "ray-small", "--data", "scenes:scenes", "--width", "6", "--spp", "2") == 0
    printed = capsys.readouterr().out
    (page,) = tmp_path.glob("ray-small-evaluation-*.html")
    metrics = json.loads(page.with_suffix(".json").read_text())["metrics"]
    assert printed.count("   one image\n") == len(metrics)
    assert page.read_text().count('<td class="number">one image</td>') == len(metrics)


def test_scenes_that_an_image_model_would_take_for_others_are_refused(trained, scenes, capsys):
    box = Scene.load(SCENE).model_copy(update={"objects": (Box(center=(0, 0, 0), half_extents=(1, 1, 1)),)})
    box.save(scenes / "9.json")
    assert call("evaluate", trained, "--data", f"scenes:{scenes}", "--spp", "2") == 1
    assert "scene 8: objects[0].shape is box" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--batch-size", "0"], "--batch-size is 0, must be an integer in [1, 1048576]"),
        (["--tone-map", "aces"], "tone map 'aces' is unknown"),
        (["--device", "cuda:7"], "device 'cuda:7' is not to be had here"),
    ],
)
def test_a_wrong_option_of_evaluate_is_one_message(arguments, message, trained, data, capsys):
    assert call("evaluate", trained, "--data", data, *arguments) == 1
    assert message in capsys.readouterr().err


def test_a_data_set_of_another_size_is_one_message(trained, tmp_path, capsys):
    assert call("evaluate", trained, "--data", write_data_folder(tmp_path / "data")) == 1
    assert "its images are 7×5, the model's 16×16" in capsys.readouterr().err


@pytest.mark.parametrize("ending", ["json", "html"])
def test_what_cannot_be_written_is_told_before_the_work(ending, trained, data, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr("luxel.evaluation.evaluate.evaluate", None)
    run = tmp_path / "run"
    shutil.copytree(trained, run, ignore=shutil.ignore_patterns("evaluation-*"))
    taken = run / f"evaluation-{ShardDataset(data, 'test').content_hash[:8]}-clamp.{ending}"
    taken.mkdir()
    assert call("evaluate", run, "--data", data) == 1
    assert f"luxel evaluate: {taken}: is a folder, but a file is to be written" in capsys.readouterr().err
