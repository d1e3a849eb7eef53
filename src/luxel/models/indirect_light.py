"""Final gathering: light from the sky and from other surfaces, by a fixed pattern of short paths.

At each vertex a path samples one light and one direction to go on in. Paths from diffuse surfaces leave lights behind
glass to `luxel.models.direct_light`, and find what else glass and mirrors show.
"""

import warp as wp

from luxel.core.emitters import (
    LightSample,
    LightSampleContext,
    emitted_radiance,
    infinite_lights_with_mis,
    light_cdf,
    light_density,
    sample_light,
    unsampled_sky_radiance,
)
from luxel.core.frames import INVERSE_PI, frame, to_world, unit_length
from luxel.core.guiding import GUIDED_SHARE, guide_weight, mixture_density, sample_target
from luxel.core.intersect import EVERYTHING, MISS, Hit
from luxel.core.microfacet import sample_cosine_hemisphere
from luxel.core.principled import (
    BSDF,
    LobeValues,
    Material,
    albedos,
    bsdf_of,
    evaluate_bsdf,
    evaluate_lobes,
    is_followed,
    mean,
    mean_burley_factor,
    refraction_weight,
    sample_bsdf,
)
from luxel.core.rng import uniform
from luxel.core.sampling import power_heuristic, sobol_point
from luxel.core.scenes import Scenes, material_of_object, shape_of
from luxel.core.shafts import objects_in_cone
from luxel.core.shapes.local import INFINITY
from luxel.core.shapes.shape import SurfaceInteraction, facing_normal, surface_interaction
from luxel.core.sky import gradient_radiance, mean_gradient_radiance
from luxel.core.visibility import is_clear, next_hit
from luxel.models.gather_points import (
    GatherPoint,
    GatherSettings,
    Guide,
    PointTerms,
    gather_point_at,
    guide_of,
    hemisphere_density,
    highlight_gain,
    possible_light_rays,
    sight_to_light,
)
from luxel.models.shading_points import ShadingPoint, pixel_width
from luxel.models.shared_reflections import LobeRay, reflects_most
from luxel.models.signals import (
    DIRECT,
    GLOSSY_VARIANCE,
    HIGHLIGHT,
    INDIRECT_VARIANCE,
    NEARNESS,
    OPENNESS,
    REFLECTION,
    ROUGH_ALBEDO,
    SKY,
    SURFACES,
    TRUNCATED,
    Signals,
    rgb_at,
    square,
    variance_of_sum,
    with_rgb,
)

ROUNDING = wp.constant(1.0e-6)  # of a variance
MIN_INDIRECT_ALPHA = wp.constant(0.3)  # of gloss that a diffuse surface sees, lest it flicker (path regularisation)
MAX_SEGMENTS = wp.constant(8)  # of a gather path, those through mirrors and glass included
ROULETTE_SURVIVAL = wp.constant(2.0)  # after a surface, over the path's throughput; 1 costs half a dB, 2 nothing
OTHER_PATHS = wp.constant(64)  # added to the number of a ray into a lobe, lest its path be that of one of the others
SKY_DISTANCE = wp.constant(1.0e9)  # longer than any ray that hits something

WEIGHTED_REFLECTION, SQUARED_WEIGHTS, SKY_CONTROL = wp.constant(0), wp.constant(1), wp.constant(2)
RaySums = wp.types.vector(5, float)
"""Sums over a point's rays over its hemisphere.

    WEIGHTED_REFLECTION    of what the rough lobe reflects by a ray, times its weight, the ray's part in ROUGH_ALBEDO
    SQUARED_WEIGHTS        of the squares of these weights
    SKY_CONTROL            of the sky's control variate (`gather_indirect_light`), in RGB
"""


@wp.struct
class GatheredRadiance:
    """Radiance that one gather path finds, by kind; see Signals."""

    sky: wp.vec3
    surfaces: wp.vec3
    lights: wp.vec3
    truncated: wp.vec3
    distance: float


