from types import SimpleNamespace

import pytest
from fake_gui import FakeGui
from viewer_scenes import BALL, SCENE

from luxel.scene.description import Scene
from luxel.viewer.document import Document
from luxel.viewer.panels.file_panel import FilePanel

RED = SCENE.with_material(BALL, base_color=(1, 0, 0))


@pytest.fixture
def gui():
    return FakeGui()


@pytest.fixture
def document(gui, tmp_path):
    SCENE.save(tmp_path / "a.json")
    document = Document.open(tmp_path / "a.json")
    gui.saved = []
    panel = FilePanel(gui, document, gui.tell, lambda client, ending: gui.saved.append(ending))
    document.listen(panel.refresh)
    return document


def test_the_scene_is_saved_under_its_name_or_a_new_one(document, gui, tmp_path):
    document.edit(RED)
    gui["Save scene"].user_sets()
    assert Scene.load(tmp_path / "a.json") == RED
    gui["File"].user_sets("b.json")
    document.edit(SCENE)
    gui["Save scene"].user_sets()
    assert Scene.load(tmp_path / "b.json") == SCENE
    assert gui.told == [f"Saved {tmp_path / 'a.json'}", f"Saved {tmp_path / 'b.json'}"]
    gui["File"].user_sets("a.json")
    gui["Save scene"].user_sets()
    assert gui.told[-1] == "a.json is there already, and is another scene; choose another name"
    assert Scene.load(tmp_path / "a.json") == RED


@pytest.mark.parametrize("name", ["../a.json", "/tmp/a.json", "a.txt", ".json", ""])
def test_nothing_is_written_outside_the_folder(document, gui, name):
    gui["File"].user_sets(name)
    gui["Save scene"].user_sets()
    assert "must be a name that ends in .json, without a folder" in gui.told[-1]


def test_a_scene_that_is_opened_takes_no_other_ones_name(document, gui, tmp_path):
    def upload(name, content):
        gui["Open scene …"].user_sets(SimpleNamespace(name=name, content=content))

    upload("a.json", RED.to_json().encode())
    assert (document.scene, document.path.name, gui["File"].value) == (RED, "a-2.json", "a-2.json")
    upload("a.json", SCENE.to_json().encode())
    assert document.path.name == "a.json"
    upload("c.json", b"{")
    assert gui.told[-1].startswith("c.json: ")
    assert document.scene == SCENE


def test_pictures_are_saved_by_their_ending(document, gui):
    gui["Save PNG"].user_sets()
    gui["Save EXR"].user_sets()
    assert gui.saved == [".png", ".exr"]
