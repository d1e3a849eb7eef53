"""What comes to points from the sky and by way of other surfaces: final gathering with a fixed pattern of rays.

What rays meet is lit by one light, and sends one ray on; mirrors and glass send it further. Paths from diffuse surfaces
leave lights behind glass to `luxel.models.direct_light`, and find what else glass and mirrors show.
"""

import warp as wp

from luxel.core.emitters import (
    LightSampleContext,
    choose_light,
    emitted_radiance,
    infinite_lights_with_mis,
    light_cdf,
    light_density,
    sample_light,
    unsampled_sky_radiance,
)
from luxel.core.frames import INVERSE_PI, frame, to_world, unit_length
from luxel.core.intersect import MISS
from luxel.core.microfacet import sample_cosine_hemisphere
from luxel.core.principled import (
    SMOOTH_ALPHA,
    albedos,
    bsdf_of,
    evaluate_bsdf,
    evaluate_lobes,
    mean,
    mean_burley_factor,
    refraction_weight,
    sample_bsdf,
)
from luxel.core.rng import uniform
from luxel.core.sampling import power_heuristic, sobol_point
from luxel.core.scenes import Scenes, material_of_object, shape_of
from luxel.core.shafts import EVERYTHING, objects_in_cone
from luxel.core.shapes.local import INFINITY
from luxel.core.shapes.shape import facing_normal, surface_interaction
from luxel.core.sky import gradient_radiance, mean_gradient_radiance
from luxel.core.visibility import is_clear, next_hit
from luxel.models.receivers import GatherSettings, receiver_at, sight_of
from luxel.models.shading_points import ShadingPoint, pixel_width
from luxel.models.signals import (
    DIRECT,
    GLOSSY_NOISE,
    HIGHLIGHT,
    INDIRECT_NOISE,
    LOST,
    NEARNESS,
    OPENNESS,
    REFLECTION,
    ROUGH_WEIGHT,
    SKY,
    SURFACES,
    Signals,
    square,
    variance_of_sum,
    vector_at,
    with_vector,
)

ROUNDING = wp.constant(1.0e-6)  # of a variance
INDIRECT_ALPHA = wp.constant(0.3)  # at least, where a diffuse surface sees gloss, lest it flicker (path regularisation)
MOST_SEGMENTS = wp.constant(8)  # of a gathering ray, through mirrors and glass
ROULETTE = wp.constant(2.0)  # survival after a surface, over what is left of the path; 1 costs half a dB, 2 nothing
FAR = wp.constant(1.0e9)  # the sky's distance

RAY_SUMS = 5
RaySums = wp.types.vector(RAY_SUMS, float)
"""Over the rays of a point over its hemisphere: of ROUGH_WEIGHT's summands times what the rough lobe reflects by them;
of these summands' squares; and of what stands in for the sky, in RGB (`look_around`).
"""


@wp.struct
class Gathered:
    """What one gathering ray brings; see Signals."""

    sky: wp.vec3
    surfaces: wp.vec3
    lights: wp.vec3
    lost: wp.vec3
    distance: float


@wp.struct
class GatheringRay:
    """A ray of a point's pattern as it leaves, and how the point has sampled lights itself."""

    start: LightSampleContext
    shaft: wp.uint64  # of what it may meet first
    direction: wp.vec3
    density: float  # per steradian, times how many rays of its kind there are
    is_diffuse: bool  # over the hemisphere, not into a lobe
    least_alpha: float  # of opaque rough surfaces that it meets: the point's own
    light_weight_sum: float  # ChosenLight's
    light_rays: float
    tile: int
    number: int  # within its tile


