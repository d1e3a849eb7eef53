import pytest

from luxel import InputError
from luxel.viewer.files import Files, free


def test_names_are_from_the_first_scenes_folder_on(tmp_path):
    files = Files(tmp_path / "here", anywhere=True)
    there = tmp_path / "there" / "b.json"
    assert files.named("../there/b.json", (".json",)).resolve() == there
    assert files.named(str(there), (".json",)) == there
    assert files.shown(there) == "../there/b.json"
    assert files.shown(tmp_path / "here" / "a.json") == "a.json"


@pytest.mark.parametrize("name", ["../a.json", "/tmp/a.json", "~/a.json", "b/../a.json"])
def test_where_others_reach_the_page_files_are_of_one_folder(tmp_path, name):
    files = Files(tmp_path, anywhere=False)
    assert files.named("a.json", (".json",)) == tmp_path / "a.json"
    with pytest.raises(InputError, match="must be a name without a folder"):
        files.named(name, (".json",))


def test_an_upload_lies_in_the_first_scenes_folder(tmp_path):
    files = Files(tmp_path, anywhere=True)
    for name in ("a.json", "../a.json", "/tmp/a.json"):
        assert files.uploaded(name, (".json",)) == tmp_path / "a.json"
    assert files.uploaded("~$a.json", (".json",)) == tmp_path / "~$a.json"  # of no user of this name


def test_a_name_that_is_free_has_a_number(tmp_path):
    assert free(tmp_path / "a.json") == tmp_path / "a.json"
    for name in ("a.json", "a-2.json"):
        (tmp_path / name).touch()
    assert free(tmp_path / "a.json") == tmp_path / "a-3.json"
