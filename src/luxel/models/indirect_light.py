"""Final gathering: light from the sky and from other surfaces, by a fixed pattern of `luxel.models.gather_paths`."""

import warp as wp

from luxel.core.frames import INVERSE_PI, to_world, unit_length
from luxel.core.guiding import sample_target
from luxel.core.intersect import EVERYTHING, MISS
from luxel.core.microfacet import sample_cosine_hemisphere
from luxel.core.principled import (
    LobeValues,
    evaluate_lobes,
    mean,
    mean_burley_factor,
    refraction_weight,
    sample_bsdf,
)
from luxel.core.sampling import sobol_point
from luxel.core.scenes import Scenes, material_of_object
from luxel.core.shafts import objects_in_cone
from luxel.core.shapes.local import INFINITY
from luxel.core.sky import gradient_radiance, mean_gradient_radiance
from luxel.models.gather_paths import SKY_DISTANCE, GatheredRadiance, GatherRay, trace_gather_path
from luxel.models.gather_points import (
    GatherPoint,
    GatherSettings,
    Guide,
    PointTerms,
    gather_point_at,
    guide_of,
    hemisphere_density,
    possible_light_rays,
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
OTHER_PATHS = wp.constant(64)  # added to the number of a ray into a lobe, lest its path be that of one of the others

WEIGHTED_REFLECTION, SQUARED_WEIGHTS, SKY_CONTROL = wp.constant(0), wp.constant(1), wp.constant(2)
RaySums = wp.types.vector(5, float)
"""Sums over a point's rays over its hemisphere.

    WEIGHTED_REFLECTION    of what the rough lobe reflects by a ray, times its weight, the ray's part in ROUGH_ALBEDO
    SQUARED_WEIGHTS        of the squares of these weights
    SKY_CONTROL            of the sky's control variate (`gather_indirect_light`), in RGB
"""


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
