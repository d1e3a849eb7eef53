"""The run folder: configuration, environment, metrics, sample images, checkpoint, weights and result of one run.

runs/<group>/<name>/
  config.json        the whole experiment; a folder of another one is never touched
  data.json          where the data set is that it learns from, or is tested on
  environment.json   versions, machine and commit of the first start
  metrics.jsonl      one JSON object a line: step, samples, seconds and the scalars of that moment
  tensorboard/       the same scalars and the image grids
  samples/           the image grids as PNG, a scene a column
  log.txt            what a process said that trained it beside others (`luxel experiments compare --jobs`)
  checkpoint.safetensors    where a repeated command goes on
  stable.safetensors        where the rate begins to decay, if the schedule has a stable phase: for cooldowns
  model/             config.json and model.safetensors of the averaged weights, for `from_pretrained`
  result.json        written last

The safetensors and JSON files carry the SHA-256 of what they hold. A run whose result is there, but not its weights, is
mended by its command.
"""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, NotRequired

import numpy as np
import torch
from jaxtyping import UInt8
from pydantic import ConfigDict, with_config
from torch.utils.tensorboard import SummaryWriter
from typing_extensions import TypedDict

import luxel
from luxel import InputError
from luxel.configuration import shortened
from luxel.files.atomic import replacing, writing
from luxel.files.tensors import read_tensors
from luxel.files.typed_json import parse_json, read_json, read_lines, without_nan, write_json
from luxel.image.formats import save_pixels

LOG = "log.txt"
TAIL_BYTES = 1 << 14
"""Of metrics.jsonl, whose lines have some 200, in which the last one is looked for."""
ELSEWHERE = "restore it, or move its folder away: the same command then makes the run anew"
LOST_LOG = "mend it, or delete it: of the run, its curves alone are lost"
AGAIN = "delete it, and repeat the run's `luxel train` command, which makes it anew"


class EventRow(TypedDict):
    """What the guard noticed; see `luxel.train.guard.Event`."""

    step: int
    diagnosis: str
    verdict: str


class Result(TypedDict):
    """result.json: how a run ended. A loss that was not measured or not finite is None."""

    status: Literal["finished", "diverged"]
    diagnosis: str | None
    events: list[EventRow]
    steps: int
    samples: int
    seconds: float
    images_per_s: float
    peak_memory_mib: float | None
    train_loss: float | None
    test_loss: float | None
    skipped_steps: int
    parameters: int


class Environment(TypedDict):
    """environment.json: versions, machine and commit of a run's first start, as far as they can be told."""

    luxel: str
    commit: str | None
    python: str
    torch: str
    platform: str
    cpu: NotRequired[str]
    cpu_count: int | None
    gpu: str | None


@with_config(ConfigDict(extra="allow"))
class MetricsRow(TypedDict):
    """One line of metrics.jsonl; None for what was not finite."""

    step: int
    samples: int
    seconds: float
    train_loss: NotRequired[float | None]
    test_loss: NotRequired[float | None]
    rate: NotRequired[float | None]
    gradient_norm: NotRequired[float | None]
    skipped: NotRequired[int]
    loss_scale: NotRequired[float | None]


class RunFolderError(InputError):
    """A folder that belongs to another run, with the fields that differ and the remedy."""


