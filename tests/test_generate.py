"""Generation: killed at any moment and resumed, it ends with the same bytes."""

import dataclasses
import errno
import itertools
import json
import os
import re
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from forkserver import forkserver

from luxel import InputError
from luxel.data import generate as generation
from luxel.data import generate_settings
from luxel.data.dataset import ShardDataset
from luxel.data.export.export import ExportSettings, export
from luxel.data.generate import generate
from luxel.data.generate_settings import GenerateSettings
from luxel.data.label_files import LabelChoice
from luxel.data.label_tars import LabelTar, label_file
from luxel.data.labelling import write_labels
from luxel.data.manifest import DataError, Manifest
from luxel.data.shard_parts import Part, parts_of, remove_parts
from luxel.data.shards import write_shard
from luxel.data.split import SPLITS
from luxel.files.atomic import only_one
from luxel.scene import Ellipsoids, Spheres
from luxel.trace import MitsubaTracer, TraceError
from luxel.trace.path import PathTracer

PATH = GenerateSettings(Spheres(max_objects=3), count=43, seed=2, width=7, height=5, spp=5, max_depth=3, test_share=0.3)
SETTINGS = dataclasses.replace(PATH, tracer="mitsuba")
"""By processes, which is where most can go wrong."""


def generate_until_killed(out: Path, owner: str, name: str, before: bool, call: int) -> None:
    """The same, which kills its own process, as kill -9 does, before or after a function is called for this time."""
    generation.SCENES_A_SHARD, generate_settings.SCENES_A_JOB = 8, 3
    module = sys.modules[owner]
    original, calls = getattr(module, name), itertools.count(1)

    def fatal(*arguments: Any, **named: Any) -> Any:
        is_the_last = next(calls) == call
        if is_the_last and before:
            os.kill(os.getpid(), signal.SIGKILL)
        result = original(*arguments, **named)
        if is_the_last:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(module, name, fatal)
    generate(SETTINGS, out, workers=2, progress=False)


def contents(root: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in root.iterdir()}


@pytest.fixture(autouse=True)
def small_shards(monkeypatch):
    monkeypatch.setattr(generation, "SCENES_A_SHARD", 8)
    monkeypatch.setattr(generate_settings, "SCENES_A_JOB", 3)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """What an uninterrupted run leaves."""
    root = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(generation, "SCENES_A_SHARD", 8)
        patch.setattr(generate_settings, "SCENES_A_JOB", 3)
        generate(SETTINGS, root, workers=1, progress=False)
    return root


def test_shards_hold_what_the_tracer_gives(whole):
    test = ShardDataset(whole, "test")
    assert len(ShardDataset(whole, "train")) + len(test) == 43
    assert [shard.scenes for shard in test.manifest.of("train")[:-1]] == [8, 8, 8]
    scenes = tuple(test.scene(index) for index in range(len(test)))
    traced = MitsubaTracer(max_depth=3).trace(scenes, 7, 5, 5, seed=2)
    batch = test.batch(range(len(test)))
    np.testing.assert_array_equal(batch.radiance.numpy(), traced.mean)
    np.testing.assert_array_equal(batch.variance.numpy(), traced.variance)


@pytest.mark.parametrize(
    ("owner", "name", "before", "call"),
    [
        ("luxel.data.generate", "write_shard", True, 3),  # a shard traced, but not written
        ("luxel.data.generate", "write_shard", False, 3),  # written, but not yet in the manifest
        ("os", "fsync", True, 3),  # in the middle of a file
        ("luxel.data.manifest", "write_atomically", False, 3),  # between two shards
        ("os", "mkdir", False, 1),  # and all system calls of the first write
        ("os", "open", False, 1),
        ("os", "fsync", True, 1),
        ("os", "replace", True, 1),
        ("os", "replace", False, 1),
    ],
)
def test_killed_and_resumed_ends_with_the_same_bytes(whole, tmp_path, owner, name, before, call):
    out = tmp_path / "set"
    process = forkserver().Process(target=generate_until_killed, args=(out, owner, name, before, call))
    process.start()
    process.join(120)
    assert process.exitcode == -signal.SIGKILL
    assert contents(out) != contents(whole)
    generate(SETTINGS, out, workers=2, progress=False)
    assert contents(out) == contents(whole)


