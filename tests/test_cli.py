"""The verbs as a user calls them; `main` is the console script's function."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from data_folder import write_data_folder
from PIL import Image
from safetensors.torch import load_file

from luxel import InputError
from luxel.cli import main
from luxel.cli.command import VERBS
from luxel.cli.options import DIVERGED
from luxel.data.dataset import ShardDataset
from luxel.denoised import denoised
from luxel.evaluation.page import data_url
from luxel.experiments import EXPERIMENTS
from luxel.files.exr import load_exr
from luxel.image.formats import to_bytes
from luxel.models.ray_model import RayModel, RayModelConfig
from luxel.pipeline import Renderer
from luxel.scene import Box, Scene, Spheres, load_scene
from luxel.train.checkpoint import read_progress

SCENE = Path(__file__).parent.parent / "examples" / "scenes" / "still_life.json"
GENERATE = ["--count", "24", "--width", "16", "--height", "16", "--spp", "2", "--test-share", "0.25"]
TRAIN = ["train", "standard_run", "--scale", "tiny", "--cpu", "--train.samples", "128", "--train.tests", "2"]


def call(*arguments: str | Path) -> int:
    with pytest.raises(SystemExit) as exit_:
        main([str(argument) for argument in arguments])
    return int(exit_.value.code or 0)


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("cli") / "data"
    assert call("generate", "spheres", "--out", path, "--max-objects", "3", *GENERATE) == 0
    return path


@pytest.fixture(scope="module")
def trained(data) -> Path:
    path = data.parent / "run"
    assert call(*TRAIN, "--data", data, "--out", path) == 0
    return path


def test_generate_wrote_what_was_asked_for(data):
    settings = json.loads((data / "manifest.json").read_text())["settings"]
    assert (settings["distribution"], settings["max_objects"], settings["count"], settings["spp"]) == (
        "spheres", 3, 24, 2,
    )  # fmt: skip


def test_overrides_reach_the_run(trained):
    config = json.loads((trained / "config.json").read_text())["experiment"]
    assert config["train"]["samples"] == 128
    assert json.loads((trained / "result.json").read_text())["samples"] == 128


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


@pytest.fixture
def scenes(tmp_path) -> Path:
    (tmp_path / "scenes").mkdir()
    for index in range(8):
        Spheres(max_objects=3)(0, index).save(tmp_path / "scenes" / f"{index}.json")
    return tmp_path / "scenes"


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


def test_a_folder_of_scenes_is_learned_from_and_generated(scenes, monkeypatch, capsys):
    monkeypatch.chdir(scenes.parent)
    few = ["--data.spp", "2", "--data.test-share", "0.5"]
    assert call(*TRAIN, "--data", f"scenes:{scenes}", *few, "--out", "run") == 0
    assert json.loads(Path("run/config.json").read_text())["data"]["distribution"] == "scenes"
    capsys.readouterr()
    assert call("evaluate", "run") == 0
    assert "reference 2 spp" in capsys.readouterr().out
    assert call("generate", f"scenes:{scenes}", "--out", "set", "--width", "4", "--height", "4", "--spp", "2") == 0
    assert "8 scenes in set" in capsys.readouterr().out
    assert call("experiments", "compare", "run", "--out", "page", "--cpu") == 0
    assert "| run | 1 | 128 |" in capsys.readouterr().out
    assert call("experiments", "list", "--runs", "run") == 0
    assert "other runs\n  run: finished" in capsys.readouterr().out


def test_scenes_that_an_image_model_would_take_for_others_are_refused(trained, scenes, capsys):
    box = Scene.load(SCENE).model_copy(update={"objects": (Box(center=(0, 0, 0), half_extents=(1, 1, 1)),)})
    box.save(scenes / "9.json")
    assert call("evaluate", trained, "--data", f"scenes:{scenes}", "--spp", "2") == 1
    assert "scene 8: objects[0].shape is box" in capsys.readouterr().err


def test_render_writes_radiance_and_puts_it_at_the_right_of_the_truth(trained, tmp_path, capsys):
    assert call("render", SCENE, "--model", trained, "--out", tmp_path / "a.exr") == 0
    assert call("render", SCENE, "--model", trained, "--out", tmp_path / "b.exr", "--truth", "4") == 0
    printed = capsys.readouterr()
    assert "path tracing, 4 spp:   0%|" in printed.err
    assert f"{tmp_path / 'b.exr'}, from left to right: path traced, 4 spp; run, PSNR " in printed.out
    assert "equivalent spp" in printed.out
    assert call("render", SCENE, "--model", trained, "--out", tmp_path / "c.png", "--tone-map", "reinhard") == 0
    alone, both = load_exr(tmp_path / "a.exr"), load_exr(tmp_path / "b.exr")
    assert alone.shape == (16, 16, 3)
    assert both.shape == (16, 32, 3)
    np.testing.assert_array_equal(both[:, 16:], alone)
    assert np.isfinite(both[:, :16]).all()
    assert np.asarray(Image.open(tmp_path / "c.png")).shape == (16, 16, 3)


def test_a_png_beside_the_truth_is_labelled(untrained, tmp_path):
    """At its left the truth, at its right the model's picture, names below."""
    options = ["--model", untrained, "--width", "23", "--exposure", "-1", "--truth", "2"]
    assert call("render", SCENE, *options[:-2], "--out", tmp_path / "alone.png") == 0
    assert call("render", SCENE, *options, "--out", tmp_path / "both.png") == 0
    alone, both = (np.asarray(Image.open(tmp_path / name)) for name in ("alone.png", "both.png"))
    assert both.shape[0] > 23 + 4 * 12, "four lines below"
    middle = both.shape[1] // 2
    np.testing.assert_array_equal(both[:23, middle:][:, :23], alone)
    assert (both[:23, :23] != alone).any()


