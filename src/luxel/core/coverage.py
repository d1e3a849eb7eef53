"""How much of each pixel every object covers: what is seen of it, and what would be if it were alone (amodal masks).

What is seen is in the picture's fragments. The rest is found by rays that are tried against one object only, within the
rectangle that it may show in, so that time goes with the pixels that objects take, not with objects times pixels.
"""

from typing import NamedTuple

import torch
import warp as wp
from jaxtyping import Float
from torch import Tensor

from luxel.core.emitters import is_lamp
from luxel.core.fragments import Fragments
from luxel.core.lamp_coverage import lamp_coverage
from luxel.core.launch import launch, struct_array
from luxel.core.pixels import FINE_RAYS, Pictures, PixelPlace, hits_object
from luxel.core.sampling import lattice_point
from luxel.core.scene_batch import SceneBatch
from luxel.core.scenes import Scenes, launchable
from luxel.core.shapes.kinds import PLANE
from luxel.core.shapes.shape import half_extent
from luxel.core.thin_objects import SMALL_LAMP, THIN, is_thin_object, pixel_range


class Coverage(NamedTuple):
    """The share of each pixel that an object covers, 0 … 1, by row of the SceneBatch."""

    visible: Float[Tensor, "objects height width"]
    """Behind what hides it."""
    amodal: Float[Tensor, "objects height width"]
    """As if it were alone."""


@wp.struct
class PixelRectangle:
    """Pixels in which an object may show."""

    column: int
    row: int
    columns: int
    rows: int


@wp.func
def pixels_of_object(scenes: Scenes, scene: int, object_id: int, pictures: Pictures) -> PixelRectangle:
    """The rectangle about its bounding box along the camera's axes; of what the camera may be in, all pixels."""
    obj = scenes.objects[object_id]
    whole = PixelRectangle(0, 0, pictures.width, pictures.height)
    if obj.kind == PLANE:
        return whole
    row = scenes.scenes[scene]
    axes = wp.transpose(row.camera_rotation)
    local = axes * (obj.center - row.camera_position)
    x = half_extent(obj.kind, obj.world_from_unit, axes[0])
    y = half_extent(obj.kind, obj.world_from_unit, axes[1])
    z = half_extent(obj.kind, obj.world_from_unit, axes[2])
    near = -local[2] - z
    far = -local[2] + z
    if far <= 0.0:
        return PixelRectangle(0, 0, 0, 0)
    if row.is_orthographic != 0:  # at any depth things are as large as at depth 1
        near = 1.0
        far = 1.0
    if near <= 1.0e-3 * obj.radius:
        return whole
    scale = 2.0 * row.tan_half_fov / float(pictures.height)
    columns = pixel_range(local[0] - x, local[0] + x, near, far, scale, pictures.width)
    rows = pixel_range(-local[1] - y, -local[1] + y, near, far, scale, pictures.height)
    return PixelRectangle(columns[0], rows[0], wp.max(columns[1] + 1 - columns[0], 0), wp.max(rows[1] + 1 - rows[0], 0))


@wp.func
def lattice_hits(scenes: Scenes, pictures: Pictures, object_id: int, at: PixelPlace, rays: int) -> int:
    """How many of so many rays hit the object."""
    hits = int(0)
    for k in range(rays):
        if hits_object(scenes, pictures, object_id, at, lattice_point(k, rays)):
            hits += 1
    return hits


