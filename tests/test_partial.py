"""Files that are being written: whose they are, and what becomes of those whose writer is gone."""

import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from threading import Thread

import pytest

from luxel.files.partial import partial_of


def names(folder):
    return sorted(entry.name for entry in folder.iterdir())


def test_each_writer_has_its_own_and_names_are_used_again(tmp_path):
    path = tmp_path / "scene.json"
    with partial_of(path) as first, partial_of(path) as second, partial_of(path) as third:
        assert [file.name for file in (first, second, third)] == [
            "scene.json.partial",
            "scene.json.1.partial",
            "scene.json.2.partial",
        ]
        second.replace(path)
        with partial_of(path) as fourth:
            assert fourth.name == "scene.json.1.partial"
            fourth.unlink()
        first.unlink()
        third.unlink()
    assert names(tmp_path) == ["scene.json"]


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_a_block_that_fails_leaves_nothing(tmp_path, error):
    def fail():
        with partial_of(tmp_path / "file") as partial:
            partial.write_bytes(b"half of it")
            raise error

    with pytest.raises(error):
        fail()
    assert names(tmp_path) == []


def test_a_block_that_fails_once_its_file_is_moved_leaves_the_next_writers_alone(tmp_path):
    path = tmp_path / "file"
    with ExitStack() as later:

        def fail():
            with partial_of(path) as first:
                first.replace(path)
                second = later.enter_context(partial_of(path))
                assert second == first
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            fail()
        assert names(tmp_path) == ["file", "file.partial"]


def test_threads_each_write_their_own(tmp_path):
    path, wrong = tmp_path / "file", []

    def write(content):
        for _ in range(20):
            with partial_of(path) as partial:
                partial.write_bytes(content)
                partial.replace(path)
            if path.read_bytes() not in contents:
                wrong.append(content)

    contents = [bytes([letter]) * 1009 for letter in b"abc"]
    threads = [Thread(target=write, args=(content,)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert names(tmp_path) == ["file"]


WRITER = """
import sys, time
from pathlib import Path
from luxel.files.partial import partial_of
with partial_of(Path(sys.argv[1])) as partial:
    partial.write_bytes(b"half of it")
    print("writing", flush=True)
    time.sleep(60)
"""


@pytest.mark.skipif(os.name != "posix", reason="kills by POSIX's signals")
def test_a_living_process_keeps_its_file_and_a_killed_ones_is_used_again(tmp_path):
    path = tmp_path / "file"
    with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout.readline() == "writing\n"
        with partial_of(path) as partial:
            assert partial.name == "file.1.partial"
            partial.unlink()
        assert (tmp_path / "file.partial").read_bytes() == b"half of it"
        writer.send_signal(signal.SIGKILL)
    with partial_of(path) as partial:
        assert (partial.name, partial.read_bytes()) == ("file.partial", b"")
        partial.unlink()
    assert names(tmp_path) == []


def test_a_link_in_the_way_is_not_followed(tmp_path):
    precious = tmp_path / "precious"
    precious.write_bytes(b"mine")
    there = tmp_path / "file.partial"
    for link in (there.symlink_to, there.hardlink_to):
        link(precious)
        with partial_of(tmp_path / "file") as partial:
            partial.write_bytes(b"new")
            partial.unlink()
        assert precious.read_bytes() == b"mine"


def test_what_cannot_be_written_is_the_systems_error(tmp_path):
    with pytest.raises(FileNotFoundError), partial_of(tmp_path / "gone" / "file"):
        pass
