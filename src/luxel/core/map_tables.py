"""Environment maps as kernels read them: texels, and how to choose among them in proportion to what is bright.

A map is two emitters, its radiance L being the sum of both: what is sampled, the part L max(0, 1 − c L̄ / l) of each
texel, l being the mean of its channels and L̄ that over the sphere; and the rest, which is bounded and is found by other
rays as well as a constant sky is (MIS compensation: Karlík et al., "MIS Compensation: Optimizing Sampling Techniques in
Multiple Importance Sampling", 2019, where it is the density alone that is changed).
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Float64, Int32

from luxel.memory import check_fits
from luxel.scene.environment import EnvironmentMap

SAMPLED_ABOVE = 2.0
"""c: a texel is sampled for what it has beyond so many times the mean radiance."""
TEXEL_WORDS = 6
TEXEL_BYTES = 4 * TEXEL_WORDS
PEAK_TEXEL_BYTES = 80
"""Bytes of a texel while the table of its map is made, in float64: measured at 2048 × 1024."""
UNCHECKED_BYTES = 1 << 24
"""That are taken without asking what is free: of 200 000 texels."""


class MapTables(NamedTuple):
    """Maps one after another, which scenes name by their number."""

    sizes: Int32[np.ndarray, "maps 2"]
    """Height and width."""
    moments: Float32[np.ndarray, "maps 4"]
    """Of the mean of channels of what is sampled: its integral over the sphere, and that times the direction."""
    brightest: Float32[np.ndarray, "maps 3"]
    """Of all texels, by channel."""
    texels: Float32[np.ndarray, "texels words"]
    """Radiance, the share of it that is sampled, and for choosing texels the cumulative probabilities of columns in
    their row, and of rows, in each of their texels: see `luxel.core.scenes.Texel`."""


def map_tables(maps: Sequence[EnvironmentMap]) -> MapTables:
    """Of different maps; nothing is copied if there is one. Raises InputError if there is no memory for them."""
    tables = [_table(one) for one in maps]
    if not tables:
        return MapTables(*(np.zeros((0, width), kind) for width, kind in _WIDTHS))
    if len(tables) == 1:
        return tables[0]
    texels = sum(len(table.texels) for table in tables)
    what = f"{len(tables)} environment maps, {texels} pixels in all"
    check_fits(texels * TEXEL_BYTES, what, "render fewer at once", unasked=UNCHECKED_BYTES)
    return MapTables(*(np.concatenate(parts) for parts in zip(*tables, strict=True)))


_WIDTHS = ((2, np.int32), (4, np.float32), (3, np.float32), (TEXEL_WORDS, np.float32))


@lru_cache(4)
def _table(one: EnvironmentMap) -> MapTables:
    """The table of one map."""
    height, width, _ = one.texels.shape
    what = f"an environment map of {width}×{height} pixels"
    check_fits(height * width * PEAK_TEXEL_BYTES, what, "scale it down", unasked=UNCHECKED_BYTES)
    latitude = np.pi / height * (np.arange(height) + 0.5)
    # The solid angle of texels of a row: 2π/W (cos θ − cos θ') = 4π/W sin θ_middle sin(π / 2H).
    angle = 4 * np.pi / width * np.sin(np.pi / (2 * height)) * np.sin(latitude)
    mean = one.texels.mean(2, dtype=np.float64)
    overall = (mean.sum(1) @ angle) / (4 * np.pi)
    share = np.maximum(0.0, 1 - SAMPLED_ABOVE * overall / np.maximum(mean, 1e-30))
    bright = mean * share
    across, towards = _directions(width, latitude)
    flux = bright * angle[:, None]
    moments = [
        flux.sum(),
        *(flux[..., None] * across * np.sin(latitude)[:, None, None]).sum((0, 1)),
        flux.sum(1) @ towards,
    ]
    weight = _interpolated(bright) * np.sin(latitude)[:, None]
    in_row = weight.cumsum(1)
    of_row = in_row[:, -1].cumsum()
    columns = in_row / np.maximum(in_row[:, -1:], 1e-300)
    rows = np.broadcast_to((of_row / max(of_row[-1], 1e-300))[:, None], columns.shape)
    words = np.concatenate([one.texels, *(values[..., None] for values in (share, columns, rows))], 2, dtype=np.float32)
    return MapTables(
        np.array([[height, width]], np.int32),
        np.array([moments], np.float32),
        one.texels.max((0, 1))[None],
        words.reshape(-1, TEXEL_WORDS),
    )


def _directions(
    width: int, latitude: Float64[np.ndarray, " height"]
) -> tuple[Float64[np.ndarray, "width 2"], Float64[np.ndarray, " height"]]:
    """x and y of columns' directions at the horizon, and z of rows'."""
    azimuth = 2 * np.pi * ((np.arange(width) + 0.5) / width - 0.5)
    return np.stack([np.sin(azimuth), np.cos(azimuth)], 1), np.cos(latitude)


def _interpolated(values: Float64[np.ndarray, "height width"]) -> Float64[np.ndarray, "height width"]:
    """The means over texels of what is interpolated between their middles: kernels (1, 6, 1) / 8 along both sides."""
    beside = np.pad(values, ((0, 0), (1, 1)), mode="wrap")
    values = 0.75 * values + 0.125 * (beside[:, :-2] + beside[:, 2:])
    above = np.pad(values, ((1, 1), (0, 0)), mode="edge")
    return 0.75 * values + 0.125 * (above[:-2] + above[2:])
