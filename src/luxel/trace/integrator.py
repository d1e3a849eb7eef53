"""The path integrator: from the camera's ray to the radiance that arrives along it.

The estimator is Mitsuba's `path` (Kajiya 1986; Veach 1997, ch. 9): at every surface a direction towards a light and
one from the BSDF, combined by the power heuristic; the sky, but for the sun and what is bright of an environment map,
is found by BSDF samples alone, which follow it well. Depth counts segments up to the light: 1 sees lights, 2 is direct
light.
"""

import warp as wp

from luxel.core.emitters import (
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
from luxel.core.intersect import MISS, Hit, intersect, intersect_object, is_visible
from luxel.core.principled import (
    bsdf_of,
    evaluate_bsdf,
    refraction_weight,
    reuse_lobe_sample,
    sample_bsdf_about,
)
from luxel.core.sampling import ZSobolPixel, power_heuristic, zsobol_sample
from luxel.core.scenes import Scenes, material_of_object, shape_of
from luxel.core.shapes.kinds import BOX
from luxel.core.shapes.local import INFINITY
from luxel.core.shapes.shape import facing_normal, surface_interaction
from luxel.core.visibility import TOUCHING
from luxel.trace.radiance_cache import cached_radiance

ROULETTE_DEPTH = wp.constant(2)  # segments before Russian roulette
# By how much survival is more than what a path is worth: where roulette begins, and later. Figures of spheres under a
# white sky take a tenth more time for the same error without the former; with 1 for the latter up to 40 % more.
FIRST_ROULETTE_SCALE, ROULETTE_SCALE = wp.constant(8.0), wp.constant(4.0)
NET_DEPTH = wp.constant(2)  # segments up to which a group's numbers are nets
MAX_SURVIVAL = wp.constant(0.95)  # of longer paths, lest one be caught by total reflection


@wp.struct
class PathSettings:
    """How paths are followed."""

    max_depth: int  # segments
    branches: int  # paths that share a camera's ray, and go on from where it ends
    net_size: int  # paths that share a net, a power of two
    cached: wp.array2d[wp.vec3]  # a RadianceCache's, or empty
    is_cached: wp.array[bool]


@wp.struct
class PathSampler:
    """Where the random numbers of a camera's ray come from."""

    key: wp.vec2ui
    pixel: int
    zsobol: ZSobolPixel
    sample: int  # of the pixel


@wp.struct
class CameraRay:
    """Where a path begins."""

    origin: wp.vec3
    direction: wp.vec3  # unit length


@wp.struct
class Vertex:
    """Where a path arrives, and what it needs to go on from there.

    Its BSDF is made again: kept for the first vertex, too, it took 220 bytes more of a GPU's local memory.
    """

    scatters: bool  # False: the path ends here
    at: LightSampleContext
    wi: wp.vec3  # local, towards where the path comes from
    light_weight_sum: float
    guide_weight: float  # 0 where no directions are sampled to targets
    roulette: float  # a number in [0, 1)


@wp.struct
class PathState:
    """A path's next segment, which is a ray that its last vertex scattered, and what light from there counts."""

    branch: int
    depth: int  # segments so far
    vertex: Vertex
    origin: wp.vec3
    direction: wp.vec3  # unit length
    density: float  # of the direction, per steradian
    beta: wp.vec3  # throughput
    eta: float  # index where the path is, over the camera's
    is_guided: bool  # to a target, and on from there: worth more than roulette expects
    is_alive: bool


@wp.func
def path_radiance(scenes: Scenes, scene: int, settings: PathSettings, sampler: PathSampler, ray: CameraRay) -> wp.vec3:
    """Paths that share the camera's ray: an unbiased estimate of the radiance that arrives along it, their mean.

    From where that ray ends so many `branches` go on. There, and at the next surface, the directions of a group of
    paths are stratified.
    """
    L = wp.vec3(0.0, 0.0, 0.0)
    path = camera_path(ray)
    first = Vertex()  # where the camera's ray ends
    while path.is_alive:
        path.depth += 1
        arriving, vertex = arrive(scenes, scene, settings, sampler, path)
        L += wp.cw_mul(path.beta, arriving)
        path.vertex = vertex
        if path.depth == 1:
            first = vertex
            path.beta = path.beta / float(settings.branches)

        # Go on in a direction of the BSDF's; where a path ends, the next branch does from the first surface.
        path.is_alive = False
        while not path.is_alive and path.branch < settings.branches:
            path = scatter(scenes, scene, settings, sampler, path)
            if not path.is_alive:
                path.branch += 1
                path.depth = 1
                path.vertex = first
                path.beta = wp.vec3(1.0, 1.0, 1.0) / float(settings.branches)
                path.eta = 1.0
                path.is_guided = False
    return L


@wp.func
def camera_path(ray: CameraRay) -> PathState:
    """A path before its first segment, of which any density will do, beside 0 for lights."""
    vertex = Vertex()
    vertex.at = LightSampleContext(ray.origin, ray.direction, MISS, False)
    return PathState(0, 0, vertex, ray.origin, ray.direction, 1.0, wp.vec3(1.0, 1.0, 1.0), 1.0, False, True)


@wp.func
def arrive(
    scenes: Scenes, scene: int, settings: PathSettings, sampler: PathSampler, path: PathState
) -> tuple[wp.vec3, Vertex]:
    """Radiance along the path's next segment, all but what its end scatters on, and that end.

    The light that it finds, times its MIS weight against light sampling, and the direct light of one lamp at its end;
    of the last segment the former alone. A scattered ray ends on what is cached.
    """
    ended = Vertex()
    hit = hit_with_air_gaps(scenes, scene, path)
    if hit.object_id == MISS:
        return escaped_radiance(scenes, scene, path.vertex, path.direction, path.density), ended

    obj = scenes.objects[hit.object_id]
    shape = shape_of(obj)
    si = surface_interaction(shape, path.origin, path.direction, hit.t)
    L = emission_found(scenes, scene, path.vertex, path.direction, path.density, hit, si.normal)
    if path.depth == settings.max_depth:
        return L, ended
    is_known = bool(False)
    if settings.is_cached.shape[0] > 0 and path.vertex.at.object_id != MISS:
        is_known = settings.is_cached[hit.object_id]
    if is_known:
        return L + cached_radiance(settings.cached, hit.object_id, si.normal), ended

    material = material_of_object(obj)
    normal = facing_normal(shape.kind, si.normal, path.direction)
    local = frame(normal)
    wi = local * (-path.direction)
    if wi[2] <= 0.0 and refraction_weight(material) == 0.0:
        return L, ended  # an opaque object is black from inside
    at = LightSampleContext(si.point, normal, hit.object_id, material.transmission == 0.0)

    # Direct light: look at one light. As a function of its own this took 3 % more of a CPU's time.
    u = light_numbers(settings, sampler, path)
    bsdf = bsdf_of(material, wi)
    guided = float(0.0)
    if at.is_opaque and bsdf.diffuse_share > 0.0:
        guided = guide_weight(scenes, scene, at)
    cdf = light_cdf(scenes, scene, at)
    light = sample_light(scenes, scene, at, cdf, u[0], wp.vec2(u[1], u[2]))
    if light.density > 0.0:
        towards = evaluate_bsdf(bsdf, local * light.direction)
        if wp.max(towards.value) > 0.0 and is_visible(
            scenes, scene, si.point, light.direction, hit.object_id, light.object_id
        ):
            density = mixture_density(scenes, scene, at, guided, light.direction, towards.density)
            weight = power_heuristic(light.density, density) / light.density
            L += wp.cw_mul(towards.value, light.radiance) * weight
    return L, Vertex(True, at, wi, light.weight_sum, guided, u[3])


@wp.func
def hit_with_air_gaps(scenes: Scenes, scene: int, path: PathState) -> Hit:
    """What the path's next segment ends on: between a flat face of glass and what touches it there is a gap of air.

    Both are at the same distance, as far as can be told: a path within glass leaves it first, and one that comes from
    what touches it enters it first.
    """
    left = path.vertex.at.object_id
    is_within = is_flat_glass(scenes, left)
    near = TOUCHING * wp.length(path.origin)
    back = float(0.0)  # where the ray begins, before what touches the glass that it leaves
    if is_within and wp.dot(path.direction, path.vertex.at.normal) > 0.0:
        is_within = False
        back = near
    hit = intersect(scenes, scene, path.origin - back * path.direction, path.direction, left)
    hit.t -= back
    if hit.object_id != left and (is_within or is_flat_glass(scenes, hit.object_id)):
        near += TOUCHING * hit.t
        back = wp.where(is_within, 0.0, near)
        glass = wp.where(is_within, left, hit.object_id)
        before = path.origin - back * path.direction
        t = intersect_object(scenes, glass, before, path.direction, left, INFINITY) - back
        if t < near + wp.where(is_within, hit.t, 0.0):
            hit = Hit(glass, t)
    return hit


@wp.func
def is_flat_glass(scenes: Scenes, object_id: int) -> bool:
    """Whether an object transmits and has faces on which others can stand; round ones are touched in points."""
    result = bool(False)
    if object_id >= 0:
        result = scenes.objects[object_id].kind >= BOX and scenes.objects[object_id].transmission > 0.0
    return result


@wp.func
def escaped_radiance(scenes: Scenes, scene: int, vertex: Vertex, direction: wp.vec3, density: float) -> wp.vec3:
    """What comes from outside along a ray that a vertex scattered, times its MIS weight against light sampling."""
    far = infinite_lights_with_mis(scenes, scene, vertex.at, vertex.light_weight_sum, direction, density, 1.0)
    return unsampled_sky_radiance(scenes, scene, direction) + far


@wp.func
def emission_found(
    scenes: Scenes, scene: int, vertex: Vertex, direction: wp.vec3, density: float, hit: Hit, normal: wp.vec3
) -> wp.vec3:
    """What the object emits that a segment hits, times its MIS weight against light sampling."""
    L = wp.vec3(0.0, 0.0, 0.0)
    Le = emitted_radiance(scenes, hit.object_id, direction, normal)
    if wp.max(Le) > 0.0:
        nee_density = light_density(
            scenes, scene, vertex.at, vertex.light_weight_sum, hit.object_id, direction, hit.t, normal
        )
        L = Le * power_heuristic(density, nee_density)
    return L


@wp.func
def light_numbers(settings: PathSettings, sampler: PathSampler, path: PathState) -> wp.vec4:
    """Random numbers for the end of the path's segment; branches share those of the first."""
    shared = wp.where(path.depth == 1, settings.branches, 1)
    number = wp.where(path.depth == 1, sampler.sample, path_number(settings, sampler, path))
    members = wp.where(path.depth <= NET_DEPTH, wp.max(settings.net_size // shared, 1), 1)
    return zsobol_sample(sampler.key, sampler.pixel, sampler.zsobol, number, 2 * path.depth, members)


@wp.func
def bsdf_numbers(settings: PathSettings, sampler: PathSampler, path: PathState) -> wp.vec4:
    """Random numbers for the direction of the path's next segment; the last one says whether it is guided."""
    number = path_number(settings, sampler, path)
    members = wp.where(path.depth <= NET_DEPTH, settings.net_size, 1)
    v = zsobol_sample(sampler.key, sampler.pixel, sampler.zsobol, number, 2 * path.depth + 1, members)
    return wp.vec4(v[1], v[2], v[0], v[3])


@wp.func
def path_number(settings: PathSettings, sampler: PathSampler, path: PathState) -> int:
    """A path's number among those of its pixel."""
    return sampler.sample * settings.branches + path.branch


@wp.func
def scatter(scenes: Scenes, scene: int, settings: PathSettings, sampler: PathSampler, path: PathState) -> PathState:
    """The path with a direction from its vertex, by the BSDF or to a target (`luxel.core.guiding`).

    It is not alive if there is none, or roulette ends it.
    """
    vertex = path.vertex
    if vertex.scatters:
        bsdf = bsdf_of(material_of_object(scenes.objects[vertex.at.object_id]), vertex.wi)
        local = frame(vertex.at.normal)
        numbers = bsdf_numbers(settings, sampler, path)
        u = wp.vec3(numbers[0], numbers[1], numbers[2])
        wo = sample_bsdf_about(bsdf, local, reuse_lobe_sample(bsdf, u))
        guided = vertex.guide_weight
        if guided > 0.0 and numbers[3] < GUIDED_SHARE:
            wo = local * sample_target(scenes, scene, vertex.at, guided, u[2], wp.vec2(u[0], u[1]))
        scattered = evaluate_bsdf(bsdf, wo)
        path.density = scattered.density
        if guided > 0.0:
            direction = to_world(local, wo)
            path.density = mixture_density(scenes, scene, vertex.at, guided, direction, scattered.density)
            path.is_guided = path.density > scattered.density
        if path.density > 0.0:
            path.beta = wp.cw_mul(path.beta, scattered.value) * (1.0 / path.density)
            path.origin = vertex.at.point
            if vertex.wi[2] * wo[2] < 0.0:
                index = bsdf.material.eta
                path.eta = path.eta * wp.where(vertex.wi[2] > 0.0, index, 1.0 / index)
            path.direction = unit_length(to_world(local, wo))

            survival = float(1.0)
            if not path.is_guided:
                survival = survival_probability(path.beta, path.eta, path.depth, settings.branches)
            path.is_alive = vertex.roulette < survival and wp.max(path.beta) > 0.0
            path.beta = path.beta / survival
    return path


@wp.func
def survival_probability(beta: wp.vec3, eta: float, depth: int, branches: int) -> float:
    """Of Russian roulette, by what the path will be worth at the camera: radiance there is η² times less."""
    worth = wp.max(beta) * float(branches) * eta * eta
    survival = float(1.0)
    if depth == ROULETTE_DEPTH:
        survival = wp.min(FIRST_ROULETTE_SCALE * worth, 1.0)
    elif depth > ROULETTE_DEPTH:
        survival = wp.min(ROULETTE_SCALE * worth, MAX_SURVIVAL)
    return survival
