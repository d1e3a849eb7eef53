"""A folder read back: batches, scenes, and every damage found when it opens."""

import dataclasses
import json
import pickle
import shutil

import numpy as np
import pytest
import torch
from data_folder import SETTINGS, SHARD, write_data_folder
from kernels import DEVICES
from safetensors.numpy import load_file, save_file

from luxel.core.rays import Rays
from luxel.core.scene_batch import SceneBatch
from luxel.data.dataset import Batch, ShardDataset, rays_in_order
from luxel.data.manifest import NAME, DataError, Manifest
from luxel.data.shards import ARRAYS, ShardReader, write_shard
from luxel.data.split import split_of
from luxel.files.atomic import checksum
from luxel.scene import Camera, Scene, Sphere, scene_id
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
    tests = [scene for scene in scenes if split_of(scene_id(scene), SETTINGS.shares) == "test"]
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
    assert batch.radiance.shape == batch.variance.shape == (5, 5, 7, 3)
    assert batch.radiance.dtype == batch.variance.dtype == torch.float32
    assert batch.inputs == (batch.scenes,)
    same_scenes(batch.scenes, SceneBatch.of([train.scene(index) for index in indices]))
    second = ShardReader(whole / "train-00001.safetensors").tensors
    np.testing.assert_array_equal(batch.radiance[2].numpy(), second["radiance"][0])
    np.testing.assert_array_equal(batch.variance[2].numpy(), second["variance"][0])
    np.testing.assert_array_equal(train.batch(np.array([0])).radiance[0], batch.radiance[1])


def same_scenes(one: SceneBatch, other: SceneBatch) -> None:
    for field in dataclasses.fields(SceneBatch):
        torch.testing.assert_close(getattr(one, field.name), getattr(other, field.name), rtol=0, atol=0)


RAYS = 7


def batch_of_rays() -> Batch:
    """Three scenes of 1, 2 and 3 objects, with 7 rays each that say which they are."""
    ball = Sphere(center=(0, 0, 0), radius=1)
    camera = Camera(position=(0, -5, 0), look_at=(0, 0, 0))
    scenes = SceneBatch.of([Scene(objects=(ball,) * count, camera=camera) for count in (1, 2, 3)])
    numbers = torch.arange(3 * RAYS * 3.0).reshape(3, RAYS, 3)
    rays = Rays(numbers.flatten(0, 1), 1 + numbers.flatten(0, 1), rays_in_order(3, RAYS))
    return Batch(scenes, numbers + 2, numbers + 3, rays)


@pytest.mark.parametrize("part", [slice(1, 3), slice(0, 1), slice(None, None, 2), slice(2, 9)])
def test_a_part_has_the_rays_of_its_scenes_numbered_anew(part):
    whole = batch_of_rays()
    some = whole.rows(part)
    left = range(3)[part]
    assert len(some) == len(left)
    assert some.scenes.counts.tolist() == [number + 1 for number in left]
    assert some.rays.scene.tolist() == [number for number in range(len(left)) for _ in range(RAYS)]
    assert some.rays.origin.unflatten(0, (-1, RAYS)).equal(some.radiance - 2)
    assert some.rays.direction.unflatten(0, (-1, RAYS)).equal(some.radiance - 1)
    assert some.radiance.equal(whole.radiance[part])
    assert some.variance.equal(whole.variance[part])
    assert some.inputs == (some.scenes, some.rays)


@pytest.mark.parametrize("device", DEVICES)
def test_a_batch_moves_as_a_whole(device):
    whole = batch_of_rays()
    there = whole.to(device)
    for values in (there.scenes.center, there.radiance, there.variance, there.rays.origin, there.rays.scene):
        assert values.device.type == device
    back = there.to("cpu")
    same_scenes(back.scenes, whole.scenes)
    for one, other in ((back.radiance, whole.radiance), (back.rays.direction, whole.rays.direction)):
        assert one.equal(other)


def test_a_former_folder_is_read_by_its_json(folder):
    """From when tokens lay in the shards: the manifest says their layout, and the shards have no arrays."""
    expected = ShardDataset(folder, "test").batch([3, 0])
    manifest = json.loads((folder / NAME).read_text())
    manifest["settings"]["token_layout"] = "center:3,rotation:9"
    for shard in manifest["shards"]:
        path = folder / shard["file"]
        tensors = {name: array for name, array in load_file(path).items() if not name.startswith(ARRAYS)}
        save_file(tensors, path)
        shard["sha256"] = checksum(path)
    (folder / NAME).write_text(json.dumps(manifest))
    former = ShardDataset(folder, "test")
    assert "token_layout" not in former.manifest.settings
    batch = former.batch([3, 0])
    same_scenes(batch.scenes, expected.scenes)
    assert batch.radiance.equal(expected.radiance)


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


@pytest.mark.parametrize("split", ["train", "test"])
def test_one_wrong_pixel_is_found_when_it_opens(folder, split):
    """Although the manifest's checksum is that of the file, as when a tracer has written it so."""
    manifest = json.loads((folder / NAME).read_text())
    (last,) = [shard for shard in manifest["shards"] if shard["file"] == f"{split}-00001.safetensors"]
    path = folder / last["file"]
    tensors = load_file(path)
    tensors["radiance"][2, 4, 6, 0] = np.nan
    save_file(tensors, path)
    last["sha256"] = checksum(path)
    (folder / NAME).write_text(json.dumps(manifest))
    with pytest.raises(DataError, match=rf"{split}-00001\.safetensors: scene 2: radiance\[4, 6, 0\] is nan"):
        ShardDataset(folder, split)


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("change", [lambda ids: None, np.ravel, np.float32])
def test_ids_that_cannot_be_are_told_whichever_split_is_opened(folder, split, change):
    path = folder / "test-00000.safetensors"
    tensors = load_file(path)
    ids = change(tensors.pop("ids"))
    save_file(tensors if ids is None else {**tensors, "ids": ids}, path)
    manifest = json.loads((folder / NAME).read_text())
    for shard in manifest["shards"]:
        shard["sha256"] = checksum(folder / shard["file"])
    (folder / NAME).write_text(json.dumps(manifest))
    with pytest.raises(DataError, match=r"test-00000\.safetensors: ids is .*; delete the shard, and generate again"):
        ShardDataset(folder, split)


def test_an_incomplete_folder_is_refused(folder):
    manifest = Manifest.load(folder)
    dataclasses.replace(manifest, shards=manifest.shards[:-1]).save(folder)
    with pytest.raises(DataError, match="of 60 scenes; generate again"):
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
