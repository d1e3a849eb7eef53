"""Where light comes from that light sampling does not find: ellipsoids for `luxel.core.guiding` to send rays to."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Int32, Int64

TARGETS = 8
"""Of a scene, at most: those of most light."""


class GuideTargets(NamedTuple):
    """Ellipsoids, of scenes one after another."""

    scene: Int64[np.ndarray, " targets"]
    center: Float32[np.ndarray, "targets 3"]
    axes: Float32[np.ndarray, "targets 3 3"]
    """Columns are the semi-axes: the image of the unit sphere is the ellipsoid."""
    intensity: Float32[np.ndarray, " targets"]
    """Mean radiant intensity, as of a LightNode, that arrives by way of each."""

    @staticmethod
    def none() -> "GuideTargets":
        """No targets."""
        return GuideTargets(np.zeros(0, np.int64), *(np.zeros(shape, np.float32) for shape in ((0, 3), (0, 3, 3), 0)))

    @staticmethod
    def joined(parts: "list[GuideTargets]") -> "GuideTargets":
        """All of them."""
        return GuideTargets(*(np.concatenate(values) for values in zip(GuideTargets.none(), *parts, strict=True)))


def guide_table(targets: GuideTargets, scenes: int) -> Int32[np.ndarray, "rows words"]:
    """The fields of GuideTarget, TARGETS rows for each of so many scenes, 0 behind the last of each."""
    order = np.lexsort((-targets.intensity, targets.scene))
    scene = targets.scene[order]
    place = np.arange(len(order)) - np.searchsorted(scene, scene)
    kept = order[place < TARGETS]
    rows = scene[place < TARGETS] * TARGETS + place[place < TARGETS]
    axes = targets.axes[kept]
    fields = np.zeros((scenes * TARGETS, 24), np.float32)
    fields[rows, :3] = targets.center[kept]
    fields[rows, 3:12] = axes.reshape(-1, 9)
    fields[rows, 12:21] = np.linalg.inv(axes).reshape(-1, 9)
    fields[rows, 21] = np.abs(np.linalg.det(axes))
    fields[rows, 22] = np.linalg.norm(axes, axis=1).max(1)
    fields[rows, 23] = targets.intensity[kept]
    return fields.view(np.int32)
