"""Manifests: round trip, order, content hash, and what is wrong with a bad one."""

import json
from dataclasses import asdict

import pytest

from luxel.data.manifest import NAME, VIDEOS, DataError, Manifest, ShardEntry, differences
from luxel.files.atomic import checksum

SETTINGS = {"distribution": "spheres", "count": 11, "width": 7, "height": 5, "spp": 2, "test_share": 0.5}
TRAIN = ShardEntry("train-00000.safetensors", "train", 7, 3, "aa")
TEST = ShardEntry("test-00000.safetensors", "test", 4, 5, "bb")


def written(**changes) -> str:
    """A manifest.json, of which something is otherwise than it must be."""
    return json.dumps({"schema_version": 1, "settings": SETTINGS, "shards": [], **changes})


def test_round_trip_and_order(tmp_path):
    manifest = Manifest(SETTINGS).including(TRAIN)
    assert not manifest.is_complete
    manifest = manifest.including(TEST)
    assert manifest.is_complete
    assert manifest.shards == (TEST, TRAIN)
    assert manifest == Manifest(SETTINGS).including(TEST).including(TRAIN)
    manifest.save(tmp_path)
    assert Manifest.load(tmp_path) == manifest
    assert manifest.of("train") == (TRAIN,)


def test_what_former_folders_said_of_tokens_is_left_out(tmp_path):
    Manifest({**SETTINGS, "token_layout": "center:3"}).including(TRAIN).including(TEST).save(tmp_path)
    assert Manifest.load(tmp_path).settings == SETTINGS


def test_content_hash_is_of_the_split():
    one = Manifest(SETTINGS).including(TRAIN).including(TEST)
    other = Manifest(SETTINGS).including(TEST).including(ShardEntry(TRAIN.file, "train", 7, 3, "cc"))
    assert one.content_hash("test") == other.content_hash("test")
    assert one.content_hash("train") != other.content_hash("train")


def test_differences_name_both_values():
    there = {"distribution": "spheres", "count": 11, "test_share": 0.5}
    asked = {"distribution": "spheres", "count": 12, "spp": 4}
    assert differences(there, asked) == [
        "count: the folder has 11, asked for is 12",
        "test_share: the folder has 0.5, asked for is none",
        "spp: the folder has no such setting, asked for is 4",
    ]
    assert differences(SETTINGS, dict(SETTINGS)) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not valid JSON"),
        ("[" * 100_000, "not valid JSON: recursion limit exceeded"),
        ("null", r"its content is None"),
        ("[1, 2]", r"its content is \[1, 2\]"),
        ('{"schema_version": 9}', "schema_version is 9, must be 1"),
        ('{"schema_version": 1, "settings": {}}', r"settings\.distribution is missing"),
        (written(shards=[{"fil": 1}]), r"shards\[0\]\.file is missing"),
        (written(settings={**SETTINGS, "count": "many"}), r"settings\.count is 'many'"),
        (written(settings={**SETTINGS, "lights": [1]}), r"settings: lights is \[1\]"),
        (written(shards=[{**asdict(TEST), "scenes": 0}]), r"shards\[0\]\.scenes is 0"),
        (written(shards=[asdict(TEST), asdict(TEST)]), "lists test-00000.safetensors twice; delete the data set"),
        (written(finished=["tests"]), r"finished\[0\] is 'tests', must be 'train', 'val' or 'test'"),
    ],
)
def test_a_bad_manifest_is_named(tmp_path, text, message):
    (tmp_path / NAME).write_text(text)
    with pytest.raises(DataError, match=message) as error:
        Manifest.load(tmp_path)
    assert str(error.value).startswith(f"{tmp_path / NAME}: ")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("file", ["../test-00000.safetensors", "/etc/passwd", "a/b.safetensors", ".safetensors", ""])
def test_shards_are_in_the_manifests_folder(tmp_path, file):
    (tmp_path / NAME).write_text(written(shards=[{**asdict(TEST), "file": file}]))
    with pytest.raises(DataError, match=rf"shards\[0\]\.file is '{file}'"):
        Manifest.load(tmp_path)


def test_no_manifest(tmp_path):
    with pytest.raises(DataError, match=r"not a data set, manifest\.json is missing"):
        Manifest.load(tmp_path)


def test_verify_names_the_shard(tmp_path):
    path = tmp_path / TRAIN.file
    path.write_bytes(b"content")
    manifest = Manifest(SETTINGS).including(ShardEntry(TRAIN.file, "train", 7, 3, checksum(path))).including(TEST)
    manifest.verify(tmp_path, "train")
    with pytest.raises(DataError, match=r"test-00000.safetensors: the shard is missing"):
        manifest.verify(tmp_path, "test")
    path.write_bytes(b"contend")
    with pytest.raises(DataError, match=r"train-00000.safetensors: the shard is damaged"):
        manifest.verify(tmp_path, "train")


def test_a_setting_that_differs_is_shown_as_printable_text():
    (line,) = differences({"spp": 2, "name": "\x1b[2J"}, {"spp": 2, "name": "spheres"})
    assert line == "name: the folder has \\x1b[2J, asked for is spheres"


def test_a_folder_of_videos_is_told_to_be_one(tmp_path):
    (tmp_path / VIDEOS).write_text("{}")
    with pytest.raises(DataError, match="holds videos, whose labels lie beside them"):
        Manifest.load(tmp_path)
