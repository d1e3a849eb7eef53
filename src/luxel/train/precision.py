"""Precision: in what number format the network computes. The head and the loss are in float32 in every mode.

The log's O0, O1 and O2 are the opt levels of NVIDIA's apex; their names here are `fp32`, `fp16-o1` and `fp16-o2`.
"""

import sys
from collections import Counter
from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import torch
from jaxtyping import Float32
from torch import Tensor, nn
from torch.func import functional_call

from luxel import InputError
from luxel.data.dataset import Batch
from luxel.train.foreach import add_all, copy_all
from luxel.train.resident import AnyBatch

Precision: TypeAlias = Literal["fp32", "tf32", "bf16", "fp16-o1", "fp16-o2"]
"""fp32: IEEE single throughout. tf32: single, whose products a GPU of NVIDIA's Ampere generation or later takes with
10 bits of mantissa. bf16: autocast to bfloat16. fp16-o1: autocast to half, with a dynamic loss scale. fp16-o2: weights
and activations in half, with a dynamic loss scale (Micikevicius et al. 2018); statistics of normalisation and batch
norm's weights are in single. The optimiser's weights are in single in all modes."""

AUTOCAST_DTYPES = {"bf16": torch.bfloat16, "fp16-o1": torch.float16, "fp16-o2": torch.float16}
BATCH_NORM = nn.modules.batchnorm._BatchNorm
PRODUCTS = (nn.Linear, nn.modules.conv._ConvNd)
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
    """Runs a network's forward pass in a precision, and takes gradients back to its single-precision weights.

    What computes in 16 bits gets a copy of its weights, which is made once a step and not, as autocast would, operation
    by operation; the numbers are the same.
    """

    def __init__(self, precision: Precision, model: nn.Module, device: torch.device) -> None:
        self._model, self._device = model, device
        self._dtype = AUTOCAST_DTYPES.get(precision)
        self._casts_activations = precision in ("bf16", "fp16-o1")
        self._masters = rounded_weights(model, precision)
        if precision == "fp16-o2":
            for module in reduced_parts(model).values():
                if isinstance(module, BATCH_NORM):
                    module.register_forward_hook(to_half)
        self._copies = {
            name: weight.detach().to(self._dtype).requires_grad_() for name, weight in self._masters.items()
        }
        self._weights = dict(model.named_parameters())
        self._leaves = list((self._weights | self._copies).values())
        # A CPU's heap is given back and taken anew in every step, a tenth of its time, if gradients don't keep it.
        self._takes_over = not self._copies and device.type == "cpu"
        self._gradients = [torch.zeros_like(weight) for weight in self._weights.values()]

    def __call__(self, batch: AnyBatch) -> Float32[Tensor, "batch *picture 3"]:
        """Radiance of the batch's scenes, or of its rays, in float32."""
        if isinstance(batch, Batch):
            given = batch.scenes.center.dtype
            assert given == torch.float32, f"scenes come in float32, not {given}"
        with torch.autocast(self._device.type, self._dtype, enabled=self._casts_activations):
            radiance = functional_call(self._model, self._copies, batch.inputs)
        return checked(radiance, batch)

    def round_weights(self) -> None:
        """Take over what has become of the weights since."""
        copy_all(list(self._copies.values()), list(self._masters.values()))

    def backward(self, loss: Float32[Tensor, ""], add: bool = False) -> None:
        """Put the loss's gradient, in float32, where the optimiser looks for it; with `add`, to what is there."""
        found: Sequence[Tensor | None] = torch.autograd.grad(loss, self._leaves, allow_unused=True)
        starts = Counter(gradient.data_ptr() for gradient in found if gradient is not None)
        written = {add_all: list[tuple[Tensor, Tensor]](), copy_all: list[tuple[Tensor, Tensor]]()}
        for weight, place, gradient in zip(self._weights.values(), self._gradients, found, strict=True):
            if gradient is None:
                weight.grad = weight.grad if add else None
            elif add and weight.grad is not None:
                written[add_all].append((weight.grad, gradient))
            elif self._takes_over and gradient.stride() == weight.stride() and starts[gradient.data_ptr()] == 1:
                weight.grad = gradient
            else:
                weight.grad = place
                written[copy_all].append((place, gradient))
        for write, pairs in written.items():
            write([place for place, _ in pairs], [gradient for _, gradient in pairs])


