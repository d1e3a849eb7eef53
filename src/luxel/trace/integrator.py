"""The path integrator: one kernel that follows paths from the camera.

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
from luxel.core.intersect import MISS, intersect, is_visible
from luxel.core.principled import bsdf_of, evaluate_bsdf, refraction_weight, reuse_lobe_sample, sample_bsdf_about
from luxel.core.rays import camera_direction, camera_origin, image_plane_point
from luxel.core.rng import seeded, uniform
from luxel.core.sampling import ZSobolPixel, power_heuristic, zsobol_pixel, zsobol_sample
from luxel.core.scenes import Scenes, material_of_object, shape_of
from luxel.core.shapes.local import INFINITY
from luxel.core.shapes.shape import facing_normal, surface_interaction
from luxel.trace.fragment_paths import FragmentSums, add_to_fragment
from luxel.trace.radiance_cache import cached_radiance

ROULETTE_DEPTH = wp.constant(2)  # segments before Russian roulette
# By how much survival is more than what a path is worth: where roulette begins, and later. Figures of spheres under a
# white sky take a tenth more time for the same error without the former; with 1 for the latter up to 40 % more.
FIRST_ROULETTE_SCALE, ROULETTE_SCALE = wp.constant(8.0), wp.constant(4.0)
NET_DEPTH = wp.constant(2)  # segments up to which a group's numbers are nets
MAX_SURVIVAL = wp.constant(0.95)  # of longer paths, lest one be caught by total reflection


@wp.struct
class Vertex:
    """Where a path arrives, and what it needs to go on from there.

    Its BSDF is made again: kept for the first vertex, too, it took 220 bytes more of a GPU's local memory.
    """

    scatters: bool  # False: the path ends here
    at: LightSampleContext
    wi: wp.vec3  # local, towards where the path comes from
    light_weight_sum: float
    roulette: float  # a number in [0, 1)


@wp.func
def emission_found(
    scenes: Scenes,
    scene: int,
    before: Vertex,
    direction: wp.vec3,
    density: float,
    object_id: int,
    distance: float,
    normal: wp.vec3,
) -> wp.vec3:
    """What an object emits against a ray of this density that hit it, times its MIS weight against light sampling."""
    L = wp.vec3(0.0, 0.0, 0.0)
    Le = emitted_radiance(scenes, object_id, direction, normal)
    if wp.max(Le) > 0.0:
        nee_density = light_density(
            scenes, scene, before.at, before.light_weight_sum, object_id, direction, distance, normal
        )
        L = Le * power_heuristic(density, nee_density)
    return L


@wp.func
def arrive(
    scenes: Scenes,
    scene: int,
    before: Vertex,
    origin: wp.vec3,
    direction: wp.vec3,
    bsdf_density: float,
    last: bool,
    key: wp.vec2ui,
    pixel: int,
    zsobol: ZSobolPixel,
    number: int,
    dimension: int,
    members: int,
    cached: wp.array2d[wp.vec3],
    is_cached: wp.array[bool],
) -> tuple[wp.vec3, Vertex]:
    """Radiance along a ray that `before` scattered, all but what its end scatters on, and that end.

    A scattered ray ends on what is cached.

    The light that it finds, times its MIS weight against light sampling, and the direct light of one lamp at its end;
    of the `last` segment the former alone.

    Arguments come one by one, as in structs they took 1 to 3 % more processor time.
    """
    ended = Vertex()
    hit = intersect(scenes, scene, origin, direction, before.at.object_id)
    if hit.object_id == MISS:
        far = infinite_lights_with_mis(scenes, scene, before.at, before.light_weight_sum, direction, bsdf_density, 1.0)
        return unsampled_sky_radiance(scenes, scene, direction) + far, ended

    obj = scenes.objects[hit.object_id]
    shape = shape_of(obj)
    si = surface_interaction(shape, origin, direction, hit.t)
    L = emission_found(scenes, scene, before, direction, bsdf_density, hit.object_id, hit.t, si.normal)
    if last:
        return L, ended
    is_known = bool(False)
    if is_cached.shape[0] > 0 and before.at.object_id != MISS:
        is_known = is_cached[hit.object_id]
    if is_known:
        return L + cached_radiance(cached, hit.object_id, si.normal), ended

    material = material_of_object(obj)
    normal = facing_normal(shape.kind, si.normal, direction)
    local = frame(normal)
    wi = local * (-direction)
    if wi[2] <= 0.0 and refraction_weight(material) == 0.0:
        return L, ended  # an opaque object is black from inside
    bsdf = bsdf_of(material, wi)
    at = LightSampleContext(si.point, normal, hit.object_id, material.transmission == 0.0)

    # Direct light: look at one light.
    u = zsobol_sample(key, pixel, zsobol, number, dimension, members)
    cdf = light_cdf(scenes, scene, at)
    light = sample_light(scenes, scene, at, cdf, u[0], wp.vec2(u[1], u[2]))
    if light.density > 0.0:
        towards = evaluate_bsdf(bsdf, local * light.direction)
        if wp.max(towards.value) > 0.0 and is_visible(
            scenes, scene, si.point, light.direction, hit.object_id, light.object_id
        ):
            weight = power_heuristic(light.density, towards.density) / light.density
            L += wp.cw_mul(towards.value, light.radiance) * weight
    return L, Vertex(True, at, wi, light.weight_sum, u[3])


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


@wp.func
def path_radiance(
    scenes: Scenes,
    scene: int,
    camera_origin: wp.vec3,
    camera_direction: wp.vec3,
    key: wp.vec2ui,
    pixel: int,
    zsobol: ZSobolPixel,
    sample: int,
    branches: int,
    group_size: int,
    max_depth: int,
    cached: wp.array2d[wp.vec3],
    is_cached: wp.array[bool],
) -> wp.vec3:
    """Paths that share the camera's ray: an unbiased estimate of the radiance that arrives along it, their mean.

    From where that ray ends so many `branches` go on. There, and at the next surface, the directions of a group of
    paths are stratified.
    """
    L = wp.vec3(0.0, 0.0, 0.0)
    beta = wp.vec3(1.0, 1.0, 1.0)
    eta = float(1.0)  # index where the path is, over the camera's
    origin = camera_origin
    direction = camera_direction
    bsdf_density = float(1.0)  # of the camera's ray any will do, beside 0 for lights
    vertex = Vertex()
    vertex.at = LightSampleContext(origin, direction, MISS, False)
    first = Vertex()  # where the camera's ray ends
    branch = int(0)

    depth = int(0)
    going = bool(True)
    while going:
        depth += 1
        path = sample * branches + branch
        # Branches share the first surface's direct light.
        number = wp.where(depth == 1, sample, path)
        shared = wp.where(depth == 1, branches, 1)
        members = wp.where(depth <= NET_DEPTH, wp.max(group_size // shared, 1), 1)
        arriving, vertex = arrive(
            scenes,
            scene,
            vertex,
            origin,
            direction,
            bsdf_density,
            depth == max_depth,
            key,
            pixel,
            zsobol,
            number,
            2 * depth,
            members,
            cached,
            is_cached,
        )
        L += wp.cw_mul(beta, arriving)
        if depth == 1:
            first = vertex
            beta = beta / float(branches)

        # Go on in a direction of the BSDF's; where a path ends, the next branch does from the first surface.
        going = bool(False)
        while not going and branch < branches:
            if vertex.scatters:
                bsdf = bsdf_of(material_of_object(scenes.objects[vertex.at.object_id]), vertex.wi)
                members = wp.where(depth <= NET_DEPTH, group_size, 1)
                v = zsobol_sample(key, pixel, zsobol, sample * branches + branch, 2 * depth + 1, members)
                local = frame(vertex.at.normal)
                wo = sample_bsdf_about(bsdf, local, reuse_lobe_sample(bsdf, wp.vec3(v[1], v[2], v[0])))
                scattered = evaluate_bsdf(bsdf, wo)
                bsdf_density = scattered.density
                if bsdf_density > 0.0:
                    beta = wp.cw_mul(beta, scattered.value) * (1.0 / bsdf_density)
                    if bsdf.wi[2] * wo[2] < 0.0:
                        index = bsdf.material.eta
                        eta *= wp.where(bsdf.wi[2] > 0.0, index, 1.0 / index)
                    origin = vertex.at.point
                    direction = unit_length(to_world(local, wo))

                    survival = survival_probability(beta, eta, depth, branches)
                    going = vertex.roulette < survival and wp.max(beta) > 0.0
                    beta = beta / survival
            if not going:
                branch += 1
                vertex = first
                if not first.scatters:
                    branch = branches
                depth = int(1)
                eta = float(1.0)
                beta = wp.vec3(1.0, 1.0, 1.0) / float(branches)
    return L


CHUNK = wp.constant(16)
"""Paths of a pixel that one thread follows, whatever the batch, so that sums are the same in any."""


def strata_of(spp: int, groups: int = 4) -> tuple[int, int]:
    """Into how many columns and rows a pixel is cut; each part gets one path of a group of as many.

    The most of which at least so many groups make up the paths: their spread is what is known of the variance, and a
    group with parts left out would have another. 4 × 4 parts make an image of the benchmark three times as efficient,
    2 × 2 nearly twice, since most of its noise is at the edges of lamps.
    """
    for columns, rows in ((4, 4), (4, 2), (2, 2)):
        if spp % (columns * rows) == 0 and spp >= groups * columns * rows:
            return columns, rows
    return 1, 1


@wp.struct
class PathSettings:
    """What all threads of a launch have in common."""

    seed: wp.vec2ui
    width: int  # of images, 0 for rays of their own
    height: int
    is_listed: int  # whether `WorldRays.number` holds the pixels that are wanted
    first_ray: int  # of this launch: in images the pixels are counted scene by scene
    spp: int
    columns: int  # of strata, see `strata_of`
    rows: int
    branches: int  # paths that share a camera's ray, and go on from where it ends
    net_size: int  # paths that share a net, a power of two
    max_depth: int
    cached: wp.array2d[wp.vec3]  # a RadianceCache's, or empty
    is_cached: wp.array[bool]


@wp.struct
class WorldRays:
    """Rays of their own, each with its number among those of its scene, which takes the place of a pixel's."""

    origin: wp.array[wp.vec3]
    direction: wp.array[wp.vec3]  # unit length
    scene: wp.array[int]
    number: wp.array[int]


