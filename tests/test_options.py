"""From words to options: a mistake names the option, what was given, and what would be right.

In a process of their own, as the suite checks types before Luxel can.
"""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import pytest
import tyro

from luxel import InputError
from luxel.cli.command import VERBS
from luxel.cli.experiments import ACTIONS
from luxel.cli.options import naming_options, parsed
from luxel.configuration import Configuration

WORDS = {"generate": ["spheres"], "train": ["demo"], "show": ["demo"]}
COMMANDS = [
    *([verb, *WORDS.get(verb, [])] for verb in VERBS if verb != "experiments"),
    ["generate", "cater"],
    *(["experiments", action, *WORDS.get(action, [])] for action in ACTIONS),
]
REQUIRED = {"generate": ["--out", "x"], "cooldown": ["x", "--samples", "9", "--out", "x"]}
REQUIRED |= {
    "convert": ["x.json", "x.glb"],
    "export": ["x", "--layout", "coco", "--out", "x"],
    "evaluate": ["x"],
    "render": ["x"],
    "movie": ["x"],
    "fit": ["x", "--scene", "x", "--free", "x", "--out", "x"],
}
SCENE = str(Path(__file__).parents[1] / "examples" / "scenes" / "still_life.json")
NUMBER = re.compile(r"(--[a-z][\w.-]*) \S*(?:INT|FLOAT)\S*((?: (?:INT|FLOAT))*)")
"""An option of numbers in --help, and what it takes beyond one."""
SCRIPT = """
import io, json, os, sys
from contextlib import redirect_stderr, redirect_stdout
from luxel.cli import main

for line in sys.stdin:
    folder, commands = json.loads(line)
    os.chdir(folder)
    answers = []
    for command in commands:
        with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
            try:
                main(command)
            except SystemExit as end:
                answers.append((int(end.code or 0), out.getvalue(), err.getvalue()))
    print(json.dumps(answers), flush=True)
"""


class Answer(NamedTuple):
    code: int
    out: str
    err: str


Answers = Callable[[list[list[str]], Path], list[Answer]]


@pytest.fixture(scope="module")
def answers() -> Iterator[Answers]:
    """Of commands in a folder, all by one process, as starting one takes seconds."""
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:

        def answers_of(commands: list[list[str]], folder: Path) -> list[Answer]:
            print(json.dumps((str(folder), commands)), file=process.stdin, flush=True)
            return [Answer(*answer) for answer in json.loads(process.stdout.readline())]

        yield answers_of
        process.stdin.close()


def test_what_is_no_number_is_told_in_a_users_words(answers: Answers, tmp_path):
    """Every option of numbers of every verb, as --help has them."""
    helps = answers([[*command, "--help"] for command in COMMANDS], tmp_path)
    tried = [
        (command, option, ["x"] * (1 + more.count(" ")))
        for command, text in zip(COMMANDS, helps, strict=True)
        for option, more in sorted(set(NUMBER.findall(text.out)))
    ]
    assert {command[0] for command, *_ in tried} == {*VERBS} - {"demo", "completion"}
    assert len(tried) > 60
    commands = [[*command, *REQUIRED.get(command[0], []), option, *words] for command, option, words in tried]
    for ([verb, *_], option, words), (code, out, told) in zip(tried, answers(commands, tmp_path), strict=True):
        assert (code, out) == (1, ""), option
        value = re.escape("'x'" if len(words) == 1 else str(tuple(words)))
        assert re.fullmatch(rf"luxel {verb}: {option} is {value}, must be [^\n]+\n", told), told
        for strange in ("None", "typing", "Annotated", "<class", "invalid literal", "inf"):
            assert strange not in told, told
    assert not any(tmp_path.iterdir())


NAMES = "is not a known EXPERIMENT (`luxel train --help` lists them)"
TOLD = {
    "train demo --train.seed=-1": (1, "train: --train.seed is -1, must be an integer in [0, 4294967295]"),
    "train demo --data.width 0 --model.width 32": (1, "train: --data.width is 0, must be an integer in [1, 65536]"),
    "train demo --data.seed x --train.seed 0": (1, "train: --data.seed is 'x', must be an integer in [0, 4294967295]"),
    "train demo --train.batch_size x": (1, "train: --train.batch_size is 'x', must be an integer in [1, 1048576]"),
    "train demo --train.optim.ema-decay nan": (1, "train: --train.optim.ema-decay is nan, must be a number in [0, 1]"),
    "train demo --data stream:spheres --stream.spp x": (
        1,
        "train: --stream.spp is 'x', must be an integer in [1, 16777216]; or leave it out",
    ),
    "render x --truth 0": (1, "render: --truth is 0, must be an integer in [1, 16777216]; or leave it out"),
    "train standrd_run": (2, f"train: 'standrd_run' {NAMES}; did you mean standard_run or standard_run_raw?"),
    "train xyzzy": (2, f"train: 'xyzzy' {NAMES}"),
    "rendr": (2, ": 'rendr' is not a known VERB (`luxel --help` lists them); did you mean render?"),
    "experiments show dmo": (
        2,
        "experiments show: 'dmo' is not a known EXPERIMENT (`luxel experiments show --help` lists them); "
        "did you mean demo?",
    ),
    "experiments compare demmo": (
        1,
        "experiments: 'demmo' is neither an experiment nor a group, nor a run folder (`luxel experiments list` lists "
        "them); did you mean demo?",
    ),
}


def test_a_mistake_is_one_line_and_nothing_else(answers: Answers, tmp_path):
    commands = [command.split(" ") for command in TOLD]
    for command, answer in zip(TOLD, answers(commands, tmp_path), strict=True):
        code, message = TOLD[command]
        assert answer == (code, "", f"luxel {message}\n".replace("luxel :", "luxel:")), command


