from types import SimpleNamespace

import pytest
from fake_gui import FakeGui, FakeNotices
from viewer_scenes import BALL, SCENE, save_map

from luxel.scene.description import Scene
from luxel.viewer.document import Document
from luxel.viewer.files import Files
from luxel.viewer.panels.file_panel import FilePanel

RED = SCENE.with_material(BALL, base_color=(1, 0, 0))


@pytest.fixture
def gui():
    return FakeGui()


@pytest.fixture
def document(gui, tmp_path):
    SCENE.save(tmp_path / "a.json")
    document = Document.open(tmp_path / "a.json")
    gui.saved, gui.opened = [], 0

    def opened():
        gui.opened += 1

    files = Files(tmp_path, anywhere=True)
    panel = FilePanel(gui, document, FakeNotices(gui), files, lambda client, ending: gui.saved.append(ending), opened)
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


@pytest.mark.parametrize("name", ["a.txt", ".json", "", ".."])
def test_scenes_have_names_of_scenes(document, gui, name):
    gui["File"].user_sets(name)
    gui["Save scene"].user_sets()
    assert "must end in .json or .safetensors" in gui.told[-1]


def test_a_scene_of_another_folder_keeps_its_map_wherever_it_is_saved(document, gui, tmp_path):
    for folder in ("here", "there"):
        (tmp_path / folder).mkdir()
    save_map(tmp_path / "here" / "sky.hdr")
    text = SCENE.to_json(2).replace('"schema_version"', '"sky": {"kind": "map", "file": "sky.hdr"}, "schema_version"')
    (tmp_path / "here" / "b.json").write_text(text)
    gui["File"].user_sets("here/b.json")
    gui["Open this file"].user_sets()
    assert document.path == tmp_path / "here" / "b.json"
    assert (document.scene.sky.file, gui.opened) == (str(tmp_path / "here" / "sky.hdr"), 1)
    document.edit(document.scene.without(BALL))
    document.autosave()
    assert Scene.load(tmp_path / "here" / "b.autosave.json") == document.scene
    gui["File"].user_sets("there/c.json")
    gui["Save scene"].user_sets()
    assert not (tmp_path / "here" / "b.autosave.json").exists()
    assert '"file": "../here/sky.hdr"' in (tmp_path / "there" / "c.json").read_text()
    assert Scene.load(tmp_path / "there" / "c.json") == document.scene
    gui["File"].user_sets("gone/d.json")
    gui["Open this file"].user_sets()
    gui["File"].user_sets("there/c.json/d.json")
    gui["Save scene"].user_sets()
    assert "gone/d.json: cannot be read" in gui.told[-2]
    assert "c.json: is a file, but a folder is meant" in gui.told[-1]
    assert document.path == tmp_path / "there" / "c.json"


def test_a_scene_that_is_opened_takes_no_other_ones_name(document, gui, tmp_path):
    def upload(name, content):
        gui["Upload a scene …"].user_sets(SimpleNamespace(name=name, content=content))

    upload("a.json", RED.to_json().encode())
    assert (document.scene, document.path.name, gui["File"].value) == (RED, "a-2.json", "a-2.json")
    assert Scene.load(tmp_path / "a-2.json") == RED
    document.edit(document.scene.without(BALL))
    upload("a.json", SCENE.to_json().encode())
    assert (document.path.name, document.scene) == ("a.json", SCENE)
    assert gui.told[-1] == "a-2.json: what was not saved is kept, and comes back when it is opened"
    gui["File"].user_sets("a-2.json")
    gui["Open this file"].user_sets()
    assert (document.scene, document.is_saved) == (RED.without(BALL), False)
    document.undo()
    assert (document.scene, document.is_saved) == (RED, True)
    gui["File"].user_sets("a.json")
    gui["Open this file"].user_sets()
    upload("c.json", b"{")
    assert gui.told[-1].startswith("c.json: ")
    assert document.scene == SCENE


def test_pictures_are_saved_by_their_ending(document, gui):
    gui["Save what is seen, PNG"].user_sets()
    gui["Save radiance, EXR"].user_sets()
    assert gui.saved == [".png", ".exr"]
