"""`luxel completion`: a script by which a shell completes verbs, options and their values."""

import io
import os
import re
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import tyro

from luxel.cli.options import parsed
from luxel.configuration import Configuration
from luxel.progress import ProgressBar

Shell: TypeAlias = Literal["bash", "zsh", "fish"]
WORD = re.compile(r"^  (\S+)  ", re.MULTILINE)
"""In the help of a verb that takes one of a list: `  spheres     Spheres in a cube …`."""
OPTION = re.compile(r"^  (--?[a-z].*?)(?:  |$)", re.MULTILINE)
"""In the help of a verb's options, where no box is drawn: `  --format {None,png,jpg}     Of pictures …`."""
CHOICES = re.compile(r"^  \{([^{}]+)\} ", re.MULTILINE)
"""The same, of a word: `  {bash,zsh,fish}     Whose script …`."""

MODEL = "--model"
"""Takes a name or a folder, a run's or a model's."""


@dataclass
class Command:
    """What may follow some words of a command line."""

    words: tuple[str, ...]
    """`luxel` left out."""
    next_words: list[str] = field(default_factory=list)
    """One of which must stand next: verbs, actions, names of experiments; none where options and files follow."""
    options: dict[str, list[str]] = field(default_factory=dict)
    """With the values among which one is to be chosen; without any for others, as of numbers and files."""


@dataclass(frozen=True)
class Options(Configuration):
    """What `luxel completion` is asked for."""

    shell: tyro.conf.Positional[Shell]
    """Whose script is printed; where it goes: docs/render.md."""


def completion(arguments: list[str]) -> int:
    """Print a script with which a shell completes verbs and options: luxel completion SHELL."""
    shell = parsed(Options, "luxel completion", arguments).shell
    print(SCRIPTS[shell](commands()), end="")
    return 0


def commands() -> list[Command]:
    """Of all verbs, as their --help tells."""
    from luxel.cli.command import VERBS

    found = [Command((), [*VERBS], {option: [] for option in ("--help", "--version", "--plugin")})]
    with lines_of_80():
        for verb in ProgressBar(VERBS, desc="reading --help", unit="verb", leave=False):
            found += commands_of((verb,))
    return found


def commands_of(words: tuple[str, ...]) -> list[Command]:
    """A verb, and what it takes next; of experiments and distributions it has the options of all."""
    text = help_of(words)
    if "[options]" not in text.splitlines()[0]:
        choices = CHOICES.search(text)
        return [Command(words, choices[1].split(",") if choices else [], options_in(text))]
    command, below = Command(words, WORD.findall(text)), []
    for word in command.next_words:
        below += commands_of((*words, word))
    if " ACTION " in text.splitlines()[0]:
        return [command, *below]
    for each in below:
        command.options |= each.options
    return [command]


def help_of(words: tuple[str, ...]) -> str:
    """What --help prints."""
    from luxel.cli.command import dispatch

    with redirect_stdout(io.StringIO()) as printed, suppress(SystemExit):
        dispatch([*words, "--help"])
    return printed.getvalue()


def options_in(text: str) -> dict[str, list[str]]:
    """A verb's options, each with the values to choose from."""
    found = {}
    for heading in OPTION.findall(text):
        choices = re.search(r"\{([^{}]*)\}", heading)
        values = [value for value in choices[1].split(",") if value != "None"] if choices else []
        found.update(dict.fromkeys(re.findall(r"--[\w.-]+", heading), values))
    if MODEL in found:
        found[MODEL] = shipped_models()
    return found


def shipped_models() -> list[str]:
    """The names of the models that Luxel comes with."""
    from luxel.trained_models import SHIPPED

    return sorted(folder.name for folder in SHIPPED.iterdir() if folder.is_dir())


