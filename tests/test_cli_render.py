"""`luxel render` as a user calls it."""

from pathlib import Path

import numpy as np
import pytest
from command_line import SCENE, call
from PIL import Image

from luxel import Camera, InputError, Sphere
from luxel.denoised import denoised
from luxel.files.exr import load_exr
from luxel.image.formats import to_bytes
from luxel.image.side_by_side import magnified
from luxel.models.ray_model import RayModel, RayModelConfig
from luxel.pipeline import Renderer
from luxel.scene import Scene, load_scene


@pytest.fixture(scope="module")
def untrained(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("untrained")
    RayModel(RayModelConfig(width=8)).save_pretrained(path)
    return path


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
    """At its left the truth, at its right the model's picture, names below; 23 pixels are shown five times as large."""
    options = ["--model", untrained, "--width", "23", "--exposure", "-1", "--truth", "2"]
    assert call("render", SCENE, *options[:-2], "--out", tmp_path / "alone.png") == 0
    assert call("render", SCENE, *options, "--out", tmp_path / "both.png") == 0
    alone, both = (np.asarray(Image.open(tmp_path / name)) for name in ("alone.png", "both.png"))
    assert both.shape[0] > 115 + 4 * 12, "four lines below"
    middle = both.shape[1] // 2
    np.testing.assert_array_equal(both[:115, middle:][:, :115], magnified(alone))
    assert (both[:115, :115] != magnified(alone)).any()


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

    monkeypatch.setattr("luxel.trace.path.PathTracer.sample_fragments", interrupted)
    assert call(*options, "--out", tmp_path / "stopped.exr", "--spp", "4") != 0
    np.testing.assert_array_equal(load_exr(tmp_path / "stopped.exr"), alone)
    assert f"{tmp_path / 'stopped.exr'}: {untrained} alone, until 4 paths a pixel are traced" in capsys.readouterr().err


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
    np.testing.assert_array_equal(load_exr(Path("default.exr")), denoised(scene, 24, 12, seed=0))
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
        (("cloud.npy", "--select", "9:"), "cloud.npy: --select is '9:', which none of 3 particles is"),
        (("cloud.npy", "--view", "up"), "--view is 'up', must be azimuth,elevation in degrees"),
        (("cloud.npy", "--radius", "-1"), "--radius is -1.0, must be a number in (0, 1e+30]; or leave it out"),
        (
            ("cloud.npy", "--bonds"),
            "cloud.npy: bonds are found by elements' covalent radii, but it names neither elements nor bonds",
        ),
        ((SCENE, "--look", "dark"), f"{SCENE}: --look is dark, but a scene has its own look and camera"),
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


def test_of_several_scenes_each_without_light_is_named(untrained, tmp_path, capsys):
    ball = Sphere(center=(0, 0, 0), radius=1)
    dark = Scene(objects=(ball,), camera=Camera(position=(0, -5, 0), look_at=(0, 0, 0)))
    for name, scene in (("a", dark), ("b", dark.model_copy(update={"background": (1, 1, 1)})), ("c", dark)):
        scene.save(tmp_path / f"{name}.json")
    paths = sorted(tmp_path.glob("*.json"))
    assert call("render", *paths, "--model", untrained, "--width", "5", "--out", tmp_path) == 0
    told = [line.split(" gives light")[0] for line in capsys.readouterr().err.splitlines() if "warning" in line]
    assert told == [f"warning: {paths[number]}: nothing" for number in (0, 2)]


def test_a_figure_without_background_has_alpha(untrained, tmp_path, monkeypatch):
    """Over white it is the picture there is without the option, but for edges, which are put together otherwise."""
    monkeypatch.chdir(tmp_path)
    np.save("cloud.npy", np.random.default_rng(0).normal(size=(17, 3)))
    options = ["render", "cloud.npy", "--width", "31", "--spp", "2", "--out"]
    assert call(*options, "opaque.png") == 0
    assert call(*options, "clear.png", "--transparent") == 0
    opaque, clear = (np.asarray(Image.open(name)).astype(float) / 255 for name in ("opaque.png", "clear.png"))
    alpha = clear[..., 3:]
    assert alpha.min() < 0.2
    assert (alpha == 1).sum() > 100
    np.testing.assert_allclose((clear[..., :3] * alpha + 1 - alpha)[alpha[..., 0] == 1], opaque[alpha[..., 0] == 1])
    assert np.abs(clear[..., :3] * alpha + 1 - alpha - opaque).mean() < 0.02
    assert call("render", SCENE, "--model", untrained, "--transparent", "--out", "scene.png") == 0
    assert np.asarray(Image.open("scene.png")).shape == (8, 8, 4)
    for name, without in (("bare.png", ["--no-ground"]), ("from_below.png", ["--view", "bottom"])):
        assert call(*options, name, "--transparent", "--look", "dark", *without) == 0
        assert np.asarray(Image.open(name))[0, 0, 3] == 0


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--out", "a.jpg"], "a.jpg: .jpg has no alpha channel; write a .png, .webp or .exr"),
        (["--labels"], "--transparent and --labels don't go together"),
        (["--truth", "4"], "--transparent and --truth don't go together"),
        (["--look", "studio"], "--transparent and --look studio: its ground would hide what is behind; give --no-gr"),
    ],
)
def test_what_has_no_transparent_background_is_told_before_any_work(options, told, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    np.save("cloud.npy", np.zeros((3, 3)))
    assert call("render", "cloud.npy", "--transparent", *options) == 1
    assert told in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["cloud.npy"]