@wp.struct
class CameraRay:
    """Where a path begins."""

    origin: wp.vec3
    direction: wp.vec3  # unit length


@wp.func
def film_sample(
    scenes: Scenes, scene: int, settings: PathSettings, key: wp.vec2ui, pixel: int, sample: int, stratum: int
) -> CameraRay:
    """The camera's ray through a random point of a pixel's stratum: together they are the box filter."""
    u = uniform(key, pixel, sample, 0)
    down = stratum // settings.columns
    line = pixel // settings.width
    column = pixel - line * settings.width
    x = float(column) + (float(stratum - down * settings.columns) + u[0]) / float(settings.columns)
    y = float(line) + (float(down) + u[1]) / float(settings.rows)
    xy = image_plane_point(x, y, settings.width, settings.height, scenes.scenes[scene].tan_half_fov)
    return CameraRay(camera_origin(scenes, scene, xy), camera_direction(scenes, scene, xy))


@wp.struct
class PathMoments:
    """Mean of a pixel's paths so far, and sums of squared deviations from it: of groups, and of paths."""

    mean: wp.vec3  # of whole groups
    deviation: wp.vec3  # of their means, times their size
    group: wp.vec3  # mean of the group that is not whole yet
    members: int  # of that group
    path_mean: wp.vec3
    path_deviation: float  # the sum over channels


