"""What lamps cover of a pixel, by squares about fine rays: it changes steadily as their outlines move over it."""

import warp as wp

from luxel.core.emitters import is_lamp
from luxel.core.intersect import MISS
from luxel.core.pixels import (
    FINE_RAYS,
    Pictures,
    PixelPlace,
    fine_offset,
    hits_object,
    key_at,
    pixel_shaft,
    point_of_pixel,
)
from luxel.core.rays import camera_direction, camera_origin
from luxel.core.scenes import Scenes, shape_of
from luxel.core.shapes.outline import outline_margin, share_inside
from luxel.core.shapes.shape import FACES

FINE_SPACING = wp.constant(0.0884)  # pixels: 1 / √FINE_RAYS, the side of a fine ray's square
FINE_STEP = wp.constant(1.0 / 32.0)  # pixels to where margins are compared


@wp.func
def margin_at(scenes: Scenes, pictures: Pictures, object_id: int, at: PixelPlace, offset: wp.vec2) -> float:
    """How far within an object's outline a place of a pixel is: see `luxel.core.shapes.outline`."""
    xy = point_of_pixel(scenes, pictures, at, offset[0], offset[1])
    origin = camera_origin(scenes, at.scene, xy)
    return outline_margin(shape_of(scenes.objects[object_id]), origin, camera_direction(scenes, at.scene, xy))


@wp.struct
class LampCoverage:
    """How many squares about a pixel's fine rays a lamp alone covers, and how many of these rays hit it."""

    squares: float
    hits: float


@wp.func
def lamp_coverage(scenes: Scenes, pictures: Pictures, object_id: int, at: PixelPlace) -> LampCoverage:
    """The squares change steadily as the lamp's outline moves over the pixel.

    Those at the border are moved into the pixel, or they would reach out of it: a pixel beside a lamp showed 1 % of it,
    which of a lamp of radiance 100 is white.
    """
    coverage = LampCoverage(0.0, 0.0)
    half = 0.5 * FINE_SPACING
    for k in range(FINE_RAYS):
        offset = fine_offset(k)
        if hits_object(scenes, pictures, object_id, at, offset):
            coverage.hits += 1.0
        center = wp.vec2(wp.clamp(offset[0], half, 1.0 - half), wp.clamp(offset[1], half, 1.0 - half))
        margin = margin_at(scenes, pictures, object_id, at, center)
        beside = margin_at(scenes, pictures, object_id, at, center + wp.vec2(FINE_STEP, 0.0))
        below = margin_at(scenes, pictures, object_id, at, center + wp.vec2(0.0, FINE_STEP))
        coverage.squares += share_inside(margin, beside, below, FINE_STEP, FINE_SPACING)
    return coverage


@wp.func
def count_fine_hits(
    scenes: Scenes,
    pictures: Pictures,
    at: PixelPlace,
    key: wp.array[int],
    first: int,
    end: int,
    hits: wp.array[float],
) -> int:
    """Add to the hits of a pixel's fragments, `first` … `end` − 1, those of the fine rays; how many see other objects.

    A face that the lattice has missed counts as another one of the same object.
    """
    shaft = pixel_shaft(scenes, pictures, at)
    unknown = int(0)
    for k in range(FINE_RAYS):
        offset = fine_offset(k)
        found = key_at(scenes, pictures, at, shaft, offset[0], offset[1])
        fragment = int(-1)
        for i in range(first, end):
            if key[i] == found or (fragment < 0 and key[i] // FACES == found // FACES):
                fragment = i
        if fragment >= 0:
            hits[fragment] += 1.0
        elif found != MISS:
            unknown += 1
    return unknown


@wp.func
def smooth_lamps(
    scenes: Scenes,
    pictures: Pictures,
    at: PixelPlace,
    key: wp.array[int],
    first: int,
    end: int,
    hits: wp.array[float],
) -> float:
    """Make fine rays' hits of lamps the squares that these cover, and all others' what that leaves, the result."""
    before = float(0.0)
    after = float(0.0)
    for i in range(first, end):
        object_id = key[i] // FACES
        if is_lamp(scenes, object_id):
            before += hits[i]
            if hits[i] < float(FINE_RAYS):
                coverage = lamp_coverage(scenes, pictures, object_id, at)
                hits[i] = wp.where(coverage.hits > 0.0, hits[i] / wp.max(coverage.hits, 1.0), 1.0) * coverage.squares
            after += hits[i]
    of_lamps = float(1.0)
    if before >= float(FINE_RAYS) or after > float(FINE_RAYS):
        of_lamps = float(FINE_RAYS) / wp.max(after, 1.0)
    left = wp.max(float(FINE_RAYS) - of_lamps * after, 0.0)
    of_others = left / wp.max(float(FINE_RAYS) - before, 1.0)
    for i in range(first, end):
        hits[i] = hits[i] * wp.where(is_lamp(scenes, key[i] // FACES), of_lamps, of_others)
    return left


@wp.func
def measure_lamp_pixel(
    scenes: Scenes,
    pictures: Pictures,
    at: PixelPlace,
    ray_keys: wp.array[int],
    lattice_rays: int,
    key: wp.array[int],
    first: int,
    end: int,
    coverage: wp.array[float],
) -> None:
    """What a pixel's fragments cover, `first` … `end` − 1, of which some are lamps'.

    Where the fine rays see objects without lamps that the lattice has missed, only the lattice's shares of such objects
    are right in the mean.
    """
    for i in range(first, end):
        coverage[i] = 0.0
    unknown = count_fine_hits(scenes, pictures, at, key, first, end, coverage)
    left = smooth_lamps(scenes, pictures, at, key, first, end, coverage)
    if unknown > 0:
        total = float(0.0)
        for i in range(first, end):
            if not is_lamp(scenes, key[i] // FACES):
                hits = int(0)
                for k in range(lattice_rays):
                    hits += wp.where(ray_keys[k] == key[i], 1, 0)
                coverage[i] = float(FINE_RAYS * hits) / float(wp.max(lattice_rays, 1))
                total += coverage[i]
        of_others = wp.min(left / wp.max(total, 1.0), 1.0)
        for i in range(first, end):
            if not is_lamp(scenes, key[i] // FACES):
                coverage[i] = coverage[i] * of_others
    for i in range(first, end):
        coverage[i] = coverage[i] / float(FINE_RAYS)
