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
    pane_center: Float32[np.ndarray, "targets 3"]
    pane_radius: Float32[np.ndarray, " targets"]
    """A ball that straight lines to the target pass, as the sun's through a pane; 0 if any may."""

    @staticmethod
    def none() -> "GuideTargets":
        """No targets."""
        shapes = ((0, 3), (0, 3, 3), 0, (0, 3), 0)
        return GuideTargets(np.zeros(0, np.int64), *(np.zeros(shape, np.float32) for shape in shapes))

    @staticmethod
    def seen_from_anywhere(
        scene: Int64[np.ndarray, " targets"],
        center: Float32[np.ndarray, "targets 3"],
        axes: Float32[np.ndarray, "targets 3 3"],
        intensity: Float32[np.ndarray, " targets"],
    ) -> "GuideTargets":
        """Of targets to which any line may lead."""
        return GuideTargets(scene, center, axes, intensity, np.zeros_like(center), np.zeros_like(intensity))

    @staticmethod
    def joined(parts: "list[GuideTargets]") -> "GuideTargets":
        """All of them."""
        return GuideTargets(*(np.concatenate(values) for values in zip(GuideTargets.none(), *parts, strict=True)))


def most_of_each(
    scene: Int64[np.ndarray, " targets"], intensity: Float32[np.ndarray, " targets"], most: int
) -> tuple[Int64[np.ndarray, " kept"], Int64[np.ndarray, " kept"]]:
    """Of each scene's so many targets of most intensity the numbers, scene by scene, and the places among them."""
    order = np.lexsort((-intensity, scene))
    ordered = scene[order]
    place = np.arange(len(order)) - np.searchsorted(ordered, ordered)
    return order[place < most], place[place < most]


def guide_table(targets: GuideTargets, scenes: int) -> Int32[np.ndarray, "rows words"]:
    """The fields of GuideTarget, TARGETS rows for each of so many scenes, 0 behind the last of each."""
    kept, place = most_of_each(targets.scene, targets.intensity, TARGETS)
    rows = targets.scene[kept] * TARGETS + place
    axes = targets.axes[kept]
    fields = np.zeros((scenes * TARGETS, 28), np.float32)
    fields[rows, :3] = targets.center[kept]
    fields[rows, 3:12] = axes.reshape(-1, 9)
    fields[rows, 12:21] = np.linalg.inv(axes).reshape(-1, 9)
    fields[rows, 21] = np.abs(np.linalg.det(axes))
    fields[rows, 22] = np.linalg.norm(axes, axis=1).max(1)
    fields[rows, 23] = targets.intensity[kept]
    fields[rows, 24:27] = targets.pane_center[kept]
    fields[rows, 27] = targets.pane_radius[kept]
    return fields.view(np.int32)
