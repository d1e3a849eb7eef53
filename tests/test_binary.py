"""Scenes in safetensors: the same scene as in JSON, the same words for what is wrong."""

import json

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file
from tracer_scenes import GROUND, PARALLEL, SIDE_LAMP, gravel, scene

from luxel.scene import Scene, SceneError, scene_id
from luxel.scene.binary import MATERIAL_COLUMNS

SCENE = scene(GROUND, SIDE_LAMP, *gravel(23), background=(0.1, 0.2, 1 / 3), camera=PARALLEL)


@pytest.fixture
def path(tmp_path):
    SCENE.save(tmp_path / "scene.safetensors")
    return tmp_path / "scene.safetensors"


def changed(path, **tensors):
    """Write the file again with some tensors changed, or without those that are None."""
    with safe_open(path, framework="numpy") as file:
        metadata = file.metadata()
    kept = {**load_file(path), **{name.replace("__", "."): array for name, array in tensors.items()}}
    save_file({name: array for name, array in kept.items() if array is not None}, path, metadata)


def test_both_forms_are_the_same_scene(path, tmp_path):
    SCENE.save(tmp_path / "scene.json")
    read = Scene.load(path)
    assert read == Scene.load(tmp_path / "scene.json") == SCENE
    assert scene_id(read) == scene_id(SCENE)
    assert [item.shape for item in read.objects] == [item.shape for item in SCENE.objects]
    read.save(tmp_path / "again.safetensors")
    assert load_file(tmp_path / "again.safetensors").keys() == load_file(path).keys()


def test_what_is_in_the_file_by_hand(path):
    tensors = load_file(path)
    ground, lamp = SCENE.objects[:2]
    assert tensors["shape"][:3].tolist() == [5, 0, 0]
    assert tensors["plane.center"].tolist() == [list(ground.center)]
    assert tensors["sphere.radius"][0] == lamp.radius
    row = tensors["materials"][tensors["material"][1]]
    assert row.tolist() == [0, 0, 0, 0, 0.5, 0.5, 0, 2, 3, 5]
    assert len(tensors["materials"]) == len({item.material for item in SCENE.objects})


def test_mistakes_are_told_with_their_place(path):
    tensors = load_file(path)
    materials, row = tensors["materials"].copy(), tensors["material"][3]
    materials[row, MATERIAL_COLUMNS["roughness"]] = 2.0
    radius = tensors["sphere.radius"].copy()
    radius[0] = -1.0
    changed(path, materials=materials, sphere__radius=radius)
    with pytest.raises(SceneError) as error:
        Scene.load(path)
    lines = str(error.value).splitlines()
    assert lines[0] == f"{path}: objects[1].radius is -1.0, must be a number in [1e-6, 1e6]"
    assert f"{path}: objects[3].material.roughness is 2.0, must be in [0, 1]" in lines


@pytest.mark.parametrize(
    ("tensors", "told"),
    [
        ({"sphere__radius": None}, "sphere.radius is missing"),
        ({"sphere__radius": np.zeros(3, np.float32)}, r"sphere.radius is float32 \[3\], must be float64 \[6\]"),
        ({"shape": np.full(25, 7, np.uint8)}, "shape has a value of 7, must be below 6"),
        ({"material": np.full(25, -1)}, r"material has rows in \[-1, -1\], must be in \[0, 5\]"),
        ({"materials": np.zeros(10)}, r"materials is float64 \[10\], must be float64 \[any, 10\]"),
        ({"panel__outline": np.full(4, 2, np.uint8)}, "panel.outline has a value of 2, must be 0 or 1"),
    ],
)
def test_wrong_tensors_are_told(path, tensors, told):
    changed(path, **tensors)
    with pytest.raises(SceneError, match=told):
        Scene.load(path)


def test_other_files_are_told(tmp_path):
    path = tmp_path / "other.safetensors"
    with pytest.raises(SceneError, match="cannot be read as a scene: No such file"):
        Scene.load(path)
    path.write_text("{}")
    with pytest.raises(SceneError, match=r"other\.safetensors: not valid safetensors: "):
        Scene.load(path)
    save_file({"a": np.zeros(3)}, path)
    with pytest.raises(SceneError, match="of no scene: its metadata has no entry 'scene'"):
        Scene.load(path)
    save_file({"a": np.zeros(3)}, path, {"scene": json.dumps({"schema_version": 2})})
    with pytest.raises(SceneError, match="shape is missing"):
        Scene.load(path)
