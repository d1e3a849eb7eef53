"""Counter-based random numbers: the published hash, and no pattern along any of its words."""

import numpy as np
import torch
from scipy import stats

from luxel.trace.counter import uniform, uniform_of_each


def pcg4d(words: np.ndarray) -> np.ndarray:
    """Listing 1 of the paper's appendix, in NumPy's uint32: the slow reference."""
    x, y, z, w = words.astype(np.uint32) * np.uint32(1664525) + np.uint32(1013904223)
    for last in (False, True):
        x = x + y * w
        y = y + z * x
        z = z + x * y
        w = w + y * z
        if not last:
            x, y, z, w = (word ^ (word >> np.uint32(16)) for word in (x, y, z, w))
    return np.stack([x, y, z, w])


def grid(pixels: int, samples: int) -> tuple[torch.Tensor, torch.Tensor]:
    pixel = torch.arange(pixels, dtype=torch.int32).repeat(samples)[None]
    return pixel, torch.arange(samples, dtype=torch.int32).repeat_interleave(pixels)[None]


def test_it_is_pcg4d():
    pixel, sample = grid(13, 7)
    low, high = -123456789, 2**31 - 5
    key = (torch.tensor(low, dtype=torch.int32), torch.tensor(high, dtype=torch.int32))
    ours = torch.stack(uniform(key, pixel, sample, 3))[:, 0].numpy()
    words = np.stack(np.broadcast_arrays(pixel[0].numpy(), sample[0].numpy(), np.int32(low ^ 3), np.int32(high)))
    np.testing.assert_array_equal(ours, (pcg4d(words.view(np.uint32)) >> np.uint32(8)).astype(np.float32) * 2.0**-24)


def test_numbers_are_uniform_and_independent_of_their_neighbours():
    pixel, sample = grid(64, 512)
    key = (torch.tensor(7, dtype=torch.int32), torch.tensor(11, dtype=torch.int32))
    one, other = (torch.stack(uniform(key, pixel, sample, dimension))[:, 0] for dimension in (0, 1))
    assert one.min() >= 0
    assert one.max() < 1
    numbers = torch.cat([one, other]).numpy()
    assert min(stats.kstest(row, "uniform").pvalue for row in numbers) > 1e-3
    correlation = np.corrcoef(numbers) - np.eye(8)
    assert np.abs(correlation).max() < 5 / np.sqrt(numbers.shape[1])
    table = numbers[0].reshape(512, 64)
    for shifted in (np.roll(table, 1, axis=0), np.roll(table, 1, axis=1)):  # the next sample, the next pixel
        assert abs(np.corrcoef(table.ravel(), shifted.ravel())[0, 1]) < 5 / np.sqrt(table.size)


def test_numbers_of_each_index_are_uniform_and_independent():
    """Also of the number that they come from."""
    number = torch.arange(4096) * 2.0**-12
    indices = torch.arange(5, dtype=torch.int32)[:, None]
    each = uniform_of_each(number, indices)
    assert each.min() > 0
    rows = torch.cat([number[None], each]).numpy()
    assert min(stats.kstest(row, "uniform").pvalue for row in rows[1:]) > 1e-3
    assert np.abs(np.corrcoef(rows) - np.eye(6)).max() < 5 / np.sqrt(4096)
