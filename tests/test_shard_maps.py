"""Shards of scenes whose environment map is a file: they need it no more, and share it in memory."""

import json
import shutil
from itertools import pairwise

import numpy as np
import pytest
from data_folder import write_data_folder
from outside import texels, under
from safetensors.numpy import load_file, save_file
from tracer_scenes import ball

from luxel import save_image
from luxel.cli import main
from luxel.core.scene_batch import SceneBatch, scene_arrays
from luxel.data.generate_settings import of_folder
from luxel.data.manifest import DataError
from luxel.data.shards import ShardReader, gathered, write_shard
from luxel.scene import MapSky, scene_id
from luxel.trace import Radiance

IMAGES = np.random.default_rng(0).random((2, 3, 5, 7, 3), np.float32)
RADIANCE = Radiance(IMAGES[0], IMAGES[1], 2)


def scenes_under(path):
    """One without a map, and two under the map of a file."""
    sky = MapSky(file=str(path))
    turned = sky.model_copy(update={"rotation_degrees": 30.0})
    return [under(ball(0, 0, 0, 1), **fields) for fields in ({}, {"sky": sky}, {"sky": turned})]


@pytest.fixture
def scenes(tmp_path):
    save_image(tmp_path / "studio.exr", texels(7, 13) + np.float32(1 / 3))
    return scenes_under(tmp_path / "studio.exr")


def written(folder, scenes):
    folder.mkdir(exist_ok=True)
    return ShardReader(folder / write_shard(folder, "test", 0, scenes, RADIANCE).file)


def test_a_shard_has_its_scenes_when_the_map_is_gone(scenes, tmp_path):
    ids, arrays = [scene_id(scene) for scene in scenes], scene_arrays(scenes)
    reader = written(tmp_path / "set", scenes)
    (tmp_path / "studio.exr").unlink()
    reader.check(3, 5, 7)
    found = [reader.scene(row) for row in range(3)]
    assert found == scenes
    assert [scene_id(scene) for scene in found] == ids == reader.ids(3)
    for name, array in scene_arrays(found).items():
        np.testing.assert_array_equal(array, arrays[name])
    found[1].save(tmp_path / "again.json")
    assert scene_id(type(found[1]).load(tmp_path / "again.json")) == ids[1]


def test_a_data_set_is_exported_learned_from_and_evaluated_on_when_its_map_is_gone(tmp_path, capsys):
    save_image(tmp_path / "studio.exr", texels())
    (tmp_path / "scenes").mkdir()
    for number, scene in enumerate(scenes_under(tmp_path / "studio.exr")[1:] * 4):
        scene.with_object(0, radius=1 + number / 8).save(tmp_path / "scenes" / f"{number}.json")
    settings = of_folder(str(tmp_path / "scenes"), width=16, height=16, spp=2, test_share=0.5)
    data, run = write_data_folder(tmp_path / "data", settings), tmp_path / "run"
    (tmp_path / "studio.exr").unlink()
    for arguments in (
        ["export", str(data), "--layout", "coco", "--out", str(tmp_path / "coco")],
        [*("train", "ray_small", "--scale", "tiny", "--cpu", "--data", str(data), "--out", str(run)),
         *("--train.samples", "2", "--train.batch-size", "2", "--train.tests", "1")],
        ["evaluate", str(run), "--data", str(data)],
    ):  # fmt: skip
        with pytest.raises(SystemExit, match=r"^0$"):
            main(arguments)
    labels = next((tmp_path / "coco" / "labels").rglob("*.json")).read_text()
    assert json.loads(labels)["scene"]["sky"].keys() == {"kind", "rotation_degrees", "scale", "sha256"}
    assert list(run.glob("evaluation-*.json"))


