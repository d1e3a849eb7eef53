"""The run folder: configuration, environment, metrics, sample images, checkpoint, weights and result of one run.

runs/<group>/<name>/
  config.json        the whole experiment; a folder of another one is never touched
  environment.json   versions, machine and commit of the first start
  metrics.jsonl      one JSON object a line: step, samples, seconds and the scalars of that moment
  tensorboard/       the same scalars and the image grids
  samples/           the image grids as PNG: truth above output
  checkpoint.safetensors    where a repeated command goes on
  stable.safetensors        where the rate begins to decay, if the schedule has a stable phase: for cooldowns
  model/             config.json and model.safetensors of the averaged weights, for `from_pretrained`
  result.json        written last
"""

import json
import math
import os
import platform
import subprocess
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32
from torch.utils.tensorboard import SummaryWriter

from luxel import InputError
from luxel.data.atomic import write_atomically
from luxel.image.formats import save_image, to_bytes


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
            differing = differences(read(read_json(recorded)), config)
            if differing:
                lines = "\n".join(f"  {field}: {there!r} there, {here!r} now" for field, there, here in differing)
                raise RunFolderError(
                    f"{path} holds a run of another configuration; move it away, or name another folder with --out:\n"
                    f"{lines}"
                )
        else:
            write_json(path / "environment.json", environment())
            write_json(recorded, config)

    @property
    def result(self) -> dict[str, Any] | None:
        """The result, or None while the run has not ended."""
        path = self.path / "result.json"
        return read_json(path) if path.exists() else None

    def finish(self, result: dict[str, Any]) -> None:
        """Write the result, which marks the run as ended."""
        self.close()
        write_json(self.path / "result.json", result)

    def rewind(self, step: int) -> None:
        """Forget what was logged after `step`: a killed run resumes at its checkpoint and logs that anew."""
        self.close()
        path = self.path / "metrics.jsonl"
        if path.exists():
            kept = [row for row in read_metrics(path) if row["step"] <= step]
            write_atomically(path, "".join(json.dumps(row) + "\n" for row in kept).encode())
        self._writer = SummaryWriter(str(self.path / "tensorboard"), purge_step=step + 1)

    def log(self, step: int, samples: int, seconds: float, **scalars: float | int) -> None:
        """Append one line of metrics, and the same scalars to TensorBoard."""
        row = {"step": step, "samples": samples, "seconds": round(seconds, 3), **scalars}
        with open(self.path / "metrics.jsonl", "a") as file:
            file.write(json.dumps(without_nan(row), allow_nan=False) + "\n")
        if self._writer is not None:
            for name, value in scalars.items():
                self._writer.add_scalar(name, value, step)

    def log_images(self, step: int, name: str, grid: Float32[np.ndarray, "height width 3"]) -> None:
        """Save a grid of linear images as PNG and to TensorBoard."""
        save_image(self.path / "samples" / f"{name}-{step:07d}.png", grid)
        if self._writer is not None:
            self._writer.add_image(name, to_bytes(grid), step, dataformats="HWC")

    def close(self) -> None:
        """Flush TensorBoard's file."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """The rows of a metrics.jsonl, null for what was not finite; a last line that a crash cut short is left out."""
    rows = []
    for line in path.read_text().splitlines():
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError:
            break
    return rows


def differences(there: Any, here: Any, field: str = "") -> list[tuple[str, Any, Any]]:
    """(dotted field, value there, value here) for every leaf that differs between two JSON values."""
    if isinstance(there, dict) and isinstance(here, dict):
        return [
            difference
            for key in [*there, *(key for key in here if key not in there)]
            for difference in differences(there.get(key), here.get(key), f"{field}.{key}".lstrip("."))
        ]
    return [] if there == here else [(field, there, here)]


def environment() -> dict[str, Any]:
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
        "luxel": version("luxel"),
        "commit": commit,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "platform": platform.platform(),
        "cpu": cpu_name(),
        "cpu_count": os.cpu_count(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
    }


def cpu_name() -> str:
    """The processor's name, or its architecture where the system does not tell."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def read_json(path: Path) -> Any:
    """The JSON value in a file."""
    return json.loads(path.read_text())


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file atomically, and its folder if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, json.dumps(without_nan(value), indent=2, allow_nan=False).encode() + b"\n")


def without_nan(value: Any) -> Any:
    """The value with null for every number that is not finite, which JSON cannot say."""
    if isinstance(value, dict):
        return {key: without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
