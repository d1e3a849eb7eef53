"""Direct light at gather points, and caustics through glass: next-event estimation by a fixed pattern of rays.

A light behind glass is connected to along the refracted line, by a manifold walk.
"""

import warp as wp

from luxel.core.emitters import LightSample, choose_light, sample_light
from luxel.core.intersect import MAP, MISS
from luxel.core.manifold_walk import RefractedConnection, manifold_walk
from luxel.core.principled import diffuse_weight, evaluate_lobes, is_followed, mean
from luxel.core.sampling import power_heuristic, sobol_point
from luxel.core.scenes import Scenes, material_of_object
from luxel.core.shafts import shaft_to
from luxel.core.shapes.shape import is_panel, panel_front
from luxel.core.visibility import LineOfSight
from luxel.models.gather_points import (
    MIN_THROUGHPUT,
    GatherPoint,
    GatherSettings,
    Guide,
    PointTerms,
    gather_point_at,
    guide_of,
    hemisphere_density,
    highlight_alpha,
    highlight_beyond_pixel,
    light_cdf_of_lobes,
    light_samples_per_ray,
    possible_light_rays,
    sight_to_light,
)
from luxel.models.neighbourhood import Neighbours, find_neighbour, location_of
from luxel.models.shading_points import ShadingPoint
from luxel.models.signals import (
    CAUSTIC,
    CAUSTIC_MOMENT,
    DIRECT,
    DIRECT_VARIANCE,
    HIGHLIGHT,
    LIGHT_SIGNALS,
    UNSHADOWED,
    Signals,
    rgb_at,
    square,
    variance_of_sum,
    with_rgb,
)
from luxel.models.subpixels import direction_to_light, point_in_pixel

PILOT_DIVISOR = wp.constant(4)  # one shadow ray of so many is sent first, to tell where all are needed
HIGHLIGHT_THRESHOLD = wp.constant(0.25)  # highlights over diffuse light, from which on they need all of the rays
NOISE_THRESHOLD = wp.constant(0.1)  # direct light's standard deviation over UNSHADOWED, from which on it does, too
OUTSHINING = wp.constant(10.0)  # what a lamp emits over what it can reflect of lights, from which on few rays will do
LIT = wp.constant(1)
SHADOWED = wp.constant(2)

ANY_HIGHLIGHT, TRACED_HIGHLIGHT = wp.constant(0), wp.constant(3)
TRACED_SQUARES, SEEN_SQUARES = wp.constant(6), wp.constant(7)
HighlightSums = wp.types.vector(8, float)
"""Sums over a point's light samples, each weighing what its light would add to HIGHLIGHT with nothing in between.

    ANY_HIGHLIGHT        of all samples, in RGB
    TRACED_HIGHLIGHT     of those that rays are sent to, in RGB
    TRACED_SQUARES       of those, of the squared means over channels
    SEEN_SQUARES         the same of those whose rays arrive, times what arrives, but through glass
"""


@wp.func
def gather_densities(
    scenes: Scenes, settings: GatherSettings, scene: int, r: GatherPoint, guide: Guide, wo: wp.vec3, bsdf_density: float
) -> wp.vec2:
    """Densities of a point's gather rays in this direction, times their numbers: over the hemisphere, into lobes."""
    diffuse = hemisphere_density(scenes, settings, scene, r, guide, wo)
    glossy = float(wp.max(r.glossy_rays, 1)) * bsdf_density  # of a smooth surface that is its chain
    if settings.occlusion == 0:  # then other rays don't see lights
        diffuse = 0.0
        glossy = wp.where(r.is_smooth, glossy, 0.0)
    if r.shares_rays:
        glossy = diffuse
    return wp.vec2(diffuse, glossy)


@wp.func
def connection_through_glass(
    scenes: Scenes,
    settings: GatherSettings,
    p: ShadingPoint,
    within_pixel: wp.vec2,
    light: LightSample,
    sight: LineOfSight,
) -> RefractedConnection:
    """The refracted line to what a light sample hit, from the point, or from all over a pixel that has one pattern."""
    origin = p.point
    if settings.patterns_per_point == 1:
        origin = point_in_pixel(scenes, p, within_pixel, settings.height, sight.clear_object)
    direction = direction_to_light(scenes, origin, p, light.direction, light.object_id)
    return manifold_walk(scenes, p.scene, origin, direction, p.object_id, light.object_id, sight)


@wp.func
def parity(word: int) -> int:
    """The sum of the lowest four bits, mod 2."""
    return (0x6996 >> (word & 15)) & 1