@pytest.mark.parametrize("error", [KeyboardInterrupt, InputError("no such tracer")])
def test_a_picture_is_there_before_its_truth_is_traced(untrained, tmp_path, monkeypatch, capsys, error):
    def interrupted(*arguments, **options):
        raise error

    assert call("render", SCENE, "--model", untrained, "--out", tmp_path / "a.png") == 0
    monkeypatch.setattr("luxel.trace.path.PathTracer.trace", interrupted)
    assert call("render", SCENE, "--model", untrained, "--out", tmp_path / "b.png", "--truth", "2") != 0
    assert (tmp_path / "b.png").read_bytes() == (tmp_path / "a.png").read_bytes()
    assert f"{tmp_path / 'b.png'}: {untrained} alone, until the truth is traced" in capsys.readouterr().err


def test_paths_refine_a_picture_that_is_there_before_them(untrained, tmp_path, monkeypatch, capsys):
    options = ["render", SCENE, "--model", untrained, "--width", "12"]
    assert call(*options, "--out", tmp_path / "alone.exr") == 0
    for name, seed in (("a", "3"), ("b", "3"), ("c", "4")):
        assert call(*options, "--out", tmp_path / f"{name}.exr", "--spp", "4", "--seed", seed) == 0
    assert "path tracing, 4 spp:   0%|" in capsys.readouterr().err
    a, b, c, alone = (load_exr(tmp_path / f"{name}.exr") for name in ("a", "b", "c", "alone"))
    np.testing.assert_array_equal(a, b)
    for other in (c, alone):
        assert np.abs(a - other).max() > 0
    assert call(*options, "--spp", "-1") == 1
    assert "spp is -1, must be an integer in [0, 16777216]" in capsys.readouterr().err

    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("luxel.trace.path.PathTracer.sample", interrupted)
    assert call(*options, "--out", tmp_path / "stopped.exr", "--spp", "4") != 0
    np.testing.assert_array_equal(load_exr(tmp_path / "stopped.exr"), alone)
    assert f"{tmp_path / 'stopped.exr'}: {untrained} alone, until 4 paths a pixel are traced" in capsys.readouterr().err


