"""Writes that end at any moment: killed, or the disk full, at every system call; the same command again must mend it.

Each write is done in a process forked for it. An audit hook counts what it opens to write, makes, renames and removes
in its folder, and every fsync; a limit on the size of files ends it in the middle of one.
"""

import errno
import os
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from forkserver import forkserver
from tqdm import tqdm

from harness.report import Report
from harness.workplace import GENERATE, TRAIN, workplace
from luxel import InputError
from luxel.cli import main
from luxel.image.formats import save_image
from luxel.models.ray_model import RayModel, RayModelConfig

How = Literal["killed", "full"]
LIMITS = (1, 100, 1000, 3000, 10_000, 100_000, 1_000_000)  # bytes
CHANGES = {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.truncate", "os.link", "os.symlink"}
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
PATIENCE_S = 120


@dataclass(frozen=True)
class Cut:
    """Where a write ends: before its n-th change of the file system, or when a file grows beyond so many bytes."""

    how: How
    call: int | None = None
    size: int | None = None

    def __str__(self) -> str:
        where = f"at call {self.call}" if self.call is not None else f"at {self.size} bytes"
        return f"{self.how} {where}"


def generate(root: Path) -> None:
    main(["generate", "spheres", "--out", str(root / "out"), *GENERATE])


def train(root: Path) -> None:
    main([*TRAIN, "--data", str(root / "set"), "--out", str(root / "out")])


def save_model(root: Path) -> None:
    RayModel(RayModelConfig(width=8)).save_pretrained(root / "out")


def picture() -> np.ndarray:
    return np.random.default_rng(0).random((64, 64, 3), np.float32)


def save_exr(root: Path) -> None:
    save_image(root / "out" / "image.exr", picture())


def save_png(root: Path) -> None:
    save_image(root / "out" / "image.png", picture())


WRITERS: dict[str, Callable[[Path], None]] = {
    "generate": generate, "train": train, "save_pretrained": save_model, "exr": save_exr, "png": save_png
}  # fmt: skip
CHANGING = ("checkpoint.safetensors", "metrics.jsonl", "result.json", "environment.json", "data.json")
"""Of a run: files that tell times or paths; they must be there. TensorBoard's and the lock may be or not."""


def run(report: Report, share: float = 1.0) -> None:
    """Cut every write off everywhere, and repeat it; on Linux alone, where all of the means are."""
    if sys.platform != "linux":
        return
    with tempfile.TemporaryDirectory() as folder:
        root = workplace(Path(folder) / "made", compared=False)
        wholes, cases = {}, []
        for name in WRITERS:
            whole = shutil.copytree(root, Path(folder) / name)
            code, calls, said = forked(name, whole, None)
            assert code == 0, said
            wholes[name] = contents(whole / "out")
            calls_and_sizes = [*({"call": call} for call in range(1, calls + 1)), *({"size": size} for size in LIMITS)]
            cases += [(name, Cut(how, **where)) for where in calls_and_sizes for how in ("killed", "full")]
        for name, cut in report.some(cases, share):
            scratch = shutil.copytree(root, Path(folder) / "scratch")
            report.add(f"{name} {cut}", cut_and_repeated(name, scratch, cut, wholes[name]))
            shutil.rmtree(scratch)


def cut_and_repeated(name: str, scratch: Path, cut: Cut, whole: dict[str, bytes]) -> str | None:
    """What is wrong after the cut, or after the same command again."""
    code, _, said = forked(name, scratch, cut)
    ends = (0, -signal.SIGKILL, -signal.SIGXFSZ) if cut.how == "killed" else (0, 1)
    if code not in ends:
        return f"exit code {code}: {said[-300:]}"
    for file, content in contents(scratch / "out").items():
        if file in whole and name in ("save_pretrained", "exr", "png") and content != whole[file]:
            return f"{file} is neither whole nor missing"
    code, _, said = forked(name, scratch, None)
    if code != 0:
        return f"the command again has exit code {code}: {said[-300:]}"
    there = contents(scratch / "out")
    wrong = [file for file in {**whole, **there} if whole.get(file) != there.get(file)]
    return f"the command again leaves other {wrong}" if wrong else None


def contents(root: Path) -> dict[str, bytes]:
    """Every file's bytes, but for those that tell times or paths, of which only whether they are there."""
    files = {str(path.relative_to(root)): path for path in sorted(root.rglob("*")) if path.is_file()}
    return {
        name: b"" if path.name in CHANGING else path.read_bytes()
        for name, path in files.items()
        if not name.startswith("tensorboard") and path.name != ".lock" and not name.endswith(".partial")
    }


def forked(name: str, root: Path, cut: Cut | None) -> tuple[int, int, str]:
    """The writer's exit code in a process of its own, how often it changed its folder, and what it said."""
    context = forkserver()
    calls, log = context.Value("i", lock=False), root / "said"
    process = context.Process(target=_write, args=(name, root, cut, calls, log))
    process.start()
    process.join(PATIENCE_S)
    if process.exitcode is None:
        process.kill()
        process.join()
        return 124, calls.value, "it does not end"
    return process.exitcode, calls.value, log.read_text(errors="replace")


def _write(name: str, root: Path, cut: Cut | None, calls: Any, log: Path) -> None:
    said = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for number in (1, 2):
        os.dup2(said, number)
    tqdm.set_lock(threading.RLock())  # its own is a semaphore that would outlive this process
    _arm(root / "out", cut, calls)
    try:
        WRITERS[name](root)
    except InputError as error:
        print(error, file=sys.stderr)
        sys.exit(1)


def _arm(folder: Path, cut: Cut | None, calls: Any) -> None:
    """From now on, count this process's changes to the folder in `calls`, and end it where it is to be cut."""

    def change() -> None:
        calls.value += 1
        if cut is not None and calls.value == cut.call:
            if cut.how == "killed":
                os.kill(os.getpid(), signal.SIGKILL)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))

    def hook(event: str, arguments: Sequence[Any]) -> None:
        if (event == "open" and arguments[2] & WRITES) or event in CHANGES:
            named = arguments[0]
            if isinstance(named, str | os.PathLike) and Path(named).is_relative_to(folder):
                change()

    def fsync(fd: Any) -> None:
        change()
        really_fsync(fd)

    really_fsync, os.fsync = os.fsync, fsync
    sys.addaudithook(hook)
    if cut is not None and cut.size is not None:
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (cut.size, resource.RLIM_INFINITY))
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL if cut.how == "killed" else signal.SIG_IGN)