@wp.func
def pilot_member(pattern: int) -> int:
    """Which of every PILOT_DIVISOR strata a pattern's pilot rays take: any 2 × 2 pixels of a tile's 4 × 4 take all.

    So what few strata find, such as a lamp beside a brighter sun that is shut out, some neighbour's pilot rays find.
    """
    return parity(pattern & 13) + 2 * parity(pattern & 6)


@wp.func
def net_point(stratum: int, pattern: int, rays_per_pattern: int) -> int:
    """The point of a pattern's (0, 2)-net on a light that goes with a stratum of the choice of lights.

    Of 16 strata any four that follow one another have a (0, 2)-net, so that a light of a quarter of the choice has one,
    and so have any four that are four apart, which pilot rays are. Of a tile's 16 patterns each stratum has a net, and
    so have any four that follow one another, and all pilot rays. (Found by trying matrices of bits.)
    """
    result = stratum
    if rays_per_pattern % 16 == 0:
        low = parity(pattern & 11) + 2 * parity(pattern & 13)
        high = parity(pattern & 8) + 2 * parity(pattern & 12)
        turned = stratum ^ (low + 4 * high)
        pair = (turned >> 2) & 3
        result = (stratum & ~15) + ((turned & 3) ^ pair) + 4 * (pair >> 1) + 8 * parity(pair)
    return result


@wp.struct
class LightSamplePlace:
    """Which light a sample of a point's is of, and where on it."""

    choice: float  # among all lights, in [0, 1)
    u: wp.vec2
    net_index: int  # of a ray, for what else it needs numbers for
    was_taken: bool  # by a pilot ray


@wp.func
def light_sample_place(
    settings: GatherSettings, r: GatherPoint, k: int, rays_per_pattern: int, sent: int, samples_per_ray: int
) -> LightSamplePlace:
    """Of a point's sample number `k`: first come those with rays, then those of highlights alone."""
    all_rays = settings.light_rays
    ray_count = rays_per_pattern * settings.patterns_per_point
    strata = all_rays
    net_index = int(0)
    u = wp.vec2(0.0, 0.0)
    choice = float(0.0)
    was_taken = bool(False)
    if k < ray_count:
        pattern = r.pattern + k // rays_per_pattern
        stratum = k % rays_per_pattern
        member = pilot_member(r.pattern)
        if rays_per_pattern < all_rays:
            stratum = member + PILOT_DIVISOR * k
        elif sent > 0:
            was_taken = stratum % PILOT_DIVISOR == member
        net_index = pattern * all_rays + net_point(stratum, pattern, all_rays)
        u = sobol_point(net_index, 0)
        choice = float(stratum) + sobol_point(pattern, 1)[0]
    else:
        strata = ray_count * (samples_per_ray - 1)
        u = sobol_point(r.pattern * strata + k - ray_count, 8)
        choice = float(k - ray_count) + sobol_point(r.pattern, 9)[0]
    return LightSamplePlace(choice / float(strata), u, net_index, was_taken)