@wp.func
def gather_along(scenes: Scenes, settings: GatherSettings, scene: int, ray: GatheringRay) -> Gathered:
    """What arrives along one ray from a point.

    After a diffuse surface, glass passes rays on but does not sample lights, and lights seen through it don't count:
    lines of sight have found them.
    """
    none = wp.vec3(0.0, 0.0, 0.0)
    result = Gathered(none, none, none, none, FAR)
    key = wp.vec2ui(wp.uint32(17), wp.uint32(ray.number))
    beta = wp.vec3(1.0, 1.0, 1.0)
    at = ray.start
    origin = at.point
    origin_object = at.object_id
    left_object = int(MISS)
    direction = ray.direction
    density = ray.density
    shaft = ray.shaft
    weight_sum = ray.light_weight_sum
    light_rays = ray.light_rays
    after_diffuse = ray.is_diffuse
    sees_lights = bool(True)
    bounces = int(0)
    for segment in range(MOST_SEGMENTS):
        hit = next_hit(scenes, scene, shaft, origin, direction, origin_object, left_object)
        if hit.object_id == MISS or settings.occlusion == 0:
            sky = wp.cw_mul(beta, unsampled_sky_radiance(scenes, scene, direction))
            far = none
            if sees_lights and settings.occlusion != 0:
                far = infinite_lights_with_mis(scenes, scene, at, weight_sum, direction, density, light_rays)
            if segment == 0:
                result.sky = sky
                result.lights = far
            else:
                result.surfaces += sky + wp.cw_mul(beta, far)
            break
        if segment == 0:
            result.distance = hit.t
        obj = scenes.objects[hit.object_id]
        shape = shape_of(obj)
        si = surface_interaction(shape, origin, direction, hit.t)
        Le = emitted_radiance(scenes, hit.object_id, direction, si.normal)
        if wp.max(Le) > 0.0 and sees_lights:
            nee_density = light_density(scenes, scene, at, weight_sum, hit.object_id, direction, hit.t, si.normal)
            weight = power_heuristic(density, light_rays * nee_density)
            if segment == 0:
                result.lights = Le * weight
            else:
                result.surfaces += wp.cw_mul(beta, Le) * weight

        material = material_of_object(obj)
        transmits = refraction_weight(material) > 0.0
        is_mirror = segment == 0 and obj.is_mirror != 0  # whose image of the lights the point has looked at
        if after_diffuse and not transmits and not is_mirror:
            material.alpha = wp.max(material.alpha, INDIRECT_ALPHA)
        elif material.alpha >= SMOOTH_ALPHA and not transmits:
            material.alpha = wp.max(material.alpha, ray.least_alpha)
        normal = facing_normal(shape.kind, si.normal, direction)
        local = frame(normal)
        wi = local * (-direction)
        if wi[2] <= 0.0 and not transmits:
            break
        bsdf = bsdf_of(material, wi)
        origin = si.point
        shaft = EVERYTHING
        left_object = origin_object
        origin_object = hit.object_id
        passes = material.alpha < SMOOTH_ALPHA and bsdf.diffuse_share < 0.5
        if after_diffuse:
            passes = is_mirror or (is_clear(material) and bsdf.diffuse_share == 0.0)
        if not passes:
            if bounces == settings.bounces:
                a = albedos(material, wi[2])
                result.lost = wp.cw_mul(beta, a.diffuse + a.reflectance + a.transmittance)
                break
            bounces += 1
            at = LightSampleContext(origin, normal, origin_object, material.transmission == 0.0)
            u = uniform(key, ray.tile, segment, 0)
            cdf = light_cdf(scenes, scene, at)
            light = sample_light(scenes, scene, at, cdf, u[0], wp.vec2(u[1], u[2]))
            weight_sum = light.weight_sum
            light_rays = 1.0
            if light.density > 0.0:
                wo = local * light.direction
                towards = evaluate_bsdf(bsdf, wo)
                if wp.max(towards.value) > 0.0:
                    sight = sight_of(
                        scenes, settings, scene, EVERYTHING, at, light.direction, light.object_id, wo[2] > 0.0
                    )
                    weight = 1.0 / light.density
                    if not sight.is_transmitted:
                        weight *= power_heuristic(light.density, towards.density)
                    arriving = wp.cw_mul(light.radiance, sight.transmittance)
                    result.surfaces += wp.cw_mul(wp.cw_mul(beta, towards.value), arriving) * weight
            after_diffuse = after_diffuse or bsdf.diffuse_share > 0.0
        else:
            weight_sum = 0.0
        v = uniform(key, ray.tile, segment, 1)
        wo = sample_bsdf(bsdf, wp.vec3(v[0], v[1], v[2]))
        scattered = evaluate_bsdf(bsdf, wo)
        density = scattered.density
        if density <= 0.0:
            break
        sees_lights = not passes or (not after_diffuse and wi[2] * wo[2] > 0.0)
        beta = wp.cw_mul(beta, scattered.value) * (1.0 / density)
        if not passes:  # Russian roulette
            survival = wp.min(ROULETTE * wp.max(beta), 1.0)
            if v[3] >= survival:
                break
            beta = beta / survival
        direction = unit_length(to_world(local, wo))
    return result


