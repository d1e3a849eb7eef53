"""Gather paths: what arrives along one ray from a point, by a path tracer's estimate of few bounces.

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
from luxel.core.frames import frame, to_world, unit_length
from luxel.core.guiding import GUIDED_SHARE, guide_weight, mixture_density, sample_target
from luxel.core.intersect import EVERYTHING, MISS, Hit
from luxel.core.principled import (
    BSDF,
    Material,
    albedos,
    bsdf_of,
    evaluate_bsdf,
    is_followed,
    refraction_weight,
    sample_bsdf,
)
from luxel.core.rng import uniform
from luxel.core.sampling import power_heuristic
from luxel.core.scenes import Scenes, material_of_object, shape_of
from luxel.core.shapes.shape import SurfaceInteraction, facing_normal, surface_interaction
from luxel.core.visibility import is_clear, next_hit
from luxel.models.gather_points import (
    GatherPoint,
    GatherSettings,
    highlight_gain,
    sight_to_light,
)

MIN_INDIRECT_ALPHA = wp.constant(0.3)  # of gloss that a diffuse surface sees, lest it flicker (path regularisation)
MAX_SEGMENTS = wp.constant(8)  # of a gather path, those through mirrors and glass included
ROULETTE_SURVIVAL = wp.constant(2.0)  # after a surface, over the path's throughput; 1 costs half a dB, 2 nothing
SKY_DISTANCE = wp.constant(1.0e9)  # longer than any ray that hits something


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
                density = mixture_density(scenes, scene, vertex.at, guided, light.direction, bsdf_value.density)
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