@wp.kernel(enable_backward=False)
def sample_direct_light(
    scenes: Scenes,
    settings: GatherSettings,
    points: wp.array[ShadingPoint],
    throughput: wp.array[float],
    light_rays: wp.array[int],
    sent: int,
    terms: wp.array[PointTerms],
    partial_signals: wp.array2d[Signals],
    partial_visibility: wp.array2d[int],
    partial_highlight_sums: wp.array2d[HighlightSums],
    begin: int,
) -> None:
    """One thread's light samples of a point that sends `light_rays` a pattern, from number `sent` on.

    What it adds to is not yet divided by the number of rays, and in place of variances there are sums of squares; see
    `sum_direct_light`. All is 0 where there is no object. `partial_visibility` becomes which of LIT and SHADOWED the
    samples found.
    """
    index = (wp.tid() + begin) // settings.threads_per_point
    thread = (wp.tid() + begin) % settings.threads_per_point
    p = points[index]
    rays_per_pattern = light_rays[index]
    if rays_per_pattern <= sent:
        return
    out = Signals()
    highlight_sums = HighlightSums()
    found = int(0)
    if sent > 0:
        out = partial_signals[index, thread]
        highlight_sums = partial_highlight_sums[index, thread]
        found = partial_visibility[index, thread]
    if p.object_id != MISS:
        if sent == 0:
            terms[index].alpha = highlight_alpha(scenes, settings, p, index)
        r = gather_point_at(scenes, settings, p, index, terms[index].alpha, throughput[index])
        guide = guide_of(scenes, settings, p.scene, r)
        direct = rgb_at(out, DIRECT)
        caustic = rgb_at(out, CAUSTIC)
        caustic_moment = out[CAUSTIC_MOMENT]
        highlight = rgb_at(out, HIGHLIGHT)
        unshadowed = rgb_at(out, UNSHADOWED)
        sum_of_squares = out[DIRECT_VARIANCE]
        cdf = light_cdf_of_lobes(scenes, p.scene, r)
        if sent == 0:
            terms[index].light_weight_sum = choose_light(scenes, p.scene, r.at, cdf, 0.5).weight_sum
        possible_rays = possible_light_rays(settings, throughput[index], rays_per_pattern)
        ray_count = wp.where(r.sees_light, rays_per_pattern * settings.patterns_per_point, 0)
        shaft = wp.uint64(0)
        shaft_target = int(MISS)
        samples_per_ray = light_samples_per_ray(settings, r, rays_per_pattern)
        for k in range(thread, ray_count * samples_per_ray, settings.threads_per_point):
            is_traced = k < ray_count
            place = light_sample_place(settings, r, k, rays_per_pattern, sent, samples_per_ray)
            if place.was_taken:
                continue
            light = sample_light(scenes, p.scene, r.at, cdf, place.choice, place.u)
            if light.density > 0.0:
                density = light.density * possible_rays
                wo = r.local * light.direction
                bsdf_value = evaluate_lobes(r.bsdf, wo)
                diffuse_value = wp.where(r.is_diffuse, bsdf_value.diffuse, 0.0)
                others = gather_densities(scenes, settings, p.scene, r, guide, wo, bsdf_value.density)
                glossy_weight = power_heuristic(density, others[1]) / light.density
                any_highlight = wp.cw_mul(light.radiance, bsdf_value.specular) * glossy_weight
                traced_square = square(mean(any_highlight))
                for c in range(3):
                    highlight_sums[ANY_HIGHLIGHT + c] += any_highlight[c]
                    highlight_sums[TRACED_HIGHLIGHT + c] += wp.where(is_traced, any_highlight[c], 0.0)
                if is_traced and (diffuse_value > 0.0 or wp.max(bsdf_value.specular) > 0.0):
                    weight = power_heuristic(density, others[0]) / light.density
                    unshadowed += light.radiance * (diffuse_value / light.density)
                    leaves = wo[2] > 0.0 or not r.is_front
                    target = light.object_id
                    if target != shaft_target:
                        shaft = shaft_to(scenes, p.scene, p.point, target)
                        shaft_target = target
                    sight = sight_to_light(scenes, settings, p.scene, shaft, r.at, light.direction, target, leaves)
                    found = found | wp.where(wp.max(sight.transmittance) > 0.0, LIT, SHADOWED)
                    arriving = wp.cw_mul(light.radiance, sight.transmittance)
                    highlight_sums[TRACED_SQUARES] += traced_square
                    if sight.is_transmitted:
                        within_pixel = sobol_point(place.net_index, 7)
                        connection = connection_through_glass(scenes, settings, p, within_pixel, light, sight)
                        wo = r.local * connection.direction
                        bsdf_value = evaluate_lobes(r.bsdf, wo)
                        arriving = wp.cw_mul(light.radiance, connection.transmittance)
                        caustic += arriving * (bsdf_value.diffuse / light.density)
                        caustic_moment += mean(light.radiance) * mean(arriving) * (bsdf_value.diffuse / light.density)
                        glossy_weight = 1.0 / light.density
                    else:
                        highlight_sums[SEEN_SQUARES] += traced_square * mean(sight.transmittance)
                        direct += arriving * (diffuse_value * weight)
                        sum_of_squares += square(mean(arriving) * diffuse_value * weight)
                    if r.is_smooth and target != MAP:
                        glossy_weight *= highlight_beyond_pixel(r.bsdf.wi, wo, r.squared_normal_turn)
                    if not (r.is_smooth and sight.is_transmitted):
                        highlight += wp.cw_mul(arriving, bsdf_value.specular) * glossy_weight
        out = with_rgb(out, DIRECT, direct)
        out = with_rgb(out, CAUSTIC, caustic)
        out = with_rgb(out, HIGHLIGHT, highlight)
        out = with_rgb(out, UNSHADOWED, unshadowed)
        out[DIRECT_VARIANCE] = sum_of_squares
        out[CAUSTIC_MOMENT] = caustic_moment
        for c in range(3):
            highlight_sums[ANY_HIGHLIGHT + c] /= float(samples_per_ray)
    partial_signals[index, thread] = out
    partial_visibility[index, thread] = found
    partial_highlight_sums[index, thread] = highlight_sums


