"""What is derived from a batch: outliers of trees, nodes of trees over lights, indices of refraction."""

import math

import numpy as np
import pytest

from luxel.core.scene_tables import eta_of, light_trees, outliers_of


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