@pytest.mark.parametrize("settings", [PATH, SETTINGS], ids=["path", "mitsuba"])
def test_within_a_shard_the_next_call_goes_on(whole, path_traced, tmp_path, monkeypatch, settings):
    """Ended in the second shard after two parts of it, one of which is damaged since: the other is not traced again."""
    monkeypatch.setattr(generate_settings, "PIXELS_A_JOB", 3 * 7 * 5)
    traced, write = [], Part.write

    def write_or_end(part, radiance):
        if len(traced) == 5:
            raise KeyboardInterrupt
        traced.append((part.path.name, part.scenes))
        write(part, radiance)

    with monkeypatch.context() as patch:
        patch.setattr(Part, "write", write_or_end)
        with pytest.raises(KeyboardInterrupt):
            generate(settings, tmp_path, progress=False)
    kept = sorted(path.name for path in tmp_path.glob("*.part"))
    assert kept == ["train-00001.000.part", "train-00001.003.part"]
    assert [name for name, _ in traced] == [
        f"train-0000{n}.00{k}.part" for n, k in ((0, 0), (0, 3), (0, 6), (1, 0), (1, 3))
    ]
    with pytest.raises(DataError, match="spp: the folder has 5, asked for is 7"):
        generate(dataclasses.replace(settings, spp=7), tmp_path, progress=False)
    damaged = bytearray((tmp_path / kept[1]).read_bytes())
    damaged[-3] ^= 1
    (tmp_path / kept[1]).write_bytes(damaged)
    again, moves, update = [], [], generation.ProgressBar.update
    monkeypatch.setattr(Part, "write", lambda part, radiance: (again.append(part.path.name), write(part, radiance)))
    monkeypatch.setattr(generation.ProgressBar, "update", lambda bar, n=1: (moves.append(n), update(bar, n))[1])
    generate(settings, tmp_path, progress=False)
    assert contents(tmp_path) == contents(path_traced if settings is PATH else whole)
    assert again[0] == kept[1]
    assert kept[0] not in again
    assert sum(moves) == pytest.approx(43 - 8)