@wp.struct
class GatherRay:
    """The first ray of a gather path, and how its point has sampled lights itself (for MIS weights)."""

    shaft: wp.uint64  # of what it may meet first
    direction: wp.vec3
    density: float  # per steradian, times how many rays of its kind there are
    is_diffuse: bool  # over the hemisphere, not into a lobe
    least_alpha: float  # of opaque rough surfaces that it meets straight on: the point's own
    light_weight_sum: float  # ChosenLight's
    light_rays: float
    pattern: int
    index_in_pattern: int


@wp.func
def regularised_alpha(material: Material, is_beyond_diffuse: bool, least_alpha: float, wi: wp.vec3) -> float:
    """GGX's α of an opaque surface that a gather path meets, wide enough for few rays."""
    wide = material.alpha
    if is_beyond_diffuse:
        wide = wp.max(material.alpha, MIN_INDIRECT_ALPHA)
    elif not is_followed(material):
        # Not at a slant, where a dielectric's wider lobe has facets that reflect less.
        wide = wp.max(material.alpha, least_alpha * wp.abs(wi[2]))
    return wide


@wp.struct
class GatherPath:
    """Where a gather path goes on from, and how its last vertex sampled lights and chose its direction."""

    at: LightSampleContext  # the last vertex that sampled lights
    origin: wp.vec3
    direction: wp.vec3
    origin_object: int
    left_object: int  # the one before
    beta: wp.vec3
    density: float  # of the direction, times how many rays of its kind there are
    weight_sum: float  # ChosenLight's, of the light samples; 0 of a vertex without any
    light_rays: float
    after_diffuse: bool
    counts_emission: bool  # of what it hits
    is_guided: bool  # to a target, and on from there: worth more than roulette expects


@wp.func
def infinite_lights_of_path(scenes: Scenes, settings: GatherSettings, scene: int, path: GatherPath) -> wp.vec3:
    """What a path that hits nothing finds of SUN and MAP, of a throughput of 1."""
    far = wp.vec3(0.0, 0.0, 0.0)
    if path.counts_emission and settings.occlusion != 0:
        far = infinite_lights_with_mis(
            scenes, scene, path.at, path.weight_sum, path.direction, path.density, path.light_rays
        )
    return far


@wp.func
def emission_of_hit(
    scenes: Scenes, scene: int, r: GatherPoint, path: GatherPath, hit: Hit, normal: wp.vec3, is_first: bool
) -> wp.vec3:
    """What a path finds of the light that it hits, times its MIS weight."""
    result = wp.vec3(0.0, 0.0, 0.0)
    Le = emitted_radiance(scenes, hit.object_id, path.direction, normal)
    if wp.max(Le) > 0.0 and path.counts_emission:
        nee_density = light_density(
            scenes, scene, path.at, path.weight_sum, hit.object_id, path.direction, hit.t, normal
        )
        if is_first:
            nee_density *= highlight_gain(scenes, scene, r, hit.object_id)
        result = wp.cw_mul(path.beta, Le) * power_heuristic(path.density, path.light_rays * nee_density)
    return result


@wp.struct
class GatherVertex:
    """A surface that a gather path hits."""

    at: LightSampleContext
    local: wp.mat33
    bsdf: BSDF
    is_specular: bool  # it passes the path on, and samples no lights
    is_opaque_inside: bool  # it ends the path


@wp.func
def gather_vertex(
    scenes: Scenes, path: GatherPath, hit: Hit, si: SurfaceInteraction, least_alpha: float, is_first: bool
) -> GatherVertex:
    """The surface of a hit as the path sees it, regularised."""
    obj = scenes.objects[hit.object_id]
    material = material_of_object(obj)
    transmits = refraction_weight(material) > 0.0
    is_mirror = is_first and obj.is_mirror != 0  # whose image of the lights the point has looked at
    vertex = GatherVertex()
    normal = facing_normal(obj.kind, si.normal, path.direction)
    vertex.at = LightSampleContext(si.point, normal, hit.object_id, material.transmission == 0.0)
    vertex.local = frame(normal)
    wi = vertex.local * (-path.direction)
    if not transmits:
        material.alpha = regularised_alpha(material, path.after_diffuse and not is_mirror, least_alpha, wi)
    vertex.is_opaque_inside = wi[2] <= 0.0 and not transmits
    vertex.bsdf = bsdf_of(material, wi)
    vertex.is_specular = is_followed(material) and vertex.bsdf.diffuse_share < 0.5
    if path.after_diffuse:
        vertex.is_specular = is_mirror or (is_clear(material) and vertex.bsdf.diffuse_share == 0.0)
    return vertex


