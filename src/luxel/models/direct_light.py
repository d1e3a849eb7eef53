"""The light that comes to points straight from lights, or through glass: by a fixed pattern of rays.

A light behind glass is looked for along the refracted line.
"""

import warp as wp

from luxel.core.emitters import light_cdf, sample_light
from luxel.core.frames import INVERSE_PI
from luxel.core.intersect import MAP, MISS
from luxel.core.principled import SMOOTH_ALPHA, diffuse_weight, evaluate_lobes, mean
from luxel.core.sampling import power_heuristic, sobol_point
from luxel.core.scenes import Scenes, material_of_object
from luxel.core.shafts import shaft_to
from luxel.core.visibility import manifold_walk
from luxel.models.neighbourhood import Neighbours, neighbour, place_among
from luxel.models.receivers import GatherSettings, beyond_pixel, receiver_at, sight_of
from luxel.models.shading_points import ShadingPoint
from luxel.models.signals import (
    DIRECT,
    DIRECT_NOISE,
    HIGHLIGHT,
    THROUGH,
    UNSHADOWED,
    Signals,
    square,
    variance_of_sum,
    vector_at,
    with_vector,
)
from luxel.models.subpixels import direction_from, place_in_pixel

FIRST_LOOK = 4  # one ray to lights of so many is sent first
GLOSS_SHARE = wp.constant(0.25)  # of highlights beside diffuse light, from which on they need all of the rays
NOISE_SHARE = wp.constant(0.1)  # of direct light's standard deviation, from which on it does, too
LIT = wp.constant(1)
SHADOWED = wp.constant(2)


