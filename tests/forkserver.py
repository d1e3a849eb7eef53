"""Processes of their own, forked from one that has imported what they need: else each would take 3 s for it."""

import multiprocessing
import os
import subprocess
import tempfile
from multiprocessing.context import ForkServerContext
from pathlib import Path

PRELOADED = [
    "luxel.cli",
    "luxel.data.export.export",
    "luxel.experiments.run",
    "luxel.pipeline",
    "torch._dynamo",  # as torch's optimisers do
]


def forkserver() -> ForkServerContext:
    """What makes such processes, of which Linux has the means."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    return context


def run_luxel(*words: str, cwd: Path, timeout_s: float = 300.0) -> "subprocess.CompletedProcess[str]":
    """What `luxel` with these words leaves, called in a folder by a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        said = [Path(folder) / name for name in ("stdout", "stderr")]
        process = forkserver().Process(target=_call, args=(words, cwd, said))
        process.start()
        process.join(timeout_s)
        if process.exitcode is None:
            process.kill()
            process.join()
        return subprocess.CompletedProcess(words, process.exitcode, *(path.read_text() for path in said))


def _call(words: tuple[str, ...], cwd: Path, said: list[Path]) -> None:
    for number, path in enumerate(said, start=1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), number)
    os.chdir(cwd)
    from luxel.cli import main

    main([*words])
