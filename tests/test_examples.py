"""The examples run as they stand, each as its own program."""

import math
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from luxel.experiments.base import tiny_model
from luxel.files.typed_json import read_json
from luxel.models.image_model import ImageModel
from luxel.pipeline import Renderer
from luxel.scene import Animation, Cylinder, Scene, Sphere, load_scene, scene_id
from luxel.scene.camera import rotation_matrix

EXAMPLES = Path(__file__).parent.parent / "examples"


def test_01_render_a_scene(tmp_path: Path):
    torch.manual_seed(0)
    ImageModel(tiny_model()).save_pretrained(tmp_path / "model")
    example = runpy.run_path(str(EXAMPLES / "01_render_a_scene.py"))
    example["main"](tmp_path / "model", tmp_path / "still_life.png")
    assert np.asarray(Image.open(tmp_path / "still_life.png")).shape == (16, 32, 3)


def test_02_train_your_own(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    example = runpy.run_path(str(EXAMPLES / "02_train_your_own.py"))
    example["main"](tmp_path / "mine", samples=128, scenes=24)
    result = read_json(tmp_path / "mine" / "result.json")
    assert (result["status"], result["samples"]) == ("finished", 128)


def test_03_shapes_and_features(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(EXAMPLES / "03_shapes_and_features.py"))["main"](size=17, spp=2)
    assert np.asarray(Image.open("shapes.png")).shape == (17, 6 * 17, 3)
    assert np.asarray(Image.open("shapes_features.png")).shape == (3 * 17, 6 * 17, 3)


@pytest.mark.filterwarnings("ignore::luxel.InputWarning")  # which say what so small a picture leaves open
def test_04_find_a_lamp(tmp_path: Path, monkeypatch):
    """As near as the example says, from a picture a third as large."""
    monkeypatch.chdir(tmp_path)
    example = runpy.run_path(str(EXAMPLES / "04_find_a_lamp.py"))
    found, true = example["main"](size=24), example["truth"]()
    assert np.asarray(Image.open("found.png")).shape == (24, 3 * 24, 3)
    assert math.dist(found.objects[3].center, true.objects[3].center) < 0.6
    assert math.dist(found.objects[1].material.base_color, true.objects[1].material.base_color) < 0.1


def test_05_point_cloud_figure(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(EXAMPLES / "05_point_cloud_figure.py"))["main"](points=37, side=19)
    for look in ("paper", "studio", "dark", "flat"):
        assert np.asarray(Image.open(f"trefoil_{look}.png")).shape == (19, 19, 3)
    assert np.asarray(Image.open("looks.png")).shape == (19, 4 * 19, 3)
    assert len(load_scene("trefoil.npy").objects) == 37 + 2


def test_06_light_from_outside(tmp_path: Path, monkeypatch):
    """And the scenes that it writes are those in examples/scenes."""
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(EXAMPLES / "06_light_from_outside.py"))["main"](size=18)
    assert np.asarray(Image.open("outside.png")).shape == (12, 4 * 18, 3)
    for name in ("outdoor", "studio"):
        assert scene_id(Scene.load(f"{name}.json")) == scene_id(Scene.load(EXAMPLES / "scenes" / f"{name}.json"))
    assert Path("studio.hdr").read_bytes() == (EXAMPLES / "scenes" / "studio.hdr").read_bytes()


def test_07_newtons_cradle(tmp_path: Path):
    """A movie of the scene file that is committed; at the start and half a period later one ball alone is out."""
    out = tmp_path / "cradle.json"
    runpy.run_path(str(EXAMPLES / "07_newtons_cradle.py"))["main"](out, width=24, height=14, fps=1.0)
    assert out.read_bytes() == (EXAMPLES / "movies" / "newtons_cradle.json").read_bytes()
    assert np.asarray(Image.open(tmp_path / "cradle.png")).shape == (2 * 5, 3 * 9, 3)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cradle.json", "cradle.mp4", "cradle.png"]
    cradle = Animation.load(out)
    assert cradle.duration == 4
    for time, away in ((0.0, [0]), (0.5, []), (1.0, [4]), (1.5, []), (2.0, [0])):
        balls = [item for item in cradle(time).objects if isinstance(item, Sphere)]
        assert [number for number, ball in enumerate(balls) if ball.center[2] > 0.71] == away
        strings = [item for item in cradle(time).objects if isinstance(item, Cylinder) and item.radius == 0.012]
        for number, string in enumerate(strings):
            end = rotation_matrix(string.rotation) @ (0, 0, string.half_height)
            assert math.dist(string.center - end, balls[number // 2].center) < 1e-3


def test_the_scene_files_are_scenes():
    files = sorted((EXAMPLES / "scenes").glob("*.json"))
    assert files
    for file in files:
        assert len(Scene.load(file).objects) > 1


def test_the_documented_edits_are_as_they_say():
    page = (Path(__file__).parent.parent / "docs" / "scene.md").read_text()
    edits = page.split("```python\n")[1].split("```")[0]
    edits = edits.replace("scene.json", str(EXAMPLES / "scenes" / "six_objects.json"))
    before = Scene.load(EXAMPLES / "scenes" / "six_objects.json")
    names: dict[str, object] = {"Scene": Scene}
    exec(edits, names)
    after = names["scene"]
    assert isinstance(after, Scene)
    assert len(after.objects) == len(before.objects) - 2
    assert after.objects[1].center == (0, 0, 0.3)
    assert after.objects[1].material.roughness == 0.1
    assert (after.camera.vertical_fov_degrees, after.background) == (30, (0.5, 0.5, 0.5))


@pytest.mark.filterwarnings("ignore::luxel.InputWarning")  # which say what so small a picture leaves open
def test_the_documented_gradients_are_to_be_had():
    page = (Path(__file__).parent.parent / "docs" / "fit.md").read_text()
    blocks = [block.split("```")[0].replace("128", "16") for block in page.split("```python\n")[1:]]
    start = EXAMPLES / "scenes" / "six_objects.json"
    names: dict[str, Any] = {"torch": torch, "my_loss": torch.mean}
    names["image"] = Renderer.from_pretrained("ray-small")(Scene.load(start), 16)
    for block in blocks:
        exec(block.replace("start.json", str(start)), names)
    assert names["by_name"]["camera.position"].shape == (3, 16, 16, 3)
    assert names["center"].grad.abs().min() > 0


def test_the_documented_keyframes_are_an_animation():
    page = (Path(__file__).parent.parent / "docs" / "movie.md").read_text()
    animation = Animation.from_json(page.split("```json\n")[1].split("```")[0], "docs/movie.md")
    assert animation.duration == 4
    assert len(animation.tracks) == 4


def test_the_documented_scene_is_one():
    page = (Path(__file__).parent.parent / "docs" / "scene.md").read_text()
    scene = Scene.from_json(page.split("```json\n")[1].split("```")[0].encode(), "docs/scene.md")
    shapes = ["plane", "sphere", "ellipsoid", "box", "cylinder", "panel", "sphere"]
    assert [item.shape for item in scene.objects] == shapes
