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
    far_lights_found,
    light_cdf,
    light_density,
    sample_light,
    sky_radiance,
)
from luxel.core.frames import frame, to_world, unit_length
from luxel.core.intersect import MISS, intersect, is_visible
from luxel.core.principled import bsdf_of, evaluate_bsdf, lobe_by_first, refraction_weight, sample_bsdf
from luxel.core.rays import camera_direction, camera_origin, image_plane_point
from luxel.core.rng import seeded, uniform
from luxel.core.sampling import NetPlace, net_place, power_heuristic, stratified
from luxel.core.scenes import Scenes, material_of_object, shape_of
from luxel.core.shapes.local import INFINITY
from luxel.core.shapes.shape import facing_normal, surface_interaction

ROULETTE_DEPTH = wp.constant(3)  # segments before Russian roulette; Mitsuba's 5 is up to 12 % less efficient
# By how much survival is more than what a path is worth: with 1 figures of spheres took up to 40 % more time for the
# same error, with 8 as much (cost times squared error, 4 scenes of 160 × 90 pixels).
ROULETTE_SCALE = wp.constant(4.0)
NET_DEPTH = wp.constant(2)  # segments up to which a group's numbers are nets
MAX_SURVIVAL = wp.constant(0.95)  # lest a path be caught by total reflection


@wp.func
def path_radiance(
    scenes: Scenes,
    scene: int,
    camera_origin: wp.vec3,
    camera_direction: wp.vec3,
    key: wp.vec2ui,
    pixel: int,
    place: NetPlace,
    sample: int,
    group_size: int,
    max_depth: int,
) -> wp.vec3:
    """One path from the camera: an unbiased estimate of the radiance that arrives along its ray.

    Where that ray ends, and at the next surface, the directions of a group of paths are stratified.
    """
    L = wp.vec3(0.0, 0.0, 0.0)
    beta = wp.vec3(1.0, 1.0, 1.0)
    eta = float(1.0)  # index where the path is, over the camera's
    origin = camera_origin
    direction = camera_direction
    at = LightSampleContext(origin, direction, MISS, False)  # where the path last scattered
    bsdf_density = float(1.0)  # of the camera's ray any will do, beside 0 for lights
    lights_total = float(0.0)

    depth = int(0)
    while depth < max_depth:
        hit = intersect(scenes, scene, origin, direction, at.object_id)
        depth += 1
        if hit.object_id == MISS:
            far = far_lights_found(scenes, scene, at, lights_total, direction, bsdf_density, 1.0)
            L += wp.cw_mul(beta, sky_radiance(scenes, scene, direction) + far)
            break

        # Light that the BSDF's direction has found, weighted against having looked for it.
        obj = scenes.objects[hit.object_id]
        shape = shape_of(obj)
        si = surface_interaction(shape, origin, direction, hit.t)
        Le = emitted_radiance(scenes, hit.object_id, direction, si.normal)
        if wp.max(Le) > 0.0:
            looked_for = light_density(scenes, scene, at, lights_total, hit.object_id, direction, hit.t, si.normal)
            L += wp.cw_mul(beta, Le) * power_heuristic(bsdf_density, looked_for)
        if depth == max_depth:
            break

        material = material_of_object(obj)
        normal = facing_normal(shape.kind, si.normal, direction)
        local = frame(normal)
        wi = local * (-direction)
        if wi[2] <= 0.0 and refraction_weight(material) == 0.0:
            break  # an opaque object is black from inside
        bsdf = bsdf_of(material, wi)
        origin = si.point
        at = LightSampleContext(origin, normal, hit.object_id, material.transmission == 0.0)

        # Direct light: look at one light.
        members = wp.where(depth <= NET_DEPTH, group_size, 1)
        u = stratified(key, pixel, place, sample, 2 * depth, members)
        cdf = light_cdf(scenes, scene, at)
        light = sample_light(scenes, scene, at, cdf, u[0], wp.vec2(u[1], u[2]))
        lights_total = light.total
        if light.density > 0.0:
            towards = evaluate_bsdf(bsdf, local * light.direction)
            if wp.max(towards.value) > 0.0 and is_visible(
                scenes, scene, origin, light.direction, at.object_id, light.object_id
            ):
                weight = power_heuristic(light.density, towards.density) / light.density
                L += wp.cw_mul(wp.cw_mul(beta, towards.value), light.radiance) * weight

        # Go on in a direction of the BSDF's.
        v = stratified(key, pixel, place, sample, 2 * depth + 1, members)
        wo = sample_bsdf(bsdf, lobe_by_first(bsdf, wp.vec3(v[1], v[2], v[0])))
        scattered = evaluate_bsdf(bsdf, wo)
        bsdf_density = scattered.density
        if bsdf_density <= 0.0:
            break
        beta = wp.cw_mul(beta, scattered.value) * (1.0 / bsdf_density)
        if wi[2] * wo[2] < 0.0:
            eta *= wp.where(wi[2] > 0.0, material.eta, 1.0 / material.eta)
        direction = unit_length(to_world(local, wo))

        # Russian roulette, by what the path will be worth at the camera: radiance there is η² times less.
        survival = float(1.0)
        if depth >= ROULETTE_DEPTH:
            survival = wp.min(ROULETTE_SCALE * wp.max(beta) * eta * eta, MAX_SURVIVAL)
        if u[3] >= survival or wp.max(beta) == 0.0:
            break
        beta = beta / survival
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
    net_size: int  # samples that share a net, a power of two
    max_depth: int


