"""Random numbers that are a function of what they are for: no state, so any order and any batch gives the same."""

import torch
from jaxtyping import Float, Int32
from torch import Tensor

_MULTIPLIER, _INCREMENT = 1664525, 1013904223  # Numerical Recipes' generator, in which pcg4d starts


def uniform(
    key: Int32[Tensor, "2 scenes 1"],
    pixel: Int32[Tensor, "scenes lanes"],
    sample: Int32[Tensor, "scenes lanes"],
    dimension: int,
) -> Float[Tensor, "4 scenes lanes"]:
    """Four numbers in [0, 1), multiples of 2⁻²⁴, for (scene's 64-bit key, pixel, sample, dimension).

    pcg4d of Jarzynski & Olano, "Hash Functions for GPU Rendering", JCGT 9(3), 2020: four 32-bit words in,
    four out, for 12 multiplications. The arithmetic is modulo 2³², as int32 tensors do it.
    """
    words = [pixel, sample, key[0] ^ dimension, key[1]]
    x, y, z, w = (word * _MULTIPLIER + _INCREMENT for word in torch.broadcast_tensors(*words))
    x, y, z, w = _mixed(x, y, z, w)
    x, y, z, w = (word ^ _shifted(word, 16) for word in (x, y, z, w))
    return torch.stack([_shifted(word, 8) for word in _mixed(x, y, z, w)]).float() * 2.0**-24


def _mixed(x: Tensor, y: Tensor, z: Tensor, w: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    x = x + y * w
    y = y + z * x
    z = z + x * y
    return x, y, z, w + y * z


def _shifted(word: Tensor, bits: int) -> Tensor:
    """Logical shift to the right; torch's own copies the sign."""
    return (word >> bits) & ((1 << (32 - bits)) - 1)
