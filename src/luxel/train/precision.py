"""Precision: in what number format the network computes. The head and the loss are in float32 in every mode.

The log's O0, O1 and O2 are the opt levels of NVIDIA's apex; their names here are `fp32`, `fp16-o1` and `fp16-o2`.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal, TypeAlias

import torch
from jaxtyping import Float32
from torch import Tensor, nn
from torch.func import functional_call

from luxel import InputError
from luxel.data.dataset import Batch

Precision: TypeAlias = Literal["fp32", "tf32", "bf16", "fp16-o1", "fp16-o2"]
"""fp32: IEEE single throughout. tf32: single, whose products a GPU of NVIDIA's Ampere generation or later takes with
10 bits of mantissa. bf16: autocast to bfloat16. fp16-o1: autocast to half, weights in single, with a dynamic loss
scale. fp16-o2: weights and activations in half, normalisation in single, the optimiser on single-precision master
copies, with a dynamic loss scale (Micikevicius et al. 2018)."""

AUTOCAST_DTYPES = {"bf16": torch.bfloat16, "fp16-o1": torch.float16}
NORMS = (nn.modules.batchnorm._BatchNorm, nn.GroupNorm, nn.LayerNorm, nn.RMSNorm)
AMPERE = (8, 0)
COLLAPSED = 1.0
"""A loss scale that is no more than this shrinks gradients; without a floor of its own it has collapsed there."""


def check_precision(precision: Precision, device: torch.device) -> None:
    """Say what a mode needs. Raises InputError where it cannot be had."""
    if precision == "tf32" and (device.type != "cuda" or torch.cuda.get_device_capability(device) < AMPERE):
        raise InputError(
            f"train.precision is tf32, which NVIDIA GPUs from Ampere on have and this {device.type} "
            "has not; choose fp32"
        )
    if precision.startswith("fp16") and device.type == "cpu":
        print(
            f"train.precision is {precision}: CPUs have few half-precision kernels, expect a fiftieth of fp32's speed; "
            "bf16 is the CPU's mixed precision",
            file=sys.stderr,
        )


def set_precision(precision: Precision) -> None:
    """Set torch's global switches of how GPUs multiply in single precision."""
    torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
    torch.backends.cudnn.allow_tf32 = precision == "tf32"


class Autocast:
    """Runs a network's forward pass in a precision; `parallel` is `model` as it is spread over processes."""

    def __init__(self, precision: Precision, model: nn.Module, parallel: nn.Module, device: torch.device) -> None:
        self._precision, self._parallel, self._device = precision, parallel, device
        half: list[str] = []
        if precision == "fp16-o2":
            kept: tuple[str, ...] = getattr(model, "full_precision", ())
            for name, module in model.named_modules():
                if name.split(".")[0] in kept:
                    continue
                if isinstance(module, NORMS):
                    module.register_forward_pre_hook(to_single)
                    module.register_forward_hook(to_half)
                else:
                    half += [path for path, _ in module.named_parameters(prefix=name, recurse=False)]
        prefix = "module." if isinstance(parallel, nn.parallel.DistributedDataParallel) else ""
        self._half = {prefix + path: model.get_parameter(path) for path in half}

    def __call__(self, batch: Batch) -> Float32[Tensor, "batch *picture 3"]:
        """Radiance of the batch's scenes, or of its rays, in float32."""
        given = batch.scenes.center.dtype
        assert given == torch.float32, f"scenes come in float32, not {given}"
        if self._precision == "fp16-o2":
            weights = {name: parameter.half() for name, parameter in self._half.items()}
            radiance = functional_call(self._parallel, weights, batch.inputs)
        else:
            dtype = AUTOCAST_DTYPES.get(self._precision)
            with torch.autocast(self._device.type, dtype, enabled=dtype is not None):
                radiance = self._parallel(*batch.inputs)
        return checked(radiance, batch)


def checked(radiance: Tensor, batch: Batch) -> Float32[Tensor, "batch *picture 3"]:
    """The network's output, which its head must have made in float32 whatever came before; rays scene by scene."""
    assert radiance.dtype == torch.float32, f"the head must end in float32, not {radiance.dtype}"
    return radiance if batch.rays is None else radiance.unflatten(0, (len(batch), -1))


def to_single(module: nn.Module, arguments: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """A hook before a normalisation: its input in single precision."""
    return tuple(x.float() for x in arguments)


def to_half(module: nn.Module, arguments: tuple[Tensor, ...], output: Tensor) -> Tensor:
    """A hook after a normalisation: what follows is in half precision again."""
    return output.half()


class LossScale:
    """torch's dynamic loss scale, with the floor that the log asked for and torch lacks.

    Without fp16 it does nothing. `floor`: the scale never falls below it; the log's was 128.
    """

    START = 2.0**16

    def __init__(self, precision: Precision, device: torch.device, floor: float | None) -> None:
        self.enabled = precision.startswith("fp16")
        self._scaler = torch.amp.GradScaler(device.type, self.START, enabled=self.enabled)
        self._floor = floor or 0.0

    @property
    def value(self) -> float:
        """What the loss is multiplied by."""
        return float(self._scaler.get_scale())

    @property
    def at_floor(self) -> bool | None:
        """Whether the scale has fallen as far as it may; None without one."""
        return self.value <= max(self._floor, COLLAPSED) if self.enabled else None

    def scale(self, loss: Tensor) -> Tensor:
        """The loss to go backward from."""
        return self._scaler.scale(loss)

    def unscale(self, optimizer: torch.optim.Optimizer) -> None:
        """Divide the gradients by the scale."""
        self._scaler.unscale_(optimizer)

    @contextmanager
    def updated(self) -> Iterator[None]:
        """After the block, lower the scale if the gradients had overflowed, raise it after enough that had not."""
        yield
        if self.enabled:
            self._scaler.update()
            if self.value < self._floor:
                self._scaler.update(self._floor)

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        return self._scaler.state_dict()

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what a checkpoint kept."""
        if self.enabled and state:
            self._scaler.load_state_dict(state)
