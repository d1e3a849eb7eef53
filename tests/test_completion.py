"""Completion, as shells do it."""

import shutil
import subprocess
from pathlib import Path

import pytest

from luxel.cli.command import VERBS
from luxel.cli.completion import SCRIPTS, Command, commands_of, lines_of_80, options_in, shipped_models

HELP = """\
usage: luxel render [-h] [OPTIONS]

 options
 ------------------------------------------------------------------------------
  -h, --help          show this help message and exit
  --format {None,png,jpg}
                      Of pictures whose name --out does not give.
  --width {None}|INT  In pixels; as --height is.
  --at {every_block,level_end}|INT
  --labels, --no-labels
  --model {None}|STR  A name or a folder.
"""


def test_options_are_those_that_a_help_lists():
    expected = {"--help": [], "--format": ["png", "jpg"], "--width": [], "--at": ["every_block", "level_end"]}
    assert options_in(HELP) == expected | {"--labels": [], "--no-labels": [], "--model": shipped_models()}
    assert {"ray-small", "ray-base"} <= {*shipped_models()}


@pytest.fixture(scope="module")
def found() -> list[Command]:
    """Of some verbs: all take seconds."""
    with lines_of_80():
        some = [command for verb in ("render", "experiments", "completion") for command in commands_of((verb,))]
    return [Command((), [*VERBS], {"--version": []}), *some]


COMPLETED = {
    "luxel re": ["render"],
    "luxel c": ["cooldown", "convert", "completion"],
    "luxel --v": ["--version"],
    "luxel render --ex": ["--exposure"],
    "luxel render a.json b.json --labels --form": ["--format"],
    "luxel render --format ": ["png", "jpg", "webp", "exr"],
    "luxel render --tracer m": ["mitsuba"],
    "luxel render --model ray-": ["ray-base", "ray-small"],
    "luxel experiments sh": ["show"],
    "luxel experiments show just_image_to_seq_b": ["just_image_to_seq_big"],
    "luxel experiments compare demo --j": ["--jobs"],
    "luxel completion ": ["bash", "zsh", "fish"],
}


@pytest.fixture
def script(found, request, tmp_path) -> Path:
    path = tmp_path / "script"
    path.write_text(SCRIPTS[request.param](found))
    return path


def answers(shell: str, script: Path, lines: list[str]) -> list[str]:
    """What the shell prints that reads the script and then these lines."""
    if not shutil.which(shell):
        pytest.skip(f"there is no {shell}")
    text = "\n".join([f". {script}", *lines])
    told = subprocess.run([shell], input=text, capture_output=True, text=True, check=True)
    assert told.stderr == ""
    return told.stdout.splitlines()


@pytest.mark.parametrize("script", ["bash"], indirect=True)
def test_bash(script):
    lines = [
        f"COMP_WORDS=({' '.join(map(repr, words))}); COMP_CWORD={len(words) - 1}; _luxel; echo ${{COMPREPLY[*]}}"
        for words in (*(line.split(" ") for line in COMPLETED), ["luxel", "render", "--format", "=", "w"])
    ]
    assert answers("bash", script, lines) == [*map(" ".join, COMPLETED.values()), "webp"]


@pytest.mark.parametrize("script", ["bash"], indirect=True)
def test_bash_completes_files_where_nothing_is_known(script):
    lines = ["COMP_WORDS=(luxel render --out ''); COMP_CWORD=3; _luxel; echo ${#COMPREPLY[*]}", "complete -p luxel"]
    assert answers("bash", script, lines) == ["0", "complete -o default -F _luxel luxel"]


@pytest.mark.parametrize("script", ["bash"], indirect=True)
def test_bash_completes_models_and_folders(script, tmp_path):
    (tmp_path / "runs" / "ray nr 1").mkdir(parents=True)
    (tmp_path / "runs" / "a.json").touch()
    lines = [f"cd {tmp_path}"]
    for word in ("r", "runs/"):
        lines += [f"COMP_WORDS=(luxel render --model {word}); COMP_CWORD=3; _luxel"]
        lines += ["(IFS='|'; echo \"${COMPREPLY[*]}\")"]
    assert answers("bash", script, lines) == ["ray-base|ray-small|runs", "runs/ray nr 1"]


@pytest.mark.parametrize("script", ["zsh"], indirect=True)
def test_zsh(script):
    """Its function as bashcompinit calls it; without a terminal zsh leaves what does not begin as it should."""
    lines = ["emulate -L sh", "setopt kshglob noshglob braceexpand"]
    for words in (line.split(" ") for line in COMPLETED):
        lines += [f"COMP_WORDS=({' '.join(map(repr, words))}); COMP_CWORD={len(words) - 1}"]
        lines += ['_luxel; echo "${COMPREPLY[*]}"']
    for told, words in zip(answers("zsh", script, lines), COMPLETED.values(), strict=True):
        assert {*words} <= {*told.split()}


@pytest.mark.parametrize("script", ["fish"], indirect=True)
def test_fish(script):
    told = answers("fish", script, [f"echo (complete -C '{line}')" for line in COMPLETED])
    assert [sorted(line.split()) for line in told] == [sorted(words) for words in COMPLETED.values()]
