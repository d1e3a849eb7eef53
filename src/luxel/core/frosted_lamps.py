"""Lamps behind rough glass, as in frosted globes and behind frosted panes: where they seem to be, seen from outside.

Neither a line of sight nor a manifold walk leads to a lamp through a rough interface. See `luxel.core.guiding`.
"""

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int32, Shaped

from luxel.core.guide_targets import TARGETS, GuideTargets
from luxel.core.principled import smooth_roughness
from luxel.core.shapes.kinds import ELLIPSOID, PLANE

MIN_SHARE, MIN_SHARE_OF_ONE = 0.1, 0.01
"""Of the power of a scene's lamps, that comes through rough glass: from all that count, and from each of them."""
BLUR = 2.0
"""Slope of rays that rough glass scatters, over GGX's α."""
DISPLACEMENT = 1 / 3
"""By which what is within glass of an index of 1.5 looks nearer to a flat face, over how far it is behind that. In the
middle of a ball, where most lamps are, nothing looks displaced."""


def frosted_lamps(
    of: dict[str, np.ndarray],
    lamps: Int32[np.ndarray, " lamps"],
    sizes: Shaped[np.ndarray, " objects"],
    rotation: Float64[np.ndarray, "objects 3 3"],
) -> GuideTargets:
    """Those of a batch's `arrays`, whose `lamps` are the rows of objects that emit, by ObjectSizes."""
    offsets, scale, transmission = of["offsets"], of["scale"], (1 - of["metallic"]) * of["transmission"]
    is_rough = (transmission > 0) & (of["roughness"] >= smooth_roughness(of["metallic"], of["transmission"]))
    glass = np.flatnonzero(is_rough & ~(of["emission"] > 0).any(1) & (of["kind"] != PLANE))
    scene_of_glass, scene_of_lamps = (np.searchsorted(offsets, rows, "right") - 1 for rows in (glass, lamps))
    found = []
    for scene in np.intersect1d(scene_of_glass, scene_of_lamps):
        panes, own = glass[scene_of_glass == scene], lamps[scene_of_lamps == scene]
        intensity = of["emission"][own].mean(1) * sizes["area"][own] / 4
        power = intensity.sum()
        counts = intensity > MIN_SHARE_OF_ONE * power  # of at most a hundred, however many lamps and panes there are
        own, intensity = own[counts], intensity[counts]
        vector = of["center"][own, None] - of["center"][panes]
        place = np.abs(np.einsum("pji,lpj->lpi", rotation[panes], vector))
        is_within = (place < scale[panes]).all(2)
        passed = shares_received(vector, sizes["radius"][panes], is_within) * transmission[panes]
        let_out = intensity * passed.sum(1).clip(max=1)
        of_all = let_out / power
        largest = np.argsort(-of_all, kind="stable")[:TARGETS]
        largest = largest[(of_all[largest] > MIN_SHARE_OF_ONE) & (of_all.sum() > MIN_SHARE)]
        displaced = is_within & (of["kind"][panes] > ELLIPSOID)
        blur = BLUR * np.square(of["roughness"][panes]) + DISPLACEMENT * displaced
        spread = blur * distances_to_box(place - scale[panes])
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