def reduced_parts(model: nn.Module) -> dict[str, nn.Module]:
    """The modules, by name, whose precision may be less than single: all but those of the model's `full_precision`."""
    kept: tuple[str, ...] = getattr(model, "full_precision", ())
    return {name: module for name, module in model.named_modules() if name.split(".")[0] not in kept}


def rounded_weights(model: nn.Module, precision: Precision) -> dict[str, nn.Parameter]:
    """The weights, by name, of which the precision computes with a rounded copy.

    Under autocast those of matrix products and convolutions. In fp16-o2 all but batch norm's, as in apex.
    """
    if precision not in AUTOCAST_DTYPES:
        return {}
    found: dict[str, nn.Parameter] = {}
    for name, module in reduced_parts(model).items():
        if isinstance(module, PRODUCTS) or (precision == "fp16-o2" and not isinstance(module, BATCH_NORM)):
            found |= module.named_parameters(prefix=name, recurse=False)
    return found


def checked(radiance: Tensor, batch: AnyBatch) -> Float32[Tensor, "batch *picture 3"]:
    """The network's output, which its head must have made in float32 whatever came before; rays scene by scene."""
    assert radiance.dtype == torch.float32, f"the head must end in float32, not {radiance.dtype}"
    return radiance if batch.rays is None else radiance.unflatten(0, (len(batch), -1))


def to_half(module: nn.Module, arguments: tuple[Tensor, ...], output: Tensor) -> Tensor:
    """A hook after batch norm, which takes any precision: what follows is in half."""
    return output.half()


class LossScale:
    """The dynamic loss scale of fp16 (Micikevicius et al. 2018, §3.2), with the floor that the log asked for.

    Halved by every gradient that overflows, doubled after GROWTH_INTERVAL in a row that did not: torch's rule and
    numbers. torch's GradScaler keeps it on the GPU and makes the host wait for it; here the host, which reads the
    gradient's norm anyway, tells. Without fp16 it does nothing. `floor`: the scale never falls below it; the log's was
    128.
    """

    START = 2.0**16
    GROWTH_INTERVAL = 2000

    def __init__(self, precision: Precision, device: torch.device, floor: float | None) -> None:
        self.enabled = precision.startswith("fp16")
        self.value = self.START if self.enabled else 1.0
        """What the loss is multiplied by."""
        self._finite_in_a_row = 0
        self._floor = floor or 0.0
        self._on_device = torch.full((), self.value, device=device)

    @property
    def at_floor(self) -> bool | None:
        """Whether the scale has fallen as far as it may; None without one."""
        return self.value <= max(self._floor, COLLAPSED) if self.enabled else None

    def scale(self, loss: Float32[Tensor, ""]) -> Float32[Tensor, ""]:
        """The loss to go backward from."""
        return loss * self._on_device if self.enabled else loss

    def unscale(self, gradients: Sequence[Tensor]) -> None:
        """Divide the gradients by the scale."""
        if self.enabled:
            torch._foreach_mul_(list(gradients), self._on_device.double().reciprocal().float())

    def update(self, overflowed: bool) -> None:
        """Lower the scale if the gradients had overflowed, raise it after enough that had not."""
        if not self.enabled:
            return
        self._finite_in_a_row = 0 if overflowed else self._finite_in_a_row + 1
        if overflowed:
            self._set(max(self.value / 2, self._floor))
        elif self._finite_in_a_row == self.GROWTH_INTERVAL:
            self._finite_in_a_row = 0
            self._set(self.value * 2)

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps, in GradScaler's words."""
        return {"scale": self.value, "_growth_tracker": self._finite_in_a_row} if self.enabled else {}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what a checkpoint kept."""
        if self.enabled and state:
            self._finite_in_a_row = int(state["_growth_tracker"])
            self._set(float(state["scale"]))

    def _set(self, value: float) -> None:
        self.value = value
        self._on_device.fill_(value)
