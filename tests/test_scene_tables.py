"""What is derived from a batch: outliers of trees, nodes of trees over lights, indices of refraction."""

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from luxel.core.scene_batch import scene_arrays
from luxel.core.scene_tables import MEASURED_TOGETHER, eta_of, light_trees, maps_of, measured, outliers_of, table_of
from luxel.core.shapes.kinds import BOX, CYLINDER, DISC, ELLIPSOID, PLANE, RECTANGLE, SPHERE
from luxel.scene.distributions import Spheres


def shapes_of(kinds: list[int], scale: np.ndarray) -> np.ndarray:
    """Shapes whose columns are turned by a right angle about z, at the origin."""
    turn = np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1]], np.float32)
    world_from_unit = turn * scale[:, None]
    kind, center = np.array(kinds), np.zeros_like(scale)
    return table_of(kind, center, scale, world_from_unit, np.zeros_like(world_from_unit))


def test_sizes_by_hand():
    """Radius, half extents and area of shapes with the scale (2, 3, 6), turned by a right angle: x is y there."""
    kinds = [SPHERE, ELLIPSOID, BOX, CYLINDER, RECTANGLE, DISC, PLANE]
    scale = np.full((7, 3), (2, 3, 6), np.float32)
    scale[0], scale[3] = 2, (2, 2, 6)
    found = measured(shapes_of(kinds, scale))
    np.testing.assert_allclose(found["radius"], [2, 6, 7, 40**0.5, 13**0.5, 3, np.inf], rtol=1e-6)
    np.testing.assert_allclose(
        found["half_extents"],
        [(2, 2, 2), (3, 2, 6), (3, 2, 6), (2, 2, 6), (3, 2, 0), (3, 2, 0), (np.inf,) * 3],
        rtol=1e-6,
    )
    areas = [16 * math.pi, 288, 56 * math.pi, 24, 6 * math.pi, np.inf]
    np.testing.assert_allclose(found["area"][[0, 2, 3, 4, 5, 6]], areas, rtol=1e-6)


def test_sizes_are_the_same_together_alone_and_in_several_threads():
    random = np.random.default_rng(0)
    count = 2 * MEASURED_TOGETHER + 3
    shapes = shapes_of(random.integers(0, 7, count).tolist(), random.uniform(0.1, 3, (count, 3)).astype(np.float32))
    together = measured(shapes)
    np.testing.assert_array_equal(together, np.concatenate([measured(shape[None]) for shape in shapes]))
    with ThreadPoolExecutor(3) as pool:
        for found in pool.map(measured, [shapes[begin:] for begin in range(0, count, 3)] * 7):
            np.testing.assert_array_equal(found, together[count - len(found) :])


def test_tables_are_rows_of_words():
    """Booleans and integers as int32, numbers as float32; matrices row by row."""
    matrix = np.arange(8.0).reshape(2, 2, 2) / 3
    words = table_of(np.array([7, -1]), matrix.swapaxes(1, 2), np.array([True, False]), np.float32([[0.1], [0.2]]))
    assert words.dtype == np.int32
    assert words[:, [0, 5]].tolist() == [[7, 1], [-1, 0]]
    expected = [[0, 2 / 3, 1 / 3, 1, 0.1], [4 / 3, 2, 5 / 3, 7 / 3, 0.2]]
    np.testing.assert_array_equal(words[:, [1, 2, 3, 4, 6]].view(np.float32), np.float32(expected))


def test_maps_of_scenes_without_one_are_alike_where_there_are_others():
    """But for where their texels begin, of which there are none."""
    arrays = scene_arrays([Spheres()(3, index) for index in range(3)])
    of_another = {"map_sizes": np.int32([[5, 7]]), "map_moments": np.float32([[1, 2, 3, 4]])}
    alone, beside = maps_of(arrays), maps_of(arrays | of_another)
    for name in ("size", "flux", "vector"):
        found, expected = getattr(alone, name), getattr(beside, name)
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected)
    assert alone.first_texel.tolist() == [0, 0, 0]


def test_what_reaches_far_beyond_the_others_is_an_outlier():
    """Of points within 1 of the middle a ball at 6, a large one and a plane are; of more the farthest eight."""
    center = np.random.default_rng(0).uniform(-1, 1, (101, 3)).astype(np.float32)
    half = np.full((101, 3), 0.01, np.float32)
    center[7], half[11], half[13] = (0, -6, 0), 7, 1e7
    assert np.flatnonzero(outliers_of(center, half)).tolist() == [7, 11, 13]
    half[50:62] = np.arange(20, 32)[:, None]
    assert np.flatnonzero(outliers_of(center, half)).tolist() == [13, *range(55, 62)]
    assert not outliers_of(center[:5], half[:5]).any()


def test_light_nodes_hold_what_is_below_them():
    """A complete tree: boxes round the children's boxes, intensities their sums; 53 lights on 64 leaves."""
    random = np.random.default_rng(0)
    center, half = random.random((2, 97, 3), np.float32)
    intensity = random.random(97, np.float32)
    rows = random.permutation(97)[:53]
    padded = np.pad(rows, (0, 11), constant_values=-1)
    there, nodes = (each[0] for each in light_trees(padded[None], center, half, intensity))
    there, nodes = there[there >= 0], nodes.astype(np.float64)
    assert nodes.shape == (128, 7)
    box, size, power = nodes[:, :3], nodes[:, 3:6], nodes[:, 6]
    assert sorted(there.tolist()) == sorted(rows.tolist())
    np.testing.assert_allclose(box[64 : 64 + 53], center[there], atol=1e-6)
    np.testing.assert_allclose(size[64 : 64 + 53], half[there], atol=1e-6)
    np.testing.assert_allclose(power[64 : 64 + 53], intensity[there], rtol=1e-6)
    assert (nodes[64 + 53 :] == 0).all()
    assert (nodes[0] == 0).all()
    for node in range(1, 64):
        children = [child for child in (2 * node, 2 * node + 1) if power[child] > 0]
        np.testing.assert_allclose(power[node], sum(power[child] for child in children), rtol=1e-5)
        if children:
            low = np.min([box[child] - size[child] for child in children], 0)
            high = np.max([box[child] + size[child] for child in children], 0)
            np.testing.assert_allclose(box[node] - size[node], low, atol=1e-5)
            np.testing.assert_allclose(box[node] + size[node], high, atol=1e-5)
    assert power[1] == pytest.approx(intensity[there].sum(), rel=1e-5)


def test_index_of_refraction_by_hand():
    """4 % at normal incidence for 1.5; none without specular, but 0.001 where there is transmission."""
    specular, transmission = np.array([[0.5, 0, 0, 1, 0.25], [0, 0, 0.5, 0, 1]], np.float32)
    eta = eta_of(specular, transmission)
    expected = [1.5, 1, 2 / (1 - math.sqrt(8e-5)) - 1, 2 / (1 - math.sqrt(0.08)) - 1, 2 / (1 - math.sqrt(0.02)) - 1]
    np.testing.assert_allclose(eta, expected, rtol=1e-6)
    assert eta[1] == 1
