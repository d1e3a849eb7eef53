"""One shard: what goes in comes out, equal content has equal bytes, and former shards are read by their JSON."""

import pickle
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from luxel.core.scene_batch import scene_arrays
from luxel.data.manifest import DataError
from luxel.data.shards import ARRAYS, ShardReader, gathered, shard_file, write_shard
from luxel.scene import Box, Camera, Ellipsoids, MapSky, Panel, Plane, Scene, Sun, scene_id
from luxel.trace import Radiance

OTHERS = Scene(
    objects=(
        Box(center=(1, 2, 3), half_extents=(1, 2, 3)),
        Panel(center=(0, 0, 1), half_extents=(0.5, 0.25), outline="ellipse"),
        Plane(center=(0, 0, 0)),
    ),
    camera=Camera(position=(0, -5, 2), look_at=(0, 0, 0)),
    background=(0.1, 0.2, 0.3),
)
SCENES = [*(Ellipsoids(max_objects=4)(0, index) for index in range(4)), OTHERS]
SUN = Sun(direction=(0, 3, 4), angular_radius_degrees=2, radiance=(5, 6, 7))
IMAGES = np.random.default_rng(0).random((2, 5, 3, 7, 3), np.float32)
RADIANCE = Radiance(IMAGES[0], IMAGES[1], 2)