FILES = {"movie": ["movie", SCENE], "findings": ["experiments", "findings"]}
"""Verbs whose --out is a file; that of the others is a folder, or may be one."""
FOLDERS = {
    "cater": ["generate", "cater"],
    "generate": ["generate", "spheres"],
    "export": ["export", "x", "--layout", "coco"],
    "train": ["train", "demo"],
    "cooldown": ["cooldown", "x", "--samples", "9"],
    "fit": ["fit", "picture.exr", "--scene", SCENE, "--free", "background"],
    "compare": ["experiments", "compare", "demo"],
    "demo": ["demo"],
    "render": ["render", SCENE],
}


def test_every_verb_with_out_is_among_these(answers: Answers, tmp_path):
    helps = answers([[*command, "--help"] for command in COMMANDS], tmp_path)
    there = {" ".join(command) for command, text in zip(COMMANDS, helps, strict=True) if "--out " in text.out}
    assert len(there) == len(FILES) + len(FOLDERS)
    assert all(any(name in command.split() for command in there) for name in (*FILES, *FOLDERS))


def test_a_folder_for_a_file_and_a_file_for_a_folder_are_told_before_any_work(answers: Answers, tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "file").write_text("mine")
    problems = {"there": "there: is a folder, but a file is to be written; name one in it, such as there/"}
    problems["file"] = "file: is a file, but a folder is meant; name another"
    problems["file/new"] = "file/new: file is a file, but a folder is meant; name another"
    tried = [(command, "there") for command in FILES.values()]
    tried += [(command, out) for command in FOLDERS.values() for out in ("file", "file/new")]
    told = answers([[*command, "--out", out] for command, out in tried], tmp_path)
    for (command, out), answer in zip(tried, told, strict=True):
        assert (answer.code, answer.out) == (1, ""), command
        assert answer.err.splitlines()[-1].startswith(f"luxel {command[0]}: {problems[out]}"), command
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "there"]


def test_a_file_where_a_folder_is_read_is_told_as_such(answers: Answers, tmp_path):
    (tmp_path / "file").write_text("mine")
    options = [
        ["experiments", "findings", "--records", "file"],
        ["experiments", "list", "--runs", "file"],
        ["evaluate", "ray-small", "--data", "file"],
        ["export", "file", "--layout", "coco", "--out", "x"],
        ["evaluate", "file"],
        ["train", "demo", "--data", "file"],
        ["render", SCENE, "--model", "file"],
        ["view", SCENE, "--model", "file"],
    ]
    for command, answer in zip(options, answers(options, tmp_path), strict=True):
        assert (answer.code, answer.out) == (1, ""), command
        assert re.match(rf"luxel {command[0]}: file:? is a file", answer.err.splitlines()[-1]), answer.err
    (answer,) = answers([["render", "."]], tmp_path)
    assert answer.err == "luxel render: .: is a folder; for the scenes in it give *.json\n"


def test_a_choice_that_may_be_left_out_is_refused_without_its_none(capsys):
    @dataclass(frozen=True)
    class Options(Configuration):
        format: Literal["png", "exr"] | None = None

    for words, found in (([], None), (["--format", "exr"], "exr"), (["--format", "None"], None)):
        assert parsed(Options, "luxel", words).format == found
    with pytest.raises(InputError, match=r"^--format is 'gif', must be png or exr; or leave it out$"):
        parsed(Options, "luxel", ["--format", "gif"])
    with pytest.raises(SystemExit):
        parsed(Options, "luxel", ["--help"])
    assert "--format {png,exr}" in capsys.readouterr().out


@pytest.mark.parametrize("words", [["-1", "2"], ["-1,2"]])
def test_two_numbers_are_two_words_or_one_with_a_comma(words):
    @dataclass(frozen=True)
    class Options(Configuration):
        range: tuple[float, float] | None = None

    assert parsed(Options, "luxel", ["--range", *words]).range == (-1, 2)
    assert parsed(Options, "luxel", []).range is None
    for wrong in (["7"], ["1,2,3"], ["x,2"]):
        with pytest.raises(
            InputError, match=r"^--range is \(.*\), must be 2 values, each a number in .*; or leave it out$"
        ):
            parsed(Options, "luxel", ["--range", *wrong])


def test_what_follows_two_numbers_is_none_of_them():
    @dataclass(frozen=True)
    class Part(Configuration):
        color_range: tuple[float, float] | None = None

    @dataclass(frozen=True)
    class Options(Configuration):
        files: tyro.conf.Positional[tuple[Path, ...]]
        part: tyro.conf.OmitArgPrefixes[Part] = Part()

    for words in (
        ["--color-range", "-1", "1", "a", "b"],
        ["--color-range", "-1,1", "a", "b"],
        ["a", "b", "--color_range", "-1", "1"],
    ):
        found = parsed(Options, "luxel", words)
        assert (found.files, found.part.color_range) == ((Path("a"), Path("b")), (-1, 1))
    found = parsed(Options, "luxel", ["--color-range", "None", "a", "b"])
    assert (found.files, found.part.color_range) == ((Path("a"), Path("b")), None)
    with pytest.raises(InputError, match=r"^--color-range is \(5.0, 'a'\), must be 2 values, each a number"):
        parsed(Options, "luxel", ["--color-range", "5", "a"])


def test_a_message_names_the_options_that_were_given():
    words = ["render", "a.npy", "--view", "up", "--color-map=x"]
    assert naming_options("view is 'up', must be one", words) == "--view is 'up', must be one"
    assert naming_options("a.npy: color_map is 'x'", words) == "a.npy: --color-map is 'x'"
    assert naming_options("a.npy: select is 'x'; view", words) == "a.npy: select is 'x'; view"
