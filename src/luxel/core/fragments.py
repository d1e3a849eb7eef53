"""Which objects each pixel of a picture shows, and how much of it each covers.

Visibility is cheap and shading is not: where a pixel's centre and corners see the same object it is taken for that
object's alone; elsewhere, and wherever something thin may be, a lattice of rays finds out who covers which share. A
lamp's share, which may be a thousand times as bright as the rest, is found by more of them, and small lamps, and those
that a corner sees, are looked for by as many, lest they blink in motion. The faces of a box, or of a cylinder, count as
objects here, for light differs on either side of an edge: `key` numbers them, object · FACES + face.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import torch
import torch.nn.functional as F
import warp as wp
from jaxtyping import Float, Int32, Int64
from torch import Tensor

from luxel.core.emitters import is_lamp
from luxel.core.intersect import MISS
from luxel.core.lamp_coverage import measure_lamp_pixel
from luxel.core.lamp_search import CROWDED, MAX_MISSED_LAMPS, lamp_ray, shared_offset
from luxel.core.launch import launch, to_warp
from luxel.core.pixel_samples import SHARED, sample_centers, sample_corners, sample_pixels
from luxel.core.pixels import Pictures, place_of, point_of_pixel
from luxel.core.scene_batch import SceneBatch
from luxel.core.scenes import Scenes, launchable
from luxel.core.selection import NOT_COUNTED
from luxel.core.shapes.shape import FACES
from luxel.core.thin_objects import mark_thin_objects

PIXEL_RAYS = 32
"""Through a pixel that more than one object may share, unless a model asks for another number."""
MIN_SKY_COVERAGE = 1e-4
"""Share of a pixel that the sky has at least, if it has one: less is rounding."""


@dataclass(frozen=True)
class Fragments:
    """One visible face of an object in one pixel each, pixel by pixel; what they leave of a pixel shows the sky.

    Only boxes and cylinders have several faces, and so several fragments in a pixel, one after another.
    """

    scene: Int32[Tensor, " fragments"]
    pixel: Int32[Tensor, " fragments"]  # row · width + column, rows from `first_row` on
    object_id: Int32[Tensor, " fragments"]  # row of the SceneBatch
    object_number: Int32[Tensor, " fragments"]  # among its scene's objects
    key: Int32[Tensor, " fragments"]  # object_id · FACES + face
    coverage: Float[Tensor, " fragments"]  # share of the pixel
    point: Float[Tensor, "fragments 2"]  # (x, y) on the image plane: of the rays that show the face, the most central
    offsets: Int32[Tensor, " pixels_and_one"]
    """Pixel p of all pictures, scene by scene, has the fragments offsets[p] … offsets[p + 1] − 1."""
    width: int
    """Of the pictures, in pixels, as `height`; these are their `rows` from `first_row` on."""
    height: int
    first_row: int
    rows: int
    needed: Int64[Tensor, " one"] = NOT_COUNTED
    """Room that would have done, if any was given; behind the last fragment are some without an object or coverage."""

    @cached_property
    def pixel_of_all(self) -> Int32[Tensor, " fragments"]:
        """The pixel among those of all pictures."""
        return self.scene * (self.width * self.rows) + self.pixel


class FragmentPaths(NamedTuple):
    """What the paths of whole pictures' fragments have found."""

    mean: Float[Tensor, "fragments 3"]
    """0 where there are none."""
    counts: Float[Tensor, " fragments"]
    """Paths that met the fragment first."""
    scatter: Float[Tensor, " pixels"]
    """Squared distances of a pixel's paths from their fragments' means, summed, the mean over channels."""


@wp.struct
class LatticeCoverage:
    """How many rays of a pixel's lattice see a key, and where in the pixel the most central of these does.

    Their mean itself may be hidden.
    """

    hits: int
    center: wp.vec2  # pixels from the upper left corner


