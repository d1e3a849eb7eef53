"""Random numbers that are a function of what they are for: no state, so any order and any batch gives the same."""

from typing import TypeAlias

from jaxtyping import Float, Int32
from torch import Tensor

_MULTIPLIER, _INCREMENT = 1664525, 1013904223  # Numerical Recipes' generator, in which pcg4d starts
UNIT = 2.0**-24  # all numbers are multiples of it

Four: TypeAlias = tuple[Tensor, Tensor, Tensor, Tensor]


def uniform(
    key: tuple[Int32[Tensor, "*scenes"], Int32[Tensor, "*scenes"]],
    pixel: Int32[Tensor, "*lanes"],
    sample: Int32[Tensor, "*lanes"],
    dimension: int | Int32[Tensor, ""],
) -> Four:
    """Four numbers in [0, 1), multiples of 2⁻²⁴, for (scene's 64-bit key, pixel, sample, dimension).

    pcg4d of Jarzynski & Olano, "Hash Functions for GPU Rendering", JCGT 9(3), 2020: four 32-bit words in,
    four out, for 12 multiplications. The arithmetic is modulo 2³², as int32 tensors do it.
    """
    words = (pixel, sample, key[0] ^ dimension, key[1])
    x, y, z, w = (word * _MULTIPLIER + _INCREMENT for word in words)
    x, y, z, w = _mixed(x, y, z, w)
    x, y, z, w = (word ^ _shifted(word, 16) for word in (x, y, z, w))
    x, y, z, w = (_shifted(word, 8).float() * UNIT for word in _mixed(x, y, z, w))
    return x, y, z, w


def uniform_of_each(number: Float[Tensor, "*lanes"], index: Int32[Tensor, "*indices"]) -> Float[Tensor, "*both"]:
    """From one of those numbers, another in (0, 1) for every index, independent of one another.

    Wellons' `lowbias32` ("Prospecting for hash functions", 2018), in two multiplications.
    """
    word = (number * (1 / UNIT)).int() ^ (index * -1640531527)  # 2³² over the golden ratio, which spreads the indices
    word = (word ^ _shifted(word, 16)) * 0x7FEB352D
    word = (word ^ _shifted(word, 15)) * -2073254261  # 0x846CA68B
    return _shifted(word ^ _shifted(word, 16), 8).float() * UNIT + 0.5 * UNIT


def _mixed(x: Tensor, y: Tensor, z: Tensor, w: Tensor) -> Four:
    x = x + y * w
    y = y + z * x
    z = z + x * y
    return x, y, z, w + y * z


def _shifted(word: Tensor, bits: int) -> Tensor:
    """Logical shift to the right; torch's own copies the sign."""
    return (word >> bits) & ((1 << (32 - bits)) - 1)
