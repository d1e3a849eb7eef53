"""A folder read back: batches, scenes, and every damage found when it opens."""

import dataclasses
import pickle
import shutil

import numpy as np
import pytest
import torch
from data_folder import SETTINGS, SHARD, write_data_folder

from luxel.data.dataset import ShardDataset
from luxel.data.manifest import DataError, Manifest
from luxel.data.shards import ShardReader, write_shard
from luxel.data.split import split_of
from luxel.scene import OBJECT_FEATURES, encode, scene_id
from luxel.trace import Radiance


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return write_data_folder(tmp_path_factory.mktemp("data") / "set")


@pytest.fixture
def folder(whole, tmp_path):
    """A copy, to be damaged."""
    return shutil.copytree(whole, tmp_path / "set")


def test_both_splits_are_the_distribution(whole):
    train, test = ShardDataset(whole, "train"), ShardDataset(whole, "test")
    scenes = [SETTINGS.distribution(SETTINGS.seed, index) for index in range(SETTINGS.count)]
    tests = [scene for scene in scenes if split_of(scene_id(scene), SETTINGS.test_share) == "test"]
    assert len(train) + len(test) == 60
    assert len(train) > SHARD
    assert [test.scene(index) for index in range(len(test))] == tests
    assert train.content_hash != test.content_hash
    assert train.content_hash == train.manifest.content_hash("train")


def test_batch_is_the_scenes_asked_for(whole):
    train = ShardDataset(whole, "train")
    indices = [len(train) - 1, 0, SHARD, SHARD - 1, 0]
    batch = train.batch(indices)
    assert len(batch) == 5
    assert batch.tokens.shape == (5, train.objects, OBJECT_FEATURES)
    assert batch.radiance.shape == batch.variance.shape == (5, 5, 7, 3)
    assert batch.tokens.dtype == batch.radiance.dtype == torch.float32
    assert batch.mask.dtype == torch.bool
    tokens = encode([train.scene(index) for index in indices], train.objects)
    for name, tensor in (("objects", batch.tokens), ("mask", batch.mask), ("background", batch.background)):
        np.testing.assert_array_equal(getattr(tokens, name), tensor.numpy())
    reader = ShardReader(whole / "train-00001.safetensors")
    np.testing.assert_array_equal(batch.radiance[2].numpy(), reader.row("radiance", 0))
    np.testing.assert_array_equal(batch.variance[2].numpy(), reader.row("variance", 0))
    np.testing.assert_array_equal(train.batch(np.array([0])).radiance[0], batch.radiance[1])
    assert batch.to("cpu").tokens.equal(batch.tokens)


def test_travels_to_another_process(whole):
    train = ShardDataset(whole, "train")
    before = train.batch([3])
    again = pickle.loads(pickle.dumps(train))
    assert again.batch([3]).radiance.equal(before.radiance)


@pytest.mark.parametrize("index", [-1, 60])
def test_no_such_scene(whole, index):
    with pytest.raises(IndexError, match=f"asked for is number {index}"):
        ShardDataset(whole, "train").batch([index])


def test_damage_is_found_when_it_opens(folder):
    path = folder / "train-00001.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"train-00001.safetensors: the shard is damaged"):
        ShardDataset(folder, "train")
    path.write_bytes(content[:-100])
    with pytest.raises(DataError, match=r"train-00001.safetensors: the shard is damaged"):
        ShardDataset(folder, "train")
    with pytest.raises(DataError, match=r"train-00001.safetensors"):
        ShardDataset(folder, "test")  # whose own shards are whole: the other's ids are needed


def test_an_incomplete_folder_is_refused(folder):
    manifest = Manifest.load(folder)
    dataclasses.replace(manifest, shards=manifest.shards[:-1]).save(folder)
    with pytest.raises(DataError, match="of 60 scenes; generate again"):
        ShardDataset(folder, "train")


def test_other_tokens_are_refused(folder):
    manifest = Manifest.load(folder)
    dataclasses.replace(manifest, settings={**manifest.settings, "token_layout": "center:3"}).save(folder)
    with pytest.raises(DataError, match="another layout"):
        ShardDataset(folder, "train")


def test_a_split_without_scenes(folder):
    manifest = Manifest.load(folder)
    train = manifest.of("train")
    settings = {**manifest.settings, "count": sum(shard.scenes for shard in train)}
    Manifest(settings, train).save(folder)
    with pytest.raises(DataError, match="has no test scenes"):
        ShardDataset(folder, "test")


@pytest.mark.parametrize("share", [0.3, 1.0])
def test_a_training_scene_among_the_tests_is_found(folder, share):
    """Whether the split's rule allows it there, or only the other split has it, too."""
    manifest = Manifest.load(folder)
    test = manifest.of("test")[0]
    scenes = [
        ShardDataset(folder, "train").scene(0),
        *(ShardDataset(folder, "test").scene(i) for i in range(1, 11)),
    ]
    images = np.zeros((11, 5, 7, 3), np.float32)
    wrong = write_shard(folder, "test", 0, scenes, Radiance(images, images, 2))
    shards = tuple(wrong if shard == test else shard for shard in manifest.shards)
    Manifest({**manifest.settings, "test_share": share}, shards).save(folder)
    with pytest.raises(DataError, match=r"scene [0-9a-f]{64} is in "):
        ShardDataset(folder, "test")
