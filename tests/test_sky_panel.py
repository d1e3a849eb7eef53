from types import SimpleNamespace

import numpy as np
import pytest
from fake_gui import FakeGui
from viewer_scenes import SCENE, save_map

from luxel.scene.description import MapSky
from luxel.scene.environment import embedded, lossless
from luxel.viewer.document import Document
from luxel.viewer.files import Files
from luxel.viewer.panels.sky_panel import IN_THE_SCENE, NEW_GRADIENT, SkyPanel


@pytest.fixture
def gui():
    return FakeGui()


@pytest.fixture
def document(gui, tmp_path):
    document = Document(SCENE, tmp_path / "a.json")
    panel = SkyPanel(gui, document, gui.tell, Files(tmp_path, anywhere=True))
    document.listen(panel.refresh)
    return document


def test_the_background_is_a_hue_and_a_radiance(document, gui):
    gui["Radiance"].user_sets("0.6")
    assert document.scene.background == pytest.approx((0.4, 0.5, 0.6), rel=0.01)
    gui["Color"].user_sets((255, 255, 255))
    assert document.scene.background == (0.6, 0.6, 0.6)
    gui["Radiance"].user_sets("0")
    assert gui["Color"].value == (255, 255, 255)
    while document.undo():
        pass
    assert (document.scene, gui["Radiance"].value) == (SCENE, "0.3")


def test_a_gradient_has_three_radiances(document, gui):
    assert "Zenith radiance" not in gui.inputs
    gui["Sky"].user_sets("gradient")
    assert document.scene.sky == NEW_GRADIENT
    gui["Ground color"].user_sets((255, 0, 0))
    gui["Ground radiance"].user_sets("0.75")
    assert document.scene.sky == NEW_GRADIENT.model_copy(update={"ground": (0.75, 0, 0)})
    document.undo()
    assert gui["Ground radiance"].value == "0.2"
    gui["Sky"].user_sets("none")
    assert document.scene == SCENE
    assert "Zenith radiance" not in gui.inputs


def test_a_map_is_named_turned_and_come_back_to(document, gui, tmp_path):
    gui["Sky"].user_sets("map")
    assert (gui.told[-1], gui["Sky"].value) == ("sky is map: name its file below, or upload one", "none")
    save_map(tmp_path / "sky.hdr")
    gui["Map"].user_sets("gone.hdr")
    gui["Use this map"].user_sets()
    assert "gone.hdr: cannot be read" in gui.told[-1]
    assert document.scene == SCENE
    gui["Map"].user_sets("sky.hdr")
    gui["Use this map"].user_sets()
    gui["Rotation °"].user_sets("30")
    gui["Strength"].user_sets("2")
    sky = document.scene.sky
    assert (sky.file, sky.rotation_degrees, sky.scale) == (str(tmp_path / "sky.hdr"), 30, 2)
    gui["Sky"].user_sets("gradient")
    assert "Rotation °" not in gui.inputs
    gui["Sky"].user_sets("map")
    assert (document.scene.sky, gui["Map"].value) == (sky, "sky.hdr")
    for _ in range(5):
        document.undo()
    assert (document.scene, gui["Sky"].value) == (SCENE, "none")


def test_a_map_that_is_uploaded_is_kept_beside_the_scene(document, gui, tmp_path):
    def upload(name, content):
        gui["Upload a map …"].user_sets(SimpleNamespace(name=name, content=content))

    save_map(tmp_path / "sky.hdr")
    content = (tmp_path / "sky.hdr").read_bytes()
    upload("sky.hdr", content)
    assert document.scene.sky.file == str(tmp_path / "sky-2.hdr")
    assert (tmp_path / "sky-2.hdr").read_bytes() == content
    upload("other.hdr", b"no map")
    upload("other.txt", content)
    assert "other.hdr" in gui.told[0]
    assert "'other.txt', must end in .hdr or .exr" in gui.told[1]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["sky-2.hdr", "sky.hdr"]


def test_a_map_that_lies_elsewhere_now_is_found_again(document, gui, tmp_path):
    save_map(tmp_path / "sky.hdr")
    for name in ("sky.hdr", "moved.hdr"):
        (tmp_path / "sky.hdr").rename(tmp_path / name)
        gui["Map"].user_sets(name)
        gui["Use this map"].user_sets()
        assert document.scene.sky.file == str(tmp_path / name)
    document.undo()
    assert document.scene.sky.file == str(tmp_path / "sky.hdr")


@pytest.mark.parametrize("kept", [embedded, lossless])
def test_a_map_within_the_scene_has_no_file(document, gui, kept):
    sky = MapSky(file=kept(np.array([[[0.5, 0.25, 0.125]]], np.float32)))
    document.edit(SCENE.model_copy(update={"sky": sky}))
    assert (gui["Map"].value, gui["Sky"].value) == (IN_THE_SCENE, "map")
    gui["Sky"].user_sets("none")
    gui["Use this map"].user_sets()
    assert document.scene.sky == sky