@pytest.fixture(scope="module")
def untrained(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("untrained")
    RayModel(RayModelConfig(width=8)).save_pretrained(path)
    return path


def test_a_png_is_exposed_by_stops(untrained, tmp_path):
    for stops in ("0", "1", "-2"):
        out = tmp_path / f"{stops}.png"
        assert call("render", SCENE, "--model", untrained, "--out", out, "--exposure", stops) == 0
    assert call("render", SCENE, "--model", untrained, "--out", tmp_path / "a.exr") == 0
    radiance = load_exr(tmp_path / "a.exr")
    for stops, factor in (("0", 1), ("1", 2), ("-2", 0.25)):
        np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / f"{stops}.png")), to_bytes(radiance * factor))


def test_points_are_rendered_in_a_look_and_a_shape_and_traced_beside(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    np.save("cloud.npy", np.random.default_rng(3).normal(size=(50, 3)) * [4, 0.5, 0.5])
    assert call("render", "cloud.npy", "--look", "flat", "--view", "front", "--width", "40", "--height", "20") == 0
    picture = np.asarray(Image.open("cloud.png"))
    assert picture.shape == (20, 40, 3)
    columns = np.flatnonzero((picture < 250).any((0, 2)))
    assert columns.min() <= 5
    assert columns.max() >= 34
    assert call("render", "cloud.npy", "--width", "16", "--truth", "2", "--out", "pair.exr", "--color-by", "x") == 0
    assert load_exr(Path("pair.exr")).shape == (16, 32, 3)


def test_points_are_traced_and_denoised_unless_a_model_is_given(untrained, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    np.save("cloud.npy", np.random.default_rng(3).normal(size=(50, 3)))
    scene = load_scene("cloud.npy", aspect=2.0)
    assert call("render", "cloud.npy", "--width", "24", "--height", "12", "--out", "default.exr") == 0
    np.testing.assert_array_equal(load_exr(Path("default.exr")), denoised(scene, 24, 12, spp=16, seed=0))
    assert "by ray-small" not in capsys.readouterr().err
    options = ["--model", untrained, "--width", "24", "--height", "12", "--out", "network.exr"]
    assert call("render", "cloud.npy", *options) == 0
    expected = Renderer.from_pretrained(untrained)(scene, 24, 12, spp=4)
    np.testing.assert_array_equal(load_exr(Path("network.exr")), expected)
    assert call("render", SCENE, "--model", "paths", "--spp", "2", "--seed", "3", "--width", "9", "--out", "a.exr") == 0
    np.testing.assert_array_equal(load_exr(Path("a.exr")), denoised(Scene.load(SCENE), 9, 9, spp=2, seed=3))
    assert call("render", "cloud.npy", "--spp", "0") == 1
    assert "cloud.npy: --spp is 0, must be at least 1 by --model paths" in capsys.readouterr().err


def test_mistakes_about_points_name_the_file_and_the_option(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    np.save("cloud.npy", np.eye(3))
    np.save("pairs.npy", np.ones((5, 2)))
    for words, told in (
        (("pairs.npy",), "pairs.npy: has the shape 5 × 2, must be n × 3 (x y z) or n × 6 (x y z red green blue)"),
        (("cloud.npy", "--select", "9:"), "cloud.npy: select is '9:', which none of 3 particles is"),
        (("cloud.npy", "--view", "up"), "view is 'up', must be azimuth,elevation in degrees"),
        (("cloud.npy", "--radius", "-1"), "--radius is -1.0, must be a number in (0, 1e+30]; or leave it out"),
        (("cloud.npy", "--bonds"), "cloud.npy: bonds are found by elements' covalent radii, but it names no elements"),
        ((SCENE, "--look", "dark"), f"{SCENE}: --look is dark, but a scene in JSON has its own look and camera"),
    ):
        assert call("render", *words) == 1
        assert capsys.readouterr().err.startswith(f"luxel render: {told}")
    assert not list(tmp_path.glob("*.png"))


def test_a_scene_without_light_is_rendered_with_a_warning(untrained, tmp_path, capsys):
    lit = Scene.load(SCENE)
    dark = lit.model_copy(update={"background": (0, 0, 0)})
    for index in range(len(lit.objects)):
        dark = dark.with_material(index, emission=(0, 0, 0))
    dark.save(tmp_path / "dark.json")
    out = tmp_path / "dark.exr"
    assert call("render", tmp_path / "dark.json", "--model", untrained, "--out", out, "--truth", "2") == 0
    lines = [line for line in capsys.readouterr().err.splitlines() if "nothing gives" in line or "Warning" in line]
    assert lines == [
        "warning: nothing gives light in the scene, so that its picture is black; give the background, a sky, a "
        "sun, or an object's material.emission some radiance"
    ]
    assert (load_exr(tmp_path / "dark.exr") == 0).all()
    assert call("render", SCENE, "--model", untrained, "--out", tmp_path / "lit.exr") == 0
    assert "warning" not in capsys.readouterr().err


def test_experiments_are_listed_with_their_outcomes_and_shown(capsys, monkeypatch, tmp_path, data):
    monkeypatch.chdir(tmp_path)
    explosive = ["--train.optim.learning-rate", "1e30", "--train.samples", "4096", "--data", data]
    assert call("train", "tanh", "--scale", "tiny", "--cpu", *explosive) == DIVERGED
    capsys.readouterr()
    assert call("experiments", "list") == 0
    printed = capsys.readouterr().out
    assert all(name in printed for name in EXPERIMENTS)
    assert re.search(r"→ tiny-changed-[0-9a-f]{6}: diverged \(loss or gradient not finite\)", printed)
    assert call("experiments", "show", "just_image_to_seq", "--scale", "tiny") == 0
    assert "MFLOP" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["generate", "cubes"], 2, "'cubes' is not a known DISTRIBUTION"),
        (["train", "standar_run"], 2, "(`luxel train --help` lists them); did you mean standard_run"),
        (["experiments", "show", "dmo"], 2, "(`luxel experiments show --help` lists them); did you mean demo?"),
        (["experiments", "shwo"], 2, "luxel experiments: 'shwo' is not a known ACTION"),
        (["paint"], 2, "'paint' is not a known VERB"),
        (
            ["generate", "spheres", "--out", "x", "--max-objects", "0"],
            1,
            "--max-objects is 0, must be an integer in [1, 1000000]",
        ),
        (["generate", "spheres", "--out", "x", "--spp", "1"], 1, "--spp is 1, must be an integer in [2, 16777216]"),
        (["train", "demo", "--train.loss", "hubr"], 1, "loss 'hubr' is unknown"),
        (["train", "demo", "--model.width", "24"], 1, "width 24 is not start.size 4 times a power of two"),
        (["train", "demo", "--data.width", "64"], 1, "images are 64×32, the model's 32×32"),
        (["train", "demo", "--data", "stream:cubes"], 1, "distribution 'cubes' is unknown"),
        (["train", "demo", "--data", "stream:spheres", "--stream.spp", "0"], 1, "--stream.spp is 0"),
        (["train", "demo", "--data", "stream:spheres", "--stream.rays", "9"], 1, "the network makes whole images"),
        (["generate", "spheres", "--out", "x", "--workers", "2"], 1, "workers is 2, but the path tracer works in one"),
        (["generate", "spheres", "--out", "x", "--tracer", "torch"], 1, "--tracer is torch, which is path now"),
        (["train", "demo", "--data.tracer=torch_compiled"], 1, "--data.tracer is torch_compiled, which is path now"),
        (["train", "demo", "--data", "stream:spheres", "--stream.compiled"], 1, "--stream.compiled: the path tracer"),
        (["generate", "spheres", "--out", "x", "--tracer", "pov"], 2, "'pov'"),
        (["train", "demo", "--train.precision", "tf32", "--cpu"], 1, "tf32, which NVIDIA GPUs"),
        (["experiments", "compare", "demmo"], 1, "'demmo' is neither an experiment nor a group"),
        (["experiments", "compare", "demo", "--seeds", "0"], 1, "--seeds is 0, must be an integer in [1, 1000]"),
        (["experiments", "compare"], 1, "no experiments to compare"),
        (["experiments", "findings"], 1, "docs/ledger holds no records"),
        (["cooldown", "nowhere", "--samples", "9", "--out", "x"], 1, "nowhere/config.json: cannot be read"),
        (["evaluate", "nowhere"], 1, "nowhere is neither a folder nor a model that comes with Luxel"),
        (["render", str(SCENE), "--model", "nowhere", "--out", "x.gif"], 1, "x.gif: image files end in .exr"),
        (["render", "gone.json", "--out", "x.png"], 1, "gone.json: cannot be read as a scene: No such file"),
        (
            ["render", str(SCENE), "--truth", "0"],
            1,
            "--truth is 0, must be an integer in [1, 16777216]",
        ),
        (["evaluate", "."], 1, ". has no model.safetensors"),
        (["evaluate", "ray-small", "--data", "scenes:gone"], 1, "gone: is no folder; scenes:DIR is one of scenes"),
        (["evaluate", "ray-small", "--data", "gone"], 1, "gone: not a data set, manifest.json is missing"),
        (["evaluate", "ray-small", "--data", "gone", "--width", "9"], 1, "width is 9, but gone is traced already"),
        (
            ["evaluate", "ray-small", "--spp", "1"],
            1,
            "--spp is 1, must be an integer in [2, 16777216]",
        ),
        (["generate", "scenes:.", "--out", "x"], 1, ".: has no scenes, which are files that end in .json"),
        (["generate", "--plugin", "gone", "spheres"], 1, "--plugin gone: cannot be imported: ModuleNotFoundError"),
        (["experiments", "list", "--runs", "gone"], 1, "runs is gone, which is no folder"),
        (["train", "demo", "--lr-multiplier", "-1"], 1, "--lr-multiplier is -1.0, must be a number in (0, 1e+06]"),
        (["train", "demo", "--lr-multiplier", "nan"], 1, "--lr-multiplier is nan, must be a number in (0, 1e+06]"),
        (
            ["train", "demo", "--train.optim.ema-decay", "nan"],
            1,
            "--train.optim.ema-decay is nan, must be a number in",
        ),
        (
            ["train", "demo", "--train.optim.ema-decay", "2"],
            1,
            "--train.optim.ema-decay is 2.0, must be a number in",
        ),
        (
            ["train", "demo", "--train.optim.clip-norm", "0"],
            1,
            "--train.optim.clip-norm is 0.0, must be a number in",
        ),
        (
            ["train", "demo", "--train.optim.weight-decay", "-1"],
            1,
            "--train.optim.weight-decay is -1.0, must be a number in",
        ),
        (
            ["train", "demo", "--train.guard.spike", "nan"],
            1,
            "--train.guard.spike is nan, must be a number in",
        ),
        (["train", "demo", "--train.seed", "-1"], 1, "--train.seed is -1, must be an integer in [0, 4294967295]"),
        (["train", "demo", "--train.batch-size", "100000"], 1, "train.batch_size is 100000, 100000 pictures of 32×32"),
        (
            ["generate", "spheres", "--out", "x", "--workers", "-1"],
            1,
            "--workers is -1, must be an integer in",
        ),
        (
            ["render", str(SCENE), "--width", "100000"],
            1,
            "--width is 100000, must be an integer in [1, 65536]",
        ),
        (
            ["render", str(SCENE), "--height", "0"],
            1,
            "--height is 0, must be an integer in [1, 65536]",
        ),
        (["render", str(SCENE), "--exposure", "nan"], 1, "--exposure is nan, must be a number in [-64, 64]"),
        (["render", str(SCENE), "--exposure", "1", "--out", "x.exr"], 1, "exposure is 1.0, but x.exr holds radiance"),
        (["cooldown", "x", "--samples", "0", "--out", "y"], 1, "--samples is 0, must be an integer in [1, 10995116277"),
    ],
)
def test_a_mistake_is_one_message(arguments, code, message, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert call(*arguments) == code
    printed = capsys.readouterr().err
    assert message in printed
    assert "Traceback" not in printed
    assert code != 1 or printed.splitlines()[-1].startswith(f"luxel {arguments[0]}: "), "one line, as long as it is"
    assert not any(tmp_path.iterdir())


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


def test_a_folder_of_other_settings_is_left_alone(data, capsys):
    before = {path.name: path.read_bytes() for path in data.iterdir()}
    assert call("generate", "spheres", "--out", data, "--max-objects", "4", *GENERATE) == 1
    assert "max_objects: the folder has 3, asked for is 4" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in data.iterdir()} == before


