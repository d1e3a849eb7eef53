import json
import re
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest

import luxel.demo
from luxel.demo import LOGS, TRAINED_SCENES, demo, is_worth_showing, learning_curves, side_by_side
from luxel.files.exr import load_exr
from luxel.files.typed_json import read_json
from luxel.scene import Camera, Material, Scene, Sphere
from luxel.scene.distributions import Spheres
from luxel.trace.path import PathTracer
from luxel.trained_models import SHIPPED


def test_the_demo_ends_with_a_page_and_a_second_call_starts_where_it_left_off(tmp_path: Path, monkeypatch):
    """The whole of it at the tiny scale: real scenes, real tracing, real training."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(luxel.demo, "SHIPPED_SCENES", 2)
    monkeypatch.setattr(luxel.demo, "SHIPPED_SPP", 8)
    monkeypatch.setattr(luxel.demo, "SHIPPED_SIZE", 32)
    out = tmp_path / "demo"
    page, status = demo(out, "tiny")
    assert status == "finished"
    text = page.read_text()
    of_the_log = 2 * 5 if (SHIPPED / LOGS[0]).exists() else 0
    assert text.count('src="data:image/png;base64,') == 2 * 5 + of_the_log + TRAINED_SCENES * 3
    assert ("log-64<br>PSNR" in text) == bool(of_the_log)
    assert text.index("ray-small<br>PSNR") < text.index("ray-base<br>PSNR") < text.index("demo<br>PSNR")
    linked = {(page.parent / unquote(href)).resolve() for href in re.findall('<a href="(.*?)"', text)}
    assert all(path.exists() for path in linked)
    assert {path for path in out.rglob("*") if path.is_file() and path.name != ".lock"} - linked == {page}
    (file,) = out.glob("evaluation-*.json")
    evaluation = read_json(file)
    assert f"PSNR {evaluation['metrics']['psnr']['mean']:.3g} dB" in text
    assert load_exr(out / "renders" / "00" / "demo.exr").shape == (16, 16, 3)
    assert len(Scene.load(out / "renders" / "00" / "scene.json").objects) >= 1
    stages = read_json(out / "stages.json")
    assert set(stages) == {"trace", "train", "evaluate", "render"}
    kept = [out / "model" / "model.safetensors", out / "shipped" / "01" / "path_traced.exr"]
    before = [path.stat().st_mtime_ns for path in kept]
    assert demo(out, "tiny") == (page, status)
    assert [path.stat().st_mtime_ns for path in kept] == before
    again = read_json(out / "stages.json")
    assert again["trace"] == stages["trace"], "the call that traced is the one that counts"


def test_models_render_before_anything_is_traced_and_finished_scenes_are_kept(tmp_path: Path, monkeypatch):
    scenes = [Spheres()(0, index) for index in range(2)]
    arguments = (tmp_path, scenes, {"ray-small": Path("ray-small")}, 16, 4)
    trace, traced = PathTracer.trace, []

    def interrupted(self, given, *rest, **others):
        if traced:
            raise KeyboardInterrupt
        traced.append(given)
        return trace(self, given, *rest, **others)

    monkeypatch.setattr(PathTracer, "trace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        side_by_side(*arguments)
    monkeypatch.setattr(PathTracer, "trace", trace)
    assert all((tmp_path / place / "ray-small.exr").exists() for place in ("00", "01"))
    assert not (tmp_path / "01" / "shown.json").exists()
    first = (tmp_path / "00" / "path_traced.exr").stat().st_mtime_ns
    pictures, seconds = side_by_side(*arguments)
    assert (tmp_path / "00" / "path_traced.exr").stat().st_mtime_ns == first
    assert set(seconds) == {"path_traced", "ray-small"}
    np.testing.assert_array_equal(pictures[1].truth, load_exr(tmp_path / "01" / "path_traced.exr"))
    (tmp_path / "00" / "ray-small.exr").unlink()
    assert (side_by_side(*arguments)[0][0].outputs["ray-small"] == pictures[0].outputs["ray-small"]).all()
    of_less, _ = side_by_side(*arguments[:-1], 2)
    assert (of_less[0].truth != pictures[0].truth).any(), "other samples a pixel are another truth"


def test_scenes_with_nothing_to_see_are_not_shown():
    material = Material(base_color=(0.6, 0.3, 0.2))
    three = Scene(
        objects=tuple(Sphere(center=(x, 0, 0), radius=0.4, material=material) for x in (-1, 0, 1)),
        camera=Camera(position=(0, -4.5, 0.9), look_at=(0, 0, 0), vertical_fov_degrees=35),
        background=(0.3, 0.3, 0.3),
    )
    assert is_worth_showing(three)
    assert not is_worth_showing(three.without(0)), "two objects"
    assert not is_worth_showing(three.with_camera(look_at=(0, -9, 0.9))), "behind the camera"
    assert not is_worth_showing(three.model_copy(update={"background": (0, 0, 0)})), "dark"
    assert not is_worth_showing(three.model_copy(update={"background": (5, 5, 5)})), "white"


def test_a_skipped_step_is_left_out_of_the_curves(tmp_path: Path):
    rows = [(16, 0.5, None), (32, None, None), (48, 0.3, 0.25)]
    lines = [{"step": n, "samples": n, "seconds": 1.0, "train_loss": a, "test_loss": b} for n, a, b in rows]
    (tmp_path / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    train, test = learning_curves(tmp_path)
    assert (train.x, train.y) == ([48], [0.4])
    assert (test.x, test.y) == ([48], [0.25])