@contextmanager
def lines_of_80() -> Iterator[None]:
    """Within, a help is 80 columns wide, whatever the terminal is: no heading is broken, and all are in one column."""
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = "80"
    try:
        yield
    finally:
        if before is None:
            del os.environ["COLUMNS"]
        else:
            os.environ["COLUMNS"] = before


BASH = """\
# Completion of luxel in bash, and in zsh by bashcompinit; made by `luxel completion`.
_luxel() {{
    local current="${{COMP_WORDS[COMP_CWORD]}}" last=$((COMP_CWORD - 1)) depth=0 next='' options='' values='' folders=''
    [[ $current == = ]] && current=''
    [[ ${{COMP_WORDS[last]}} == = ]] && last=$((last - 1))
    case "${{COMP_WORDS[*]:1:$((COMP_CWORD - 1))}} " in
{commands}
    esac
    COMPREPLY=()
    if ((COMP_CWORD == depth + 1)) && [[ -n $next && $current != -* ]]; then
        COMPREPLY=($(compgen -W "$next" -- "$current"))
    elif [[ $current == -* ]]; then
        COMPREPLY=($(compgen -W "$options" -- "$current"))
    else
        case "$depth ${{COMP_WORDS[*]:1:$depth}} ${{COMP_WORDS[last]}}" in
{values}
        esac
        [[ -n $values ]] && COMPREPLY=($(compgen -W "$values" -- "$current"))
        if [[ -n $folders ]]; then
            local IFS=$'\n'
            COMPREPLY+=($(compgen -d -- "$current"))
            compopt -o filenames 2>/dev/null
        fi
    fi
}}
complete -o default -F _luxel luxel
"""


def in_bash(found: list[Command]) -> str:
    """The script for bash."""
    branches, values = [], []
    for command in sorted(found, key=lambda each: -len(each.words)):
        words = " ".join(command.words)
        pattern = f"'{words} '*" if words else "*"
        told = f"next={shlex.quote(' '.join(command.next_words))} options={shlex.quote(' '.join(command.options))}"
        branches.append(f"        {pattern}) depth={len(command.words)} {told} ;;")
        for option, choices in command.options.items():
            if choices:
                place = shlex.quote(f"{len(command.words)} {words} {option}")
                folders = " folders=1" if option == MODEL else ""
                values.append(f"            {place}) values={shlex.quote(' '.join(choices))}{folders} ;;")
    return BASH.format(commands="\n".join(branches), values="\n".join(values))


def in_zsh(found: list[Command]) -> str:
    """The script for zsh: that for bash, and what reads it."""
    start = "autoload -Uz compinit bashcompinit; (( $+functions[compdef] )) || compinit -u; bashcompinit\n"
    return start + in_bash(found)


def in_fish(found: list[Command]) -> str:
    """The script for fish."""
    lines = [
        "# Completion of luxel in fish; made by `luxel completion`.",
        "function __luxel_after",
        "    set -l words (commandline -opc)",
        '    string match -q -- "$argv *" "$words[2..] "',
        "end",
        "function __luxel_has",
        "    test (count (commandline -opc)) -eq (math $argv + 1)",
        "end",
    ]
    for command in found:
        after, is_next = f"__luxel_after {' '.join(command.words)}", f"__luxel_has {len(command.words)}"
        if not command.words:
            after = is_next
        if command.next_words:
            here = shlex.quote(f"{is_next}; and {after}")
            lines.append(f"complete -c luxel -f -n {here} -a {shlex.quote(' '.join(command.next_words))}")
        for option, choices in command.options.items():
            values = [*choices, "(__fish_complete_directories)"] if option == MODEL else choices
            takes = f" -x -a {shlex.quote(' '.join(values))}" if values else ""
            lines.append(f"complete -c luxel -n {shlex.quote(after)} -l {option.removeprefix('--')}{takes}")
    return "\n".join(lines) + "\n"


SCRIPTS: dict[Shell, Callable[[list[Command]], str]] = {"bash": in_bash, "zsh": in_zsh, "fish": in_fish}
