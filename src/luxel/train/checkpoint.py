"""Checkpoints: everything a run needs to go on exactly, in one safetensors file that is replaced atomically.

Tensors are named `model.*`, `average.*` and `optimizer.<parameter>.*`; step, time and guard stand in the file's
metadata as JSON. Random state is not kept: every step seeds it from (seed, step).
"""

import json
import math
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from luxel import InputError
from luxel.data.atomic import write_atomically
from luxel.train.guard import Guard


@dataclass(frozen=True)
class Progress:
    """How far a run is: optimiser steps tried, seconds of training, the last losses, what guard and loss scale know."""

    step: int = 0
    seconds: float = 0.0
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
    contiguous = {name: value.contiguous() for name, value in tensors.items()}
    write_atomically(path, save(contiguous, metadata={"progress": json.dumps(asdict(progress))}))


def load_checkpoint(path: Path, model: nn.Module, average: AveragedModel, optimizer: torch.optim.Optimizer) -> Progress:
    """Restore model, average and optimiser in place. Raises CheckpointError, naming the file."""
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
            progress = progress_from_json(json.loads(file.metadata()["progress"]))
        model.load_state_dict(under(tensors, "model."))
        average.load_state_dict(under(tensors, "average."))
        state: dict[int, dict[str, Any]] = {}
        for name, value in under(tensors, "optimizer.").items():
            index, field = name.split(".")
            state.setdefault(int(index), {})[field] = value
        optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
    except (SafetensorError, KeyError, TypeError, ValueError, RuntimeError, OSError) as error:
        raise CheckpointError(
            f"{path}: not a checkpoint of this run ({error}); delete it to train from the start"
        ) from error
    return progress


def read_progress(path: Path) -> Progress:
    """How far the run was when the checkpoint was written. Raises CheckpointError, naming the file."""
    try:
        with safe_open(path, framework="pt") as file:
            return progress_from_json(json.loads(file.metadata()["progress"]))
    except (SafetensorError, KeyError, TypeError, ValueError, OSError) as error:
        raise CheckpointError(f"{path}: not a checkpoint ({error})") from error


def progress_from_json(values: dict[str, Any]) -> Progress:
    """The progress that a checkpoint's metadata holds."""
    return Progress(**{**values, "guard": Guard.from_json(values["guard"])})


def under(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors whose name starts with `prefix`, without it."""
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