@wp.func
def direct_light_of_vertex(
    scenes: Scenes,
    settings: GatherSettings,
    scene: int,
    vertex: GatherVertex,
    guided: float,
    light: LightSample,
    beta: wp.vec3,
) -> wp.vec3:
    """What a path of this throughput finds of a light sample, times its MIS weight but where it comes through glass.

    `guided` is the vertex's `guide_weight`, 0 if it samples no directions to targets.
    """
    L = wp.vec3(0.0, 0.0, 0.0)
    if light.density > 0.0:
        wo = vertex.local * light.direction
        bsdf_value = evaluate_bsdf(vertex.bsdf, wo)
        if wp.max(bsdf_value.value) > 0.0:
            sight = sight_to_light(
                scenes, settings, scene, EVERYTHING, vertex.at, light.direction, light.object_id, wo[2] > 0.0
            )
            weight = 1.0 / light.density
            if not sight.is_transmitted:
                density = bsdf_value.density
                if guided > 0.0:
                    density = mixture_density(scenes, scene, vertex.at, guided, light.direction, density)
                weight *= power_heuristic(light.density, density)
            arriving = wp.cw_mul(light.radiance, sight.transmittance)
            L = wp.cw_mul(wp.cw_mul(beta, bsdf_value.value), arriving) * weight
    return L


@wp.func
def first_gather_path(r: GatherPoint, ray: GatherRay) -> GatherPath:
    """A path that begins with a point's ray."""
    return GatherPath(
        r.at,
        r.at.point,
        ray.direction,
        r.at.object_id,
        MISS,
        wp.vec3(1.0, 1.0, 1.0),
        ray.density,
        ray.light_weight_sum,
        ray.light_rays,
        ray.is_diffuse,
        True,
        False,
    )


@wp.func
def trace_gather_path(
    scenes: Scenes, settings: GatherSettings, scene: int, r: GatherPoint, ray: GatherRay
) -> GatheredRadiance:
    """What arrives along one ray from a point: a path tracer's estimate, of few bounces.

    After a diffuse surface, glass passes paths on but does not sample lights, and lights hit through it don't count:
    light sampling has found them, straight through glass or by a manifold walk.
    """
    none = wp.vec3(0.0, 0.0, 0.0)
    path = first_gather_path(r, ray)
    hit = next_hit(scenes, scene, ray.shaft, path.origin, path.direction, path.origin_object, MISS)
    if hit.object_id == MISS or settings.occlusion == 0:
        sky = unsampled_sky_radiance(scenes, scene, path.direction)
        far = infinite_lights_of_path(scenes, settings, scene, path)
        return GatheredRadiance(sky, none, far, none, SKY_DISTANCE)
    return follow_gather_path(scenes, settings, scene, r, ray, hit)


