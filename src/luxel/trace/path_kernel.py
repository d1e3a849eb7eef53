"""The kernel that traces paths, of pictures' pixels and of rays of their own."""

import warp as wp

from luxel.core.rays import camera_direction, camera_origin, image_plane_point
from luxel.core.rng import seeded, uniform
from luxel.core.sampling import zsobol_pixel
from luxel.core.scenes import Scenes
from luxel.trace.fragment_paths import FragmentSums, add_to_fragment
from luxel.trace.integrator import CameraRay, PathSampler, PathSettings, path_radiance
from luxel.trace.path_moments import CHUNK, PathMoments, add_path


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
class TraceSettings:
    """What all threads of a launch have in common."""

    seed: wp.vec2ui
    width: int  # of images, 0 for rays of their own
    height: int
    is_listed: int  # whether `WorldRays.number` holds the pixels that are wanted
    first_ray: int  # of this launch: in images the pixels are counted scene by scene
    spp: int
    columns: int  # of strata, see `strata_of`
    rows: int
    paths: PathSettings


@wp.struct
class WorldRays:
    """Rays of their own, each with its number among those of its scene, which takes the place of a pixel's."""

    origin: wp.array[wp.vec3]
    direction: wp.array[wp.vec3]  # unit length
    scene: wp.array[int]
    number: wp.array[int]


@wp.func
def scene_and_pixel(settings: TraceSettings, rays: WorldRays, ray: int) -> tuple[int, int]:
    """Where a ray of the launch belongs; of rays of their own, its number there for a pixel."""
    if settings.width == 0:
        return rays.scene[ray], rays.number[ray]
    place = ray
    if settings.is_listed != 0:
        place = rays.number[ray]
    pixels = settings.width * settings.height
    return place // pixels, place % pixels


@wp.func
def film_ray(scenes: Scenes, scene: int, settings: TraceSettings, sampler: PathSampler, stratum: int) -> CameraRay:
    """The camera's ray through a random point of a pixel's stratum: together they are the box filter."""
    u = uniform(sampler.key, sampler.pixel, sampler.sample, 0)
    down = stratum // settings.columns
    line = sampler.pixel // settings.width
    column = sampler.pixel - line * settings.width
    x = float(column) + (float(stratum - down * settings.columns) + u[0]) / float(settings.columns)
    y = float(line) + (float(down) + u[1]) / float(settings.rows)
    xy = image_plane_point(x, y, settings.width, settings.height, scenes.scenes[scene].tan_half_fov)
    return CameraRay(camera_origin(scenes, scene, xy), camera_direction(scenes, scene, xy))


@wp.kernel(enable_backward=False)
def trace_paths(
    scenes: Scenes,
    settings: TraceSettings,
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
    scene, pixel = scene_and_pixel(settings, rays, ray)
    sampler = PathSampler()
    sampler.key = seeded(scenes.scenes[scene].key, settings.seed)
    sampler.pixel = pixel
    camera_ray = CameraRay()
    if settings.width > 0:
        sampler.zsobol = zsobol_pixel(sampler.key, pixel % settings.width, pixel // settings.width)
    else:
        camera_ray = CameraRay(rays.origin[ray], rays.direction[ray])

    moments = PathMoments()
    first = chunk * CHUNK
    for sample in range(first, wp.min(first + CHUNK, settings.spp)):
        sampler.sample = sample
        if settings.width > 0:
            camera_ray = film_ray(scenes, scene, settings, sampler, moments.members)
        L = path_radiance(scenes, scene, settings.paths, sampler, camera_ray)
        if sums.offsets.shape[0] > 0:
            of_all = scene * settings.width * settings.height + pixel
            add_to_fragment(scenes, scene, sums, of_all, ray, row, chunk, camera_ray.origin, camera_ray.direction, L)
        moments = add_path(moments, L, sample + 1 - first, settings.columns * settings.rows)
    means[row, chunk] = moments.mean
    deviations[row, chunk] = moments.deviation
    path_deviations[row, chunk] = moments.path_deviation
