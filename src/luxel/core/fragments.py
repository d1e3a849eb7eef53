"""Which objects each pixel of a picture shows, and how much of it each covers.

Visibility is cheap and shading is not: where a pixel's centre and corners see the same object it is taken for that
object's alone; elsewhere, and wherever something thin may be, a grid of rays finds out who covers which share.
"""

from dataclasses import dataclass

import torch
import warp as wp
from jaxtyping import Float, Int32, Int64
from torch import Tensor

from luxel.core.frames import frame
from luxel.core.intersect import MISS, intersect
from luxel.core.launch import launch
from luxel.core.rays import camera_direction, image_plane_point
from luxel.core.scene_batch import SceneBatch
from luxel.core.scenes import Scenes, launchable
from luxel.core.shapes.kinds import PLANE
from luxel.core.shapes.shape import is_panel

THIN = wp.constant(4.0)  # pixels across; of larger objects, no more than slivers come between corners
SHARED = wp.constant(-2)  # of a pixel that a grid of rays has to look at
GRIDS_AT_ONCE = 1 << 22  # rays of them, to bound the memory


@dataclass(frozen=True)
class Fragments:
    """One visible object in one pixel each; what they leave of a pixel shows the sky."""

    scene: Int64[Tensor, " fragments"]
    pixel: Int64[Tensor, " fragments"]  # row · width + column
    object_id: Int64[Tensor, " fragments"]  # row of the SceneBatch
    object_number: Int64[Tensor, " fragments"]  # among its scene's objects
    coverage: Float[Tensor, " fragments"]  # share of the pixel
    point: Float[Tensor, "fragments 2"]  # (x, y) on the image plane: of the rays that show the object, the most central


@wp.kernel(enable_backward=False)
def sample_pixels(scenes: Scenes, width: int, height: int, object_id: wp.array[int], begin: int) -> None:
    """The object at each pixel's centre if its corners see the same, or SHARED."""
    index = wp.tid() + begin
    scene = index // (width * height)
    pixel = index - scene * width * height
    row = pixel // width
    column = pixel - row * width
    origin = scenes.scenes[scene].camera_position
    found = int(MISS)
    for k in range(5):
        x = float(column) + 0.5
        y = float(row) + 0.5
        if k > 0:
            x = float(column + ((k - 1) & 1))
            y = float(row + ((k - 1) >> 1))
        xy = image_plane_point(x, y, width, height, scenes.scenes[scene].tan_half_fov)
        hit = intersect(scenes, scene, origin, camera_direction(scenes, scene, xy), MISS)
        if k == 0:
            found = hit.object_id
        elif hit.object_id != found:
            found = int(SHARED)
            break
    object_id[index] = found


@wp.func
def projected_half_width(scenes: Scenes, object_id: int, towards: wp.vec3) -> float:
    """Half the width, at its narrowest, of the outline of the ellipsoid with an object's half extents.

    With M = world_from_unit, the outline along n, across the view, reaches √(nᵀMMᵀn): the smaller eigenvalue of 2 × 2.
    """
    axes = frame(towards)
    m = axes * scenes.objects[object_id].world_from_unit
    depth = wp.where(is_panel(scenes.objects[object_id].kind), 0.0, 1.0)  # a panel's third axis has no length
    a = m[0, 0] * m[0, 0] + m[0, 1] * m[0, 1] + depth * m[0, 2] * m[0, 2]
    b = m[0, 0] * m[1, 0] + m[0, 1] * m[1, 1] + depth * m[0, 2] * m[1, 2]
    c = m[1, 0] * m[1, 0] + m[1, 1] * m[1, 1] + depth * m[1, 2] * m[1, 2]
    least = 0.5 * (a + c) - wp.sqrt(0.25 * (a - c) * (a - c) + b * b)
    return wp.sqrt(wp.max(least, 0.0))


@wp.func
def pixel_range(low: float, high: float, near: float, far: float, scale: float, size: int) -> wp.vec2i:
    """First and last pixel, along one side of `size`, of what lies between `low` and `high` at depths near … far."""
    a = wp.min(low / near, low / far) / scale + 0.5 * float(size)
    b = wp.max(high / near, high / far) / scale + 0.5 * float(size)
    last = float(size - 1)
    return wp.vec2i(int(wp.clamp(a - 1.0, 0.0, last)), int(wp.clamp(b + 1.0, -1.0, last)))


