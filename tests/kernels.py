"""Warp kernels on NumPy arrays, for tests of Warp functions, and the devices to test on."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import warp as wp

from luxel.core import launch

assert launch  # imported first: it initialises Warp

DEVICES = ["cpu", *["cuda"] * torch.cuda.is_available()]


def run(kernel: Any, *inputs: Any, device: str = "cpu") -> list[np.ndarray]:
    """The kernel's outputs: its last arguments, arrays as long as the first input that is one."""
    arguments, outputs = _arguments(kernel, inputs, device, gradients=False)
    wp.launch(kernel, len(outputs[0]), [*arguments, *outputs], device=device)
    return [array.numpy() for array in outputs]


def derivatives(kernel: Any, *inputs: Any, device: str = "cpu") -> list[np.ndarray]:
    """By Warp's adjoints: of the sum of the kernel's outputs by each of its inputs that is an array of floats."""
    arguments, outputs = _arguments(kernel, inputs, device, gradients=True)
    with wp.Tape() as tape:
        wp.launch(kernel, len(outputs[0]), [*arguments, *outputs], device=device)
    tape.backward(grads={array: wp.full_like(array, array.dtype(1.0)) for array in outputs})
    return [array.grad.numpy() for array in arguments if isinstance(array, wp.array) and array.requires_grad]


def _arguments(kernel: Any, inputs: Sequence[Any], device: str, gradients: bool) -> tuple[list[Any], list[Any]]:
    kinds = [argument.type for argument in kernel.adj.args]
    count = next(len(values) for values in inputs if isinstance(values, np.ndarray))

    def array(values: np.ndarray, kind: Any) -> wp.array:
        differentiable = gradients and np.issubdtype(values.dtype, np.floating)
        return wp.array(np.ascontiguousarray(values), dtype=kind.dtype, device=device, requires_grad=differentiable)

    arguments = [
        array(values, kind) if isinstance(values, np.ndarray) else values
        for values, kind in zip(inputs, kinds, strict=False)
    ]
    outputs = [
        wp.zeros(count, dtype=kind.dtype, device=device, requires_grad=gradients) for kind in kinds[len(inputs) :]
    ]
    return arguments, outputs


def unit_vectors(count: int, seed: int) -> np.ndarray:
    """Uniform on the sphere, as float32 has them."""
    vectors = np.random.default_rng(seed).normal(size=(count, 3))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def uniform_numbers(count: int, dimensions: int, seed: int) -> np.ndarray:
    """In [0, 1), multiples of 2⁻²⁴ as the tracer's are."""
    words = np.random.default_rng(seed).integers(0, 1 << 24, size=(count, dimensions))
    return (words * 2.0**-24).astype(np.float32)