@wp.func
def follow_gather_path(
    scenes: Scenes, settings: GatherSettings, scene: int, r: GatherPoint, ray: GatherRay, first_hit: Hit
) -> GatheredRadiance:
    """What `trace_gather_path` finds by way of what its ray hits first."""
    none = wp.vec3(0.0, 0.0, 0.0)
    result = GatheredRadiance(none, none, none, none, first_hit.t)
    key = wp.vec2ui(wp.uint32(17), wp.uint32(ray.index_in_pattern))
    path = first_gather_path(r, ray)
    hit = Hit(first_hit.object_id, first_hit.t)
    bounces = int(0)
    max_bounces = settings.bounces + wp.where(ray.is_diffuse, 0, 1)  # of what diffuse rays lack, TRUNCATED tells
    segment = int(0)
    while segment < MAX_SEGMENTS:
        si = surface_interaction(shape_of(scenes.objects[hit.object_id]), path.origin, path.direction, hit.t)
        emission = emission_of_hit(scenes, scene, r, path, hit, si.normal, segment == 0)
        result.lights += wp.where(segment == 0, emission, none)
        result.surfaces += wp.where(segment == 0, none, emission)
        vertex = gather_vertex(scenes, path, hit, si, ray.least_alpha, segment == 0)
        bsdf = vertex.bsdf
        if vertex.is_opaque_inside:
            break
        path.origin = vertex.at.point
        path.left_object = path.origin_object
        path.origin_object = hit.object_id
        path.weight_sum = 0.0
        guided = float(0.0)
        if not vertex.is_specular:
            if bounces == max_bounces:
                a = albedos(bsdf.material, bsdf.wi[2])
                result.truncated = wp.cw_mul(path.beta, a.diffuse + a.reflectance + a.transmittance)
                break
            bounces += 1
            path.at = vertex.at
            if bsdf.diffuse_share > 0.0 and path.at.is_opaque:
                guided = guide_weight(scenes, scene, path.at)
            u = uniform(key, ray.pattern, segment, 0)
            cdf = light_cdf(scenes, scene, path.at)
            light = sample_light(scenes, scene, path.at, cdf, u[0], wp.vec2(u[1], u[2]))
            result.surfaces += direct_light_of_vertex(scenes, settings, scene, vertex, guided, light, path.beta)
            path.weight_sum = light.weight_sum
            path.light_rays = 1.0
            path.after_diffuse = path.after_diffuse or bsdf.diffuse_share > 0.0
        v = uniform(key, ray.pattern, segment, 1)
        wo = sample_bsdf(bsdf, wp.vec3(v[0], v[1], v[2]))
        if guided > 0.0:
            w = uniform(key, ray.pattern, segment, 2)
            if w[0] < GUIDED_SHARE:
                wo = vertex.local * sample_target(scenes, scene, path.at, guided, w[3], wp.vec2(w[1], w[2]))
        scattered = evaluate_bsdf(bsdf, wo)
        path.density = scattered.density
        if guided > 0.0:
            direction = to_world(vertex.local, wo)
            path.density = mixture_density(scenes, scene, path.at, guided, direction, scattered.density)
            path.is_guided = path.density > scattered.density
        if path.density <= 0.0 or wp.max(scattered.value) <= 0.0:  # as to a target below the horizon
            break
        path.counts_emission = not vertex.is_specular or (not path.after_diffuse and bsdf.wi[2] * wo[2] > 0.0)
        path.beta = wp.cw_mul(path.beta, scattered.value) * (1.0 / path.density)
        if not vertex.is_specular and not path.is_guided:  # Russian roulette
            survival = wp.min(ROULETTE_SURVIVAL * wp.max(path.beta), 1.0)
            if v[3] >= survival:
                break
            path.beta = path.beta / survival
        segment += 1
        if segment == MAX_SEGMENTS:
            break
        path.direction = unit_length(to_world(vertex.local, wo))
        hit = next_hit(scenes, scene, EVERYTHING, path.origin, path.direction, path.origin_object, path.left_object)
        if hit.object_id == MISS:
            sky = wp.cw_mul(path.beta, unsampled_sky_radiance(scenes, scene, path.direction))
            result.surfaces += sky + wp.cw_mul(path.beta, infinite_lights_of_path(scenes, settings, scene, path))
            break
    return result


@wp.struct
class GatherSample:
    """The direction of one of a point's gather rays."""

    wo: wp.vec3  # local
    scattered: LobeValues
    density: float  # per steradian, times how many rays of its kind there are; 0: not to be traced
    hemisphere_share: float  # of the cosine-weighted hemisphere, that the ray stands for
    pattern: int
    index_in_pattern: int


