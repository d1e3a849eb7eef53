"""Tars of labels, read in any order, in any process; what is damaged is told."""

import pickle
import tarfile

import numpy as np
import pytest

from luxel import InputError
from luxel.data.annotations import annotate
from luxel.data.label_files import ALL_LABELS, arrays_of, document_of, json_of, npz_of
from luxel.data.label_tars import LabelTar, label_file
from luxel.data.manifest import DataError
from luxel.data.tars import add
from luxel.scene import Spheres

SCENES = [Spheres(max_objects=3)(5, index) for index in range(3)]


def write(path, damage=lambda name, content: content):
    with tarfile.open(path, "w") as tar:
        for number, scene in enumerate(SCENES):
            labels = annotate(scene, 7, 5)
            for name, content in (
                (f"{number:05d}.npz", npz_of(arrays_of(labels, ALL_LABELS))),
                (f"{number:05d}.json", json_of(document_of(scene, labels))),
            ):
                add(tar, name, damage(name, content))
    return path


def test_pictures_are_a_sequence(tmp_path):
    tar = LabelTar(write(tmp_path / "a.tar"))
    assert len(tar) == 3
    assert len(list(tar)) == 3
    sent = pickle.loads(pickle.dumps(tar))
    for read in (tar[2], tar[-1], tar[1:][1], sent[2]):
        np.testing.assert_array_equal(read.arrays["depth"], annotate(SCENES[2], 7, 5).depth)
        assert len(read.document["objects"]) == len(SCENES[2].objects)
    with pytest.raises(IndexError):
        tar[3]


def test_a_shards_labels_are_beside_it(tmp_path):
    assert label_file(tmp_path / "train-00012.safetensors") == tmp_path / "labels" / "train-00012.tar"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("00001.npz", r"a\.tar: 00001\.npz is damaged: .*; delete the file, and generate again"),
        ("00001.json", r"a\.tar: 00001\.json: .*; delete the file, and generate again"),
    ],
)
def test_what_is_damaged_is_told(name, told, tmp_path):
    tar = LabelTar(write(tmp_path / "a.tar", lambda there, content: content[:40] if there == name else content))
    assert tar[0].arrays
    with pytest.raises(InputError, match=told):
        tar[1]


def test_what_is_no_tar_is_told(tmp_path):
    (tmp_path / "a.tar").write_bytes(b"x" * 700)
    with pytest.raises(DataError, match=r"a\.tar: can't be read as a tar: .*; delete it, and generate again"):
        LabelTar(tmp_path / "a.tar")[0]
    with pytest.raises(DataError, match=r"b\.tar: the labels are missing; .*some of --masks, --depth, --normals"):
        len(LabelTar(tmp_path / "b.tar"))
