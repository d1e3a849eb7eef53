"""Sets of eight lanes, as bits."""

import numpy as np
import pytest
import warp as wp
from kernels import DEVICES, run

from luxel.core.lanes import LANES, lane_beside, lowest_bit


@wp.kernel(enable_backward=False)
def lowest_bits(bits: wp.array[wp.uint64], number: wp.array[int]):
    i = wp.tid()
    number[i] = lowest_bit(bits[i])


@wp.kernel(enable_backward=False)
def lanes_beside(lane: wp.array[int], lanes: wp.array[int], found: wp.array[int]):
    i = wp.tid()
    found[i] = lane_beside(lane[i], lanes[i])


@pytest.mark.parametrize("device", DEVICES)
def test_the_lowest_bit_of_64(device):
    upper = np.random.default_rng(0).integers(0, 1 << 63, 64).astype(np.uint64)
    number = np.arange(64, dtype=np.uint64)
    bits = (upper << number) | (np.uint64(1) << number)
    assert run(lowest_bits, bits, device=device)[0].tolist() == number.tolist()


@pytest.mark.parametrize("device", DEVICES)
def test_the_lane_beside_another_differs_least_of_all_sets(device):
    sets, lane = (each.ravel().astype(np.int32) for each in np.mgrid[1:256, 0:LANES])
    expected = [
        min((k ^ at, k) for k in range(LANES) if lanes >> k & 1)[1] for lanes, at in zip(sets, lane, strict=True)
    ]
    assert run(lanes_beside, lane, sets, device=device)[0].tolist() == expected
