"""Tars without owner or date, whose files are read where they lie."""

import tarfile

import pytest

from luxel.data.manifest import DataError
from luxel.data.tars import add, new_tar, places_in

FILES = {"a.json": b"{}", "b.npz": bytes(range(256)) * 3, "empty": b""}


def test_files_lie_where_it_says(tmp_path):
    with tarfile.open(tmp_path / "a.tar", "w", format=tarfile.USTAR_FORMAT) as tar:
        for name, content in FILES.items():
            add(tar, name, content)
    whole = (tmp_path / "a.tar").read_bytes()
    assert {name: whole[start : start + size] for name, (start, size) in places_in(tmp_path / "a.tar").items()} == FILES
    with tarfile.open(tmp_path / "a.tar") as tar:
        assert {(member.mtime, member.uid, member.gid, member.uname) for member in tar} == {(0, 0, 0, "")}


def test_a_compressed_or_a_missing_one_is_told(tmp_path):
    with tarfile.open(tmp_path / "b.tar", "w:gz") as tar:
        add(tar, "a", b"a")
    for name in ("b.tar", "c.tar"):
        with pytest.raises(DataError, match=rf"{name}: can't be read as a tar: .*; delete it, and generate again"):
            places_in(tmp_path / name)


def test_a_new_tar_is_whole_or_not_there(tmp_path):
    path = tmp_path / "a.tar"
    with new_tar(path) as tar:
        add(tar, "x", b"abc")
        assert not path.exists()
    assert places_in(path) == {"x": (512, 3)}  # behind one block of a header
    before = path.read_bytes()

    def fail():
        with new_tar(path) as tar:
            add(tar, "y", b"defg")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == {"a.tar": before}