@wp.kernel(enable_backward=False)
def look_around(
    scenes: Scenes,
    settings: GatherSettings,
    points: wp.array[ShadingPoint],
    light_rays: wp.array[int],
    parts: wp.array2d[Signals],
    rays_of: wp.array[wp.vec2i],
    sums: wp.array2d[RaySums],
    begin: int,
) -> None:
    """What a lane's rays over the hemisphere and into glossy lobes bring to a point; see `add_up_surroundings`.

    In place of noise there are sums of squares, of so many rays as are in `rays_of`: of the hemisphere, and of lobes.
    What stands in for the sky is a gradient sky's radiance times the diffuse lobe's mean factor, plus what the factor
    differs from that times the sky's mean radiance: nearly their product, and of a mean that is known (`open_sky`).
    """
    index = (wp.tid() + begin) // settings.lanes
    lane = (wp.tid() + begin) % settings.lanes
    p = points[index]
    parts[index, lane] = Signals()
    rays_of[index] = wp.vec2i(0, 0)
    sums[index, lane] = RaySums()
    if p.object_id == MISS:
        return
    r = receiver_at(scenes, settings, p, index)
    rays = r.diffuse_rays + r.glossy_rays
    if rays == 0:
        return
    rays_of[index] = wp.vec2i(r.diffuse_rays, wp.where(r.shares_rays, r.diffuse_rays, r.glossy_rays))
    none = wp.vec3(0.0, 0.0, 0.0)
    direct = none
    sky = none
    surfaces = none
    highlight = none
    reflection = none
    lost = none
    openness = float(0.0)
    nearness = float(0.0)
    indirect_squares = float(0.0)
    glossy_squares = float(0.0)
    rough_weight = float(0.0)
    of_rays = RaySums()
    row = scenes.scenes[p.scene]
    mean_sky = mean_gradient_radiance(row, p.normal)
    mean_factor = mean_burley_factor(r.bsdf.material, r.bsdf.wi[2]) / float(wp.max(r.diffuse_rays, 1))
    weight_sum = choose_light(scenes, p.scene, r.at, light_cdf(scenes, p.scene, r.at), 0.5).weight_sum
    many = float(light_rays[index] * settings.tiles)
    pixel = pixel_width(scenes, p, settings.height)
    shaft = EVERYTHING
    if r.is_diffuse and refraction_weight(r.bsdf.material) == 0.0:
        shaft = objects_in_cone(scenes, p.scene, p.point, p.normal, 1.0, INFINITY)
    for ray in range(lane, rays, settings.lanes):
        is_glossy = ray >= r.diffuse_rays
        each = settings.diffuse_rays
        k = ray
        if is_glossy:
            each = settings.glossy_rays
            k = ray - r.diffuse_rays
        tile = r.pattern + k // each
        number = k % each
        u = sobol_point(r.pattern * each + k, wp.where(is_glossy, 3, 2))
        wo = sample_cosine_hemisphere(u)
        density = wp.max(wo[2], 1.0e-6) * INVERSE_PI * float(r.diffuse_rays)
        if is_glossy:
            part = (float(number) + sobol_point(tile, 4)[0]) / float(each)
            wo = sample_bsdf(r.bsdf, wp.vec3(part, u[0], u[1]))
            number += 64  # other paths than the diffuse rays'
        scattered = evaluate_lobes(r.bsdf, wo)
        if is_glossy:
            density = scattered.density * float(r.glossy_rays)
        if density > 0.0:
            direction = unit_length(to_world(r.local, wo))
            least_alpha = r.bsdf.material.alpha
            sent = GatheringRay(
                r.at, shaft, direction, density, not is_glossy, least_alpha, weight_sum, many, tile, number
            )
            found = gather_along(scenes, settings, p.scene, sent)
            if not is_glossy:
                plain = scattered.diffuse / density
                direct += found.lights * plain
                sky += found.sky * plain
                surfaces += found.surfaces * plain
                indirect_squares += square(mean(found.sky + found.surfaces) * plain)
                alike = mean_sky * (plain - mean_factor) + gradient_radiance(row, direction) * mean_factor
                for c in range(3):
                    of_rays[2 + c] += alike[c]
                lost += found.lost * plain
                openness += wp.where(found.distance == FAR, 1.0, 0.0) / float(r.diffuse_rays)
                nearness += pixel / (pixel + found.distance) / float(r.diffuse_rays)
            if is_glossy or r.shares_rays:
                value = scattered.specular / density
                highlight += wp.cw_mul(found.lights, value)
                reflection += wp.cw_mul(found.sky + found.surfaces, value)
                reflected = mean(wp.cw_mul(found.lights + found.sky + found.surfaces, value))
                glossy_squares += square(reflected)
                if r.shares_rays:
                    rough_weight += mean(value)
                    of_rays[0] += mean(value) * reflected
                    of_rays[1] += square(mean(value))
    out = Signals()
    out = with_vector(out, DIRECT, direct)
    out = with_vector(out, SKY, sky)
    out = with_vector(out, SURFACES, surfaces)
    out = with_vector(out, HIGHLIGHT, highlight)
    out = with_vector(out, REFLECTION, reflection)
    out = with_vector(out, LOST, lost)
    out[OPENNESS] = openness
    out[NEARNESS] = nearness
    out[INDIRECT_NOISE] = indirect_squares
    out[GLOSSY_NOISE] = glossy_squares
    out[ROUGH_WEIGHT] = rough_weight
    parts[index, lane] = out
    sums[index, lane] = of_rays


