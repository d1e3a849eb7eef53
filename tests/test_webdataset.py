"""WebDataset's tars, as anything that reads tars sees them."""

import io
import json
import tarfile

import numpy as np
from export_folders import spheres_folder

from luxel.data.dataset import ShardDataset
from luxel.data.export.export import ExportSettings, export
from luxel.files.exr import load_exr
from luxel.scene.description import Scene


def test_every_sample_has_files_of_one_stem(tmp_path):
    spheres, tmp_path = spheres_folder(tmp_path / "data"), tmp_path / "tars"
    count = export(spheres, tmp_path, ExportSettings("webdataset", samples_per_tar=2), progress=False)
    data = ShardDataset(spheres, "train")
    assert count == len(data) + len(ShardDataset(spheres, "test")) == 9
    seen = []
    for path in sorted(tmp_path.glob("train-*.tar")):
        with tarfile.open(path) as tar:
            members = tar.getmembers()
            assert {(member.mtime, member.uid, member.gid, member.uname) for member in members} == {(0, 0, 0, "")}
            seen += [(member.name, tar.extractfile(member).read()) for member in members]
    assert [name for name, _ in seen[:4]] == ["000000.png", "000000.exr", "000000.npz", "000000.json"]
    assert len(seen) == 4 * len(data)
    contents = dict(seen)
    (tmp_path / "one.exr").write_bytes(contents["000001.exr"])
    np.testing.assert_array_equal(load_exr(tmp_path / "one.exr"), data.batch([1]).radiance[0].numpy())
    arrays = np.load(io.BytesIO(contents["000001.npz"]))
    objects = len(data.scene(1).objects)
    assert {name: arrays[name].shape for name in ("visible", "amodal", "depth", "normal", "albedo")} == {
        "visible": (objects, 5, 7),
        "amodal": (objects, 5, 7),
        "depth": (5, 7),
        "normal": (5, 7, 3),
        "albedo": (5, 7, 3),
    }
    document = json.loads(contents["000001.json"])
    assert Scene.model_validate(document["scene"]) == data.scene(1)
    assert (document["split"], document["index"]) == ("train", 1)