@wp.kernel(enable_backward=False)
def look_at_lights(
    scenes: Scenes,
    settings: GatherSettings,
    points: wp.array[ShadingPoint],
    light_rays: wp.array[int],
    least: int,
    parts: wp.array2d[Signals],
    found_in: wp.array2d[int],
    begin: int,
) -> None:
    """What a lane's rays to lights bring to a point that sends `least` of them or more; see `add_up_lights`.

    In place of noise there are sums of squares. 0 is where there is no object. `found_in` becomes which of LIT and
    SHADOWED the rays found.
    """
    index = (wp.tid() + begin) // settings.lanes
    lane = (wp.tid() + begin) % settings.lanes
    p = points[index]
    each = light_rays[index]
    if each < least:
        return
    out = Signals()
    found = int(0)
    if p.object_id != MISS:
        r = receiver_at(scenes, settings, p, index)
        none = wp.vec3(0.0, 0.0, 0.0)
        direct = none
        through = none
        highlight = none
        unshadowed = none
        squares = float(0.0)
        cdf = light_cdf(scenes, p.scene, r.at)
        many = wp.where(r.sees_light, each * settings.tiles, 0)
        shaft = wp.uint64(0)
        shaft_target = int(MISS)
        for k in range(lane, many, settings.lanes):
            u = sobol_point(r.pattern * each + k, 0)
            part = float(k % each) + sobol_point(r.pattern + k // each, 1)[0]
            light = sample_light(scenes, p.scene, r.at, cdf, part / float(each), u)
            if light.density > 0.0:
                density = light.density * float(many)
                wo = r.local * light.direction
                towards = evaluate_lobes(r.bsdf, wo)
                plain = wp.where(r.is_diffuse, towards.diffuse, 0.0)
                if plain > 0.0 or wp.max(towards.specular) > 0.0:
                    of_diffuse = float(r.diffuse_rays) * wp.max(wo[2], 0.0) * INVERSE_PI
                    of_glossy = float(wp.max(r.glossy_rays, 1)) * towards.density  # of a smooth surface its chain's
                    if settings.occlusion == 0:  # then other rays don't see lights
                        of_diffuse = 0.0
                        of_glossy = wp.where(r.is_smooth, of_glossy, 0.0)
                    if r.shares_rays:
                        of_glossy = of_diffuse
                    weight = power_heuristic(density, of_diffuse) / density
                    unshadowed += light.radiance * (plain / density)
                    leaves = wo[2] > 0.0 or not r.is_front
                    target = light.object_id
                    if target != shaft_target:
                        shaft = shaft_to(scenes, p.scene, p.point, target)
                        shaft_target = target
                    sight = sight_of(scenes, settings, p.scene, shaft, r.at, light.direction, target, leaves)
                    found = found | wp.where(wp.max(sight.transmittance) > 0.0, LIT, SHADOWED)
                    glossy_weight = power_heuristic(density, of_glossy) / density
                    arriving = wp.cw_mul(light.radiance, sight.transmittance)
                    if sight.is_transmitted:
                        place = p.point
                        if settings.tiles == 1:
                            at = sobol_point(r.pattern * each + k, 7)
                            place = place_in_pixel(scenes, p, at, settings.height, sight.clear_object)
                        along = direction_from(scenes, place, p, light.direction, target)
                        line = manifold_walk(scenes, p.scene, place, along, p.object_id, target, sight)
                        wo = r.local * line.direction
                        towards = evaluate_lobes(r.bsdf, wo)
                        arriving = wp.cw_mul(light.radiance, line.transmittance)
                        through += arriving * (towards.diffuse / density)
                        glossy_weight = 1.0 / density
                    else:
                        direct += arriving * (plain * weight)
                        squares += square(mean(arriving) * plain * weight)
                    if r.is_smooth and target != MAP:
                        glossy_weight *= beyond_pixel(r.bsdf.wi, wo, r.turn_square)
                    if not (r.is_smooth and sight.is_transmitted):
                        highlight += wp.cw_mul(arriving, towards.specular) * glossy_weight
        out = with_vector(out, DIRECT, direct)
        out = with_vector(out, THROUGH, through)
        out = with_vector(out, HIGHLIGHT, highlight)
        out = with_vector(out, UNSHADOWED, unshadowed)
        out[DIRECT_NOISE] = squares
    parts[index, lane] = out
    found_in[index, lane] = found


@wp.kernel(enable_backward=False)
def add_up_lights(
    scenes: Scenes,
    settings: GatherSettings,
    points: wp.array[ShadingPoint],
    light_rays: wp.array[int],
    least: int,
    parts: wp.array2d[Signals],
    found_in: wp.array2d[int],
    signals: wp.array[Signals],
    visibility: wp.array[int],
    begin: int,
) -> None:
    """What all lanes of `look_at_lights` brought, as the Signals of their point; others keep what they have.

    `visibility` becomes which of LIT and SHADOWED they found, and both where the light that they brought is noisy or
    mostly a highlight.
    """
    index = wp.tid() + begin
    each = light_rays[index]
    if each < least:
        return
    out = parts[index, 0]
    found = found_in[index, 0]
    for lane in range(1, settings.lanes):
        out += parts[index, lane]
        found = found | found_in[index, lane]
    p = points[index]
    if p.object_id != MISS:
        direct = vector_at(out, DIRECT)
        out[DIRECT_NOISE] = variance_of_sum(out[DIRECT_NOISE], mean(direct), each * settings.tiles)
        material = material_of_object(scenes.objects[p.object_id])
        matte = diffuse_weight(material) * wp.cw_mul(material.base_color, direct + vector_at(out, THROUGH))
        is_smooth = material.alpha < SMOOTH_ALPHA and index < settings.chained
        is_glossy = mean(vector_at(out, HIGHLIGHT)) > GLOSS_SHARE * mean(matte) and not is_smooth
        if is_glossy or out[DIRECT_NOISE] > square(NOISE_SHARE * mean(vector_at(out, UNSHADOWED))):
            found = LIT | SHADOWED
    signals[index] = out
    visibility[index] = found


@wp.kernel(enable_backward=False)
def choose_light_rays(
    near: Neighbours, visibility: wp.array[int], all_rays: int, light_rays: wp.array[int], begin: int
) -> None:
    """All of them where, together, a point and its neighbours have found both of LIT and SHADOWED."""
    index = wp.tid() + begin
    found = int(0)
    at = place_among(near, index)
    for k in range(9):
        j = neighbour(near, at, k - 3 * (k // 3) - 1, k // 3 - 1)
        if j != MISS:
            found = found | visibility[j]
    if found == (LIT | SHADOWED):
        light_rays[index] = all_rays
