"""The random numbers of scenes: the same on every machine.

Numbers come from Philox's raw bits, whose stream NumPy guarantees, through inverse distribution functions
of our own, and are rounded to 6 decimals, so that the last bit of a math library changes no scene.
"""

import math
from bisect import bisect_right
from collections.abc import Mapping
from itertools import accumulate
from statistics import NormalDist
from typing import TypeVar

import numpy as np

Choice = TypeVar("Choice")


class Draws:
    """The random numbers of one scene, a function of (seed, index) alone."""

    def __init__(self, seed: int, index: int) -> None:
        self._bits = np.random.Philox(np.random.SeedSequence(seed, spawn_key=(index,)))

    def unit(self) -> float:
        """Uniform in [0, 1), from the upper 53 bits of a raw draw."""
        return (int(self._bits.random_raw()) >> 11) * 2.0**-53

    def uniform(self, low: float, high: float) -> float:
        """Uniform in [low, high], rounded."""
        return round(low + (high - low) * self.unit(), 6)

    def log_uniform(self, low: float, high: float) -> float:
        """Uniform in its logarithm, rounded."""
        return round(low * (high / low) ** self.unit(), 6)

    def skewed(self, power: float) -> float:
        """A uniform number in [0, 1) to a power: the higher, the nearer to 0; rounded."""
        return round(self.unit() ** power, 6)

    def integer(self, low: int, high: int) -> int:
        """Uniform in low..high, both included."""
        return low + int(self.unit() * (high - low + 1))

    def normal(self) -> float:
        """Standard normal, not rounded; the argument stays off 0, where the inverse is infinite."""
        return NormalDist().inv_cdf(self.unit() + 2.0**-54)

    def triple(self, low: float, high: float) -> tuple[float, float, float]:
        """Three independent uniform numbers."""
        return self.uniform(low, high), self.uniform(low, high), self.uniform(low, high)

    def quaternion(self) -> tuple[float, float, float, float]:
        """A rotation (w, x, y, z), uniform, as four independent normal numbers are when normalised; not rounded."""
        w, x, y, z = (self.normal() for _ in range(4))
        length = math.hypot(w, x, y, z)
        return w / length, x / length, y / length, z / length

    def in_disc(self, radius: float) -> tuple[float, float]:
        """Uniform in a disc about the origin, not rounded."""
        distance, azimuth = radius * math.sqrt(self.unit()), self.uniform(-math.pi, math.pi)
        return distance * math.cos(azimuth), distance * math.sin(azimuth)

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return self.unit() < probability

    def choose(self, weights: Mapping[Choice, float]) -> Choice:
        """A key, with a probability in proportion to its weight; weights need not add up to 1."""
        bounds = list(accumulate(weights.values()))
        return list(weights)[min(bisect_right(bounds, self.unit() * bounds[-1]), len(bounds) - 1)]