def test_a_diverged_run_has_its_own_exit_code(data, tmp_path, capsys):
    explosive = ["--train.optim.learning-rate", "1e30", "--train.samples", "4096"]
    assert call("train", "standard_run", "--scale", "tiny", "--cpu", "--data", data, "--out", tmp_path, *explosive) == (
        DIVERGED
    )
    printed = capsys.readouterr()
    assert '"status": "diverged"' in printed.out
    assert "loss or gradient not finite" in printed.err


def test_training_streams_and_is_evaluated(tmp_path, monkeypatch, capsys):
    """No data set is prepared; the other distribution keeps the experiment's parameters."""
    monkeypatch.chdir(tmp_path)
    few = ["--data.count", "16", "--data.spp", "4"]
    assert call(*TRAIN, "--data", "stream:ellipsoids", "--stream.spp", "8", *few, "--out", "run") == 0
    config = json.loads(Path("run/config.json").read_text())["experiment"]
    assert config["stream"] == {"spp": 8, "rays": 0, "aim": "picture"}
    distribution = config["data"]["distribution"]
    assert (distribution["name"], distribution["max_objects"]) == ("ellipsoids", 4)
    assert call("evaluate", "run") == 0
    assert "reference 4 spp" in capsys.readouterr().out
    assert len(list(Path("data").iterdir())) == 1


