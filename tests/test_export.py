"""Exports: every layout says of a scene made by hand what it shows, is read by other programs, and can be resumed."""

import pytest
from export_folders import by_hand_folder, spheres_folder

from luxel import InputError
from luxel.data.export import export as module
from luxel.data.export.export import ExportSettings, export
from luxel.data.manifest import DataError, Manifest


@pytest.fixture(scope="module")
def by_hand(tmp_path_factory):
    return by_hand_folder(tmp_path_factory.mktemp("by_hand"))


@pytest.fixture(scope="module")
def spheres(tmp_path_factory):
    return spheres_folder(tmp_path_factory.mktemp("spheres"))


def files(root):
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize("layout", ["webdataset", "coco"])
def test_resumed_after_a_cut_the_files_are_the_same(spheres, tmp_path, monkeypatch, layout):
    settings = ExportSettings(layout, samples_per_tar=2)
    export(spheres, tmp_path / "whole", settings, progress=False)
    drawn = module.webdataset.Sample.document
    calls = []

    def cut(sample):
        calls.append(sample)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return drawn(sample)

    with monkeypatch.context() as patch:
        patch.setattr("luxel.data.export.sample.Sample.document", cut)
        with pytest.raises(KeyboardInterrupt):
            export(spheres, tmp_path / "cut", settings, progress=False)
    assert len(files(tmp_path / "cut")) < len(files(tmp_path / "whole"))
    begun = len(calls)
    with monkeypatch.context() as patch:
        patch.setattr("luxel.data.export.sample.Sample.document", lambda sample: calls.append(sample) or drawn(sample))
        export(spheres, tmp_path / "cut", settings, progress=False)
    assert files(tmp_path / "cut") == files(tmp_path / "whole")
    assert len(calls) - begun == 9 - (2 if layout == "webdataset" else 3)


def test_splits_come_one_by_one_or_together(spheres, tmp_path):
    export(spheres, tmp_path / "all", ExportSettings("coco"), progress=False)
    for split in ("test", "train"):
        export(spheres, tmp_path / "each", ExportSettings("coco", split=split), progress=False)
    assert files(tmp_path / "each") == files(tmp_path / "all")


def test_what_cannot_be_exported_is_told(spheres, by_hand, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").touch()
    with pytest.raises(InputError, match=r"mine: neither empty nor an export, export.json is missing; choose another"):
        export(spheres, tmp_path / "mine", ExportSettings("coco"))
    export(spheres, tmp_path / "there", ExportSettings("coco", split="test"), progress=False)
    with pytest.raises(InputError, match=r"holds another export.*\nexposure: the folder has 0.0, asked for is 1.0"):
        export(spheres, tmp_path / "there", ExportSettings("coco", exposure=1.0))
    with pytest.raises(DataError, match=r"not a data set, manifest\.json is missing"):
        export(tmp_path / "mine", tmp_path / "new", ExportSettings("coco"))
    with pytest.raises(InputError, match=r"train scene 0: objects\[0\] is Box\(.*\), none of the distribution clevr's"):
        export(by_hand, tmp_path / "new", ExportSettings("clevr"))
    with pytest.raises(DataError, match="has no test scenes"):
        export(by_hand, tmp_path / "new", ExportSettings("clevr", split="test"))
    assert not (tmp_path / "new").exists()


def test_of_an_unfinished_data_set_only_a_whole_split_is_exported(spheres, tmp_path):
    for shard in spheres.glob("test*.safetensors"):
        (tmp_path / shard.name).write_bytes(shard.read_bytes())
    there = Manifest.load(spheres)
    Manifest(there.settings, there.of("test"), ("test",)).save(tmp_path)
    assert export(tmp_path, tmp_path / "out", ExportSettings("coco", split="test"), progress=False) > 0
    with pytest.raises(DataError, match="of 9 scenes; generate again with the same settings"):
        export(tmp_path, tmp_path / "all", ExportSettings("coco"))
