"""Files on both sides of options, which tyro takes for a list only where they stand together."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import is_dataclass
from typing import Annotated, get_args, get_origin

from luxel.configuration import hints_of


def files_first(arguments: Sequence[str], options: type) -> list[str]:
    """The arguments with what is no option, nor an option's value, in front: `a --width 64 b` as `a b --width 64`.

    Every option of `options` is a switch or takes one value; an unknown one is left to the parser, with what follows.
    """
    switches, files, others = {"-h", "--help", *switches_of(options)}, [], []
    words = deque(arguments)
    while words:
        word = words.popleft()
        if not word.startswith("-") or word == "-":
            files.append(word)
            continue
        others.append(word)
        if words and "=" not in word and word.replace("_", "-") not in switches:
            others.append(words.popleft())
    return [*files, *others]


def switches_of(options: type) -> Iterator[str]:
    """The options without a value, `--labels` and `--no-labels`, of options and their parts."""
    for name, hint in hints_of(options).items():
        kind = get_args(hint)[0] if get_origin(hint) is Annotated else hint
        if kind is bool:
            yield from (f"--{name.replace('_', '-')}", f"--no-{name.replace('_', '-')}")
        elif isinstance(kind, type) and is_dataclass(kind):
            yield from switches_of(kind)
