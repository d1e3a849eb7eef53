"""Where a diffuse surface's rays had better go than its BSDF sends them: to lamps behind rough glass, and to windows.

What these let in is found by rays alone that happen to meet them: neither light sampling nor a manifold walk gets
through rough glass (`luxel.core.frosted_lamps`), and the sky is not sampled (`luxel.core.openings`). So some rays go
anywhere in the ellipsoids that such lamps, or the sun, seem to fill, or that hold the openings, instead. All are
weighed by the balance heuristic (Veach 1997, eq. 9.8), so that it matters for noise alone where the ellipsoids are.
"""

import warp as wp

from luxel.core.emitters import LightSampleContext
from luxel.core.frames import PI, unit_length
from luxel.core.guide_targets import TARGETS
from luxel.core.principled import mean
from luxel.core.scenes import GuideTarget, Scenes
from luxel.core.shapes.ellipsoid import cone_density, one_minus_cosine, sample_cone
from luxel.core.sky import mean_gradient_radiance

TARGETS_OF_SCENE = wp.constant(TARGETS)
GUIDED_SHARE = wp.constant(1.0 / 3.0)  # of the directions in which paths go on
MIN_OF_SKY = wp.constant(0.1)  # irradiance by way of targets, over that by what is seen of the sky


@wp.func
def seen_from_unit_sphere(target: GuideTarget, point: wp.vec3) -> wp.vec3:
    """A point where the target is the unit sphere."""
    return target.unit_from_world * (point - target.center)


@wp.func
def is_through_pane(target: GuideTarget, point: wp.vec3, vector: wp.vec3, square: float) -> bool:
    """Whether lines from a point to a target, at this vector of this squared length, pass its pane, if it has any.

    The pane's ball grows with the distance as what the target fills does.
    """
    result = bool(True)
    if target.pane_radius > 0.0:
        to_pane = target.pane_center - point
        distance = wp.sqrt(square)
        along = wp.dot(to_pane, vector) / distance
        radius = target.pane_radius + along * target.reach / distance
        result = along > 0.0 and wp.dot(to_pane, to_pane) - along * along < radius * radius
    return result


@wp.func
def target_weight(target: GuideTarget, at: LightSampleContext) -> float:
    """About the irradiance by way of a target at an opaque surface: 0 within it, all behind, or past its pane."""
    vector = target.center - at.point
    square = wp.max(wp.dot(vector, vector), 1.0e-24)
    start = seen_from_unit_sphere(target, at.point)
    height = wp.dot(at.normal, vector) + target.reach
    result = float(0.0)
    if wp.dot(start, start) > 1.0 and height > 0.0 and is_through_pane(target, at.point, vector, square):
        result = target.intensity * wp.min(height / wp.sqrt(square), 1.0) / square
    return result


@wp.func
def guide_weight(scenes: Scenes, scene: int, at: LightSampleContext) -> float:
    """Sum of the weights of all targets; 0 where there are none, or where they hardly matter beside the sky."""
    total = float(0.0)
    i = scene * TARGETS_OF_SCENE
    end = i + TARGETS_OF_SCENE  # no constant range, which would be unrolled
    while i < end and scenes.guide_targets[i].intensity > 0.0:
        total += target_weight(scenes.guide_targets[i], at)
        i += 1
    if total > 0.0:
        row = scenes.scenes[scene]
        of_sky = PI * row.sky_seen * mean(mean_gradient_radiance(row, at.normal))
        total = wp.where(total > MIN_OF_SKY * of_sky, total, 0.0)
    return total


@wp.func
def sample_target(
    scenes: Scenes, scene: int, at: LightSampleContext, weight_sum: float, choice: float, u: wp.vec2
) -> wp.vec3:
    """A world direction towards a target, by a number that chooses it, and two more; the `guide_weight` is not 0."""
    x = choice * weight_sum
    i = scene * TARGETS_OF_SCENE
    end = i + TARGETS_OF_SCENE
    chosen = i
    while i < end and scenes.guide_targets[i].intensity > 0.0 and x >= 0.0:
        weight = target_weight(scenes.guide_targets[i], at)
        chosen = wp.where(weight > 0.0, i, chosen)
        x -= weight
        i += 1
    target = scenes.guide_targets[chosen]
    return unit_length(target.world_from_unit * sample_cone(seen_from_unit_sphere(target, at.point), u))


@wp.func
def guide_density(scenes: Scenes, scene: int, at: LightSampleContext, weight_sum: float, direction: wp.vec3) -> float:
    """Per steradian, of `sample_target`; the `guide_weight` is not 0."""
    density = float(0.0)
    i = scene * TARGETS_OF_SCENE
    end = i + TARGETS_OF_SCENE
    while i < end and scenes.guide_targets[i].intensity > 0.0:
        target = scenes.guide_targets[i]
        weight = target_weight(target, at)
        if weight > 0.0:
            start = seen_from_unit_sphere(target, at.point)
            square = wp.dot(start, start)
            along = target.unit_from_world * direction
            off = along / wp.length(along) + start / wp.sqrt(square)  # its squared length is 2 (1 − cos)
            if wp.dot(off, off) < 2.0 * one_minus_cosine(square):
                density += weight / weight_sum * cone_density(start, along, target.volume)
        i += 1
    return density


@wp.func
def mixture_density(
    scenes: Scenes, scene: int, at: LightSampleContext, weight_sum: float, direction: wp.vec3, density: float
) -> float:
    """Per steradian, of `sample_target` in GUIDED_SHARE of all cases, and else of one that has this density.

    That density alone if the `guide_weight` is 0.
    """
    result = density
    if weight_sum > 0.0:
        result += GUIDED_SHARE * (guide_density(scenes, scene, at, weight_sum, direction) - density)
    return result