class RunFolder:
    """One run's files. Opening a folder that exists resumes it, if its configuration is the same.

    `read` is what a configuration on disk means today, for folders that were made by earlier versions.
    """

    def __init__(
        self, path: Path, config: dict[str, Any], read: Callable[[dict[str, Any]], dict[str, Any]] = dict
    ) -> None:
        self.path = path
        self.checkpoint = path / "checkpoint.safetensors"
        self.stable_checkpoint = path / "stable.safetensors"
        self.model = path / "model"
        self._writer: SummaryWriter | None = None
        recorded = path / "config.json"
        if recorded.exists():
            differing = differences(read(read_json(recorded, dict[str, Any], ELSEWHERE)), config)
            if differing:
                lines = "\n".join(
                    f"  {field}: {shortened(there)} there, {shortened(here)} now" for field, there, here in differing
                )
                raise RunFolderError(
                    f"{path} holds a run of another configuration; move it away, or name another folder with --out:\n"
                    f"{lines}"
                )
        else:
            write_json(path / "environment.json", environment())
            write_json(recorded, config)

    @property
    def result(self) -> Result | None:
        """The result, or None while the run has not ended."""
        path = self.path / "result.json"
        return read_result(self.path) if path.exists() else None

    @property
    def has_weights(self) -> bool:
        """Whether the weights of a run that has ended are there, and undamaged."""
        try:
            read_json(self.model / "config.json", dict[str, Any])
            read_tensors(self.model / "model.safetensors", AGAIN)
        except InputError:
            return False
        return True

    def finish(self, result: Result) -> None:
        """Write the result, which marks the run as ended."""
        self.close()
        write_json(self.path / "result.json", result)

    def rewind(self, step: int) -> None:
        """Forget what was logged after `step`: a killed run resumes at its checkpoint and logs that anew."""
        self.close()
        path = self.path / "metrics.jsonl"
        if path.exists():
            with replacing(path) as partial, partial.open("w", encoding="utf-8") as file:
                file.writelines(json.dumps(row) + "\n" for row in metrics_rows(path) if row["step"] <= step)
        self._writer = SummaryWriter(str(self.path / "tensorboard"), purge_step=step + 1)

    def log(self, step: int, samples: int, seconds: float, **scalars: float | int) -> None:
        """Append one line of metrics, and the same scalars to TensorBoard."""
        row = {"step": step, "samples": samples, "seconds": round(seconds, 3), **scalars}
        path = self.path / "metrics.jsonl"
        with writing(path), open(path, "a", encoding="utf-8") as file:
            file.write(json.dumps(without_nan(row), allow_nan=False) + "\n")
        if self._writer is not None:
            with writing(self.path / "tensorboard"):
                for name, value in scalars.items():
                    self._writer.add_scalar(name, value, step)

    def log_images(self, step: int, name: str, grid: UInt8[np.ndarray, "height width 3"]) -> None:
        """Save a grid of images, display values, as PNG and to TensorBoard."""
        save_pixels(self.path / "samples" / f"{name}-{step:07d}.png", grid)
        if self._writer is not None:
            with writing(self.path / "tensorboard"):
                self._writer.add_image(name, grid, step, dataformats="HWC")

    def close(self) -> None:
        """Flush TensorBoard's file."""
        if self._writer is not None:
            writer, self._writer = self._writer, None
            with writing(self.path / "tensorboard"):
                writer.close()


def read_result(folder: Path) -> Result:
    """The result of a run that has ended. Raises InputError, with file and field."""
    return read_json(folder / "result.json", Result, AGAIN)


def read_environment(folder: Path) -> Environment:
    """Where a run was begun. Raises InputError, with file and field."""
    return read_json(folder / "environment.json", Environment)


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """The rows of a metrics.jsonl, see `metrics_rows`."""
    return list(metrics_rows(path))


def metrics_rows(path: Path) -> Iterator[dict[str, Any]]:
    """Each line of a metrics.jsonl, a `MetricsRow`, one at a time; none if there is no such file.

    A last line that a crash cut short, which has no newline, is left out. So is any other that is damaged, which is
    told. Raises InputError for a file that cannot be read, or that is longer, or has a longer line, than a training's.
    """
    for number, line in read_lines(path, LOST_LOG) if path.exists() else ():
        try:
            if line.strip():
                yield parse_json(line, MetricsRow, f"{path}, line {number}")
        except InputError as error:
            if line.endswith(b"\n"):
                print(f"{error}; the line is left out", file=sys.stderr)


def last_metrics(path: Path) -> dict[str, Any] | None:
    """The last whole row of a metrics.jsonl that may be growing; None if there is none, or it is damaged."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - TAIL_BYTES))
            lines = file.read().split(b"\n")[:-1]  # the last of which has no newline yet
        return parse_json(lines[-1], MetricsRow, str(path)) if lines else None
    except (OSError, InputError):
        return None


def differences(there: Any, here: Any, field: str = "") -> list[tuple[str, Any, Any]]:
    """(dotted field, value there, value here) for every leaf that differs between two JSON values."""
    if isinstance(there, dict) and isinstance(here, dict):
        return [
            difference
            for key in [*there, *(key for key in here if key not in there)]
            for difference in differences(there.get(key), here.get(key), f"{field}.{key}".lstrip("."))
        ]
    return [] if there == here else [(field, there, here)]


def environment() -> Environment:
    """Versions, machine and commit, as far as they can be told."""
    try:
        commit = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=40"],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        commit = None
    return {
        "luxel": luxel.__version__,  # a checkout is not installed
        "commit": commit,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "platform": platform.platform(),
        "cpu": cpu_name(),
        "cpu_count": os.cpu_count(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
    }


def machine_in_words(environment: Environment) -> str:
    """Where a run was made: its GPU, or its processor and how many cores that has."""
    return environment["gpu"] or f"{environment.get('cpu', environment['platform'])}, {environment['cpu_count']} cores"


def cpu_name() -> str:
    """The processor's name, or its architecture where the system does not tell."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
