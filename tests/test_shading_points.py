"""Which pattern each pixel's rays follow."""

import numpy as np
import pytest
import warp as wp
from kernels import DEVICES

from luxel.models.shading_points import pattern_of_pixel

BLOCKS = 11, 13  # of 16 × 16 pixels, across and down


@wp.kernel(enable_backward=False)
def patterns_of_pixels(patterns: wp.array2d[int]):
    row, column = wp.tid()
    patterns[row, column] = pattern_of_pixel(column, row)


def patterns(device: str) -> np.ndarray:
    """[rows, columns], of BLOCKS."""
    result = wp.empty((16 * BLOCKS[1], 16 * BLOCKS[0]), dtype=int, device=device)
    wp.launch(patterns_of_pixels, result.shape, [result], device=device)
    return result.numpy()


@pytest.mark.parametrize("device", DEVICES)
def test_every_block_has_all_patterns_and_any_tile_one_of_each_sixteenth(device):
    """At multiples of 16 pixels, and anywhere, so that the filter sees well-spread rays across blocks, too."""
    found = patterns(device)
    blocks = found.reshape(BLOCKS[1], 16, BLOCKS[0], 16).swapaxes(1, 2).reshape(-1, 256)
    assert (np.sort(blocks, 1) == np.arange(256)).all()
    tiles = np.lib.stride_tricks.sliding_window_view(found % 16, (4, 4)).reshape(-1, 16)
    assert (np.sort(tiles, 1) == np.arange(16)).all()


@pytest.mark.parametrize("device", DEVICES)
def test_no_period_of_blocks_repeats_patterns(device):
    """Of 16 ways in which a block's tiles may be shifted, two blocks share one by chance: of 143, one in 16 ± 0.02."""
    first = patterns(device)[::16, ::16]
    assert len(np.unique(first)) == 16
    for down, across in ((0, 1), (1, 0), (1, 1), (0, 2), (2, 0), (3, 3)):
        same = first[down:, across:] == first[: BLOCKS[1] - down, : BLOCKS[0] - across]
        assert same.mean() < 1 / 16 + 4 * 0.02
