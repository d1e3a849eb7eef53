"""Frames on the disk are known by what they are of."""

from pathlib import Path

import numpy as np

from luxel.files.exr import load_exr
from luxel.movie.frame_files import frame_file, identity_of, is_made, remove_frames, write_frame

PICTURE = np.random.default_rng(0).random((5, 7, 3), np.float32)


def test_a_frame_is_made_if_it_is_of_the_same(tmp_path: Path):
    file = frame_file(tmp_path, 12)
    assert file.name == "00012.exr"
    assert not is_made(file, "a")
    write_frame(file, PICTURE, "a")
    assert is_made(file, "a")
    assert not is_made(file, "b")
    assert (load_exr(file) == PICTURE).all()
    whole = file.read_bytes()
    for damaged in (whole[:50], whole[:-20], b""):
        file.write_bytes(damaged)
        assert not is_made(file, "a"), "so it is made anew"


def test_all_that_is_named_decides_an_identity():
    assert identity_of(a=1, b="x") == identity_of(b="x", a=1)
    assert len({identity_of(a=1, b="x"), identity_of(a=2, b="x"), identity_of(a=1, b="y")}) == 3
    assert len(identity_of(a=1)) == 64


def test_what_is_no_frame_stays(tmp_path: Path):
    folder = tmp_path / "frames"
    folder.mkdir()
    for number in range(3):
        write_frame(frame_file(folder, number), PICTURE, "a")
    (folder / "notes.txt").write_text("mine")
    (folder / "00003.exr.partial").write_text("cut off")
    remove_frames(folder)
    assert [path.name for path in folder.iterdir()] == ["notes.txt"]
    (folder / "notes.txt").unlink()
    remove_frames(folder)
    assert not folder.exists()
