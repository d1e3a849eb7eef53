"""Where a diffuse surface's rays had better go than its BSDF sends them: to lamps behind rough glass.

Their light is found by rays alone that happen to meet the glass, since neither light sampling nor a manifold walk gets
through it (`luxel.core.frosted_lamps`). So some rays go anywhere within the ellipsoid that such a lamp seems to fill
instead. All are weighed by the balance heuristic (Veach 1997, eq. 9.8), so that it matters for noise alone what lamps
seem to fill.
"""

import warp as wp

from luxel.core.emitters import LightSampleContext
from luxel.core.frames import PI, unit_length
from luxel.core.frosted_lamps import MAX_FROSTED
from luxel.core.principled import mean
from luxel.core.scenes import SceneObject, Scenes
from luxel.core.shapes.ellipsoid import cone_density, one_minus_cosine, sample_cone
from luxel.core.sky import mean_gradient_radiance

FROSTED = wp.constant(MAX_FROSTED)
GUIDED_SHARE = wp.constant(1.0 / 3.0)  # of the directions in which paths go on
MIN_OF_SKY = wp.constant(0.1)  # irradiance by frosted lamps, over that by an open sky


@wp.func
def seen_from(obj: SceneObject, point: wp.vec3) -> wp.vec3:
    """A point where the ellipsoid is the unit sphere that a frosted lamp seems to fill."""
    return wp.cw_mul(obj.unit_from_world * (point - obj.center), obj.frosted_narrowing)


@wp.func
def frosted_weight(scenes: Scenes, object_id: int, at: LightSampleContext) -> float:
    """About the irradiance by a frosted lamp at an opaque surface: 0 where it seems to be, or if that's all behind."""
    obj = scenes.objects[object_id]
    vector = obj.center - at.point
    square = wp.max(wp.dot(vector, vector), 1.0e-24)
    start = seen_from(obj, at.point)
    narrowest = wp.min(wp.min(obj.frosted_narrowing[0], obj.frosted_narrowing[1]), obj.frosted_narrowing[2])
    height = wp.dot(at.normal, vector) + obj.radius / narrowest
    result = float(0.0)
    if wp.dot(start, start) > 1.0 and height > 0.0:
        result = obj.frosted_intensity * wp.min(height / wp.sqrt(square), 1.0) / square
    return result


@wp.func
def frosted_weight_sum(scenes: Scenes, scene: int, at: LightSampleContext) -> float:
    """Of all frosted lamps; 0 where there are none, or where they hardly matter beside the sky."""
    row = scenes.scenes[scene]
    total = float(0.0)
    i = int(0)  # no constant range, which would be unrolled
    while i < FROSTED and row.frosted_lamps[i] >= 0:
        total += frosted_weight(scenes, row.frosted_lamps[i], at)
        i += 1
    if total > 0.0:
        of_sky = PI * mean(mean_gradient_radiance(row, at.normal))
        total = wp.where(total > MIN_OF_SKY * of_sky, total, 0.0)
    return total


@wp.func
def sample_frosted_lamp(
    scenes: Scenes, scene: int, at: LightSampleContext, weight_sum: float, choice: float, u: wp.vec2
) -> wp.vec3:
    """A world direction towards a frosted lamp, by a number that chooses it, and two more; the sum is not 0."""
    row = scenes.scenes[scene]
    x = choice * weight_sum
    chosen = int(0)
    i = int(0)
    while i < FROSTED and row.frosted_lamps[i] >= 0 and x >= 0.0:
        weight = frosted_weight(scenes, row.frosted_lamps[i], at)
        if weight > 0.0:
            chosen = row.frosted_lamps[i]
        x -= weight
        i += 1
    obj = scenes.objects[chosen]
    along = wp.cw_div(sample_cone(seen_from(obj, at.point), u), obj.frosted_narrowing)
    return unit_length(obj.world_from_unit * along)


@wp.func
def frosted_density(scenes: Scenes, scene: int, at: LightSampleContext, weight_sum: float, direction: wp.vec3) -> float:
    """Per steradian, of `sample_frosted_lamp`; 0 if the sum is."""
    density = float(0.0)
    if weight_sum > 0.0:
        row = scenes.scenes[scene]
        i = int(0)
        while i < FROSTED and row.frosted_lamps[i] >= 0:
            weight = frosted_weight(scenes, row.frosted_lamps[i], at)
            if weight > 0.0:
                obj = scenes.objects[row.frosted_lamps[i]]
                start = seen_from(obj, at.point)
                square = wp.dot(start, start)
                along = wp.cw_mul(obj.unit_from_world * direction, obj.frosted_narrowing)
                off = along / wp.length(along) + start / wp.sqrt(square)  # its squared length is 2 (1 − cos)
                if wp.dot(off, off) < 2.0 * one_minus_cosine(square):
                    axes = wp.cw_div(obj.scale, obj.frosted_narrowing)
                    density += weight / weight_sum * cone_density(start, along, axes[0] * axes[1] * axes[2])
            i += 1
    return density


@wp.func
def mixture_density(
    scenes: Scenes, scene: int, at: LightSampleContext, weight_sum: float, direction: wp.vec3, density: float
) -> float:
    """Per steradian, of `sample_frosted_lamp` in GUIDED_SHARE of all cases, and else of one that has this density."""
    return density + GUIDED_SHARE * (frosted_density(scenes, scene, at, weight_sum, direction) - density)
