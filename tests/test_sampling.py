"""Well-spread points and the weights of combined samples: what their definitions promise."""

import numpy as np
import pytest
import warp as wp
from kernels import DEVICES, run

from luxel.core.sampling import jittered_point, power_heuristic, sobol_point, zsobol_pixel, zsobol_sample


@wp.kernel(enable_backward=False)
def net_points(index: wp.array[int], dimension: int, point: wp.array[wp.vec2]):
    i = wp.tid()
    point[i] = sobol_point(index[i], dimension)


@wp.kernel(enable_backward=False)
def jittered_points(index: wp.array[int], across: int, down: int, point: wp.array[wp.vec2]):
    i = wp.tid()
    point[i] = jittered_point(index[i], across, down)


@wp.kernel(enable_backward=False)
def weights(density: wp.array[float], other: wp.array[float], weight: wp.array[float]):
    i = wp.tid()
    weight[i] = power_heuristic(density[i], other[i])


@wp.kernel(enable_backward=False)
def numbers_of_pixels(width: int, members: int, dimension: int, numbers: wp.array2d[wp.vec4]):
    i, sample = wp.tid()
    key = wp.vec2ui(wp.uint32(5), wp.uint32(7))
    place = zsobol_pixel(key, i % width, i // width)
    numbers[i, sample] = zsobol_sample(key, i, place, sample, dimension, members)


@wp.kernel(enable_backward=False)
def stratified_numbers(sample: wp.array[int], pixel: int, dimension: int, group_size: int, numbers: wp.array[wp.vec4]):
    i = wp.tid()
    key = wp.vec2ui(wp.uint32(5), wp.uint32(7))
    numbers[i] = zsobol_sample(key, pixel, zsobol_pixel(key, pixel, 0), sample[i], dimension, group_size)


def points_of(first: int, count: int, dimension: int, device: str) -> np.ndarray:
    return run(net_points, np.arange(first, first + count, dtype=np.int32), dimension, device=device)[0]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dimension", [0, 1, 7])
@pytest.mark.parametrize("bits", range(7))
def test_every_aligned_block_has_one_point_in_each_elementary_interval(bits, dimension, device):
    """A (0, k, 2)-net: 2ᵏ points, and one in every box of 2⁻ʲ by 2ʲ⁻ᵏ, whatever the digital shift."""
    count = 1 << bits
    for block in (0, 1, 2, 5, 31, 1000):
        point = points_of(block * count, count, dimension, device)
        assert point.min() >= 0
        assert point.max() < 1
        for split in range(bits + 1):
            cell = np.floor(point * [1 << split, 1 << (bits - split)]).astype(int)
            assert len(np.unique(cell[:, 0] << (bits - split) | cell[:, 1])) == count


@pytest.mark.parametrize("device", DEVICES)
def test_points_are_van_der_corputs_but_for_a_shift_of_their_digits(device):
    """The bits of the index, turned over behind the point, by exclusive or with what point 0 has."""
    index = np.arange(256)
    turned = np.array([int(f"{number:08b}"[::-1], 2) for number in index])
    digits = (points_of(0, 256, 3, device)[:, 0] * 2.0**24).astype(np.int64)
    np.testing.assert_array_equal(digits ^ digits[0], turned << 16)


@pytest.mark.parametrize("device", DEVICES)
def test_a_groups_numbers_are_a_net_and_groups_are_uniform_and_apart(device):
    """Of 16: 16 columns, 16 rows, 4 × 4 cells; over 997 groups each point is uniform (χ²: 63 ± 11.2)."""
    sample = np.arange(997 * 16, dtype=np.int32)
    numbers = run(stratified_numbers, sample, 11, 3, 16, device=device)[0].reshape(997, 16, 4)
    assert numbers.min() >= 0
    assert numbers.max() < 1
    for cells in ((16, 1), (1, 16), (4, 4), (2, 8)):
        cell = np.floor(numbers[..., 1:3] * cells).astype(int)
        assert (np.sort(cell[..., 0] * cells[1] + cell[..., 1], 1) == np.arange(16)).all()
    for member in (0, 5, 15):
        places = np.floor(numbers[:, member, 1:3] * 8).astype(int)
        counts = np.bincount(places[:, 0] * 8 + places[:, 1], minlength=64)
        assert ((counts - 997 / 64) ** 2).sum() / (997 / 64) < 63 + 6 * 11.2
    alone = run(stratified_numbers, sample, 11, 3, 1, device=device)[0].reshape(997, 16, 4)
    np.testing.assert_array_equal(alone[..., [0, 3]], numbers[..., [0, 3]])
    assert len(np.unique(alone[..., 1])) > 15000


def test_neighbouring_pixels_share_a_net():
    """Blocks of 1, 2 × 2, 4 × 4 and 16 × 16 pixels of 8 samples: one in every box of as many equal ones."""
    numbers = wp.empty((32 * 32, 8), dtype=wp.vec4, device="cpu")
    wp.launch(numbers_of_pixels, (32 * 32, 8), [32, 8, 3, numbers], device="cpu")
    points = numbers.numpy().reshape(32, 32, 8, 4)[..., 1:3]
    for side, bits in ((1, 3), (2, 5), (4, 7), (16, 11)):
        block = points[16 : 16 + side, 32 - side :].reshape(-1, 2)
        for split in range(bits + 1):
            cell = np.floor(block * [1 << split, 1 << (bits - split)]).astype(int)
            assert len(np.unique(cell[:, 0] << (bits - split) | cell[:, 1])) == len(block)
    assert len(np.unique(points[..., 0])) > 8000


@pytest.mark.parametrize("members", [16, 256, 4096])
@pytest.mark.parametrize("pixel", [0, 3, 200])
def test_two_dimensions_of_a_pixel_are_independent(pixel, members):
    """Of 16 384 samples the joint counts of 8 × 8 cells by one number of each are uniform (χ²: 63 ± 11.2)."""
    sample = np.arange(1 << 14, dtype=np.int32)
    one, other = (run(stratified_numbers, sample, pixel, dimension, members)[0][:, 1:3] for dimension in (2, 3))
    for i, j in ((0, 0), (0, 1), (1, 0), (1, 1)):
        cell = (np.floor(one[:, i] * 8) * 8 + np.floor(other[:, j] * 8)).astype(int)
        expected = len(sample) / 64
        assert ((np.bincount(cell, minlength=64) - expected) ** 2).sum() / expected < 63 + 6 * 11.2
        assert abs(np.mean((one[:, i] - 0.5) * (other[:, j] - 0.5))) < 4 / 12 / len(sample) ** 0.5


def test_dimensions_are_shifted_apart():
    first = np.stack([points_of(0, 1, dimension, "cpu")[0] for dimension in range(53)])
    assert len(np.unique(first.ravel())) == first.size


@pytest.mark.parametrize("device", DEVICES)
def test_the_weights_of_two_techniques_sum_to_one(device):
    random = np.random.default_rng(0)
    one, other = (10 ** random.uniform(-6, 6, (2, 1009))).astype(np.float32)
    of_one = run(weights, one, other, device=device)[0]
    of_other = run(weights, other, one, device=device)[0]
    np.testing.assert_allclose(of_one + of_other, 1, rtol=1e-6)
    squares = one.astype(np.float64) ** 2, other.astype(np.float64) ** 2
    np.testing.assert_allclose(of_one, squares[0] / sum(squares), rtol=1e-5, atol=1e-30)


@pytest.mark.parametrize("device", DEVICES)
def test_what_the_other_technique_never_finds_counts_in_full(device):
    one, none = np.ones(1, np.float32), np.zeros(1, np.float32)
    assert run(weights, one, none, device=device)[0] == 1


@pytest.mark.parametrize("device", DEVICES)
def test_jittered_points_are_one_in_each_cell_and_no_line_meets_many(device):
    """In a strip as narrow as an edge moves in a frame, of any direction, are hardly more than its area has."""
    point = run(jittered_points, np.arange(128, dtype=np.int32), 16, 8, device=device)[0]
    cell = np.floor(point * [16, 8]).astype(int)
    assert np.array_equal(cell[:, 1] * 16 + cell[:, 0], np.arange(128))
    angle = np.linspace(0, np.pi, 181)
    across = (point - 0.5) @ np.stack([np.cos(angle), np.sin(angle)])
    inside = [(np.abs(across - middle) < 0.005).sum(0).max() for middle in np.linspace(-0.5, 0.5, 101)]
    assert max(inside) <= 7  # 1.3 in the mean; a lattice of as many has eleven on one line