@wp.struct
class WorldRays:
    """Rays of their own, each with its number among those of its scene, which takes the place of a pixel's."""

    origin: wp.array[wp.vec3]
    direction: wp.array[wp.vec3]  # unit length
    scene: wp.array[int]
    number: wp.array[int]


@wp.kernel(enable_backward=False)
def trace_paths(
    scenes: Scenes,
    settings: PathSettings,
    rays: WorldRays,
    means: wp.array2d[wp.vec3],
    deviations: wp.array2d[wp.vec3],
    path_deviations: wp.array2d[float],
    begin: int,
) -> None:
    """Mean radiance of a chunk of one pixel's or ray's paths, and squared deviations: of groups' means, and of paths.

    A group has one path in each stratum of the pixel; its deviation is weighted by its paths (Welford 1962). Those of
    single paths, summed over channels, say what noise there would be without strata.
    """
    index = wp.tid() + begin
    chunks = means.shape[1]
    row = index // chunks
    chunk = index - row * chunks
    ray = row + settings.first_ray
    scene = int(0)
    pixel = int(0)
    origin = wp.vec3(0.0, 0.0, 0.0)
    direction = wp.vec3(0.0, 0.0, 0.0)
    if settings.width > 0:
        if settings.is_listed != 0:
            ray = rays.number[ray]
        scene = ray // (settings.width * settings.height)
        pixel = ray - scene * settings.width * settings.height
    else:
        scene = rays.scene[ray]
        pixel = rays.number[ray]
        origin = rays.origin[ray]
        direction = rays.direction[ray]
    key = seeded(scenes.scenes[scene].key, settings.seed)
    place = NetPlace()
    if settings.width > 0:
        place = net_place(key, pixel % settings.width, pixel // settings.width)

    mean = wp.vec3(0.0, 0.0, 0.0)
    deviation = wp.vec3(0.0, 0.0, 0.0)
    first = chunk * CHUNK
    last = wp.min(first + CHUNK, settings.spp)
    group_size = settings.columns * settings.rows
    group = wp.vec3(0.0, 0.0, 0.0)
    path_mean = wp.vec3(0.0, 0.0, 0.0)
    path_deviation = float(0.0)
    members = int(0)
    for sample in range(first, last):
        if settings.width > 0:  # a random point of the pixel's stratum: together they are the box filter
            u = uniform(key, pixel, sample, 0)
            down = members // settings.columns
            line = pixel // settings.width
            column = pixel - line * settings.width
            x = float(column) + (float(members - down * settings.columns) + u[0]) / float(settings.columns)
            y = float(line) + (float(down) + u[1]) / float(settings.rows)
            half = scenes.scenes[scene].tan_half_fov
            xy = image_plane_point(x, y, settings.width, settings.height, half)
            origin = camera_origin(scenes, scene, xy)
            direction = camera_direction(scenes, scene, xy)
        L = path_radiance(
            scenes, scene, origin, direction, key, pixel, place, sample, settings.net_size, settings.max_depth
        )
        off = L - path_mean
        path_mean += off / float(sample + 1 - first)
        path_deviation += wp.dot(off, L - path_mean)
        members += 1
        group += (L - group) / float(members)
        if members == group_size:
            step = group - mean
            mean += step * (float(group_size) / float(sample + 1 - first))
            deviation += wp.cw_mul(step, group - mean) * float(group_size)
            group = wp.vec3(0.0, 0.0, 0.0)
            members = 0
    means[row, chunk] = mean
    deviations[row, chunk] = deviation
    path_deviations[row, chunk] = path_deviation


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
