"""Lamps behind rough glass, as in frosted globes and behind frosted panes: where they seem to be, seen from outside.

Neither a line of sight nor a manifold walk leads to a lamp through a rough interface. See `luxel.core.guiding`.
"""

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int32, Shaped

from luxel.core.guide_targets import TARGETS, GuideTargets
from luxel.core.principled import smooth_roughness

MIN_SHARE, MIN_SHARE_OF_ONE = 0.1, 0.01
"""Of the power of a scene's lamps, that comes from all of them, and from each, through rough glass."""
BLUR = 2.0
"""Slope of rays that rough glass scatters, over GGX's α."""


def frosted_lamps(
    of: dict[str, np.ndarray],
    lamps: Int32[np.ndarray, " lamps"],
    sizes: Shaped[np.ndarray, " objects"],
    rotation: Float64[np.ndarray, "objects 3 3"],
) -> GuideTargets:
    """Those of a batch's `arrays`, whose `lamps` are the rows of objects that emit, by ObjectSizes."""
    offsets, scale, transmission = of["offsets"], of["scale"], (1 - of["metallic"]) * of["transmission"]
    is_rough = (transmission > 0) & (of["roughness"] >= smooth_roughness(of["metallic"], of["transmission"]))
    glass = np.flatnonzero(is_rough & ~(of["emission"] > 0).any(1))
    scene_of_glass, scene_of_lamps = (np.searchsorted(offsets, rows, "right") - 1 for rows in (glass, lamps))
    found = []
    for scene in np.intersect1d(scene_of_glass, scene_of_lamps):
        panes, own = glass[scene_of_glass == scene], lamps[scene_of_lamps == scene]
        vector = of["center"][own, None] - of["center"][panes]
        place = np.abs(np.einsum("pji,lpj->lpi", rotation[panes], vector))
        is_within = (place < scale[panes]).all(2)
        passed = shares_received(vector, sizes["radius"][panes], is_within) * transmission[panes]
        intensity = of["emission"][own].mean(1) * sizes["area"][own] / 4
        let_out = intensity * passed.sum(1).clip(max=1)
        of_all = let_out / intensity.sum()
        largest = np.argsort(-of_all, kind="stable")[:TARGETS]
        largest = largest[(of_all[largest] > MIN_SHARE_OF_ONE) & (of_all.sum() > MIN_SHARE)]
        spread = BLUR * np.square(of["roughness"][panes]) * distances_to_box(place - scale[panes])
        mean_spread = (passed * spread)[largest].sum(1) / passed[largest].sum(1)
        rows = own[largest]
        axes = rotation[rows] * (scale[rows] + mean_spread[:, None])[:, None]
        scenes = np.full(len(rows), scene)
        found.append(
            GuideTargets(scenes, of["center"][rows], *(v.astype(np.float32) for v in (axes, let_out[largest])))
        )
    return GuideTargets.joined(found)


def shares_received(
    vector: Float32[np.ndarray, "points objects 3"],
    radius: Float32[np.ndarray, " objects"],
    is_within: Bool[np.ndarray, "points objects"],
) -> Float32[np.ndarray, "points objects"]:
    """Of what points send in all directions, the shares that meet objects about them, or else bounding spheres."""
    sine = np.minimum(radius / np.maximum(np.linalg.norm(vector, axis=2), 1e-20), 1)
    return np.where(is_within, 1, (1 - np.sqrt(1 - sine**2)) / 2)


def distances_to_box(beyond: Float64[np.ndarray, "*points 3"]) -> Float64[np.ndarray, "*points"]:
    """Of points on either side of a box's surface, which are so far beyond its faces along each axis."""
    return np.abs(np.linalg.norm(np.maximum(beyond, 0), axis=-1) + np.minimum(beyond.max(-1), 0))
