"""Checkpoints: everything a run needs to go on exactly, in one safetensors file that is replaced atomically.

Tensors are named `model.*`, `average.*` and `optimizer.<parameter>.*`; step, time and guard stand in the file's
metadata as JSON. Random state is not kept: every step seeds it from (seed, step).
"""

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from luxel import InputError
from luxel.files.tensors import read_tensors, write_tensors
from luxel.files.typed_json import parse_json
from luxel.train.guard import Guard

REMEDY = "delete it to train from the start"


@dataclass(frozen=True)
class Progress:
    """How far a run is: optimiser steps tried, what they took, the last losses, what guard and loss scale know."""

    step: int = 0
    seconds: float = 0.0
    peak_memory_mib: float = math.nan
    """The most that a process of the run has held; NaN where it is not known."""
    train_loss: float = math.nan
    test_loss: float = math.nan
    guard: Guard = Guard()
    loss_scale: dict[str, Any] = field(default_factory=dict)


class CheckpointError(InputError):
    """A checkpoint that cannot be read, with its file and the remedy."""


def save_checkpoint(
    path: Path,
    model: nn.Module,
    average: AveragedModel,
    optimizer: torch.optim.Optimizer,
    progress: Progress,
) -> None:
    """Write the checkpoint; whatever happens meanwhile, `path` is the old one or the new one, whole."""
    tensors: dict[str, Tensor] = {}
    for prefix, module in (("model", model), ("average", average)):
        tensors |= {f"{prefix}.{name}": value for name, value in module.state_dict().items()}
    for index, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{name}": value for name, value in state.items()}
    write_tensors(path, tensors, {"progress": json.dumps(asdict(progress))})


def load_checkpoint(path: Path, model: nn.Module, average: AveragedModel, optimizer: torch.optim.Optimizer) -> Progress:
    """Restore model, average and optimiser in place. Raises CheckpointError, naming the file."""
    tensors, metadata = read_checkpoint(path)
    progress = progress_in(metadata, path)
    with mismatches_as_checkpoint_errors(path):
        model.load_state_dict(without_prefix(tensors, "model."))
        average.load_state_dict(without_prefix(tensors, "average."))
        state: dict[int, dict[str, Any]] = {}
        for name, value in without_prefix(tensors, "optimizer.").items():
            index, quantity = name.split(".")
            state.setdefault(int(index), {})[quantity] = value
        optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
    return progress


def load_model_state(path: Path, model: nn.Module) -> None:
    """Restore the model alone. Raises CheckpointError, naming the file."""
    tensors, _ = read_checkpoint(path)
    with mismatches_as_checkpoint_errors(path):
        model.load_state_dict(without_prefix(tensors, "model."))


def read_checkpoint(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """A checkpoint's tensors and metadata. Raises CheckpointError, naming the file."""
    try:
        return read_tensors(path, REMEDY)
    except InputError as error:
        raise CheckpointError(str(error)) from error


@contextmanager
def mismatches_as_checkpoint_errors(path: Path) -> Iterator[None]:
    """Within, tensors that do not fit raise CheckpointError, naming the file."""
    try:
        yield
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise CheckpointError(f"{path}: not a checkpoint of this run ({one_line(error)}); {REMEDY}") from error


def read_progress(path: Path) -> Progress:
    """How far the run was when the checkpoint was written; its tensors are not read. Raises CheckpointError."""
    try:
        with safe_open(path, framework="pt") as file:
            return progress_in(file.metadata() or {}, path)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path}: not a checkpoint ({error}); {REMEDY}") from error


def progress_in(metadata: dict[str, str], path: Path) -> Progress:
    """The progress that a checkpoint's metadata holds. Raises CheckpointError, naming the file."""
    try:
        return parse_json(metadata.get("progress", "null"), Progress, f"{path}: progress", REMEDY)
    except InputError as error:
        raise CheckpointError(str(error)) from error


def one_line(error: Exception) -> str:
    """The error's message, whatever torch broke it into."""
    return " ".join(str(error).split())


def without_prefix(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors whose name starts with `prefix`, without it."""
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