@wp.func
def sample_hemisphere_ray(
    scenes: Scenes, settings: GatherSettings, scene: int, r: GatherPoint, guide: Guide, ray: int
) -> GatherSample:
    """The direction of a point's ray of this number over its hemisphere: the last of a pattern go to targets."""
    per_pattern = r.diffuse_rays // settings.patterns_per_point
    pattern = r.pattern + ray // per_pattern
    index_in_pattern = ray % per_pattern
    by_cosine = per_pattern - guide.rays
    wo = sample_cosine_hemisphere(sobol_point(pattern * by_cosine + index_in_pattern, 2))
    if index_in_pattern >= by_cosine:
        number = pattern * guide.rays + index_in_pattern - by_cosine
        choice = sobol_point(number, 5)[0]
        wo = r.local * sample_target(scenes, scene, r.at, guide.weight_sum, choice, sobol_point(number, 6))
    density = hemisphere_density(scenes, settings, scene, r, guide, wo)
    share = wo[2] * INVERSE_PI / density
    return GatherSample(wo, evaluate_lobes(r.bsdf, wo), density, share, pattern, index_in_pattern)


@wp.func
def sample_lobe_ray(settings: GatherSettings, r: GatherPoint, ray: int) -> GatherSample:
    """The direction of a point's ray of this number into its glossy lobes."""
    per_pattern = r.glossy_rays // settings.patterns_per_point
    pattern = r.pattern + ray // per_pattern
    index_in_pattern = ray % per_pattern
    u = sobol_point(r.pattern * per_pattern + ray, 3)
    choice = (float(index_in_pattern) + sobol_point(pattern, 4)[0]) / float(per_pattern)
    wo = sample_bsdf(r.bsdf, wp.vec3(choice, u[0], u[1]))
    scattered = evaluate_lobes(r.bsdf, wo)
    density = scattered.density * float(r.glossy_rays)
    return GatherSample(wo, scattered, density, 0.0, pattern, index_in_pattern + OTHER_PATHS)


@wp.struct
class GatherSums:
    """Over a point's rays, what is in Signals by the names; in place of variances squares."""

    direct: wp.vec3
    sky: wp.vec3
    surfaces: wp.vec3
    truncated: wp.vec3
    highlight: wp.vec3
    reflection: wp.vec3
    openness: float
    nearness: float
    indirect_squares: float
    glossy_squares: float
    rough_albedo: float


@wp.func
def with_hemisphere_ray(
    sums: GatherSums, gathered: GatheredRadiance, diffuse_value: float, share: float, pixel: float
) -> GatherSums:
    """The sums with a ray over the hemisphere, the diffuse lobe's value there over its density, the share of the
    hemisphere that it stands for, and a pixel's width."""
    sums.direct += gathered.lights * diffuse_value
    sums.sky += gathered.sky * diffuse_value
    sums.surfaces += gathered.surfaces * diffuse_value
    sums.indirect_squares += square(mean(gathered.sky + gathered.surfaces) * diffuse_value)
    sums.truncated += gathered.truncated * diffuse_value
    sums.openness += wp.where(gathered.distance == SKY_DISTANCE, share, 0.0)
    sums.nearness += pixel / (pixel + gathered.distance) * share
    return sums


@wp.func
def signals_of(sums: GatherSums) -> Signals:
    """The sums as Signals."""
    out = Signals()
    out = with_rgb(out, DIRECT, sums.direct)
    out = with_rgb(out, SKY, sums.sky)
    out = with_rgb(out, SURFACES, sums.surfaces)
    out = with_rgb(out, HIGHLIGHT, sums.highlight)
    out = with_rgb(out, REFLECTION, sums.reflection)
    out = with_rgb(out, TRUNCATED, sums.truncated)
    out[OPENNESS] = sums.openness
    out[NEARNESS] = sums.nearness
    out[INDIRECT_VARIANCE] = sums.indirect_squares
    out[GLOSSY_VARIANCE] = sums.glossy_squares
    out[ROUGH_ALBEDO] = sums.rough_albedo
    return out