@wp.func
def next_key(ray_keys: wp.array[int], last: int) -> int:
    """The least key beyond the last one that any of a pixel's rays sees."""
    found = wp.int32(2147483647)
    for k in range(ray_keys.shape[0]):
        if ray_keys[k] > last:
            found = wp.min(found, ray_keys[k])
    return found


@wp.func
def lattice_coverage(ray_keys: wp.array[int], lamp_rays: int, key: int) -> LatticeCoverage:
    """That of a key that some of the rays see."""
    rays = ray_keys.shape[0]
    share = LatticeCoverage(0, wp.vec2(0.5, 0.5))
    mean = wp.vec2(0.0, 0.0)
    for k in range(rays):
        if ray_keys[k] == key:
            share.hits += 1
            mean += shared_offset(k, rays, lamp_rays)
    mean = mean / float(share.hits)
    if share.hits < rays:
        apart = float(9.0)
        for k in range(rays):
            off = shared_offset(k, rays, lamp_rays) - mean
            if ray_keys[k] == key and wp.dot(off, off) < apart:
                apart = wp.dot(off, off)
                share.center = shared_offset(k, rays, lamp_rays)
    return share


@wp.kernel(enable_backward=False)
def write_fragments(
    scenes: Scenes,
    pictures: Pictures,
    lamp_rays: wp.array[int],
    pixel_key: wp.array[int],
    ray_keys: wp.array2d[int],
    offsets: wp.array[int],
    key: wp.array[int],
    scene: wp.array[int],
    pixel: wp.array[int],
    object_id: wp.array[int],
    object_number: wp.array[int],
    coverage: wp.array[float],
    point: wp.array[wp.vec2],
    begin: int,
) -> None:
    """Each pixel's fragments, in the order of their keys and so of their objects."""
    index = wp.tid() + begin
    at = place_of(pictures, index)
    rays = pictures.rays
    last = int(MISS)
    last_object = int(MISS)
    object_hits = int(0)  # rays that see the last object, all of them if it is alone
    shows_lamp = bool(False)
    for i in range(offsets[index], offsets[index + 1]):
        found = pixel_key[index]
        share = float(1.0)
        center = wp.vec2(0.5, 0.5)
        if found == SHARED:
            found = next_key(ray_keys[index], last)
            last = found
            lattice = lattice_coverage(ray_keys[index], lamp_rays[index], found)
            share = float(lattice.hits) / float(rays)
            center = lattice.center
            object_hits = wp.where(found // FACES == last_object, object_hits, 0) + lattice.hits
            last_object = found // FACES
            if is_lamp(scenes, last_object):
                shows_lamp = True
        key[i] = found
        scene[i] = at.scene
        pixel[i] = (at.row - pictures.first_row) * pictures.width + at.column
        object_id[i] = found // FACES
        object_number[i] = found // FACES - scenes.scenes[at.scene].first_object
        coverage[i] = share
        point[i] = point_of_pixel(scenes, pictures, at, center[0], center[1])
    if shows_lamp and object_hits < rays and lamp_rays[index] != CROWDED:
        lattice_rays = int(rays)
        for number in range(MAX_MISSED_LAMPS):
            lattice_rays -= wp.where(lamp_ray(lamp_rays[index], number) > 0, 1, 0)
        first = offsets[index]
        measure_lamp_pixel(
            scenes, pictures, at, ray_keys[index], lattice_rays, key, first, offsets[index + 1], coverage
        )


@torch.no_grad()
def visible_fragments(
    batch: SceneBatch,
    width: int,
    height: int,
    pixel_rays: int,
    first_row: int = 0,
    rows: int | None = None,
    room: int | None = None,
) -> Fragments:
    """Every face of every object in every pixel, by `pixel_rays` rays in the pixels that more than one may share.

    Of the pictures' rows from `first_row` on, if not all are wanted, from which the pixels are then counted. With
    `room` there are so many fragments, whatever is seen, and a GPU's host need not wait to hear how many.
    """
    device, scenes = batch.device, launchable(batch)
    pictures = Pictures()
    pictures.width, pictures.height, pictures.rays = width, height, pixel_rays
    pictures.first_row, pictures.rows = first_row, height - first_row if rows is None else rows
    pixels = len(batch) * width * pictures.rows
    pixel_key, keys, is_thin, lamps, lamp_rays = torch.zeros(5, pixels, dtype=torch.int32, device=device)
    ray_keys = torch.empty(pixels, pixel_rays, dtype=torch.int32, device=device)
    scene_of_object = batch.scene_of_object.int()
    launch(mark_thin_objects, len(batch.kind), [scenes, pictures, scene_of_object], [is_thin, lamps], device)
    corner = torch.empty(len(batch) * (width + 1) * (pictures.rows + 1), dtype=torch.int32, device=device)
    launch(sample_corners, len(corner), [scenes, pictures], [corner], device, sliced=True)
    marked = [scenes, pictures, is_thin, lamps, corner]
    launch(sample_centers, pixels, marked, [pixel_key, lamp_rays], device, sliced=True)
    launch(sample_pixels, pixels, [scenes, pictures, pixel_key, lamp_rays], [ray_keys, keys], device, sliced=True)
    offsets = torch.zeros(pixels + 1, dtype=torch.int32, device=device)
    torch.cumsum(keys, 0, dtype=torch.int32, out=offsets[1:])
    fragments = int(offsets[-1]) if room is None else room
    key, scene, pixel, object_id, number = torch.empty(5, fragments, dtype=torch.int32, device=device)
    coverage, point = torch.empty(fragments, device=device), torch.empty(fragments, 2, device=device)
    needed = NOT_COUNTED
    if room is not None:
        needed = offsets[-1:].long()
        offsets.clamp_(max=room)
        for values, absent in ((key, MISS), (scene, 0), (pixel, 0), (object_id, MISS), (coverage, 0), (point, 0)):
            values.fill_(absent)
    written = [key, scene, pixel, object_id, number, coverage, to_warp(point, wp.vec2)]
    shared = [scenes, pictures, lamp_rays, pixel_key, ray_keys, offsets]
    launch(write_fragments, pixels, shared, written, device, sliced=True)
    return Fragments(
        *(scene, pixel, object_id, number, key, coverage, point, offsets),
        *(width, height, first_row, pictures.rows, needed),
    )


@torch.no_grad()
def with_sky(batch: SceneBatch, found: Fragments) -> Fragments:
    """The fragments of whole pictures, and the sky's, which have no object and are the last of their pixels."""
    device, pixel = batch.device, found.pixel_of_all.long()
    left = torch.ones(len(found.offsets) - 1, device=device).index_add(0, pixel, -found.coverage)
    shows_sky = left > MIN_SKY_COVERAGE
    of_sky, before = shows_sky.nonzero()[:, 0], F.pad(shows_sky.cumsum(0, dtype=torch.int32), (1, 0))
    offsets = found.offsets + before
    rows = torch.cat([torch.arange(len(pixel), device=device) + before[pixel], offsets[of_sky + 1] - 1])

    def joined(values: Tensor, of_the_sky: Tensor) -> Tensor:
        together = torch.cat([values, of_the_sky.to(values.dtype)])
        return torch.empty_like(together).index_copy(0, rows, together)

    size, none = found.width * found.rows, torch.full_like(of_sky, MISS)
    scene, place = of_sky // size, of_sky % size
    column, row = place % found.width + 0.5, place // found.width + found.first_row + 0.5
    middle = torch.stack([column - found.width / 2, found.height / 2 - row], 1)
    point = middle * (2 * batch.tan_half_fov[scene] / found.height)[:, None]
    return Fragments(
        joined(found.scene, scene),
        joined(found.pixel, place),
        joined(found.object_id, none),
        joined(found.object_number, none),
        joined(found.key, none),
        joined(found.coverage, left[of_sky]),
        joined(found.point, point),
        *(offsets, found.width, found.height, found.first_row, found.rows),
    )
