"""Random numbers: the published hash, uniform, without a pattern along any of its words, whatever the order."""

import numpy as np
import pytest
import warp as wp
from kernels import DEVICES, run
from scipy import stats

from luxel.core.rng import pcg4d, seeded, uniform


@wp.kernel(enable_backward=False)
def hash_words(words: wp.array[wp.vec4ui], hashes: wp.array[wp.vec4ui]):
    i = wp.tid()
    hashes[i] = pcg4d(words[i])


@wp.kernel(enable_backward=False)
def draw_numbers(
    key: wp.array[wp.vec2ui],
    pixel: wp.array[int],
    sample: wp.array[int],
    dimension: wp.array[int],
    numbers: wp.array[wp.vec4],
):
    i = wp.tid()
    numbers[i] = uniform(key[i], pixel[i], sample[i], dimension[i])


@wp.kernel(enable_backward=False)
def seed_keys(key: wp.array[wp.vec2ui], seed: wp.array[wp.vec2ui], keys: wp.array[wp.vec2ui]):
    i = wp.tid()
    keys[i] = seeded(key[i], seed[i])


def reference_pcg4d(words: np.ndarray) -> np.ndarray:
    """Listing 1 of the paper's appendix, in NumPy's uint32: the slow reference, [n, 4]."""
    x, y, z, w = (words.astype(np.uint32) * np.uint32(1664525) + np.uint32(1013904223)).T
    for last in (False, True):
        x = x + y * w
        y = y + z * x
        z = z + x * y
        w = w + y * z
        if not last:
            x, y, z, w = (word ^ (word >> np.uint32(16)) for word in (x, y, z, w))
    return np.stack([x, y, z, w], axis=1)


def drawn(key: tuple[int, int], pixel: np.ndarray, sample: np.ndarray, dimension: int, device: str) -> np.ndarray:
    """[n, 4]."""
    keys = np.tile(np.array(key, np.uint32), (len(pixel), 1))
    arrays = (pixel.astype(np.int32), sample.astype(np.int32), np.full(len(pixel), dimension, np.int32))
    return run(draw_numbers, keys, *arrays, device=device)[0]


@pytest.mark.parametrize("device", DEVICES)
def test_it_is_pcg4d(device):
    words = np.random.default_rng(0).integers(0, 1 << 32, size=(1009, 4), dtype=np.uint32)
    words[:3] = [[0, 0, 0, 0], [0xFFFFFFFF] * 4, [1, 0, 0, 0]]
    np.testing.assert_array_equal(run(hash_words, words, device=device)[0], reference_pcg4d(words))


@pytest.mark.parametrize("device", DEVICES)
def test_numbers_are_the_upper_24_bits_of_the_hash_of_what_they_are_for(device):
    pixel, sample = (grid.ravel() for grid in np.meshgrid(np.arange(13), np.arange(7)))
    key = (4171510507, 2147483643)
    words = np.stack(np.broadcast_arrays(pixel, sample, key[0] ^ 3, key[1]), axis=1)
    expected = (reference_pcg4d(words) >> np.uint32(8)).astype(np.float32) * np.float32(2.0**-24)
    np.testing.assert_array_equal(drawn(key, pixel, sample, 3, device), expected)


@pytest.mark.parametrize("device", DEVICES)
def test_numbers_are_uniform_and_independent_of_their_neighbours(device):
    pixels, samples = 64, 512
    sample, pixel = (grid.ravel() for grid in np.meshgrid(np.arange(samples), np.arange(pixels), indexing="ij"))
    numbers = np.concatenate([drawn((7, 11), pixel, sample, dimension, device) for dimension in (0, 1)], axis=1).T
    assert numbers.min() >= 0
    assert numbers.max() < 1
    assert min(stats.kstest(row, "uniform").pvalue for row in numbers) > 1e-3
    correlation = np.corrcoef(numbers) - np.eye(8)
    assert np.abs(correlation).max() < 5 / np.sqrt(numbers.shape[1])
    table = numbers[0].reshape(samples, pixels)
    for shifted in (np.roll(table, 1, axis=0), np.roll(table, 1, axis=1)):  # the next sample, the next pixel
        assert abs(np.corrcoef(table.ravel(), shifted.ravel())[0, 1]) < 5 / np.sqrt(table.size)


@pytest.mark.parametrize("device", DEVICES)
def test_numbers_do_not_depend_on_the_order_or_on_what_else_is_drawn(device):
    pixel, sample = np.arange(997) * 31 % 997, np.arange(997) * 7 % 41
    all_of_them = drawn((5, 3), pixel, sample, 2, device)
    some = np.random.default_rng(1).permutation(997)[:101]
    np.testing.assert_array_equal(drawn((5, 3), pixel[some], sample[some], 2, device), all_of_them[some])


@pytest.mark.parametrize("device", DEVICES)
def test_keys_depend_on_every_bit_of_scene_and_seed(device):
    """One bit flipped anywhere changes many of the 64 bits, about half, and no two of these keys are alike."""
    base = np.array([12345, 67890, 2, 3], np.uint32)
    bits = [np.eye(4, dtype=np.uint32)[bit // 32] << np.uint32(bit % 32) for bit in range(128)]
    flipped = np.stack([base, *(base ^ bit for bit in bits)])
    keys = run(seed_keys, flipped[:, :2].copy(), flipped[:, 2:].copy(), device=device)[0]
    np.testing.assert_array_equal(keys, reference_pcg4d(flipped)[:, :2])
    assert len(np.unique(keys, axis=0)) == 129
    changed = np.bitwise_count(keys[1:] ^ keys[0]).sum(1)
    assert changed.min() > 12
    assert changed.mean() == pytest.approx(32, abs=5)
