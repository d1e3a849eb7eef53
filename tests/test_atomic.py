"""Files that are whole or not there."""

import errno
import os
from pathlib import Path

import pytest

from luxel import InputError
from luxel.files.atomic import (
    check_folder,
    check_writable,
    check_writable_folder,
    checksum,
    make_folder_of,
    only_one,
    replacing,
    write_atomically,
)
from luxel.files.partial import PARTIAL


def test_writes_and_replaces(tmp_path):
    path = tmp_path / "file"
    for content in (b"first, and longer", b"second"):
        write_atomically(path, content)
        assert path.read_bytes() == content
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_an_interrupted_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "file"
    write_atomically(path, b"old")

    def interrupted(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, b"new")
    assert {entry.name: entry.read_bytes() for entry in tmp_path.iterdir()} == {"file": b"old"}


def test_a_killed_write_is_repeated(tmp_path):
    path = tmp_path / "file"
    (tmp_path / f"file{PARTIAL}").write_bytes(b"what a killed write left, and longer")
    write_atomically(path, b"new")
    assert {entry.name: entry.read_bytes() for entry in tmp_path.iterdir()} == {"file": b"new"}


def test_of_several_writers_at_once_each_writes_its_own_file_and_the_last_one_is_left(tmp_path):
    path = tmp_path / "file"
    with replacing(path) as first:
        with replacing(path) as second:
            first.write_bytes(b"first, and longer")
            second.write_bytes(b"second")
        assert path.read_bytes() == b"second"
    assert {entry.name: entry.read_bytes() for entry in tmp_path.iterdir()} == {"file": b"first, and longer"}


def test_a_link_in_the_way_is_not_followed(tmp_path):
    precious = tmp_path / "precious"
    precious.write_bytes(b"mine")
    (tmp_path / f"file{PARTIAL}").symlink_to(precious)
    write_atomically(tmp_path / "file", b"new")
    assert precious.read_bytes() == b"mine"
    assert (tmp_path / "file").read_bytes() == b"new"
    assert not (tmp_path / "file").is_symlink()


def test_a_full_disk_is_one_line_with_the_file_and_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "file"
    write_atomically(path, b"old")

    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError) as error:
        write_atomically(path, b"new")
    assert str(error.value) == (
        f"{path}: cannot be written: No space left on device; make room, or allow it; what was there before is as it "
        "was"
    )
    assert {entry.name: entry.read_bytes() for entry in tmp_path.iterdir()} == {"file": b"old"}


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match="gone/file: cannot be written: No such file or directory"):
        write_atomically(tmp_path / "gone" / "file", b"")


@pytest.mark.parametrize("path", ["", ".", "there", "there/deeper/.."])
def test_a_folder_is_no_file(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there" / "deeper").mkdir(parents=True)
    problem = (
        rf"^{Path(path)}: is a folder, but a file is to be written; name one in it, such as {Path(path) / 'NAME'}$"
    )
    with pytest.raises(InputError, match=problem):
        write_atomically(Path(path), b"")
    with pytest.raises(InputError, match=problem):
        make_folder_of(Path(path))


@pytest.mark.parametrize("path", ["file", "file/new/folder"])
def test_a_file_is_no_folder(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("file").write_bytes(b"mine")
    which = "is" if path == "file" else "file is"
    problem = rf"^{path}: {which} a file, but a folder is meant; name another$"
    with pytest.raises(InputError, match=problem):
        only_one(Path(path)).__enter__()
    with pytest.raises(InputError, match="is a file, but a folder is meant"):
        write_atomically(Path(path) / "x", b"")
    check_folder(Path("new/one"))
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_one_process_at_a_time(tmp_path):
    with only_one(tmp_path / "new"), pytest.raises(InputError, match="another process is writing to it"):
        only_one(tmp_path / "new").__enter__()
    with only_one(tmp_path / "new"):
        pass


def test_checksum(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"abc")
    assert checksum(path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-2


def test_before_work_a_file_is_tried_and_nothing_is_left(tmp_path):
    path = tmp_path / "new" / "file"
    check_writable(path)
    check_writable_folder(path)
    assert not list(tmp_path.iterdir())
    path.parent.mkdir()
    there = {"file": b"old", f"file{PARTIAL}": b"what another process is writing"}
    for name, content in there.items():
        (path.parent / name).write_bytes(content)
    check_writable(path)
    check_writable_folder(path.parent)
    assert {entry.name: entry.read_bytes() for entry in path.parent.iterdir()} == there
    with pytest.raises(InputError, match="new: is a folder, but a file is to be written"):
        check_writable(tmp_path / "new")
    with pytest.raises(InputError, match="file: is a file, but a folder is meant"):
        check_writable_folder(path)


@pytest.mark.skipif(os.name != "posix", reason="asks POSIX for the longest name")
@pytest.mark.parametrize("spare", [0, 1])
def test_a_name_too_long_to_be_written_is_found_before_work(tmp_path, spare):
    """`write_atomically` needs room for PARTIAL after the name, and `check_writable` asks for as much."""
    path = tmp_path / ("n" * (os.pathconf(tmp_path, "PC_NAME_MAX") - len(PARTIAL) + spare))
    for write in (check_writable, lambda path: write_atomically(path, b"")):
        if spare:
            with pytest.raises(InputError, match="cannot be written: File name too long"):
                write(path)
        else:
            write(path)


def test_a_folder_that_cannot_be_written_to_is_found_before_work(tmp_path, monkeypatch):
    def read_only(*arguments, **options):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr("luxel.files.atomic.NamedTemporaryFile", read_only)
    for check in (check_writable, check_writable_folder):
        with pytest.raises(InputError, match="file: cannot be written: Read-only file system; make room, or allow it,"):
            check(tmp_path / "file")


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="where nobody can write, as nothing is a file of a disk's")
@pytest.mark.parametrize("check", [check_writable, check_writable_folder])
@pytest.mark.parametrize("place", ["/proc/new", "/proc/new/below", "/dev/null/new"])
def test_a_place_where_nobody_can_write_is_found_before_work(check, place):
    with pytest.raises(InputError, match=f"{place}: cannot be written: .*; make room, or allow it, or name another"):
        check(Path(place))
