"""`luxel fit` as a user calls it."""

import numpy as np
from command_line import SCENE, call

from luxel.scene import Scene


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