@pytest.mark.parametrize(
    ("options", "renderer"), [([], "luxel "), (["--tracer", "mitsuba", "--workers", "2"], "mitsuba ")]
)
def test_generate_by_either_tracer(options, renderer, tmp_path):
    few = ["--count", "8", "--width", "5", "--height", "3", "--spp", "2", *options]
    assert call("generate", "ellipsoids", "--out", tmp_path / "data", *few) == 0
    settings = json.loads((tmp_path / "data" / "manifest.json").read_text())["settings"]
    assert settings["renderer"].startswith(renderer)


def test_the_short_form_of_the_lr_multiplier(data, tmp_path):
    assert call(*TRAIN, "--data", data, "--out", tmp_path, "--lr-multiplier", "0.5") == 0
    assert json.loads((tmp_path / "config.json").read_text())["experiment"]["train"]["optim"]["lr_multiplier"] == 0.5


def test_a_cooldown_branches_off_a_run(data, tmp_path, capsys):
    constant = ["--train.optim.schedule.shape", "constant"]
    assert call(*TRAIN, *constant, "--data", data, "--out", tmp_path / "run") == 0
    capsys.readouterr()
    end = ["--samples", "64", "--out", tmp_path / "end", "--data", data, "--cpu"]
    assert call("cooldown", tmp_path / "run", *end) == 0
    assert f"run folder: {tmp_path / 'end'}" in capsys.readouterr().out
    assert json.loads((tmp_path / "end" / "result.json").read_text())["samples"] == 128 + 64


