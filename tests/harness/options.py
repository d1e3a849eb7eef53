"""Odd values for every option of every verb: each is taken, or told in one line."""

import re
import shutil
import tempfile
from pathlib import Path
from unittest.mock import patch

from harness.report import Report
from harness.verbs import call
from harness.workplace import COMPARE, FIT, GENERATE, TRAIN, workplace

VALUES = (
    "-1", "0", "nan", "inf", "1e30", str(10**30), "", "é\u202e🎱", "\x1b[2J", "\udcff", "x" * 10_000, "../..", "set"
)  # fmt: skip
SMALL = ("--data.count", "12", "--data.spp", "2", "--data.test-share", "0.5")
BASES: dict[str, tuple[str, ...]] = {
    "generate": ("generate", "spheres", "--out", "out", *GENERATE, "--count", "3"),
    "train": (*TRAIN, "--data", "set", "--out", "out"),
    "train rays": ("train", "ray_small", "--scale", "tiny", "--cpu", "--out", "out", *SMALL, "--train.samples", "2",
                   "--train.batch-size", "2", "--train.tests", "1"),
    "cooldown": ("cooldown", "run", "--samples", "4", "--out", "out", "--data", "set", "--cpu"),
    "evaluate": ("evaluate", "run", "--data", "set"),
    "render": ("render", "scene.json", "--out", "out.png", "--width", "5"),
    "movie": ("movie", "scene.json", "--turntable", "2", "--out", "out.mp4", "--width", "6", "--height", "4"),
    "fit": (*FIT, "--out", "out"),
    "list": ("experiments", "list"),
    "show": ("experiments", "show", "standard_run"),
    "compare": COMPARE,
    "findings": ("experiments", "findings", "--records", "page/records", "--out", "out.md"),
    "demo": ("demo",),
}  # fmt: skip


def run(report: Report, share: float = 1.0) -> None:
    """Every value of every option, after those that make the verb's work small; also as the first argument."""
    with tempfile.TemporaryDirectory() as folder:
        root = workplace(Path(folder) / "made")
        cases = [(verb, name, value) for verb in BASES for name in [*options(verb, root), ""] for value in VALUES]
        for verb, option, value in report.some(cases, share):
            scratch = Path(folder) / "in" / "here"  # values may lead out of it
            shutil.copytree(root, scratch)
            base = BASES[verb]
            words = [*base, option, value] if option else [base[0], value, *base[2:]]
            with patch("luxel.demo.demo", lambda out: (out, "finished")):  # minutes of other verbs' work
                outcome = call(*words, cwd=scratch)
            report.add(f"{verb} {option} {value[:50]!r}", outcome.problem)
            shutil.rmtree(scratch.parent)


def options(verb: str, root: Path) -> list[str]:
    """The names of a verb's options that take a value, `--model.width`, as its help lists them."""
    told = call(*BASES[verb], "--help", cwd=root)
    assert told.code == 0, told.err
    return re.findall(r"^[│\s]*(--[a-z][a-z0-9.-]*)\s", told.out, re.MULTILINE)