@wp.kernel(enable_backward=False)
def gather_indirect_light(
    scenes: Scenes,
    settings: GatherSettings,
    points: wp.array[ShadingPoint],
    throughput: wp.array[float],
    light_rays: wp.array[int],
    terms: wp.array[PointTerms],
    partial_signals: wp.array2d[Signals],
    ray_counts: wp.array[wp.vec2i],
    partial_ray_sums: wp.array2d[RaySums],
    lobe_rays: wp.array[LobeRay],
    begin: int,
) -> None:
    """One thread's gather paths of a point, over the hemisphere and into glossy lobes; see `sum_indirect_light`.

    In place of variances there are sums of squares, of so many rays as are in `ray_counts`: of the hemisphere, and of
    lobes. The sky's control variate is a gradient sky's radiance times the diffuse lobe's mean factor, plus what the
    factor differs from that times the sky's mean radiance: nearly their product, and of a mean that is known
    (`unoccluded_sky`).
    """
    index = (wp.tid() + begin) // settings.threads_per_point
    thread = (wp.tid() + begin) % settings.threads_per_point
    p = points[index]
    partial_signals[index, thread] = Signals()
    ray_counts[index] = wp.vec2i(0, 0)
    partial_ray_sums[index, thread] = RaySums()
    if p.object_id == MISS:
        return
    r = gather_point_at(scenes, settings, p, index, terms[index].alpha, throughput[index])
    rays = r.diffuse_rays + r.glossy_rays
    if rays == 0:
        return
    ray_counts[index] = wp.vec2i(r.diffuse_rays, wp.where(r.shares_rays, r.diffuse_rays, r.glossy_rays))
    sums = GatherSums()
    ray_sums = RaySums()
    row = scenes.scenes[p.scene]
    mean_sky = mean_gradient_radiance(row, p.normal)
    mean_burley = mean_burley_factor(r.bsdf.material, r.bsdf.wi[2])
    weight_sum = terms[index].light_weight_sum
    light_ray_count = possible_light_rays(settings, throughput[index], light_rays[index])
    pixel = pixel_width(scenes, p, settings.height)
    keeps_rays = lobe_rays.shape[0] > 0 and reflects_most(r.bsdf.material)
    guide = guide_of(scenes, settings, p.scene, r)
    shaft = EVERYTHING
    if r.is_diffuse and refraction_weight(r.bsdf.material) == 0.0:
        shaft = objects_in_cone(scenes, p.scene, p.point, p.normal, 1.0, INFINITY)
    for ray in range(thread, rays, settings.threads_per_point):
        is_glossy = ray >= r.diffuse_rays
        sampled = GatherSample()
        if is_glossy:
            sampled = sample_lobe_ray(settings, r, ray - r.diffuse_rays)
        else:
            sampled = sample_hemisphere_ray(scenes, settings, p.scene, r, guide, ray)
        scattered = sampled.scattered
        density = sampled.density
        lobe_ray = LobeRay()
        if density > 0.0:
            direction = unit_length(to_world(r.local, sampled.wo))
            gather_ray = GatherRay(
                shaft,
                direction,
                density,
                not is_glossy,
                r.bsdf.material.alpha,
                weight_sum,
                light_ray_count,
                sampled.pattern,
                sampled.index_in_pattern,
            )
            gathered = trace_gather_path(scenes, settings, p.scene, r, gather_ray)
            if not is_glossy:
                diffuse_value = scattered.diffuse / density
                share = sampled.hemisphere_share
                sums = with_hemisphere_ray(sums, gathered, diffuse_value, share, pixel)
                factor = mean_burley * share
                sky_control = mean_sky * (diffuse_value - factor) + gradient_radiance(row, direction) * factor
                for c in range(3):
                    ray_sums[SKY_CONTROL + c] += sky_control[c]
            if is_glossy and keeps_rays:
                radiance = gathered.sky + gathered.surfaces
                weight = mean(scattered.specular) / scattered.density
                lobe_ray = LobeRay(direction, scattered.density, radiance, mean(gathered.lights), weight)
            if is_glossy or r.shares_rays:
                value = scattered.specular / density
                sums.highlight += wp.cw_mul(gathered.lights, value)
                sums.reflection += wp.cw_mul(gathered.sky + gathered.surfaces, value)
                reflected = mean(wp.cw_mul(gathered.lights + gathered.sky + gathered.surfaces, value))
                sums.glossy_squares += square(reflected)
                if r.shares_rays:
                    sums.rough_albedo += mean(value)
                    ray_sums[WEIGHTED_REFLECTION] += mean(value) * reflected
                    ray_sums[SQUARED_WEIGHTS] += square(mean(value))
        if is_glossy and keeps_rays:
            lobe_rays[index * settings.glossy_rays + ray - r.diffuse_rays] = lobe_ray
    partial_signals[index, thread] = signals_of(sums)
    partial_ray_sums[index, thread] = ray_sums


