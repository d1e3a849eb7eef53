"""`luxel convert`: by the files' endings, in both directions, with a word for what is left out."""

import json
import shutil

import numpy as np
import pytest

from luxel.cli import main
from luxel.scene import Scene, Sphere, load_scene, scene_id
from luxel.scene.figures.figure import Figure

SCENE = "examples/scenes/mirror_and_glass.json"


def converted(*arguments: object) -> int:
    with pytest.raises(SystemExit) as end:
        main(["convert", *map(str, arguments)])
    return int(end.value.code or 0)


@pytest.fixture
def source(pytestconfig):
    return pytestconfig.rootpath / SCENE


def test_a_round_through_every_format(source, tmp_path, capsys):
    """Twice binary and JSON between, so that what glTF and USD round is all that changes."""
    formats = ["binary.safetensors", "new/model.glb", "model.gltf", "stage.usdc", "stage.usda", "end.json"]
    path = source
    for name in formats:
        assert converted(path, tmp_path / name) == 0
        path = tmp_path / name
        assert capsys.readouterr().out == f"{path}: 6 objects\n"
    assert scene_id(Scene.load(tmp_path / formats[0])) == scene_id(Scene.load(source))
    for one, other in zip(Scene.load(path).objects, Scene.load(source).objects, strict=True):
        assert one.shape == other.shape
        assert one.center == pytest.approx(other.center, abs=1e-6)
        assert one.material.transmission == pytest.approx(other.material.transmission, abs=1e-6)
    assert Scene.load(path).background == pytest.approx(Scene.load(source).background, abs=1e-6)


def test_a_map_is_found_from_the_new_file_on(source, pytestconfig, tmp_path, monkeypatch):
    shutil.copy(pytestconfig.rootpath / "examples" / "scenes" / "studio.hdr", tmp_path / "studio.hdr")
    values = json.loads(source.read_text()) | {"sky": {"kind": "map", "file": "studio.hdr"}}
    (tmp_path / "one.json").write_text(json.dumps(values))
    monkeypatch.chdir(tmp_path)
    assert (
        converted("one.json", "binary/deep/one.safetensors") == converted("binary/deep/one.safetensors", "b.json") == 0
    )
    assert Scene.load("binary/deep/one.safetensors") == Scene.load("b.json") == Scene.load("one.json")
    assert json.loads((tmp_path / "b.json").read_text())["sky"]["file"] == "studio.hdr"


def test_what_is_left_out_is_told(source, tmp_path, capsys):
    assert converted(source, tmp_path / "a.glb") == 0
    assert capsys.readouterr().err == f"{tmp_path / 'a.glb'}: background: glTF has no sky; other programs see none\n"
    assert converted(source, tmp_path / "a.xml", "--width", 24, "--height", 16) == 0
    assert '<integer name="width" value="24"' in (tmp_path / "a.xml").read_text()


def test_what_mitsuba_gets_wrong_is_told_without_an_option_of_another_verb(source, tmp_path, capsys):
    data = json.loads(source.read_text())
    data["camera"]["position"] = [0, -5e4, 1]
    (tmp_path / "far.json").write_text(json.dumps(data))
    assert converted(tmp_path / "far.json", tmp_path / "a.xml") == 0
    told = capsys.readouterr().err
    assert "camera.position is " in told
    assert "the file is written all the same" in told
    assert "--tracer" not in told


def test_points_become_the_scene_that_python_makes_of_them(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("cloud.npy", np.random.default_rng(0).normal(size=(11, 3)))
    assert converted("cloud.npy", "cloud.json", "--look", "dark", "--width", 640, "--height", 320) == 0
    assert Scene.load("cloud.json") == load_scene("cloud.npy", Figure(look="dark"), aspect=2.0)
    assert converted("cloud.json", "cloud.glb", "--look", "dark") == 1
    assert "cloud.json: --look is dark, but a scene has its own look and camera" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (("a.json", "b.obj"), "b.obj: its ending says no format that is known here; known are .json, .safetensors, "),
        (("a.xml", "b.json"), "a.xml: .xml is written but not read; read are .json, .safetensors, "),
        (("a.glb", "b.json"), "a.glb: cannot be read: No such file or directory; name a scene"),
        (("a.json", "b.json"), "a.json: cannot be read as a scene"),
    ],
)
def test_mistakes_are_one_line(names, told, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert converted(*names) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"luxel convert: {told}")
    assert error.count("\n") == 1
    assert not any(tmp_path.iterdir())


def test_a_scene_beyond_renderformer_leaves_nothing(tmp_path, capsys):
    ball = Scene(objects=(Sphere(center=(0, 0, 0), radius=1),), camera={"position": (0, -5, 0), "look_at": (0, 0, 0)})
    ball.save(tmp_path / "ball.json")
    assert converted(tmp_path / "ball.json", tmp_path / "ball.renderformer.json") == 1
    assert "the lights have 0 triangles, must have 1 to 8" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["ball.json"]
