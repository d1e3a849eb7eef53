"""A folder is its settings': kept, completed, or left alone with a message that says what differs."""

import json

import pytest

from luxel import InputError
from luxel.data.folder_identity import FolderIdentity
from luxel.files.atomic import LOCK
from luxel.files.partial import PARTIAL

MINE = FolderIdentity("mine.json", "a set of things", {"count": 3, "kind": "round"})


def test_a_new_or_an_empty_folder_is_free(tmp_path):
    MINE.check(tmp_path / "new")
    MINE.check(tmp_path)


def test_what_a_first_write_leaves_is_no_content(tmp_path):
    for name in (LOCK, "mine.json" + PARTIAL):
        (tmp_path / name).touch()
    MINE.check(tmp_path)


def test_saved_it_is_the_same_and_not_written_again(tmp_path):
    MINE.save(tmp_path)
    assert json.loads((tmp_path / "mine.json").read_text()) == {"count": 3, "kind": "round"}
    MINE.check(tmp_path)
    before = (tmp_path / "mine.json").stat()
    MINE.save(tmp_path)
    after = (tmp_path / "mine.json").stat()
    assert (before.st_mtime_ns, before.st_ino) == (after.st_mtime_ns, after.st_ino)


@pytest.mark.parametrize(
    ("settings", "lines"),
    [
        ({"count": 4, "kind": "round"}, ["count: the folder has 3, asked for is 4"]),
        ({"count": 3}, ["kind: the folder has round, asked for is none"]),
        (
            {"count": 3, "kind": "round", "size": 2.5},
            ["size: the folder has no such setting, asked for is 2.5"],
        ),
    ],
)
def test_what_differs_is_told(settings, lines, tmp_path):
    MINE.save(tmp_path)
    with pytest.raises(InputError) as error:
        FolderIdentity("mine.json", "a set of things", settings).check(tmp_path)
    head = f"{tmp_path}: holds another set of things; choose another --out, or delete it"
    assert str(error.value).splitlines() == [head, *lines]


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(InputError, match=r"neither empty nor a set of things, mine\.json is missing; choose another"):
        MINE.check(tmp_path)


@pytest.mark.parametrize("content", ["{", '{"count": [3]}'])
def test_a_damaged_file_is_told(content, tmp_path):
    (tmp_path / "mine.json").write_text(content)
    with pytest.raises(InputError, match=r"mine\.json.*; delete the folder, and repeat the command"):
        MINE.check(tmp_path)
