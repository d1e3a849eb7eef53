"""The README's commands are ones that there are, of files that there are, and its table has every package.

What its links lead to is `test_docs`' to find out.
"""

import io
import re
import shlex
from collections.abc import Iterator
from contextlib import redirect_stdout
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

from luxel.cli import main
from luxel.cli.command import VERBS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
SUBJECTS = {"generate": 1, "train": 1, "experiments": 1}
"""Words after a verb that choose what its options are."""


def commands() -> Iterator[list[str]]:
    """The words of every command, without what is said of it."""
    for language, block in re.findall(r"^```(\w*)\n(.*?)^```", README, re.DOTALL | re.MULTILINE):
        for line in block.splitlines():
            if line and not language:
                yield shlex.split(line, comments=True)


COMMANDS = list(commands())
OF_LUXEL = [words[1:] for words in COMMANDS if words[0] == "luxel"]


@pytest.fixture(scope="module")
def options_of():
    """The options that a verb's help names, for the words that choose them."""
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.chdir(ROOT)

    @cache
    def found(*words: str) -> set[str]:
        with redirect_stdout(io.StringIO()) as text, pytest.raises(SystemExit):
            main([*words, "--help"])
        return set(re.findall(r"--[a-z][\w.-]*", text.getvalue()))

    yield found
    monkeypatch.undo()


@pytest.mark.parametrize("words", OF_LUXEL, ids=" ".join)
def test_every_verb_and_option_is_there(words, options_of):
    verb, *rest = words
    assert verb in VERBS
    asked = {word for word in rest if word.startswith("--")}
    assert asked <= (options_of(verb, *rest[: SUBJECTS.get(verb, 0)]) if asked else asked)


def test_every_file_of_the_repository_is_there():
    named = {word.rpartition(":")[2] for words in COMMANDS for word in words if "examples/" in word}
    named |= set(re.findall(r"docs/\w+\.md", README))
    assert len(named) > 12
    for name in named:
        assert list(ROOT.glob(name)), name


def test_every_file_that_a_command_reads_comes_along_or_is_said_to_be_the_readers():
    pairs = [pair for words in OF_LUXEL for pair in pairwise(words)]
    read = {word for before, word in pairs if before != "--out" and re.fullmatch(r"[\w/.]+\.(json|npy|exr|hdr)", word)}
    missing = {word for word in read if not (ROOT / word).is_file()}
    (said,) = re.findall(r"^(.*) stand for files of yours", README, re.MULTILINE)
    assert missing == set(re.findall(r"`([\w.]+)`", said))


def test_every_target_of_make_is_there():
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    asked = set(re.findall(r"(?:^|`)make (\w+)", README, re.MULTILINE))
    assert asked == {"demo", "test", "docs"}
    assert asked <= targets


def test_every_package_is_in_the_table():
    named = set(re.findall(r"`luxel[./](\w+)`", README))
    there = {path.stem for path in (ROOT / "src" / "luxel").iterdir() if not path.name.startswith(("_", "py.typed"))}
    assert named == there