def test_parts_of_other_scenes_are_not_taken(tmp_path):
    scenes = [PATH.scene(index) for index in range(5)]
    radiance = PathTracer(max_depth=3).trace(scenes[:2], 7, 5, 5, seed=2)
    first, *_, last = parts_of(tmp_path / "train-00000.safetensors", scenes, 2)
    assert len(last.scenes) == 1
    first.write(radiance)
    for name, values in first.read(5)._asdict().items():
        np.testing.assert_array_equal(values, getattr(radiance, name))
    (other, *_) = parts_of(tmp_path / "train-00000.safetensors", scenes[::-1], 2)
    assert other.path == first.path
    assert other.read(5) is None
    assert last.read(5) is None
    remove_parts(tmp_path / "train-00000.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_is_full_at_first_is_said_and_then_gone_on_with(whole, tmp_path, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(InputError, match=r"manifest\.json: cannot be written: No space left on device"):
            generate(SETTINGS, tmp_path / "set", workers=1, progress=False)
    generate(SETTINGS, tmp_path / "set", workers=1, progress=False)
    assert contents(tmp_path / "set") == contents(whole)


def test_a_complete_folder_is_left_alone(whole, monkeypatch):
    before = contents(whole)
    monkeypatch.setattr(generation, "write_shard", None)
    assert generate(SETTINGS, whole, progress=False).is_complete
    assert contents(whole) == before


def test_a_damaged_shard_is_replaced(whole, tmp_path):
    out = tmp_path / "set"
    out.mkdir()
    for name, content in contents(whole).items():
        (out / name).write_bytes(content[: 100 if name == "train-00001.safetensors" else None])
    with pytest.raises(DataError, match=r"train-00001.safetensors: the shard is damaged"):
        ShardDataset(out, "train")
    generate(SETTINGS, out, workers=1, progress=False)
    assert contents(out) == contents(whole)


def test_a_share_for_validation_leaves_the_test_scenes_as_they_are(path_traced, tmp_path):
    settings = dataclasses.replace(PATH, val_share=0.2)
    manifest = generate(settings, tmp_path, progress=False)
    sets = {split: ShardDataset(tmp_path, split) for split in SPLITS}
    assert sum(map(len, sets.values())) == 43
    assert len(sets["val"]) > 2
    assert sets["test"].content_hash == ShardDataset(path_traced, "test").content_hash
    assert manifest.settings["val_share"] == 0.2
    assert "val_share" not in Manifest.load(path_traced).settings
    with pytest.raises(DataError, match="has no val scenes, as its val_share is 0"):
        ShardDataset(path_traced, "val")
    with pytest.raises(DataError, match=r"val_share: the folder has no such setting, asked for is 0\.2"):
        generate(settings, path_traced, progress=False)
    assert export(tmp_path, tmp_path / "coco", ExportSettings("coco", "val"), progress=False) == len(sets["val"])
    assert (tmp_path / "coco" / "annotations_val.json").is_file()


def test_other_settings_are_refused_by_name(whole):
    before = contents(whole)
    asked = dataclasses.replace(SETTINGS, spp=7, distribution=Ellipsoids(max_objects=3), test_share=0.25)
    with pytest.raises(DataError) as error:
        generate(asked, whole, progress=False)
    assert str(error.value).splitlines() == [
        f"{whole}: holds a data set of other settings; choose another --out, or delete it",
        "distribution: the folder has spheres, asked for is ellipsoids",
        "spp: the folder has 5, asked for is 7",
        "test_share: the folder has 0.3, asked for is 0.25",
    ]
    assert contents(whole) == before


@pytest.mark.parametrize("splits", [SPLITS, ("test",)])
def test_a_larger_count_adds_scenes_and_ends_with_the_same_bytes(path_traced, tmp_path, monkeypatch, splits):
    """Of the last shards, which are not full, only what is left over of parts of three scenes is traced again."""
    monkeypatch.setattr(generate_settings, "PIXELS_A_JOB", 3 * 7 * 5)
    few = generate(dataclasses.replace(PATH, count=29), tmp_path, progress=False, splits=splits)
    labels = LabelChoice(boxes=True)
    write_labels(tmp_path, labels, progress=False)
    traced, trace = [], PathTracer.trace

    def counted(tracer, scenes, *rest):
        traced.extend(scenes)
        return trace(tracer, scenes, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(PathTracer, "trace", counted)
        assert generate(PATH, tmp_path, progress=False).is_complete
    left_over = sum(shard.scenes % 8 % 3 for shard in few.shards)
    assert len(traced) == 43 - few.scenes + left_over
    write_labels(tmp_path, labels, progress=False)
    tars = [LabelTar(label_file(tmp_path / shard.file)) for shard in Manifest.load(tmp_path).shards]
    assert sum(map(len, tars)) == 43
    shutil.rmtree(tmp_path / "labels")
    assert contents(tmp_path) == contents(path_traced)


def test_what_is_added_is_gone_on_with_after_an_end_within_the_first_shard(path_traced, tmp_path, monkeypatch):
    """Of which a part was kept, and the next one traced before the end: neither is traced again."""
    monkeypatch.setattr(generate_settings, "PIXELS_A_JOB", 3 * 7 * 5)
    few = generate(dataclasses.replace(PATH, count=5), tmp_path, progress=False)
    traced, trace, write = [], PathTracer.trace, Part.write

    def counted(tracer, scenes, *rest):
        traced.extend(scenes)
        return trace(tracer, scenes, *rest)

    def write_and_end(part, radiance):
        write(part, radiance)
        if traced:
            raise KeyboardInterrupt

    monkeypatch.setattr(PathTracer, "trace", counted)
    with monkeypatch.context() as patch:
        patch.setattr(Part, "write", write_and_end)
        with pytest.raises(KeyboardInterrupt):
            generate(PATH, tmp_path, progress=False)
    generate(PATH, tmp_path, progress=False)
    assert [shard.scenes for shard in few.of("train")] == [3]
    assert len(traced) == 43 - 3
    assert contents(tmp_path) == contents(path_traced)


def test_a_damaged_last_shard_does_not_spoil_what_is_added(path_traced, tmp_path):
    few = generate(dataclasses.replace(PATH, count=29), tmp_path, progress=False)
    write_labels(tmp_path, LabelChoice(boxes=True), progress=False)
    last = tmp_path / few.of("train")[-1].file
    last.write_bytes(last.read_bytes()[:-1])
    generate(PATH, tmp_path, progress=False)
    assert not label_file(last).exists()
    shutil.rmtree(tmp_path / "labels")
    assert contents(tmp_path) == contents(path_traced)


def test_a_smaller_count_is_refused(path_traced):
    with pytest.raises(DataError, match="count: the folder has 43, asked for is 29"):
        generate(dataclasses.replace(PATH, count=29), path_traced, progress=False)


def test_a_folder_where_nothing_was_made_takes_other_settings(tmp_path):
    with pytest.raises(TraceError, match=r"no variant 'scalr_rgb' here; choose one of .*scalar_rgb"):
        generate(dataclasses.replace(SETTINGS, variant="scalr_rgb"), tmp_path, workers=1, progress=False)
    few = dataclasses.replace(SETTINGS, count=3)
    assert generate(few, tmp_path, workers=1, progress=False).is_complete


def test_two_processes_do_not_write_to_one_folder(tmp_path):
    with only_one(tmp_path), pytest.raises(InputError, match="another process is writing to it"):
        generate(SETTINGS, tmp_path, workers=1, progress=False)


def test_several_may_find_a_complete_folder_so(whole):
    with only_one(whole):
        assert generate(SETTINGS, whole, progress=False).is_complete


def test_a_folder_of_something_else_is_refused(tmp_path):
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(DataError, match="neither empty nor a data set"):
        generate(SETTINGS, tmp_path, progress=False)
    assert contents(tmp_path) == {"thesis.txt": b"precious"}


def test_manifest_says_how_it_was_made(whole, path_traced):
    settings = Manifest.load(whole).settings
    assert settings["distribution"] == "spheres"
    assert settings["max_objects"] == 3
    assert str(settings["renderer"]).startswith("mitsuba 3.")
    names = {field.name for field in dataclasses.fields(GenerateSettings)}
    assert set(settings) >= names - {"tracer", "val_share"}, "which `renderer` names, and which is 0"
    ours = Manifest.load(path_traced).settings
    assert str(ours["renderer"]).startswith("luxel ")
    assert set(ours) == set(settings) - {"variant"}, "which is Mitsuba's"


@pytest.fixture(scope="module")
def path_traced(tmp_path_factory):
    """The same set, by the path tracer, interrupted at the third shard and resumed."""
    root, calls = tmp_path_factory.mktemp("path") / "set", []

    def interrupted(*arguments):
        calls.append(arguments)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return write_shard(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(generation, "SCENES_A_SHARD", 8)
        patch.setattr(generate_settings, "PIXELS_A_JOB", 3 * 7 * 5)
        patch.setattr(generation, "write_shard", interrupted)
        with pytest.raises(KeyboardInterrupt):
            generate(PATH, root, progress=False)
        generate(PATH, root, progress=False)
    return root


def test_the_path_tracer_writes_the_same_shards(whole, path_traced, tmp_path):
    """Scenes, splits and layout are those of Mitsuba's; the bytes those of an uninterrupted run, whatever the jobs."""
    generate(PATH, tmp_path, progress=False)
    assert contents(tmp_path) == contents(path_traced)
    ours, reference = (ShardDataset(root, "test") for root in (path_traced, whole))
    assert [shard.scenes for shard in ours.manifest.shards] == [shard.scenes for shard in reference.manifest.shards]
    assert ours.scene(3) == reference.scene(3)
    batch = ours.batch(range(3))
    traced = PathTracer(max_depth=3).trace([ours.scene(index) for index in range(3)], 7, 5, 5, seed=2)
    np.testing.assert_array_equal(batch.radiance.numpy(), traced.mean)
    np.testing.assert_array_equal(batch.variance.numpy(), traced.variance)


def test_the_path_tracer_has_no_workers(tmp_path):
    with pytest.raises(InputError, match=r"workers is 2, but the path tracer works in one process.* --tracer mitsuba"):
        generate(PATH, tmp_path / "set", workers=2)
    assert not (tmp_path / "set").exists()


@pytest.mark.parametrize("settings", [PATH, SETTINGS], ids=["path", "mitsuba"])
def test_the_bar_counts_images_and_ends_full(settings, tmp_path, monkeypatch, capsys):
    """The path tracer's moves within a job: after every launch, here of some pixels."""
    monkeypatch.setattr("luxel.trace.path.CPU_CHUNKS", 11)
    moves, update = [], generation.ProgressBar.update
    monkeypatch.setattr(generation.ProgressBar, "update", lambda bar, n=1: (moves.append(n), update(bar, n))[1])
    generate(dataclasses.replace(settings, count=5), tmp_path, progress=True)
    assert sum(moves) == pytest.approx(5)
    if settings is PATH:
        assert max(moves) == pytest.approx(11 / 35)
    assert "100%" in (printed := capsys.readouterr().err)
    assert "5/5" in printed


def test_what_mitsuba_does_wrong_is_said_once(tmp_path, monkeypatch, capsys):
    """In processes or not, with or without a bar; of Luxel's tracer there is nothing to say."""
    monkeypatch.setattr(generation, "known_wrong", lambda scene: [f"{len(scene.objects)} objects", "and more"])
    few = dataclasses.replace(SETTINGS, count=7)
    generate(few, tmp_path / "mitsuba", workers=1, progress=False)
    said = capsys.readouterr().err
    assert said.count("Mitsuba is known to be wrong in a scene of this set") == 1
    assert re.search(r"set: \d objects\n", said)
    generate(dataclasses.replace(few, tracer="path"), tmp_path / "path", progress=False)
    assert capsys.readouterr().err == ""


def test_nothing_is_said_of_scenes_that_mitsuba_does_right(tmp_path, capsys):
    generate(dataclasses.replace(SETTINGS, count=7), tmp_path, workers=1, progress=False)
    assert capsys.readouterr().err == ""


def test_another_tracers_folder_is_refused(path_traced):
    with pytest.raises(DataError, match=r"renderer: the folder has luxel .*, asked for is mitsuba"):
        generate(SETTINGS, path_traced, progress=False)


def test_a_folder_of_the_former_default_is_refused_with_the_remedy(whole):
    with pytest.raises(DataError, match="go on with it by --tracer mitsuba") as error:
        generate(PATH, whole, progress=False)
    assert "renderer: the folder has mitsuba" in str(error.value)


def test_a_whole_folder_of_another_device_is_as_good(path_traced, tmp_path, monkeypatch):
    """But an unfinished one is not gone on with, or its bytes would be of two devices."""
    elsewhere = shutil.copytree(path_traced, tmp_path / "set")
    manifest = Manifest.load(elsewhere)
    version, _, device = str(manifest.settings["renderer"]).rpartition(" ")
    settings = {**manifest.settings, "renderer": f"{version} elsewhere"}
    dataclasses.replace(manifest, settings=settings).save(elsewhere)
    monkeypatch.setattr(generation, "write_shard", None)
    assert generate(PATH, elsewhere, progress=False).settings == settings
    dataclasses.replace(manifest, settings=settings, shards=manifest.shards[1:]).save(elsewhere)
    with pytest.raises(DataError, match=f"renderer: the folder has .* elsewhere, asked for is .* {device}"):
        generate(PATH, elsewhere, progress=False)


def test_a_folder_with_a_token_layout_is_gone_on_with(path_traced, tmp_path):
    """As manifests said while shards held tokens; shards of then may be among those that are there."""
    former = shutil.copytree(path_traced, tmp_path / "set")
    manifest = json.loads((former / "manifest.json").read_text())
    manifest["settings"]["token_layout"] = "center:3"
    del manifest["shards"][1]
    (former / "manifest.json").write_text(json.dumps(manifest))
    (former / "test-00001.safetensors").unlink()
    generate(PATH, former, progress=False)
    assert contents(former) == contents(path_traced)


def test_a_test_split_alone_is_that_of_the_whole(path_traced, tmp_path, monkeypatch):
    """The same bytes and hash; the training split may follow, and leaves what one call would have left."""
    manifest = generate(PATH, tmp_path, progress=False, splits=("test",))
    assert not manifest.is_complete
    assert ShardDataset(tmp_path, "test").content_hash == ShardDataset(path_traced, "test").content_hash
    with pytest.raises(DataError, match="of 43 scenes; generate again"):
        ShardDataset(tmp_path, "train")
    with monkeypatch.context() as patch:
        patch.setattr(generation, "write_shard", None)
        assert generate(PATH, tmp_path, progress=False, splits=("test",)) == manifest
    generate(PATH, tmp_path, progress=False)
    assert contents(tmp_path) == contents(path_traced)
    monkeypatch.setattr(generation, "write_shard", None)
    assert generate(PATH, tmp_path, progress=False, splits=("test",)).is_complete


def test_a_damaged_test_split_alone_is_made_again(path_traced, tmp_path):
    generate(PATH, tmp_path, progress=False, splits=("test",))
    (tmp_path / "test-00000.safetensors").write_bytes(b"")
    generate(PATH, tmp_path, progress=False, splits=("test",))
    assert ShardDataset(tmp_path, "test").content_hash == ShardDataset(path_traced, "test").content_hash