@wp.func
def unoccluded_sky(scenes: Scenes, p: ShadingPoint) -> wp.vec3:
    """Irradiance over π of a gradient sky that nothing occludes, times the diffuse lobe's mean factor."""
    factor = mean_burley_factor(material_of_object(scenes.objects[p.object_id]), -wp.dot(p.direction, p.normal))
    return mean_gradient_radiance(scenes.scenes[p.scene], p.normal) * factor


@wp.kernel(enable_backward=False)
def sum_indirect_light(
    scenes: Scenes,
    settings: GatherSettings,
    points: wp.array[ShadingPoint],
    partial_signals: wp.array2d[Signals],
    ray_counts: wp.array[wp.vec2i],
    partial_ray_sums: wp.array2d[RaySums],
    signals: wp.array[Signals],
    begin: int,
) -> None:
    """Add what all threads of `gather_indirect_light` found to the Signals of their point.

    Of the sky, less the error that its control variate has by the same rays, times the share that is in view (a control
    variate: Owen, "Monte Carlo theory, methods and examples", §8.9): on open ground nothing else is left of its noise.
    Of a rough lobe that the diffuse lobe's rays serve, noise is that of a ratio: of the rays' deviations from their
    weights' share of the sum (Cochran, "Sampling Techniques", eq. 2.46).
    """
    index = wp.tid() + begin
    out = partial_signals[index, 0]
    ray_sums = partial_ray_sums[index, 0]
    for thread in range(1, settings.threads_per_point):
        out += partial_signals[index, thread]
        ray_sums += partial_ray_sums[index, thread]
    rays = ray_counts[index]
    indirect = mean(rgb_at(out, SKY) + rgb_at(out, SURFACES))
    out[INDIRECT_VARIANCE] = variance_of_sum(out[INDIRECT_VARIANCE], indirect, rays[0])
    glossy = mean(rgb_at(out, HIGHLIGHT) + rgb_at(out, REFLECTION))
    if out[ROUGH_ALBEDO] > 0.0:
        ratio = glossy / out[ROUGH_ALBEDO]
        crossed = ratio * ray_sums[SQUARED_WEIGHTS] - 2.0 * ray_sums[WEIGHTED_REFLECTION]
        deviations = out[GLOSSY_VARIANCE] + ratio * crossed  # Σ (x − ratio · weight)², multiplied out
        deviations = wp.where(deviations < ROUNDING * out[GLOSSY_VARIANCE], 0.0, deviations)
        out[GLOSSY_VARIANCE] = variance_of_sum(deviations, 0.0, rays[1])
    else:
        out[GLOSSY_VARIANCE] = variance_of_sum(out[GLOSSY_VARIANCE], glossy, rays[1])
    if rays[0] > 0:
        control = wp.vec3(ray_sums[SKY_CONTROL], ray_sums[SKY_CONTROL + 1], ray_sums[SKY_CONTROL + 2])
        error = control - unoccluded_sky(scenes, points[index])
        out = with_rgb(out, SKY, rgb_at(out, SKY) - out[OPENNESS] * error)
    signals[index] = signals[index] + out