def same(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> None:
    assert one.keys() == other.keys()
    for name, array in one.items():
        np.testing.assert_array_equal(array, other[name])
        assert array.dtype == other[name].dtype


def without_arrays(path: Path) -> None:
    """Make it a shard as they were when the image model's tokens lay in them."""
    tensors = {name: array for name, array in load_file(path).items() if not name.startswith(ARRAYS)}
    tokens = {
        "objects": np.zeros((5, 4, 31), np.float32),
        "mask": np.ones((5, 4), bool),
        "camera": np.ones((5, 1), np.float32),
        "background": np.ones((5, 3), np.float32),
    }
    save_file({**tensors, **tokens}, path)


def test_what_goes_in_comes_out(tmp_path):
    entry = write_shard(tmp_path, "test", 3, SCENES, RADIANCE)
    assert entry.file == shard_file("test", 3) == "test-00003.safetensors"
    assert (entry.scenes, entry.objects) == (5, max(len(scene.objects) for scene in SCENES))
    reader = pickle.loads(pickle.dumps(ShardReader(tmp_path / entry.file)))
    for name, array in {"radiance": IMAGES[0], "variance": IMAGES[1]}.items():
        np.testing.assert_array_equal(reader.tensors[name], array)
        assert reader.tensors[name].dtype == np.float32
    same(reader.scene_arrays, scene_arrays(SCENES))
    assert [reader.scene(row) for row in range(5)] == SCENES
    assert [row.tobytes().hex() for row in reader.tensors["ids"]] == [scene_id(scene) for scene in SCENES]
    reader = pickle.loads(pickle.dumps(reader))  # open readers travel, too
    assert reader.scene(4) == SCENES[4]


def test_the_file_is_not_written_to(tmp_path):
    reader = ShardReader(tmp_path / write_shard(tmp_path, "test", 0, SCENES, RADIANCE).file)
    with pytest.raises(ValueError, match="read-only"):
        reader.tensors["radiance"][0] = 1


def test_scenes_of_former_shards_are_read_from_their_json(tmp_path):
    path = tmp_path / write_shard(tmp_path, "test", 0, SCENES, RADIANCE).file
    without_arrays(path)
    same(ShardReader(path).scene_arrays, scene_arrays(SCENES))


def test_arrays_of_single_scenes_are_gathered(tmp_path):
    """From several shards, in any order, as if they had been made together."""
    paths = [tmp_path / write_shard(tmp_path, "train", number, SCENES[:4], RADIANCE).file for number in (0, 1)]
    others = tmp_path / write_shard(tmp_path, "train", 2, SCENES[4:], RADIANCE).file
    first, second, third = (ShardReader(path) for path in (*paths, others))
    found = gathered([(second, 3), (third, 0), (first, 0), (first, 3)])
    same(found, scene_arrays([SCENES[3], OTHERS, SCENES[0], SCENES[3]]))


def test_environment_maps_go_in_and_come_out_once_each(tmp_path):
    """Of two shards; a map that two scenes share is there once, and one that no chosen scene has is not."""
    maps = [MapSky.of(np.full((2, width, 3), width, np.float32)) for width in (3, 5, 7)]
    turned = maps[0].model_copy(update={"rotation_degrees": 90})
    skies = [maps[0], None, maps[1], turned, maps[2]]
    scenes = [OTHERS.model_copy(update={"sky": sky, "sun": SUN}) for sky in skies]
    paths = [tmp_path / write_shard(tmp_path, "test", number, scenes, RADIANCE).file for number in range(2)]
    one, other = (ShardReader(path) for path in paths)
    assert [one.scene(row) for row in range(5)] == scenes
    same(one.scene_arrays, scene_arrays(scenes))
    one.check(5, 3, 7)
    same(gathered([(one, 3), (one, 4), (one, 1), (one, 0)]), scene_arrays([scenes[row] for row in (3, 4, 1, 0)]))
    same(gathered([(one, 2), (other, 2), (other, 0)]), scene_arrays([scenes[row] for row in (2, 2, 0)]))


def test_equal_content_has_equal_bytes(tmp_path):
    entries = [write_shard(tmp_path, "train", number, SCENES, RADIANCE) for number in range(3)]
    assert len({entry.sha256 for entry in entries}) == 1


def damaged(path: Path, **changes: np.ndarray | None) -> ShardReader:
    """The shard with these tensors in place of its own; without those of None."""
    tensors = {**load_file(path), **{name.replace("__", "."): array for name, array in changes.items()}}
    save_file({name: array for name, array in tensors.items() if array is not None}, path)
    return ShardReader(path)


def with_value(value: float, *place: int) -> np.ndarray:
    images = IMAGES[0].copy()
    images[place] = value
    return images


WRONG = [
    (
        {"radiance": with_value(np.nan, 3, 2, 4, 1)},
        r"scene 3: radiance\[2, 4, 1\] is nan, must be finite and at least 0",
    ),
    ({"radiance": with_value(np.inf, 0, 0, 0, 2)}, r"scene 0: radiance\[0, 0, 2\] is inf"),
    ({"variance": with_value(-1e-9, 4, 0, 6, 0)}, r"scene 4: variance\[0, 6, 0\] is -"),
    ({"path_variance": np.float32([1, 2, np.nan, 4, 5])}, "scene 2: path_variance is nan"),
    ({"radiance": IMAGES[0].astype(np.float64)}, r"radiance is float64 \[5, 3, 7, 3\], must be float32 \[5, 3, 7, 3\]"),
    ({"radiance": IMAGES[0][:, :2].copy()}, r"radiance is float32 \[5, 2, 7, 3\], must be float32 \[5, 3, 7, 3\]"),
    ({"variance": None}, "variance is missing"),
    ({"ids": np.zeros((4, 32), np.uint8)}, r"ids is uint8 \[4, 32\], must be uint8 \[5, 32\]"),
    ({"scenes": None}, "scenes is missing"),
    ({"scene_offsets": np.arange(6)}, "scene_offsets must rise from 0 to"),
    ({"batch__offsets": np.array([0, 3, 2, 4, 5, 9])}, r"batch\.offsets must rise from 0 to 9"),
    ({"batch__center": np.zeros((2, 3), np.float32)}, r"batch\.center is float32 \[2, 3\], must be float32 \["),
]


@pytest.mark.parametrize(("changes", "message"), WRONG, ids=[message[:30] for _, message in WRONG])
def test_what_is_wrong_with_a_shard_is_named(tmp_path, changes, message):
    path = tmp_path / write_shard(tmp_path, "test", 0, SCENES, RADIANCE).file
    ShardReader(path).check(5, 3, 7)
    with pytest.raises(DataError, match=rf"test-00000\.safetensors: {message}.*; delete the shard, and generate again"):
        damaged(path, **changes).check(5, 3, 7)


def test_former_shards_are_checked_without_arrays(tmp_path):
    path = tmp_path / write_shard(tmp_path, "test", 0, SCENES, RADIANCE).file
    without_arrays(path)
    ShardReader(path).check(5, 3, 7)


def test_what_is_no_shard(tmp_path):
    path = tmp_path / "train-00000.safetensors"
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(DataError, match=r"train-00000.safetensors: can't be read as a shard"):
        _ = ShardReader(path).tensors


def test_a_shard_from_before_there_were_orthographic_cameras_is_read_by_its_arrays():
    arrays = scene_arrays(SCENES)
    assert arrays["is_orthographic"].tolist() == [0] * 5
    reader = ShardReader(Path("old"))
    old = {ARRAYS + name: array for name, array in arrays.items() if name != "is_orthographic"}
    reader.__dict__["tensors"] = {**old, "ids": np.zeros((5, 32), np.uint8)}
    for name, array in reader.scene_arrays.items():
        np.testing.assert_array_equal(array, arrays[name])
