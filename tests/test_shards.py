"""One shard: what goes in comes out, and equal content has equal bytes."""

import pickle

import numpy as np
import pytest

from luxel.data.manifest import DataError
from luxel.data.shards import PER_SCENE, ShardReader, shard_file, write_shard
from luxel.scene import Ellipsoids, encode, scene_id
from luxel.trace import Radiance

SCENES = [Ellipsoids(max_objects=4)(0, index) for index in range(5)]
IMAGES = np.random.default_rng(0).random((2, 5, 3, 7, 3), np.float32)
RADIANCE = Radiance(IMAGES[0], IMAGES[1], 2)


def test_what_goes_in_comes_out(tmp_path):
    entry = write_shard(tmp_path, "test", 3, SCENES, RADIANCE)
    assert entry.file == shard_file("test", 3) == "test-00003.safetensors"
    assert (entry.scenes, entry.objects) == (5, encode(SCENES).objects.shape[1])
    reader = pickle.loads(pickle.dumps(ShardReader(tmp_path / entry.file)))
    expected = {**encode(SCENES)._asdict(), "radiance": IMAGES[0], "variance": IMAGES[1]}
    assert set(expected) == set(PER_SCENE)
    for name, array in expected.items():
        np.testing.assert_array_equal(reader.whole(name), array)
        np.testing.assert_array_equal(reader.row(name, 2), array[2])
        assert reader.row(name, 2).dtype == array.dtype
    assert [reader.scene(row) for row in range(5)] == SCENES
    assert [row.tobytes().hex() for row in reader.whole("ids")] == [scene_id(scene) for scene in SCENES]
    reader = pickle.loads(pickle.dumps(reader))  # open readers travel, too
    assert reader.scene(4) == SCENES[4]


def test_equal_content_has_equal_bytes(tmp_path):
    entries = [write_shard(tmp_path, "train", number, SCENES, RADIANCE) for number in range(3)]
    assert len({entry.sha256 for entry in entries}) == 1


def test_what_is_no_shard(tmp_path):
    path = tmp_path / "train-00000.safetensors"
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(DataError, match=r"train-00000.safetensors: can't be read as a shard"):
        ShardReader(path).row("mask", 0)
