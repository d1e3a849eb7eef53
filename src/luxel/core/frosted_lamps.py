"""Lamps behind rough glass, as in frosted globes and behind frosted panes: where they seem to be, seen from outside.

Neither a line of sight nor a manifold walk leads to a lamp, or to the sun, through a rough interface. See
`luxel.core.guiding`.
"""

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int32, Int64, Shaped

from luxel.core.guide_targets import TARGETS, GuideTargets, most_of_each
from luxel.core.principled import smooth_roughness
from luxel.core.shapes.kinds import BOX, ELLIPSOID, PLANE

MIN_SHARE, MIN_SHARE_OF_ONE = 0.1, 0.01
"""Of the power of a scene's lamps, that comes through rough glass: from all that count, and from each of them."""
BLUR = 2.0
"""Slope of rays that rough glass scatters, over GGX's α."""
DISPLACEMENT = 1 / 3
"""By which what is within glass of an index of 1.5 looks nearer to a flat face, over how far it is behind that. In the
middle of a ball, where most lamps are, nothing looks displaced."""

FAR = 1e4
"""Distance of a place that stands for the sun, over the radius of the pane before it."""
MAX_THICKNESS = 0.25
"""Of a box that is a pane, over its width."""
MIN_COSINE = 0.1
"""Of the sun's angle with a pane's normal, below which it hardly shines on it."""


def transmitted_share(of: dict[str, np.ndarray], rows: Int64[np.ndarray, " some"]) -> Float32[np.ndarray, " some"]:
    """The share of light that does not meet a metal or a diffuse base, of these objects of a batch's `arrays`."""
    return (1 - of["metallic"][rows]) * of["transmission"][rows]


def rough_glass(of: dict[str, np.ndarray]) -> Int64[np.ndarray, " glass"]:
    """The rows of objects of rough glass that give no light, of a batch's `arrays`; half a space of it is none."""
    is_rough = of["roughness"] >= smooth_roughness(of["metallic"], of["transmission"])
    is_rough &= (of["metallic"] < 1) & (of["transmission"] > 0)
    return np.flatnonzero(is_rough & ~(of["emission"] > 0).any(1) & (of["kind"] != PLANE))


def frosted_lamps(
    of: dict[str, np.ndarray],
    lamps: Int32[np.ndarray, " lamps"],
    sizes: Shaped[np.ndarray, " objects"],
    rotation: Float64[np.ndarray, "objects 3 3"],
) -> GuideTargets:
    """Those of a batch's `arrays`, whose `lamps` are the rows of objects that emit, by ObjectSizes."""
    offsets, scale, glass = of["offsets"], of["scale"], rough_glass(of)
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
        passed = shares_received(vector, sizes["radius"][panes], is_within) * transmitted_share(of, panes)
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
            GuideTargets.seen_from_anywhere(
                scenes, of["center"][rows], *(v.astype(np.float32) for v in (axes, let_out[largest]))
            )
        )
    return GuideTargets.joined(found)


def frosted_suns(
    of: dict[str, np.ndarray], sizes: Shaped[np.ndarray, " objects"], rotation: Float64[np.ndarray, "objects 3 3"]
) -> GuideTargets:
    """The sun as it seems to be behind the largest frosted panes of each scene of a batch's `arrays`.

    A pane is a thin box of rough glass that the sun shines on.
    """
    rows = rough_glass(of)
    scene = np.searchsorted(of["offsets"], rows, "right") - 1
    thickness, width = np.sort(of["scale"][rows], 1)[:, :2].T
    normal = np.take_along_axis(rotation[rows], of["scale"][rows].argmin(1)[:, None, None], 2)[..., 0]
    cosine = np.abs((normal * of["sun_direction"][scene]).sum(1))
    is_pane = (of["kind"][rows] == BOX) & (thickness < MAX_THICKNESS * width) & (cosine > MIN_COSINE)
    is_pane &= of["sun_radiance"][scene].any(1)
    rows, scene = rows[is_pane], scene[is_pane]
    largest, _ = most_of_each(scene, sizes["radius"][rows], TARGETS // 2)
    rows, scene = rows[largest], scene[largest]
    center, radius, angle = of["center"][rows], sizes["radius"][rows], of["sun_angular_radius"][scene]
    distance = FAR * radius
    reach = distance * (BLUR * np.square(of["roughness"][rows]) + angle)
    axes = reach[:, None, None] * np.eye(3, dtype=np.float32)
    irradiance = of["sun_radiance"][scene].mean(1) * np.pi * np.square(np.sin(angle)) * transmitted_share(of, rows)
    far_center = center + distance[:, None] * of["sun_direction"][scene]
    return GuideTargets(scene, far_center, axes, irradiance * distance**2, center, radius)


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
