"""The order of training: a pure function of (seed, position), so that resuming at a step is exact."""

from functools import lru_cache

import numpy as np
from jaxtyping import Int64


def shuffled(start: int, stop: int, length: int, seed: int) -> Int64[np.ndarray, "positions"]:
    """Sample numbers at positions start..stop−1 of an endless training on `length` samples.

    Each epoch, that is each `length` positions, is a permutation of its own: no sample is left out or comes
    twice in it.
    """
    if length < 1:
        raise ValueError("there are no samples to shuffle")
    parts = []
    while start < stop:
        epoch, offset = divmod(start, length)
        end = min(length, offset + stop - start)
        parts.append(_permutation(length, seed, epoch)[offset:end])
        start += end - offset
    return np.concatenate(parts) if parts else np.zeros(0, np.int64)


@lru_cache(maxsize=2)
def _permutation(length: int, seed: int, epoch: int) -> Int64[np.ndarray, "length"]:
    """Sorts 64-bit keys from Philox's raw stream, which NumPy guarantees, unlike its shuffles."""
    keys = np.random.Philox(np.random.SeedSequence(seed, spawn_key=(epoch,))).random_raw(length)
    return np.argsort(keys, kind="stable").astype(np.int64)