def test_a_comparison_ends_with_a_page_and_its_findings(tmp_path, monkeypatch, capsys):
    """Two experiments at the tiny scale, then a page of findings from their records."""
    monkeypatch.chdir(tmp_path)
    command = ["experiments", "compare", "standard_run", "just_image_to_seq", "--scale", "tiny", "--cpu"]
    assert call(*command, "--out", "page") == 0
    assert "| standard_run | 1 | 768 |" in capsys.readouterr().out
    before = sorted((path.name, path.stat().st_mtime_ns) for path in tmp_path.glob("runs/*/*/model/*"))
    assert call(*command, "--out", "page") == 0
    assert sorted((path.name, path.stat().st_mtime_ns) for path in tmp_path.glob("runs/*/*/model/*")) == before
    assert call("experiments", "findings", "--records", "page/records", "--out", "findings.md") == 0
    assert "1 of 3 seeds | tiny | undecided |" in Path("findings.md").read_text()


def test_help_names_every_verb(capsys):
    assert call("--help") == 0
    printed = capsys.readouterr().out
    for verb in VERBS:
        assert f"luxel {verb}" in printed


def test_a_killed_training_ends_with_the_weights_of_one_that_was_not(data, tmp_path):
    """SIGKILL after the first checkpoint, then the same command again; all of one thread, as weights depend on that."""
    options = ["--train.samples", "640", "--train.checkpoint-every", "5", "--data", data]
    train = ["train", "new_improve_seq", "--scale", "tiny", "--cpu", *options]
    assert call(*train, "--out", tmp_path / "whole") == 0
    command = [sys.executable, "-m", "luxel.cli", *train, "--out", tmp_path / "killed"]
    victim = subprocess.Popen(command, stderr=subprocess.DEVNULL, env=os.environ | {"OMP_NUM_THREADS": "1"})
    wait_for(tmp_path / "killed" / "samples", victim)  # from the first test on, at a quarter of the run
    victim.send_signal(signal.SIGKILL)
    victim.wait()
    assert not (tmp_path / "killed" / "result.json").exists()
    assert call(*train, "--out", tmp_path / "killed") == 0
    whole, killed = (load_file(tmp_path / name / "model" / "model.safetensors") for name in ("whole", "killed"))
    assert whole.keys() == killed.keys()
    for name in whole:
        assert (whole[name] == killed[name]).all(), name


