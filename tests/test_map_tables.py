"""Tables of environment maps: what is looked for, its flux, and probabilities."""

import numpy as np
import pytest

from luxel.core.map_tables import LOOKED_FOR, TEXEL_WORDS, map_tables
from luxel.scene.environment import environment_map


def test_flux_and_probabilities_by_hand():
    """One bright texel of 4 × 8: in the second row, which is centred 67.5° from the zenith."""
    texels = np.full((4, 8, 3), 0.25, np.float32)
    texels[1, 2] = (90, 60, 30)
    found = map_tables([environment_map(texels, "a map")])
    angle = 4 * np.pi / 8 * np.sin(np.pi / 8) * np.sin(3 * np.pi / 8)  # of the texel
    mean = 0.25 + (60 - 0.25) * angle / (4 * np.pi)
    looked_for = 60 - LOOKED_FOR * mean
    azimuth = 2 * np.pi * (2.5 / 8 - 0.5)
    across = np.sin(3 * np.pi / 8)
    towards = [across * np.sin(azimuth), across * np.cos(azimuth), np.cos(3 * np.pi / 8)]
    np.testing.assert_allclose(found.moments[0], looked_for * angle * np.array([1, *towards]), rtol=1e-5)
    assert found.sizes.tolist() == [[4, 8]]
    np.testing.assert_array_equal(found.brightest, [[90, 60, 30]])
    words = found.texels.reshape(4, 8, TEXEL_WORDS)
    np.testing.assert_array_equal(words[..., :3], texels)
    assert np.count_nonzero(words[..., 3]) == 1
    assert words[1, 2, 3] == pytest.approx(looked_for / 60, rel=1e-5)
    # Interpolated, an eighth of it is to either side, and six eighths in the texel; rows by the sine of their angle.
    np.testing.assert_allclose(words[1, :, 4], [0, 0.125, 0.875, 1, 1, 1, 1, 1], rtol=1e-6)
    sines = np.sin(np.pi / 8 * np.array([1, 3, 5])) * [0.125, 0.75, 0.125]
    np.testing.assert_allclose(words[:, 0, 5], [*np.cumsum(sines) / sines.sum(), 1], rtol=1e-6)


def test_an_even_map_is_not_looked_for():
    found = map_tables([environment_map(np.ones((5, 7, 3), np.float32), "a map")])
    assert not found.moments.any()
    assert not found.texels[:, 3:].any()


def test_several_maps_lie_one_after_another_and_none_are_none():
    maps = [environment_map(np.full((2, width, 3), width, np.float32), "a map") for width in (3, 5)]
    found = map_tables(maps)
    assert found.sizes.tolist() == [[2, 3], [2, 5]]
    assert found.texels[:, 0].tolist() == [3.0] * 6 + [5.0] * 10
    assert [values.shape for values in map_tables([])] == [(0, 2), (0, 4), (0, 3), (0, TEXEL_WORDS)]
