"""Whether directions follow a density: Pearson's χ² over cells of the sphere that are equal in solid angle."""

import math
from collections.abc import Callable

import numpy as np
from scipy import stats

ENOUGH = 8.0  # expected in a cell; those with fewer are taken together


def cells_of(directions: np.ndarray, bands: int, sectors: int) -> np.ndarray:
    """The cell, band by band from −z, that each of [n, 3] directions is in."""
    band = np.clip(((directions[:, 2].astype(np.float64) + 1) / 2 * bands).astype(int), 0, bands - 1)
    turn = np.arctan2(directions[:, 1], directions[:, 0]).astype(np.float64) / (2 * math.pi) % 1
    return band * sectors + np.clip((turn * sectors).astype(int), 0, sectors - 1)


def grid(bands: int, sectors: int, inner: int) -> np.ndarray:
    """inner² directions in each cell, which stand for equal solid angles, cell by cell: [cells · inner², 3]."""
    z = (np.arange(bands * inner) + 0.5) / (bands * inner) * 2 - 1
    angle = (np.arange(sectors * inner) + 0.5) / (sectors * inner) * 2 * math.pi
    z, angle = np.meshgrid(z, angle, indexing="ij")
    across = np.sqrt(1 - z * z)
    directions = np.stack([across * np.cos(angle), across * np.sin(angle), z], axis=-1)
    directions = directions.reshape(bands, inner, sectors, inner, 3).transpose(0, 2, 1, 3, 4)
    return directions.reshape(-1, 3).astype(np.float32)


def probabilities(density: Callable[[np.ndarray], np.ndarray], bands: int, sectors: int, inner: int) -> np.ndarray:
    """Of every cell, from a density per steradian of [n, 3] directions."""
    values = density(grid(bands, sectors, inner)).astype(np.float64)
    return values.reshape(bands * sectors, inner * inner).mean(1) * 4 * math.pi / (bands * sectors)


def p_value(observed: np.ndarray, expected: np.ndarray, noise: np.ndarray | float = 0.0) -> float:
    """Of counts in cells, where `noise` is the variance with which the expected ones are known."""
    noise = np.broadcast_to(noise, expected.shape)
    few = expected < ENOUGH
    observed, expected, noise = (np.append(values[~few], values[few].sum()) for values in (observed, expected, noise))
    full = expected > ENOUGH / 2
    statistic = ((observed - expected)[full] ** 2 / (expected + noise)[full]).sum()
    return float(stats.chi2.sf(statistic, full.sum()))
