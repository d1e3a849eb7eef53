"""Every file of a data set, a run, a model, a fit and a comparison, damaged in every way, under all verbs that read it.

A verb must tell the file, or do what it does with the undamaged one.
"""

import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.report import Report
from harness.verbs import Outcome, call
from harness.workplace import COMPARE, FIT, GENERATE, TRAIN, workplace
from luxel.files.seal import SEAL

Damage = Callable[[Path], None]


def flipped(share: float, bit: int) -> Damage:
    """Flip one bit, at this share of the file's length."""

    def flip(path: Path) -> None:
        content = bytearray(path.read_bytes())
        if content:
            content[min(len(content) - 1, int(share * len(content)))] ^= 1 << bit
        path.write_bytes(content)

    return flip


def replaced(content: bytes) -> Damage:
    """Leave this instead."""
    return lambda path: write(path, content)


def write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def folder_instead(path: Path) -> None:
    path.unlink()
    path.mkdir()


DAMAGES: dict[str, Damage] = {
    "half": lambda path: write(path, path.read_bytes()[: path.stat().st_size // 2]),
    "a byte short": lambda path: write(path, path.read_bytes()[:-1]),
    "empty": replaced(b""),
    "gone": lambda path: path.unlink(),
    "a folder": folder_instead,
    "not UTF-8": replaced(b"\xff\xfe{\xe9}"),
    "another JSON": replaced(b"[1,2]"),
    "null": replaced(b"null"),
    **{
        f"bit {bit} at {share:.0%}": flipped(share, bit)
        for share, bit in ((0, 1), (0.1, 0), (0.3, 4), (0.5, 0), (0.7, 6), (0.9, 2), (1, 0))
    },
}


@dataclass(frozen=True)
class Reader:
    """A verb, and what it leaves that must be right: a file or folder, seen by `view`."""

    words: tuple[str, ...]
    left: str | None = None
    view: Callable[[Path], Any] = lambda path: path.read_bytes()


def shards(root: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in root.iterdir() if path.name != ".lock"}


def weights(root: Path) -> bytes:
    return (root / "model" / "model.safetensors").read_bytes()


def metrics(root: Path) -> Any:
    """An evaluation's figures, without the time that they took; of what is no run any more, they are beside it."""
    (path,) = [*root.glob("run/evaluation-*.json"), *root.glob("run-evaluation-*.json")]
    figures = json.loads(path.read_text())
    return {name: value for name, value in figures.items() if name not in ("images_per_s", SEAL)}


READERS: dict[str, dict[str, Reader]] = {
    "set": {
        "generate": Reader(("generate", "spheres", "--out", "set", *GENERATE), "set", shards),
        "train": Reader((*TRAIN, "--data", "set", "--out", "out"), "out", weights),
        "train on": Reader((*TRAIN, "--data", "set", "--out", "run"), "run", weights),
        "evaluate": Reader(("evaluate", "run", "--data", "set"), ".", metrics),
    },
    "run": {
        "train on": Reader((*TRAIN, "--data", "set", "--out", "run"), "run", weights),
        "evaluate": Reader(("evaluate", "run", "--data", "set"), ".", metrics),
        "render": Reader(("render", "scene.json", "--model", "run", "--out", "out.exr"), "out.exr"),
        "evaluate on its own": Reader(("evaluate", "run"), ".", metrics),
        "cooldown": Reader(
            ("cooldown", "run", "--samples", "8", "--out", "out", "--data", "set", "--cpu"), "out", weights
        ),
    },
    "model": {
        "render": Reader(("render", "scene.json", "--model", "model", "--width", "9", "--out", "out.exr"), "out.exr"),
    },
    "fit": {
        "fit on": Reader((*FIT, "--out", "fit"), "fit/result.json"),
    },
    "runs": {
        "list": Reader(("experiments", "list")),
        "compare": Reader(COMPARE, "page/comparison.md"),
    },
    "page": {
        "findings": Reader(("experiments", "findings", "--records", "page/records", "--out", "out.md"), "out.md"),
    },
}
"""By the folder, of a workplace, whose files are damaged."""


def run(report: Report, share: float = 1.0) -> None:
    """Every damage of every file, under every verb that reads its folder."""
    with tempfile.TemporaryDirectory() as folder:
        root = workplace(Path(folder) / "made", compared="runs" in READERS)
        scratch = Path(folder) / "scratch"
        right = {}
        for target, readers in READERS.items():
            for name, reader in readers.items():
                outcome = read(reader, shutil.copytree(root, scratch))
                assert outcome.code == 0, outcome.err[-2000:]
                right[target, name] = reader.view(scratch / reader.left) if reader.left else None
                shutil.rmtree(scratch)
        cases = [
            (target, path.relative_to(root), damage, name)
            for target, readers in READERS.items()
            for path in sorted((root / target).rglob("*"))
            if path.is_file() and path.name != ".lock"
            for damage in DAMAGES
            for name in readers
        ]
        for target, file, damage, name in report.some(cases, share):
            DAMAGES[damage](shutil.copytree(root, scratch) / file)
            reader = READERS[target][name]
            outcome = read(reader, scratch)
            report.add(f"{name}, {file} {damage}", problem(outcome, reader, scratch, file, right[target, name]))
            shutil.rmtree(scratch)


def read(reader: Reader, scratch: Path) -> Outcome:
    return call(*reader.words, cwd=scratch)


def problem(outcome: Outcome, reader: Reader, scratch: Path, file: Path, right: Any) -> str | None:
    """Why this is neither right nor told."""
    if (wrong := outcome.problem) is not None:
        return wrong
    if outcome.code == 1:
        named = file.name in outcome.told or str(file.parent) in outcome.told
        return None if named else f"told without the file: {outcome.told[:300]}"
    if outcome.code != 0:
        return f"exit code {outcome.code}: {outcome.err[-300:]}"
    if reader.left is None:
        return None
    try:
        same = reader.view(scratch / reader.left) == right
    except (OSError, ValueError) as error:
        return f"done, but what it leaves cannot be read: {error}"
    return None if same else "done, without a word, but wrong"
