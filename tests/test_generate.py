"""Generation: killed at any moment and resumed, it ends with the same bytes."""

import dataclasses
import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import luxel
from luxel import InputError
from luxel.data import generate as generation
from luxel.data.atomic import only_one
from luxel.data.dataset import ShardDataset
from luxel.data.generate import GenerateSettings, generate
from luxel.data.manifest import DataError, Manifest
from luxel.data.shards import write_shard
from luxel.scene import Ellipsoids, Spheres
from luxel.trace import MitsubaTracer, TraceError
from luxel.trace.path import PathTracer

SETTINGS = GenerateSettings(
    Spheres(max_objects=3), count=43, seed=2, width=7, height=5, spp=5, max_depth=3, test_share=0.3
)
TORCH = dataclasses.replace(SETTINGS, tracer="torch")
RECORD = Path(luxel.__file__).parent.parent.parent / "docs" / "ledger" / "standard_run-small-seed0.json"

# The same in a process of its own, which kills itself, as kill -9 does, at its third call of a function.
KILLED = """
import os, signal, sys
from luxel.data import generate
sys.path.insert(0, {tests!r})
from test_generate import SETTINGS
generate.SCENES_A_SHARD, generate.SCENES_A_JOB = 8, 3
owner = sys.modules[{owner!r}]
original, calls = getattr(owner, {name!r}), []
def fatal(*arguments):
    calls.append(arguments)
    if len(calls) == 3 and {before}:
        os.kill(os.getpid(), signal.SIGKILL)
    result = original(*arguments)
    if len(calls) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return result
setattr(owner, {name!r}, fatal)
generate.generate(SETTINGS, {out!r}, workers=2, progress=False)
"""


def contents(root: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in root.iterdir()}


