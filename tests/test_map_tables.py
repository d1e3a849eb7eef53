"""Tables of environment maps: what is sampled, its flux, and probabilities."""

import tracemalloc

import numpy as np
import pytest

import luxel.memory
from luxel import InputError
from luxel.core.map_tables import PEAK_TEXEL_BYTES, SAMPLED_ABOVE, TEXEL_BYTES, TEXEL_WORDS, map_tables
from luxel.scene.environment import environment_map


def test_flux_and_probabilities_by_hand():
    """One bright texel of 4 × 8: in the second row, which is centred 67.5° from the zenith."""
    texels = np.full((4, 8, 3), 0.25, np.float32)
    texels[1, 2] = (90, 60, 30)
    found = map_tables([environment_map(texels, "a map")])
    angle = 4 * np.pi / 8 * np.sin(np.pi / 8) * np.sin(3 * np.pi / 8)  # of the texel
    mean = 0.25 + (60 - 0.25) * angle / (4 * np.pi)
    sampled = 60 - SAMPLED_ABOVE * mean
    azimuth = 2 * np.pi * (2.5 / 8 - 0.5)
    across = np.sin(3 * np.pi / 8)
    towards = [across * np.sin(azimuth), across * np.cos(azimuth), np.cos(3 * np.pi / 8)]
    np.testing.assert_allclose(found.moments[0], sampled * angle * np.array([1, *towards]), rtol=1e-5)
    assert found.sizes.tolist() == [[4, 8]]
    np.testing.assert_array_equal(found.brightest, [[90, 60, 30]])
    words = found.texels.reshape(4, 8, TEXEL_WORDS)
    np.testing.assert_array_equal(words[..., :3], texels)
    assert np.count_nonzero(words[..., 3]) == 1
    assert words[1, 2, 3] == pytest.approx(sampled / 60, rel=1e-5)
    # Interpolated, an eighth of it is to either side, and six eighths in the texel; rows by the sine of their angle.
    np.testing.assert_allclose(words[1, :, 4], [0, 0.125, 0.875, 1, 1, 1, 1, 1], rtol=1e-6)
    sines = np.sin(np.pi / 8 * np.array([1, 3, 5])) * [0.125, 0.75, 0.125]
    np.testing.assert_allclose(words[:, 0, 5], [*np.cumsum(sines) / sines.sum(), 1], rtol=1e-6)


def test_an_even_map_is_not_sampled():
    found = map_tables([environment_map(np.ones((5, 7, 3), np.float32), "a map")])
    assert not found.moments.any()
    assert not found.texels[:, 3:].any()


def test_several_maps_lie_one_after_another_and_none_are_none():
    maps = [environment_map(np.full((2, width, 3), width, np.float32), "a map") for width in (3, 5)]
    found = map_tables(maps)
    assert found.sizes.tolist() == [[2, 3], [2, 5]]
    assert found.texels[:, 0].tolist() == [3.0] * 6 + [5.0] * 10
    assert [values.shape for values in map_tables([])] == [(0, 2), (0, 4), (0, 3), (0, TEXEL_WORDS)]


def test_the_memory_of_large_maps_is_what_is_estimated(monkeypatch):
    """Within a factor of 2, of 2048 × 1024 pixels; what does not fit is refused, and small ones do not ask."""
    texels = np.random.default_rng(0).random((1024, 2048, 3), np.float32)
    one, other = (environment_map(texels * scale, "a map") for scale in (1, 2))
    asked = []
    monkeypatch.setattr(luxel.memory, "free_memory", lambda device, enough: asked.append(enough) or 2**40)
    tracemalloc.start()
    try:
        found = map_tables([one])
        peak = tracemalloc.get_traced_memory()[1]
        before = tracemalloc.get_traced_memory()[0]
        map_tables([other])
        tracemalloc.reset_peak()
        held = tracemalloc.get_traced_memory()[0]
        both = map_tables([one, other])
        joined = tracemalloc.get_traced_memory()[1] - held
    finally:
        tracemalloc.stop()
    assert asked == [2048 * 1024 * bytes_ for bytes_ in (PEAK_TEXEL_BYTES, PEAK_TEXEL_BYTES, 2 * TEXEL_BYTES)]
    assert 0.5 < asked[0] / peak < 2
    assert 0.5 < asked[2] / joined < 2
    assert held - before == pytest.approx(found.texels.nbytes, rel=0.01)
    assert both.texels.nbytes == asked[2]
    monkeypatch.setattr(luxel.memory, "free_memory", lambda device, enough: 2**20)
    with pytest.raises(InputError, match=r"^an environment map of 2048×1024 pixels: .* 160 MiB .*; scale it down"):
        map_tables([environment_map(texels * 3, "a map")])
    with pytest.raises(InputError, match=r"^2 environment maps, 4194304 pixels in all: .*; render fewer at once"):
        map_tables([one, other])
    map_tables([environment_map(texels[:64, :64].copy(), "a map")])
