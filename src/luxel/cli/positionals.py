"""Files on both sides of options, which tyro takes for a list only where they stand together."""

from collections import deque
from collections.abc import Sequence

from luxel.cli.options import option_types


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


def switches_of(options: type) -> set[str]:
    """The options without a value, `--labels` and `--no-labels`."""
    names = [word.removeprefix("--") for word, kind in option_types(options) if kind is bool]
    return {f"--{prefix}{name}" for name in names for prefix in ("", "no-")}
