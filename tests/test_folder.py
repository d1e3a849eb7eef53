"""A folder of scenes as a distribution."""

import re
import shutil
from pathlib import Path

import pytest

from luxel import InputError, Scene
from luxel.data.generate_settings import GenerateSettings, of_folder
from luxel.scene import SceneError, SceneFolder, Spheres


@pytest.fixture
def folder(tmp_path) -> Path:
    path = tmp_path / "scenes"
    path.mkdir()
    for index, name in enumerate("cab"):
        Spheres(max_objects=3)(0, index).save(path / f"{name}.json")
    return path


def test_scenes_come_in_the_order_of_their_files(folder):
    scenes = SceneFolder(str(folder))
    assert len(scenes) == 3
    assert [scenes(5, index) for index in range(3)] == [Scene.load(folder / f"{name}.json") for name in "abc"]


def test_it_is_known_by_its_scenes_not_by_its_place(folder, tmp_path):
    moved = Path(shutil.copytree(folder, tmp_path / "elsewhere"))
    assert SceneFolder(str(moved)) == SceneFolder(str(folder))
    assert of_folder(str(moved)).flat() == of_folder(str(folder)).flat()
    Spheres()(1, 0).save(moved / "b.json")
    assert SceneFolder(str(moved)) != SceneFolder(str(folder))


def test_the_same_scene_twice_and_hidden_files_do_not_count(folder):
    shutil.copy(folder / "a.json", folder / "d.json")
    (folder / ".hidden.json").write_text("{")
    (folder / "notes.txt").write_text("not a scene")
    assert of_folder(str(folder)).count == 3


def test_binary_scenes_are_scenes(folder):
    in_json = SceneFolder(str(folder))
    Scene.load(folder / "b.json").save(folder / "b.safetensors")
    (folder / "b.json").unlink()
    assert SceneFolder(str(folder)) == in_json


def test_what_is_wrong_is_named(folder, tmp_path):
    with pytest.raises(InputError, match="count is 4, must be at most 3, the scenes of"):
        GenerateSettings(SceneFolder(str(folder)), count=4)
    scenes = of_folder(str(folder))
    for index in (3, -1):
        with pytest.raises(InputError, match=f"has 3 scenes; asked for is number {index}"):
            scenes.scene(index)
    Spheres()(1, 0).save(folder / "b.json")
    with pytest.raises(InputError, match=re.escape(f"{folder / 'b.json'}: has changed since")):
        scenes.scene(1)
    (folder / "b.json").write_text('{"schema_version": 1}')
    with pytest.raises(SceneError, match=re.escape(f"{folder / 'b.json'}: camera is missing")):
        SceneFolder(str(folder))
    with pytest.raises(InputError, match="nowhere: is no folder"):
        SceneFolder(str(tmp_path / "nowhere"))
    with pytest.raises(InputError, match=r"has no scenes, which are files that end in \.json or \.safetensors"):
        SceneFolder(str(tmp_path))