def test_the_bytes_do_not_depend_on_where_the_map_lies(scenes, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    shutil.copy(tmp_path / "studio.exr", tmp_path / "elsewhere" / "other.exr")
    moved = scenes_under(tmp_path / "elsewhere" / "other.exr")
    paths = [written(tmp_path / name, each).path for name, each in (("a", scenes), ("b", moved))]
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert b"studio" not in paths[0].read_bytes()


def test_a_map_within_scenes_is_stored_once_and_comes_back_as_it_was(tmp_path):
    sky = MapSky.of(texels(61, 127))
    scenes = [under(ball(0, 0, 0, radius), sky=sky) for radius in (1, 2, 3)]
    reader = written(tmp_path / "set", scenes)
    assert len(sky.file) > 20_000
    assert reader.tensors["scenes"].size < 3 * 1500
    assert sky.sha256.encode() in reader.tensors["scenes"].tobytes()
    assert reader.tensors["batch.map_texels"].shape[0] == 61 * 127
    reader.check(3, 5, 7)
    found = [reader.scene(row) for row in range(3)]
    assert found == scenes
    assert [scene_id(scene) for scene in found] == reader.ids(3)
    assert found[2].sky.file == sky.file


@pytest.mark.parametrize("has_arrays", [True, False])
def test_former_shards_with_the_map_in_their_json_are_read(has_arrays, tmp_path):
    sky = MapSky.of(texels())
    scenes = [under(ball(0, 0, 0, radius), sky=sky) for radius in (1, 2, 3)]
    reader = with_json(written(tmp_path / "set", scenes), lambda values: values | {"sky": sky.model_dump()})
    if not has_arrays:
        tensors = load_file(reader.path)
        save_file({name: array for name, array in tensors.items() if not name.startswith("batch.")}, reader.path)
        reader = ShardReader(reader.path)
    assert [reader.scene(row) for row in range(3)] == scenes
    for name, array in scene_arrays(scenes).items():
        np.testing.assert_array_equal(reader.scene_arrays[name], array)


def test_a_map_of_several_shards_is_one_in_memory_and_in_a_batch(scenes, tmp_path):
    readers = [written(tmp_path / name, scenes) for name in ("a", "b")]
    assert readers[0].map_of(0) is None
    assert readers[0].map_of(1) is readers[0].map_of(2) is readers[1].map_of(2)
    assert readers[0].scene(1).sky.file is readers[1].scene(2).sky.file
    batch = SceneBatch.from_arrays(gathered([(readers[0], 1), (readers[1], 0), (readers[1], 2)]))
    assert batch.map.tolist() == [0, -1, 0]
    assert len(batch.map_texels) == 7 * 13


def with_json(reader, change):
    """The shard with another JSON of its scenes; `change` changes the values of each."""
    tensors = load_file(reader.path)
    ends = tensors["scene_offsets"].tolist()
    texts = [tensors["scenes"][start:stop].tobytes() for start, stop in pairwise(ends)]
    texts = [json.dumps(change(json.loads(text))).encode() for text in texts]
    changed = {
        "scenes": np.frombuffer(b"".join(texts), np.uint8),
        "scene_offsets": np.cumsum([0, *map(len, texts)], dtype=np.int64),
    }
    save_file(tensors | changed, reader.path)
    return ShardReader(reader.path)


def test_former_shards_that_name_the_file_need_it_neither(scenes, tmp_path):
    def with_file(values):
        return values | {"sky": values["sky"] | {"file": "/gone/studio.exr"}} if "sky" in values else values

    reader = with_json(written(tmp_path / "set", scenes), with_file)
    assert [reader.scene(row) for row in range(3)] == scenes


def test_a_map_that_is_another_is_told(scenes, tmp_path):
    def with_hash(values):
        return values | {"sky": values["sky"] | {"sha256": "0" * 64}} if "sky" in values else values

    reader = with_json(written(tmp_path / "set", scenes), with_hash)
    with pytest.raises(
        DataError, match=r"test-00000\.safetensors: the map of scene 1 has the SHA-256 .*, must have '00"
    ):
        reader.scene(1)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("map", np.int32([-1, 0, 1]), r"batch\.map must be in \[-1, 0\]; delete the shard"),
        ("map", np.int32([1, 0, 0]), r"batch\.map must be in \[-1, 0\]"),
        ("map", np.int32([-1, -1, -1]), "the map of scene 1 is missing"),
        ("map_sizes", np.int32([7, 13]), r"batch\.map_sizes is int32 \[2\], must be int32 \[2, 2\]"),
        ("map_moments", np.zeros((2, 4), np.float32), r"map_sizes is \[\[7, 13\]\], must be of 91 texels in all"),
        ("map_sizes", np.int32([[7, 12]]), r"map_sizes is \[\[7, 12\]\], must be of 91 texels in all"),
        (
            "map_texels",
            np.full((91, 6), -1, np.float32),
            r"map 0: is \[-1\.0, .*\] at row 0, column 0, must be radiance",
        ),
    ],
)
def test_damaged_maps_are_told(scenes, tmp_path, name, value, told):
    reader = written(tmp_path / "set", scenes)
    save_file(load_file(reader.path) | {f"batch.{name}": value}, reader.path)
    reader = ShardReader(reader.path)
    with pytest.raises(DataError, match=rf"test-00000\.safetensors: {told}"):
        [reader.check(3, 5, 7), reader.scene(1)]