@wp.kernel(enable_backward=False)
def mark_thin_objects(
    scenes: Scenes, scene_of_object: wp.array[int], width: int, height: int, object_id: wp.array[int]
) -> None:
    """Make every pixel SHARED that the bounding sphere of an object less than THIN pixels across may show in."""
    i = wp.tid()
    scene = scene_of_object[i]
    if scenes.objects[i].kind == PLANE:
        return
    vector = scenes.objects[i].center - scenes.scenes[scene].camera_position
    distance = wp.length(vector)
    radius = scenes.objects[i].radius
    scale = 2.0 * scenes.scenes[scene].tan_half_fov / float(height)
    if distance <= radius or projected_half_width(scenes, i, vector / distance) > 0.5 * THIN * scale * distance:
        return
    local = wp.transpose(scenes.scenes[scene].camera_rotation) * vector
    near = -local[2] - radius
    far = -local[2] + radius
    if far <= 0.0:
        return
    columns = wp.vec2i(0, width - 1)
    rows = wp.vec2i(0, height - 1)
    if near > 1.0e-3 * radius:
        columns = pixel_range(local[0] - radius, local[0] + radius, near, far, scale, width)
        rows = pixel_range(-local[1] - radius, -local[1] + radius, near, far, scale, height)
    for row in range(rows[0], rows[1] + 1):
        for column in range(columns[0], columns[1] + 1):
            object_id[(scene * height + row) * width + column] = SHARED


@wp.kernel(enable_backward=False)
def sample_grid(
    scenes: Scenes,
    width: int,
    height: int,
    grid: int,
    pixels: wp.array[int],
    object_id: wp.array2d[int],
    begin: int,
) -> None:
    """The objects that grid² rays see in each of these pixels, counted scene by scene."""
    index = wp.tid() + begin
    scene = pixels[index] // (width * height)
    pixel = pixels[index] - scene * width * height
    row = pixel // width
    column = pixel - row * width
    for k in range(grid * grid):
        down = k // grid
        x = float(column) + (float(k - down * grid) + 0.5) / float(grid)
        y = float(row) + (float(down) + 0.5) / float(grid)
        xy = image_plane_point(x, y, width, height, scenes.scenes[scene].tan_half_fov)
        hit = intersect(scenes, scene, scenes.scenes[scene].camera_position, camera_direction(scenes, scene, xy), MISS)
        object_id[index, k] = hit.object_id


@torch.no_grad()
def visible_fragments(batch: SceneBatch, width: int, height: int, grid: int) -> Fragments:
    """Every object in every pixel, by `grid`² rays in the pixels that more than one thing may share."""
    device, scenes = batch.device, launchable(batch)
    count = len(batch) * width * height
    seen = torch.empty(count, dtype=torch.int32, device=device)
    launch(sample_pixels, count, [scenes, width, height], [seen], device, sliced=True)
    launch(mark_thin_objects, len(batch.kind), [scenes, batch.scene_of_object.int(), width, height], [seen], device)
    whole = (seen >= 0).nonzero()[:, 0]
    centre = torch.full((len(whole), 2), 0.5, device=device)
    found = [(whole, seen[whole].long(), torch.ones(len(whole), device=device), centre)]
    steps = (torch.arange(grid, device=device) + 0.5) / grid
    down, across = (step.flatten() for step in torch.meshgrid(steps, steps, indexing="ij"))
    offset = torch.stack([across, down], 1)
    for part in (seen == SHARED).nonzero()[:, 0].split(max(1, GRIDS_AT_ONCE // grid**2)):
        rays = torch.empty(len(part), grid**2, dtype=torch.int32, device=device)
        launch(sample_grid, len(part), [scenes, width, height, grid, part.int()], [rays], device, sliced=True)
        which, object_id, share, central = coverages(rays, offset)
        point = torch.where((share == 1)[:, None], 0.5, offset[central])  # a whole pixel's is its centre, as above
        found.append((part[which], object_id, share, point))
    index, object_id, coverage, inside = (torch.cat(values) for values in zip(*found, strict=True))
    scene, pixel = index // (width * height), index % (width * height)
    column, row = pixel % width + inside[:, 0], pixel // width + inside[:, 1]
    scale = 2 * batch.tan_half_fov[scene] / height
    point = torch.stack([(column - width / 2) * scale, (height / 2 - row) * scale], 1)
    return Fragments(scene, pixel, object_id, batch.number_in_scene[object_id], coverage, point)


def coverages(
    seen: Int32[Tensor, "pixels grid"], offset: Float[Tensor, "grid 2"]
) -> tuple[Int64[Tensor, " rows"], Int64[Tensor, " rows"], Float[Tensor, " rows"], Int64[Tensor, " rows"]]:
    """Pixel, object, share of the rays and most central ray, of each object that some ray of a pixel's grid shows.

    The most central is the nearest to the mean of those that show the object, where it may itself be hidden.
    """
    ordered = seen.sort(1).values
    first = torch.ones_like(ordered, dtype=torch.bool)
    first[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    pixel, place = (first & (ordered != MISS)).nonzero(as_tuple=True)
    object_id = ordered[pixel, place]
    those = seen[pixel] == object_id[:, None]
    count = those.sum(1)
    mean = those.to(offset.dtype) @ offset / count[:, None]
    apart = (offset - mean[:, None]).square().sum(-1)
    central = torch.where(those, apart, torch.inf).argmin(1)
    return pixel, object_id.long(), count / seen.shape[1], central