@wp.func
def add_path(moments: PathMoments, L: wp.vec3, paths: int, group_size: int) -> PathMoments:
    """The moments with one more path, which makes so many `paths` (Welford 1962)."""
    off = L - moments.path_mean
    moments.path_mean += off / float(paths)
    moments.path_deviation += wp.dot(off, L - moments.path_mean)
    moments.members += 1
    moments.group += (L - moments.group) / float(moments.members)
    if moments.members == group_size:
        step = moments.group - moments.mean
        moments.mean += step * (float(group_size) / float(paths))
        moments.deviation += wp.cw_mul(step, moments.group - moments.mean) * float(group_size)
        moments.group = wp.vec3(0.0, 0.0, 0.0)
        moments.members = 0
    return moments


@wp.kernel(enable_backward=False)
def trace_paths(
    scenes: Scenes,
    settings: PathSettings,
    rays: WorldRays,
    sums: FragmentSums,
    means: wp.array2d[wp.vec3],
    deviations: wp.array2d[wp.vec3],
    path_deviations: wp.array2d[float],
    begin: int,
) -> None:
    """Mean radiance of a chunk of one pixel's or ray's paths, and squared deviations: of groups' means, and of paths.

    A group has one path in each stratum of the pixel; its deviation is weighted by its paths (Welford 1962). Those of
    single paths, summed over channels, say what noise there would be without strata. `sums` are not empty where the
    pictures' fragments have their own paths counted.
    """
    index = wp.tid() + begin
    chunks = means.shape[1]
    row = index // chunks
    chunk = index - row * chunks
    ray = row + settings.first_ray
    scene = int(0)
    pixel = int(0)
    camera_ray = CameraRay()
    if settings.width > 0:
        if settings.is_listed != 0:
            ray = rays.number[ray]
        scene = ray // (settings.width * settings.height)
        pixel = ray - scene * settings.width * settings.height
    else:
        scene = rays.scene[ray]
        pixel = rays.number[ray]
        camera_ray = CameraRay(rays.origin[ray], rays.direction[ray])
    key = seeded(scenes.scenes[scene].key, settings.seed)
    zsobol = ZSobolPixel()
    if settings.width > 0:
        zsobol = zsobol_pixel(key, pixel % settings.width, pixel // settings.width)

    moments = PathMoments()
    first = chunk * CHUNK
    for sample in range(first, wp.min(first + CHUNK, settings.spp)):
        if settings.width > 0:
            camera_ray = film_sample(scenes, scene, settings, key, pixel, sample, moments.members)
        L = path_radiance(
            scenes,
            scene,
            camera_ray.origin,
            camera_ray.direction,
            key,
            pixel,
            zsobol,
            sample,
            settings.branches,
            settings.net_size,
            settings.max_depth,
            settings.cached,
            settings.is_cached,
        )
        if sums.offsets.shape[0] > 0:
            place = row + settings.first_ray
            add_to_fragment(scenes, scene, sums, place, row, chunk, camera_ray.origin, camera_ray.direction, L)
        moments = add_path(moments, L, sample + 1 - first, settings.columns * settings.rows)
    means[row, chunk] = moments.mean
    deviations[row, chunk] = moments.deviation
    path_deviations[row, chunk] = moments.path_deviation


@wp.kernel(enable_backward=False)
def merge_chunks(
    means: wp.array2d[wp.vec3],
    deviations: wp.array2d[wp.vec3],
    path_deviations: wp.array2d[float],
    spp: int,
    groups: int,
    mean: wp.array[wp.vec3],
    variance: wp.array[wp.vec3],
    path_variance: wp.array[float],
    begin: int,
) -> None:
    """Mean of all of a pixel's paths and its estimated variance, in float64 (Chan, Golub & LeVeque 1979).

    Σ n (x_k − mean)² / (spp (groups − 1)), over groups of n paths with the means x_k; and the variance of one path, the
    mean over channels.
    """
    row = wp.tid() + begin
    total = wp.vec3d(wp.float64(0.0), wp.float64(0.0), wp.float64(0.0))
    spread = wp.vec3d(wp.float64(0.0), wp.float64(0.0), wp.float64(0.0))
    path_spread = wp.float64(0.0)
    for chunk in range(means.shape[1]):
        count = wp.float64(wp.min(CHUNK, spp - chunk * CHUNK))
        before = wp.float64(chunk * CHUNK)
        step = wp.vec3d(means[row, chunk]) - total
        between = before * count / (before + count)
        total += step * (count / (before + count))
        spread += wp.vec3d(deviations[row, chunk]) + wp.cw_mul(step, step) * between
        path_spread += wp.float64(path_deviations[row, chunk]) + wp.dot(step, step) * between
    mean[row] = wp.vec3(total)
    path_variance[row] = INFINITY
    if spp > 1:
        path_variance[row] = float(path_spread / (wp.float64(3.0) * wp.float64(spp - 1)))
    if groups > 1:
        variance[row] = wp.vec3(spread / (wp.float64(spp) * wp.float64(groups - 1)))
    else:
        variance[row] = wp.vec3(INFINITY, INFINITY, INFINITY)