def wait_for(path: Path, process: "subprocess.Popen[str] | subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 120
    while not path.exists():
        assert time.monotonic() < deadline
        assert process.poll() is None, "it ended before it could be stopped"
        time.sleep(0.01)


def test_an_interrupted_movie_goes_on_with_the_same_command(tmp_path, monkeypatch, capsys):
    """Frame by frame, to the bytes of one that was not; its exit code is Ctrl-C's."""
    monkeypatch.chdir(tmp_path)
    film = ["movie", SCENE, "--turntable", "3", "--width", "8", "--pictures", "exr", "--spp", "1"]
    assert call(*film, "--out", "whole") == 0
    assert capsys.readouterr().out == "whole: 3 frames, 0.12 s\n"
    refined, asked = Renderer.refined, []

    def interrupted(*arguments, **options):
        asked.append(1)
        if len(asked) == 2:
            raise KeyboardInterrupt
        return refined(*arguments, **options)

    monkeypatch.setattr(Renderer, "refined", interrupted)
    assert call(*film, "--out", "cut") == 130
    assert capsys.readouterr().err.endswith("--out cut` goes on from here\n")
    assert [path.name for path in sorted(Path("cut").glob("*.exr"))] == ["00000.exr"]
    assert call(*film, "--out", "cut") == 0
    assert len(asked) == 4, "the first frame is not rendered again"
    for number in range(3):
        assert Path(f"cut/0000{number}.exr").read_bytes() == Path(f"whole/0000{number}.exr").read_bytes()


def test_a_movie_of_what_stands_still_or_has_another_look_is_told(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert call("movie", SCENE) == 1
    assert "still_life.json: has no keyframes (docs/movie.md)" in capsys.readouterr().err
    assert call("movie", SCENE, "--turntable", "2", "--width", "9") == 1
    assert "width is 9, must be even in an .mp4; give 10" in capsys.readouterr().err
    assert call("movie", SCENE, "--look", "dark") == 1
    assert "--look is dark, but a scene in JSON has its own look and camera" in capsys.readouterr().err
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("streams", [False, True])
def test_ctrl_c_says_how_to_go_on(data, tmp_path, streams, number):
    """As does a scheduler's SIGTERM, which all processes of the job receive."""
    source = ["stream:spheres", "--data.count", "9"] if streams else [data]
    command = [sys.executable, "-m", "luxel.cli", *TRAIN, "--train.samples", "100000", "--data", *source]
    run = subprocess.Popen(
        [*command, "--out", "run"], stderr=subprocess.PIPE, text=True, cwd=tmp_path, start_new_session=True
    )
    wait_for(tmp_path / "run" / "metrics.jsonl", run)
    os.killpg(run.pid, number)
    _, errors = run.communicate(timeout=60)
    assert run.returncode == 130
    assert "goes on from here" in errors
    assert "Traceback" not in errors
    assert read_progress(tmp_path / "run" / "checkpoint.safetensors").step > 0


def test_sigterm_ends_generation_as_ctrl_c_does(tmp_path):
    command = [sys.executable, "-m", "luxel.cli", "generate", "spheres", "--out", "set", "--count", "100000"]
    run = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
    wait_for(tmp_path / "set" / "manifest.json", run)
    run.send_signal(signal.SIGTERM)
    _, errors = run.communicate(timeout=60)
    assert run.returncode == 130
    assert "goes on from here" in errors
    assert "Traceback" not in errors


LIST = [sys.executable, "-m", "luxel.cli", "experiments", "list"]


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "utf-8"])
def test_any_output_encoding_prints(encoding, tmp_path):
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    (tmp_path / "runs" / "2020-05-30" / "tanh-small").mkdir(parents=True)
    (tmp_path / "runs" / "2020-05-30" / "tanh-small" / "result.json").write_text("{")  # told with an arrow
    done = subprocess.run(LIST, capture_output=True, env=environment, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")
    assert ("→" if encoding == "utf-8" else "?") + " small: runs" in done.stdout.decode(encoding)


def test_a_reader_that_has_seen_enough_is_no_error(tmp_path):
    with subprocess.Popen(LIST, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 0


def test_a_run_whose_messages_nobody_reads_does_not_end_well(tmp_path):
    """As of `luxel train … 2>&1 | head`."""
    command = [*LIST[:3], "render", SCENE, "--width", "13"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=tmp_path) as process:
        process.stdout.close()
        assert process.wait() == 141


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("arguments", [["experiments", "list"], ["--help"], ["--version"], ["train", "demo", "--help"]])
def test_an_output_that_is_full_is_one_line(arguments, unbuffered, tmp_path):
    """Whether printing says so or the end."""
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    with open("/dev/full", "wb") as full:
        command = [*LIST[:3], *arguments]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, cwd=tmp_path, env=environment)
    assert done.returncode == 1
    assert done.stderr == f"luxel {arguments[0]}: standard output: No space left on device\n"


def test_fit_finds_a_scene_and_goes_on(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    scene = Scene.load(SCENE)
    assert call("render", SCENE, "--width", "13", "--out", "picture.exr") == 0
    scene.model_copy(update={"background": (0.5, 0.5, 0.5)}).save("start.json")
    fit = ["fit", "picture.exr", "--scene", "start.json", "--free", "background", "--out", "fit"]
    assert call(*fit) == 0
    printed = capsys.readouterr().out
    assert "background[2]" in printed
    np.testing.assert_allclose(Scene.load("fit/scene.json").background, scene.background, atol=0.01)
    assert call(*fit) == 0
    assert "hardly fallen" not in capsys.readouterr().err
    assert call(*fit, "--iterations", "7") == 1
    assert "another settings" in capsys.readouterr().err
    assert call(*fit[:-1], "other", "--bounds", "background=0.499:0.501") == 0
    assert "warning: the loss has hardly fallen" in capsys.readouterr().err
    assert call(*fit[:-1], "other", "--bounds", "background=0.6:0.9") == 1
    assert "background[0] is 0.5 at the start, must be in its bounds [0.6, 0.9]" in capsys.readouterr().err
    assert call("fit", "picture.exr", "--scene", "start.json", "--free", "backgruond", "--out", "other") == 1
    assert "luxel fit: 'backgruond' is no parameter of this scene; did you mean background?" in capsys.readouterr().err