@wp.func
def is_outshone(scenes: Scenes, p: ShadingPoint, signals: Signals) -> bool:
    """Whether a point's own light makes what it reflects of lights invisible, even where they cast no shadows."""
    obj = scenes.objects[p.object_id]
    shows_front = not is_panel(obj.kind) or wp.dot(panel_front(obj.world_from_unit), p.direction) < 0.0
    result = bool(False)
    if obj.mean_emission > 0.0 and shows_front:
        arriving = mean(rgb_at(signals, UNSHADOWED) + rgb_at(signals, CAUSTIC))
        result = obj.mean_emission > OUTSHINING * (arriving + mean(rgb_at(signals, HIGHLIGHT)))
    return result


@wp.kernel(enable_backward=False)
def sum_direct_light(
    scenes: Scenes,
    settings: GatherSettings,
    points: wp.array[ShadingPoint],
    light_rays: wp.array[int],
    sent: int,
    terms: wp.array[PointTerms],
    partial_signals: wp.array2d[Signals],
    partial_visibility: wp.array2d[int],
    partial_highlight_sums: wp.array2d[HighlightSums],
    signals: wp.array[Signals],
    begin: int,
) -> None:
    """The Signals of the points that all threads of `sample_direct_light` sampled; others keep what they have.

    The terms' `visibility` becomes which of LIT and SHADOWED they found, both where the light is noisy or mostly a
    highlight, and neither where the point's own light outshines it. What highlights would be with nothing in between is
    their control variate, which more samples know better than those that rays are sent to; its factor is that of the
    least variance, were all samples independent (Owen, "Monte Carlo theory, methods and examples", §8.9).
    """
    index = wp.tid() + begin
    rays_per_pattern = light_rays[index]
    if rays_per_pattern <= sent:
        return
    out = partial_signals[index, 0]
    found = partial_visibility[index, 0]
    highlight_sums = partial_highlight_sums[index, 0]
    for thread in range(1, settings.threads_per_point):
        out += partial_signals[index, thread]
        highlight_sums += partial_highlight_sums[index, thread]
        found = found | partial_visibility[index, thread]
    p = points[index]
    if p.object_id != MISS:
        count = rays_per_pattern * settings.patterns_per_point
        for s in range(LIGHT_SIGNALS):
            out[s] /= float(count)
        out[DIRECT_VARIANCE] /= float(count)
        direct = rgb_at(out, DIRECT)
        if highlight_sums[TRACED_SQUARES] > 0.0:
            visible = highlight_sums[SEEN_SQUARES] / highlight_sums[TRACED_SQUARES]
            for c in range(3):
                missed = highlight_sums[ANY_HIGHLIGHT + c] - highlight_sums[TRACED_HIGHLIGHT + c]
                out[HIGHLIGHT + c] = wp.max(out[HIGHLIGHT + c] + visible * missed / float(count), 0.0)
        out[DIRECT_VARIANCE] = variance_of_sum(out[DIRECT_VARIANCE], mean(direct), count)
        material = material_of_object(scenes.objects[p.object_id])
        matte = diffuse_weight(material) * wp.cw_mul(material.base_color, direct + rgb_at(out, CAUSTIC))
        is_smooth = is_followed(material) and index < settings.specular_points
        is_glossy = mean(rgb_at(out, HIGHLIGHT)) > HIGHLIGHT_THRESHOLD * mean(matte) and not is_smooth
        if is_glossy or out[DIRECT_VARIANCE] > square(NOISE_THRESHOLD * mean(rgb_at(out, UNSHADOWED))):
            found = LIT | SHADOWED
        if is_outshone(scenes, p, out):
            found = 0
    signals[index] = out
    terms[index].visibility = found


@wp.kernel(enable_backward=False)
def allocate_light_rays(
    neighbours: Neighbours,
    throughput: wp.array[float],
    terms: wp.array[PointTerms],
    all_rays: int,
    light_rays: wp.array[int],
    begin: int,
) -> None:
    """All rays to where, together, a point and its neighbours have found both of LIT and SHADOWED: to penumbras.

    Not so for a point of which the camera receives less than MIN_THROUGHPUT, in a pane's weak reflection say.
    """
    index = wp.tid() + begin
    if throughput[index] < MIN_THROUGHPUT:
        return
    found = int(0)
    location = location_of(neighbours, index)
    for k in range(9):
        j = find_neighbour(neighbours, location, k - 3 * (k // 3) - 1, k // 3 - 1)
        if j != MISS:
            found = found | terms[j].visibility
    if found == (LIT | SHADOWED):
        light_rays[index] = all_rays
