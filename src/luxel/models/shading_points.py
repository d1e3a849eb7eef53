"""Surface points whose light the ray model looks for: where rays arrive first."""

from typing import Any

import torch
import warp as wp
from jaxtyping import Int32
from torch import Tensor

from luxel.core.fragments import Fragments
from luxel.core.intersect import MISS, Hit, intersect, intersect_object
from luxel.core.launch import launch, struct_array, to_warp
from luxel.core.rays import Rays, camera_direction, camera_origin
from luxel.core.rng import pcg4d
from luxel.core.scene_batch import SceneBatch
from luxel.core.scenes import Scenes, launchable, shape_of
from luxel.core.shapes.local import INFINITY
from luxel.core.shapes.shape import facing_normal, surface_interaction

WORDS = 13  # of a ShadingPoint, 32 bits each
OBJECT = 1  # the word that is the object
POINT = 3  # the first of its place
PATTERN_BITS = wp.constant(4)  # of a pixel's column and row, by which patterns differ in a block
TILE_OF_BLOCK = wp.constant(wp.uint32(12))  # the bits among these that tell its tiles of 4 × 4 pixels apart


@wp.struct
class ShadingPoint:
    """A surface point, seen along a ray. Without an object (MISS) only the scene and the direction mean anything."""

    scene: int
    object_id: int  # row of the SceneBatch
    pattern: int  # which of a tile's patterns its rays follow
    point: wp.vec3
    direction: wp.vec3  # of the ray that arrives, unit length
    normal: wp.vec3  # outwards, of a panel towards the ray
    gain: float  # η² of the medium that the ray arrives in: radiance there is as many times as high


@wp.func
def point_of_hit(
    scenes: Scenes, scene: int, origin: wp.vec3, direction: wp.vec3, hit: Hit, pattern: int
) -> ShadingPoint:
    """Where a ray of unit direction hits what it does."""
    point = ShadingPoint(scene, hit.object_id, pattern, origin, direction, -direction, 1.0)
    if hit.object_id != MISS:
        shape = shape_of(scenes.objects[hit.object_id])
        si = surface_interaction(shape, origin, direction, hit.t)
        point.point = si.point
        point.normal = facing_normal(shape.kind, si.normal, direction)
        if wp.dot(point.normal, direction) > 0.0:
            eta = scenes.objects[hit.object_id].eta
            point.gain = eta * eta
    return point


@wp.func
def pixel_width(scenes: Scenes, p: ShadingPoint, height: int) -> float:
    """Of a pixel of a picture so many pixels high, at the distance of a point from the camera."""
    row = scenes.scenes[p.scene]
    width = 2.0 * row.tan_half_fov / float(height)
    if row.is_orthographic == 0:
        width *= wp.length(p.point - row.camera_position)
    return width


@wp.func
def first_point(scenes: Scenes, scene: int, origin: wp.vec3, direction: wp.vec3, pattern: int) -> ShadingPoint:
    """Where a ray of unit direction arrives first."""
    return point_of_hit(scenes, scene, origin, direction, intersect(scenes, scene, origin, direction, MISS), pattern)


@wp.kernel(enable_backward=False)
def find_points_of_rays(
    scenes: Scenes,
    origin: wp.array[wp.vec3],
    direction: wp.array[wp.vec3],
    scene: wp.array[int],
    points: wp.array[ShadingPoint],
    begin: int,
) -> None:
    """Where each ray of unit direction arrives first; all follow the first pattern."""
    i = wp.tid() + begin
    points[i] = first_point(scenes, scene[i], origin[i], direction[i], 0)


@wp.func
def morton(column: int, row: int) -> int:
    """The number of a pixel along a Morton curve through a block of 16 × 16 pixels."""
    result = int(0)
    for bit in range(PATTERN_BITS):
        result += ((column >> bit) & 1) << (2 * bit)
        result += ((row >> bit) & 1) << (2 * bit + 1)
    return result


@wp.func
def pattern_of_pixel(column: int, row: int) -> int:
    """Which of 256 patterns a pixel's rays follow, of which every block of 16 × 16 pixels has all.

    Any 4 × 4 pixels have one of each sixteenth of them, which the filter brings together. Which tiles of a block have
    which is shifted at random, mod 2, from block to block: were it the same in all of them, the noise that is left
    would repeat every 16 pixels, a lattice that the eye finds. (Patterns that no two blocks share hide it as well, but
    with those `ray-small` was 0.1 dB behind, perhaps as its weights have learned from these 256.) The numbers 1 and 8
    stand for nothing: they make this hash another one than those of random numbers.
    """
    block = wp.vec2ui(wp.uint32(column >> PATTERN_BITS), wp.uint32(row >> PATTERN_BITS))
    words = pcg4d(wp.vec4ui(block[0], block[1], wp.uint32(1), wp.uint32(8)))
    return morton(column ^ int(words[0] & TILE_OF_BLOCK), row ^ int(words[1] & TILE_OF_BLOCK))


@wp.kernel(enable_backward=False)
def find_points_of_fragments(
    scenes: Scenes,
    scene: wp.array[int],
    pixel: wp.array[int],
    object_id: wp.array[int],
    plane_point: wp.array[wp.vec2],
    width: int,
    first_row: int,
    points: wp.array[ShadingPoint],
    begin: int,
) -> None:
    """Where the camera's ray through each fragment arrives; what is not one has no object."""
    i = wp.tid() + begin
    origin = camera_origin(scenes, scene[i], plane_point[i])
    direction = camera_direction(scenes, scene[i], plane_point[i])
    row = pixel[i] // width
    pattern = pattern_of_pixel(pixel[i] - row * width, row + first_row)
    hit = Hit(object_id[i], INFINITY)
    if object_id[i] != MISS:
        hit.t = intersect_object(scenes, object_id[i], origin, direction, MISS, INFINITY)
        if hit.t == INFINITY:  # all rays through the pixel show it, but for the one through its centre
            hit = intersect(scenes, scene[i], origin, direction, MISS)
    points[i] = point_of_hit(scenes, scene[i], origin, direction, hit, pattern)


@torch.no_grad()
def points_of_rays(batch: SceneBatch, rays: Rays) -> Int32[Tensor, "rays words"]:
    """The ShadingPoints of rays, as a table."""
    table = torch.empty(len(rays), WORDS, dtype=torch.int32, device=batch.device)
    vectors = [to_warp(values.float(), wp.vec3) for values in (rays.origin, rays.unit_direction)]
    inputs = [launchable(batch), *vectors, rays.scene.int()]
    launch(find_points_of_rays, len(rays), inputs, [as_points(table)], batch.device, sliced=True)
    return table


@torch.no_grad()
def points_of_fragments(batch: SceneBatch, found: Fragments) -> Int32[Tensor, "fragments words"]:
    """The ShadingPoints of fragments, as a table."""
    table = torch.empty(len(found.pixel), WORDS, dtype=torch.int32, device=batch.device)
    at = [found.scene, found.pixel, found.object_id, to_warp(found.point, wp.vec2)]
    inputs = [launchable(batch), *at, found.width, found.first_row]
    launch(find_points_of_fragments, len(table), inputs, [as_points(table)], batch.device, sliced=True)
    return table


def as_points(table: Int32[Tensor, "points words"]) -> Any:
    """A table as ShadingPoints for kernels."""
    return struct_array(table, ShadingPoint)


def absent_point(device: torch.device) -> Int32[Tensor, " words"]:
    """A row of a table that stands for no point."""
    row = torch.zeros(WORDS, dtype=torch.int32, device=device)
    row[OBJECT].fill_(MISS)
    return row