@wp.func
def share_alone(
    scenes: Scenes, pictures: Pictures, object_id: int, at: PixelPlace, is_thin: bool, is_small_lamp: bool
) -> float:
    """The share of a pixel that an object covers, found as `luxel.core.fragments` finds it in a scene of one object."""
    center = hits_object(scenes, pictures, object_id, at, wp.vec2(0.5, 0.5))
    corners = int(0)
    corner = int(0)
    while corner < 4:
        if hits_object(scenes, pictures, object_id, at, wp.vec2(float(corner & 1), float(corner >> 1))):
            corners += 1
        corner += 1
    agree = not is_thin and corners == wp.where(center, 4, 0)
    share = wp.where(center, 1.0, 0.0)
    if not agree or (is_small_lamp and not center):
        hits = lattice_hits(scenes, pictures, object_id, at, pictures.rays)
        share = float(hits) / float(pictures.rays)
        if is_lamp(scenes, object_id) and hits < pictures.rays:
            filled = lamp_coverage(scenes, pictures, object_id, at)
            share = wp.where(filled.hits < float(FINE_RAYS), filled.squares / float(FINE_RAYS), 1.0)
            if hits + corners == 0 and filled.hits == 0.0:
                share = 0.0
    return share


@wp.kernel(enable_backward=False)
def bound_objects(
    scenes: Scenes,
    pictures: Pictures,
    scene_of_object: wp.array[int],
    rectangle: wp.array[PixelRectangle],
    area: wp.array[int],
) -> None:
    """The rectangle of pixels that each object may show in, and its area."""
    i = wp.tid()
    found = pixels_of_object(scenes, scene_of_object[i], i, pictures)
    rectangle[i] = found
    area[i] = found.columns * found.rows


@wp.kernel(enable_backward=False)
def complete_masks(
    scenes: Scenes,
    pictures: Pictures,
    scene_of_object: wp.array[int],
    rectangle: wp.array[PixelRectangle],
    end: wp.array[int],
    share: wp.array3d[float],
    begin: int,
) -> None:
    """Make visible shares amodal: of the pixels of all rectangles, one after another up to `end`.

    A pixel that shows nothing but the object is the object's already, and what is seen of it between points that all
    miss it, a sliver, stays: it never covers less than what is seen.
    """
    index = wp.tid() + begin
    i = wp.lower_bound(end, index + 1)
    within = rectangle[i]
    place = index - end[i] + within.columns * within.rows
    line = place // within.columns
    at = PixelPlace(scene_of_object[i], within.column + place - line * within.columns, within.row + line)
    if share[i, at.row, at.column] != 1.0:
        scale = 2.0 * scenes.scenes[at.scene].tan_half_fov / float(pictures.height)
        is_thin = is_thin_object(scenes, at.scene, i, scale, THIN)
        is_small_lamp = bool(False)
        if is_lamp(scenes, i):
            is_small_lamp = is_thin_object(scenes, at.scene, i, scale, SMALL_LAMP)
        alone = share_alone(scenes, pictures, i, at, is_thin, is_small_lamp)
        share[i, at.row, at.column] = wp.max(share[i, at.row, at.column], alone)


@torch.no_grad()
def object_coverage(batch: SceneBatch, fragments: Fragments, pixel_rays: int) -> Coverage:
    """The coverage of all objects of whole pictures, from their fragments, which were found with as many rays."""
    device, scenes, objects = batch.device, launchable(batch), len(batch.kind)
    pictures = Pictures()
    pictures.width, pictures.height, pictures.rays = fragments.width, fragments.height, pixel_rays
    pixels = pictures.width * pictures.height
    visible = torch.zeros(objects * pixels, device=device)
    visible.index_add_(0, fragments.object_id.long() * pixels + fragments.pixel, fragments.coverage)
    visible = visible.view(objects, pictures.height, pictures.width)
    amodal = visible.clone()
    scene_of_object = batch.scene_of_object.int()
    rectangle = torch.empty(objects, 4, dtype=torch.int32, device=device)
    area = torch.empty(objects, dtype=torch.int32, device=device)
    bounds = struct_array(rectangle, PixelRectangle)
    launch(bound_objects, objects, [scenes, pictures, scene_of_object], [bounds, area], device)
    end = area.cumsum(0, dtype=torch.int32)
    inputs = [scenes, pictures, scene_of_object, bounds, end]
    launch(complete_masks, int(end[-1]), inputs, [amodal], device, sliced=True)
    return Coverage(visible, amodal)