@pytest.fixture(autouse=True)
def small_shards(monkeypatch):
    monkeypatch.setattr(generation, "SCENES_A_SHARD", 8)
    monkeypatch.setattr(generation, "SCENES_A_JOB", 3)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """What an uninterrupted run leaves."""
    root = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(generation, "SCENES_A_SHARD", 8)
        patch.setattr(generation, "SCENES_A_JOB", 3)
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
    ("owner", "name", "before"),
    [
        ("luxel.data.generate", "write_shard", True),  # a shard traced, but not written
        ("luxel.data.generate", "write_shard", False),  # written, but not yet in the manifest
        ("os", "fsync", True),  # in the middle of a file
        ("luxel.data.manifest", "write_atomically", False),  # between two shards
    ],
)
def test_killed_and_resumed_ends_with_the_same_bytes(whole, tmp_path, owner, name, before):
    out = tmp_path / "set"
    code = KILLED.format(tests=str(Path(__file__).parent), out=str(out), owner=owner, name=name, before=before)
    assert subprocess.run([sys.executable, "-c", code], timeout=120).returncode == -signal.SIGKILL
    assert contents(out) != contents(whole)
    generate(SETTINGS, out, workers=2, progress=False)
    assert contents(out) == contents(whole)


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


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("spp", 1, "spp is 1, must be at least 2"),
        ("test_share", 1.5, "must be in"),
        ("count", 0, "count is 0"),
    ],
)
def test_settings_are_checked(name, value, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(SETTINGS, **{name: value})


def test_manifest_says_how_it_was_made(whole, torch_traced):
    settings = Manifest.load(whole).settings
    assert settings["distribution"] == "spheres"
    assert settings["max_objects"] == 3
    assert str(settings["renderer"]).startswith("mitsuba 3.")
    names = {field.name for field in dataclasses.fields(GenerateSettings)}
    assert set(settings) >= names - {"tracer"}, "which `renderer` names"
    assert str(Manifest.load(torch_traced).settings["renderer"]).startswith("luxel ")


def test_settings_are_flat_as_they_were_before_there_were_two_tracers():
    """Else data sets made then would neither be found nor known to be complete."""
    record = json.loads(RECORD.read_text())
    names = {**record["experiment"]["data"], "distribution": Spheres(max_objects=4)}
    asked = GenerateSettings(**names).flat()
    assert {**asked, "renderer": "", "test_set": ""} == {**record["data"], "renderer": "", "test_set": ""}


@pytest.fixture(scope="module")
def torch_traced(tmp_path_factory):
    """The same set, by the torch tracer, interrupted at the third shard and resumed."""
    root, calls = tmp_path_factory.mktemp("torch") / "set", []

    def interrupted(*arguments):
        calls.append(arguments)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return write_shard(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(generation, "SCENES_A_SHARD", 8)
        patch.setattr(generation, "SCENES_A_JOB", 3)
        patch.setattr(generation, "write_shard", interrupted)
        with pytest.raises(KeyboardInterrupt):
            generate(TORCH, root, progress=False)
        generate(TORCH, root, progress=False)
    return root


def test_the_torch_tracer_writes_the_same_shards(whole, torch_traced, tmp_path):
    """Scenes, splits and layout are those of Mitsuba's; the bytes those of an uninterrupted run."""
    generate(TORCH, tmp_path, progress=False)
    assert contents(tmp_path) == contents(torch_traced)
    ours, reference = (ShardDataset(root, "test") for root in (torch_traced, whole))
    assert [shard.scenes for shard in ours.manifest.shards] == [shard.scenes for shard in reference.manifest.shards]
    assert ours.scene(3) == reference.scene(3)
    batch = ours.batch(range(3))
    traced = PathTracer(max_depth=3).trace([ours.scene(index) for index in range(3)], 7, 5, 5, seed=2)
    np.testing.assert_array_equal(batch.radiance.numpy(), traced.mean)
    np.testing.assert_array_equal(batch.variance.numpy(), traced.variance)


def test_the_torch_tracer_has_no_workers(tmp_path):
    with pytest.raises(InputError, match="workers is 2, but the torch tracer works in one process"):
        generate(TORCH, tmp_path / "set", workers=2)
    assert not (tmp_path / "set").exists()


def test_the_torch_tracer_can_be_compiled():
    tracers = [dataclasses.replace(SETTINGS, tracer=name).make_tracer() for name in ("torch", "torch_compiled")]
    assert [tracer.compiled for tracer in tracers] == [False, True]
    assert tracers[0].renderer != tracers[1].renderer


def test_another_tracers_folder_is_refused(torch_traced):
    with pytest.raises(DataError, match=r"renderer: the folder has luxel .*, asked for is mitsuba"):
        generate(SETTINGS, torch_traced, progress=False)


def test_a_test_split_alone_is_that_of_the_whole(torch_traced, tmp_path, monkeypatch):
    """The same bytes and hash; the training split may follow, and leaves what one call would have left."""
    manifest = generate(TORCH, tmp_path, progress=False, splits=("test",))
    assert not manifest.is_complete
    assert ShardDataset(tmp_path, "test").content_hash == ShardDataset(torch_traced, "test").content_hash
    with pytest.raises(DataError, match="of 43 scenes; generate again"):
        ShardDataset(tmp_path, "train")
    with monkeypatch.context() as patch:
        patch.setattr(generation, "write_shard", None)
        assert generate(TORCH, tmp_path, progress=False, splits=("test",)) == manifest
    generate(TORCH, tmp_path, progress=False)
    assert contents(tmp_path) == contents(torch_traced)
    monkeypatch.setattr(generation, "write_shard", None)
    assert generate(TORCH, tmp_path, progress=False, splits=("test",)).is_complete


def test_a_damaged_test_split_alone_is_made_again(torch_traced, tmp_path):
    generate(TORCH, tmp_path, progress=False, splits=("test",))
    (tmp_path / "test-00000.safetensors").write_bytes(b"")
    generate(TORCH, tmp_path, progress=False, splits=("test",))
    assert ShardDataset(tmp_path, "test").content_hash == ShardDataset(torch_traced, "test").content_hash