@wp.func
def open_sky(scenes: Scenes, p: ShadingPoint) -> wp.vec3:
    """Irradiance over π by a gradient sky without anything before it, times the diffuse lobe's mean factor."""
    factor = mean_burley_factor(material_of_object(scenes.objects[p.object_id]), -wp.dot(p.direction, p.normal))
    return mean_gradient_radiance(scenes.scenes[p.scene], p.normal) * factor


@wp.kernel(enable_backward=False)
def add_up_surroundings(
    scenes: Scenes,
    settings: GatherSettings,
    points: wp.array[ShadingPoint],
    parts: wp.array2d[Signals],
    rays_of: wp.array[wp.vec2i],
    sums: wp.array2d[RaySums],
    signals: wp.array[Signals],
    begin: int,
) -> None:
    """Add what all lanes of `look_around` brought to the Signals of their point.

    Of the sky, less the error that its stand-in has by the same rays, times the share that is in view (a control
    variate: Owen, "Monte Carlo theory, methods and examples", §8.9): on open ground nothing else is left of its noise.
    Of a rough lobe that the diffuse lobe's rays serve, noise is that of a ratio: of the rays' deviations from their
    weights' share of the sum (Cochran, "Sampling Techniques", eq. 2.46).
    """
    index = wp.tid() + begin
    out = parts[index, 0]
    of_rays = sums[index, 0]
    for lane in range(1, settings.lanes):
        out += parts[index, lane]
        of_rays += sums[index, lane]
    rays = rays_of[index]
    indirect = mean(vector_at(out, SKY) + vector_at(out, SURFACES))
    out[INDIRECT_NOISE] = variance_of_sum(out[INDIRECT_NOISE], indirect, rays[0])
    glossy = mean(vector_at(out, HIGHLIGHT) + vector_at(out, REFLECTION))
    if out[ROUGH_WEIGHT] > 0.0:
        ratio = glossy / out[ROUGH_WEIGHT]
        deviations = out[GLOSSY_NOISE] + ratio * (ratio * of_rays[1] - 2.0 * of_rays[0])
        deviations = wp.where(deviations < ROUNDING * out[GLOSSY_NOISE], 0.0, deviations)
        out[GLOSSY_NOISE] = variance_of_sum(deviations, 0.0, rays[1])
    else:
        out[GLOSSY_NOISE] = variance_of_sum(out[GLOSSY_NOISE], glossy, rays[1])
    if rays[0] > 0:
        error = wp.vec3(of_rays[2], of_rays[3], of_rays[4]) - open_sky(scenes, points[index])
        out = with_vector(out, SKY, vector_at(out, SKY) - out[OPENNESS] * error)
    signals[index] = signals[index] + out
