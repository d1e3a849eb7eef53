"""The table of guide targets that kernels read: those of most light of each scene, and the inverse of their axes."""

import numpy as np

from luxel.core.guide_targets import TARGETS, GuideTargets, guide_table


def test_rows_of_scenes():
    random = np.random.default_rng(1)
    count = TARGETS + 3
    axes = random.normal(size=(count, 3, 3)).astype(np.float32)
    intensity = random.permutation(count).astype(np.float32) + 1
    scene = np.array([2] * (count - 1) + [0])
    center = random.normal(size=(count, 3)).astype(np.float32)
    pane_center, pane_radius = random.normal(size=(count, 3)).astype(np.float32), intensity / 7
    targets = GuideTargets(scene, center, axes, intensity, pane_center, pane_radius)
    fields = guide_table(targets, 3).view(np.float32).reshape(3, TARGETS, 28)
    assert not fields[1].any()
    assert not fields[0, 1:].any()
    brightest = np.argsort(-intensity[:-1])[:TARGETS]
    for row, target in zip((fields[0, 0], *fields[2]), (count - 1, *brightest), strict=True):
        np.testing.assert_array_equal(row[:3], center[target])
        np.testing.assert_array_equal(row[3:12].reshape(3, 3), axes[target])
        np.testing.assert_allclose(row[12:21].reshape(3, 3) @ axes[target], np.eye(3), atol=1e-4)
        np.testing.assert_allclose(row[21], abs(np.linalg.det(axes[target])), rtol=1e-4)
        np.testing.assert_allclose(row[22], max(np.linalg.norm(axes[target], axis=0)), rtol=1e-6)
        assert row[23] == intensity[target]
        np.testing.assert_array_equal(row[24:27], pane_center[target])
        assert row[27] == pane_radius[target]


def test_joined_and_none():
    one = GuideTargets.seen_from_anywhere(
        np.array([1]), *(np.ones(shape, np.float32) for shape in ((1, 3), (1, 3, 3), (1,)))
    )
    joined = GuideTargets.joined([one, GuideTargets.none(), one])
    assert joined.scene.tolist() == [1, 1]
    assert joined.axes.shape == (2, 3, 3)
    assert joined.pane_radius.tolist() == [0, 0]
    assert GuideTargets.joined([]).center.shape == (0, 3)
