"""Which objects each pixel of a picture shows, and how much of it each covers.

Visibility is cheap and shading is not: where a pixel's centre and corners see the same object it is taken for that
object's alone; elsewhere, and wherever something thin may be, a lattice of rays finds out who covers which share. A
lamp's share, which may be a thousand times as bright as the rest, is found by more of them, and small lamps, and those
that a corner sees, are looked for by as many, lest they blink in motion. The faces of a box, or of a cylinder, count as
objects here, for light differs on either side of an edge: `key` numbers them, object · FACES + face.
"""

from dataclasses import dataclass
from functools import cached_property

import torch
import warp as wp
from jaxtyping import Float, Int32, Int64
from torch import Tensor

from luxel.core.frames import frame
from luxel.core.intersect import MISS, intersect_object
from luxel.core.launch import launch, to_warp
from luxel.core.rays import camera_direction, camera_origin, image_plane_point
from luxel.core.sampling import lattice_point
from luxel.core.scene_batch import SceneBatch
from luxel.core.scenes import Scenes, launchable, shape_of
from luxel.core.selection import NOT_COUNTED
from luxel.core.shafts import EVERYTHING, intersect_among, objects_in_cone
from luxel.core.shapes.kinds import PLANE
from luxel.core.shapes.local import INFINITY, slab
from luxel.core.shapes.outline import outline_margin, share_inside
from luxel.core.shapes.shape import FACES, face_of_hit, is_panel

THIN = wp.constant(4.0)  # pixels across; of larger objects, no more than slivers come between corners
SHARED = wp.constant(-2)  # of a pixel that many rays have to look at
SMALL_LAMP = wp.constant(16.0)  # pixels across; of larger lamps slivers that few rays miss are a hundredth of a pixel
FINE = wp.constant(128)  # rays for a pixel that shows a lamp
FINE_SPACING, FINE_STEP = wp.constant(0.0884), wp.constant(1.0 / 32.0)  # of these rays, and to where they are compared
CORNERS = wp.constant(4)
LAMP_BITS = wp.constant(32)  # of a pixel's set of lamps: a lamp's is its number modulo so many
MOST_MISSED = wp.constant(4)  # lamps in a pixel that the lattice misses and that are looked at: their rays fill 32 bits
MOST_TRIED = wp.constant(512)  # lamps whose boxes are tried for a pixel
CROWDED = wp.constant(-1)  # in the place of those rays: there are more lamps, all of which only the lattice measures


@dataclass(frozen=True)
class Fragments:
    """One visible face of an object in one pixel each, pixel by pixel; what they leave of a pixel shows the sky.

    Only boxes and cylinders have several faces, and so several fragments in a pixel, one after another.
    """

    scene: Int32[Tensor, " fragments"]
    pixel: Int32[Tensor, " fragments"]  # row · width + column, rows from `first_row` on
    object_id: Int32[Tensor, " fragments"]  # row of the SceneBatch
    object_number: Int32[Tensor, " fragments"]  # among its scene's objects
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


@wp.struct
class Pictures:
    """Of the pictures' size, all of them or the rows from `first_row` on, and the rays of a shared pixel."""

    width: int
    height: int
    first_row: int
    rows: int
    rays: int


@wp.struct
class PixelPlace:
    """Where a pixel is."""

    scene: int
    column: int
    row: int


@wp.func
def place_of(pictures: Pictures, index: int) -> PixelPlace:
    """Of pixel `index` of all pictures."""
    line = index // pictures.width
    scene = line // pictures.rows
    return PixelPlace(scene, index - line * pictures.width, line - scene * pictures.rows + pictures.first_row)


@wp.func
def point_of_pixel(scenes: Scenes, pictures: Pictures, at: PixelPlace, across: float, down: float) -> wp.vec2:
    """On the image plane, of a place of a pixel, in pixels from its upper left corner."""
    x = float(at.column) + across
    y = float(at.row) + down
    return image_plane_point(x, y, pictures.width, pictures.height, scenes.scenes[at.scene].tan_half_fov)


@wp.func
def pixel_shaft(scenes: Scenes, pictures: Pictures, at: PixelPlace) -> wp.uint64:
    """Objects that rays through a pixel may meet."""
    row = scenes.scenes[at.scene]
    if row.is_orthographic != 0:
        return EVERYTHING
    xy = point_of_pixel(scenes, pictures, at, 0.5, 0.5)
    half_diagonal = 1.4142136 * row.tan_half_fov / float(pictures.height)  # at distance 1, and so at least its sine
    axis = camera_direction(scenes, at.scene, xy)
    return objects_in_cone(scenes, at.scene, camera_origin(scenes, at.scene, xy), axis, half_diagonal, INFINITY)


@wp.func
def seen_at(scenes: Scenes, pictures: Pictures, at: PixelPlace, shaft: wp.uint64, across: float, down: float) -> int:
    """The key of what shows at a place of a pixel, in pixels from its upper left corner, or MISS.

    Of the objects in a shaft that holds all rays through there.
    """
    xy = point_of_pixel(scenes, pictures, at, across, down)
    origin = camera_origin(scenes, at.scene, xy)
    direction = camera_direction(scenes, at.scene, xy)
    hit = intersect_among(scenes, at.scene, shaft, origin, direction, MISS)
    key = int(MISS)
    if hit.object_id != MISS:
        shape = shape_of(scenes.objects[hit.object_id])
        key = hit.object_id * FACES + face_of_hit(shape, origin, direction, hit.t)
    return key


@wp.func
def fine_offset(k: int) -> wp.vec2:
    """Where fine ray k goes through the pixel; after all of them come its corners."""
    corner = k - FINE
    offset = wp.vec2(float(corner & 1), float(corner >> 1))
    if k < FINE:
        offset = lattice_point(k, FINE)
    return offset


@wp.func
def lamp_ray(lamp_rays: int, number: int) -> int:
    """1 + which of the fine rays is the one of that number, of those to lamps that the lattice misses; 0 if none is."""
    return wp.where(lamp_rays == CROWDED, 0, (lamp_rays >> (8 * number)) & 255)


@wp.func
def shared_offset(k: int, rays: int, lamp_rays: int) -> wp.vec2:
    """Where ray k of a shared pixel goes: the last ones to where lamps are that the others miss, if there are any."""
    offset = lattice_point(k, rays)
    if lamp_rays != 0 and k >= rays - MOST_MISSED:
        ray = lamp_ray(lamp_rays, rays - 1 - k)
        if ray > 0:
            offset = fine_offset(ray - 1)
    return offset


@wp.func
def hits_alone(scenes: Scenes, pictures: Pictures, object_id: int, at: PixelPlace, offset: wp.vec2) -> bool:
    """Whether a ray through a place of a pixel hits an object, whatever hides it."""
    xy = point_of_pixel(scenes, pictures, at, offset[0], offset[1])
    origin = camera_origin(scenes, at.scene, xy)
    direction = camera_direction(scenes, at.scene, xy)
    return intersect_object(scenes, object_id, origin, direction, MISS, INFINITY) < INFINITY


@wp.func
def box_reaches(scenes: Scenes, pictures: Pictures, object_id: int, at: PixelPlace) -> bool:
    """Whether an object's box, along its own axes, may show in a pixel.

    At the distance d no ray of a pixel is farther from the one through its middle than d times the pixel's width at
    distance 1. So the box is taken to be larger by that, and tried against this one.
    """
    row = scenes.scenes[at.scene]
    obj = scenes.objects[object_id]
    xy = point_of_pixel(scenes, pictures, at, 0.5, 0.5)
    origin = camera_origin(scenes, at.scene, xy)
    margin = 2.0 * row.tan_half_fov / float(pictures.height)
    if row.is_orthographic == 0:
        margin *= wp.length(obj.center - origin) + obj.radius
    start = obj.unit_from_world * (origin - obj.center)
    along = obj.unit_from_world * camera_direction(scenes, at.scene, xy)
    enter = float(0.0)
    leave = float(INFINITY)
    for axis in range(3):
        half_extent = 1.0 + margin / obj.scale[axis]
        interval = slab(start[axis] / half_extent, along[axis] / half_extent)
        enter = wp.max(enter, interval[0])
        leave = wp.min(leave, interval[1])
    return enter <= leave


@wp.func
def missed_lamp_ray(scenes: Scenes, pictures: Pictures, object_id: int, at: PixelPlace) -> int:
    """1 + the first of the fine rays, or corners, that hits a lamp alone; 0 if none, and −1 if one of the lattice's."""
    found = int(0)
    k = int(0)
    while found == 0 and k < pictures.rays:
        if hits_alone(scenes, pictures, object_id, at, lattice_point(k, pictures.rays)):
            found = -1
        k += 1
    k = int(0)
    while found == 0 and k < FINE + CORNERS:
        if hits_alone(scenes, pictures, object_id, at, fine_offset(k)):
            found = k + 1
        k += 1
    return found


@wp.func
def lamp_bit(scenes: Scenes, object_id: int) -> int:
    """A set of lamps with an object alone in it, or the empty one if it is no lamp, or a plane that glows.

    Those have no number, and are not missed.
    """
    bit = int(0)
    if object_id >= 0 and scenes.objects[object_id].light_number >= 0:
        bit = 1 << (scenes.objects[object_id].light_number % LAMP_BITS)
    return bit


@wp.func
def lamp_bit_of_key(scenes: Scenes, key: int) -> int:
    """That of the object whose face a key numbers, or the empty set of MISS."""
    return lamp_bit(scenes, wp.where(key >= 0, key // FACES, MISS))


@wp.struct
class LampSearch:
    """Whether rays of a pixel may hit a lamp, and those to lamps that the lattice misses: see `lamp_ray`, CROWDED."""

    may_show: bool
    rays: int


@wp.func
def look_for_lamps(scenes: Scenes, pictures: Pictures, at: PixelPlace, lamps: int, whole: int) -> LampSearch:
    """Of a set of lamps, but for the one that covers the whole pixel, if one does.

    By their numbers among the scene's lights, whose order is not the description's.
    """
    row = scenes.scenes[at.scene]
    most = wp.clamp(pictures.rays // 4, 1, MOST_MISSED)
    search = LampSearch(False, 0)
    missed = int(0)
    tried = int(0)
    bit = int(0)
    while bit < LAMP_BITS and search.rays != CROWDED:
        light = row.first_light + bit
        while ((lamps >> bit) & 1) != 0 and light < row.end_lights and search.rays != CROWDED:
            object_id = scenes.light_object[light]
            tried += 1
            if tried > MOST_TRIED:
                search = LampSearch(True, CROWDED)
            elif object_id != whole and box_reaches(scenes, pictures, object_id, at):
                ray = missed_lamp_ray(scenes, pictures, object_id, at)
                if ray != 0:
                    search.may_show = True
                if ray > 0:
                    search.rays = wp.where(missed < most, search.rays | (ray << (8 * missed)), CROWDED)
                    missed += 1
            light += LAMP_BITS
        bit += 1
    return search


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
def is_thin_object(scenes: Scenes, scene: int, object_id: int, scale: float, most: float) -> bool:
    """Whether an object that the camera is not in is at most so many pixels across, of `scale` at distance 1."""
    if scenes.objects[object_id].kind == PLANE:
        return False
    if scenes.scenes[scene].is_orthographic != 0:
        along = camera_direction(scenes, scene, wp.vec2(0.0, 0.0))
        return projected_half_width(scenes, object_id, along) <= 0.5 * most * scale
    vector = scenes.objects[object_id].center - scenes.scenes[scene].camera_position
    distance = wp.length(vector)
    if distance <= scenes.objects[object_id].radius:
        return False
    return projected_half_width(scenes, object_id, vector / distance) <= 0.5 * most * scale * distance


@wp.func
def pixel_range(low: float, high: float, near: float, far: float, scale: float, size: int) -> wp.vec2i:
    """First and last pixel, along one side of `size`, of what lies between `low` and `high` at depths near … far."""
    a = wp.min(low / near, low / far) / scale + 0.5 * float(size)
    b = wp.max(high / near, high / far) / scale + 0.5 * float(size)
    last = float(size - 1)
    return wp.vec2i(int(wp.clamp(a - 1.0, 0.0, last)), int(wp.clamp(b + 1.0, -1.0, last)))


@wp.kernel(enable_backward=False)
def mark_thin_objects(
    scenes: Scenes, pictures: Pictures, scene_of_object: wp.array[int], is_thin: wp.array[int], lamps: wp.array[int]
) -> None:
    """Mark every pixel that the bounding sphere of an object less than THIN pixels across may show in.

    `lamps` becomes the set of lamps less than SMALL_LAMP pixels across there: see `lamp_bit`.
    """
    i = wp.tid()
    scene = scene_of_object[i]
    if scenes.objects[i].kind == PLANE:
        return
    vector = scenes.objects[i].center - scenes.scenes[scene].camera_position
    local = wp.transpose(scenes.scenes[scene].camera_rotation) * vector
    radius = scenes.objects[i].radius
    near = -local[2] - radius
    far = -local[2] + radius
    scale = 2.0 * scenes.scenes[scene].tan_half_fov / float(pictures.height)
    if far <= 0.0:
        return
    thin = is_thin_object(scenes, scene, i, scale, THIN)
    small_lamp = bool(False)
    if scenes.objects[i].mean_emission > 0.0:
        small_lamp = is_thin_object(scenes, scene, i, scale, SMALL_LAMP)
    if not thin and not small_lamp:
        return
    if scenes.scenes[scene].is_orthographic != 0:
        near = float(1.0)  # at any depth things are as large as at depth 1
        far = float(1.0)
    columns = wp.vec2i(0, pictures.width - 1)
    lines = wp.vec2i(0, pictures.height - 1)
    if near > 1.0e-3 * radius:
        columns = pixel_range(local[0] - radius, local[0] + radius, near, far, scale, pictures.width)
        lines = pixel_range(-local[1] - radius, -local[1] + radius, near, far, scale, pictures.height)
    first = wp.max(lines[0] - pictures.first_row, 0)
    end = wp.min(lines[1] + 1 - pictures.first_row, pictures.rows)
    for row in range(first, end):
        for column in range(columns[0], columns[1] + 1):
            index = (scene * pictures.rows + row) * pictures.width + column
            if thin:
                is_thin[index] = 1
            if small_lamp:
                wp.atomic_or(lamps, index, lamp_bit(scenes, i))


@wp.kernel(enable_backward=False)
def sample_corners(scenes: Scenes, pictures: Pictures, corner: wp.array[int], begin: int) -> None:
    """The key at each pixel's upper left corner, in pictures of one row and one column more."""
    index = wp.tid() + begin
    line = index // (pictures.width + 1)
    scene = line // (pictures.rows + 1)
    column = index - line * (pictures.width + 1)
    row = line - scene * (pictures.rows + 1) + pictures.first_row
    corner[index] = seen_at(scenes, pictures, PixelPlace(scene, column, row), EVERYTHING, 0.0, 0.0)


@wp.kernel(enable_backward=False)
def sample_centers(
    scenes: Scenes,
    pictures: Pictures,
    is_thin: wp.array[int],
    lamps: wp.array[int],
    corner: wp.array[int],
    whole: wp.array[int],
    lamp_rays: wp.array[int],
    begin: int,
) -> None:
    """The key at each pixel's centre if its corners see the same, or SHARED; and what `shared_offset` reads."""
    index = wp.tid() + begin
    at = place_of(pictures, index)
    found = int(SHARED)
    looked_for = lamps[index]
    if is_thin[index] == 0:
        above = (at.scene * (pictures.rows + 1) + at.row - pictures.first_row) * (pictures.width + 1) + at.column
        below = above + pictures.width + 1
        key = corner[above]
        corners_agree = corner[above + 1] == key and corner[below] == key and corner[below + 1] == key
        if corners_agree:
            center = seen_at(scenes, pictures, at, EVERYTHING, 0.5, 0.5)
            found = wp.where(center == key, key, SHARED)
            if center != key:
                looked_for = looked_for | lamp_bit_of_key(scenes, key) | lamp_bit_of_key(scenes, center)
        else:
            looked_for = looked_for | lamp_bit_of_key(scenes, key) | lamp_bit_of_key(scenes, corner[above + 1])
            looked_for = looked_for | lamp_bit_of_key(scenes, corner[below])
            looked_for = looked_for | lamp_bit_of_key(scenes, corner[below + 1])
    search = LampSearch(False, 0)
    if looked_for != 0:
        search = look_for_lamps(scenes, pictures, at, looked_for, wp.where(found >= 0, found // FACES, MISS))
    lamp_rays[index] = search.rays
    whole[index] = wp.where(search.may_show, SHARED, found)


@wp.kernel(enable_backward=False)
def sample_pixels(
    scenes: Scenes,
    pictures: Pictures,
    whole: wp.array[int],
    lamp_rays: wp.array[int],
    seen: wp.array2d[int],
    count: wp.array[int],
    begin: int,
) -> None:
    """The keys that the lattice of rays sees in each pixel that is SHARED; how many there are in every pixel."""
    index = wp.tid() + begin
    keys = wp.where(whole[index] >= 0, 1, 0)
    if whole[index] == SHARED:
        at = place_of(pictures, index)
        missed = lamp_rays[index]
        shaft = pixel_shaft(scenes, pictures, at)
        recent = int(MISS)  # the last two different keys, mostly all there are
        other = int(MISS)
        for k in range(pictures.rays):
            offset = shared_offset(k, pictures.rays, missed)
            key = seen_at(scenes, pictures, at, shaft, offset[0], offset[1])
            seen[index, k] = key
            is_new = key != MISS and key != recent and key != other
            if is_new:
                for j in range(k):
                    if seen[index, j] == key:
                        is_new = bool(False)
            if is_new:
                keys += 1
            if key != recent:
                other = recent
                recent = key
    count[index] = keys


@wp.func
def margin_at(scenes: Scenes, pictures: Pictures, object_id: int, at: PixelPlace, offset: wp.vec2) -> float:
    """How far within an object's outline a place of a pixel is: see `luxel.core.shapes.outline`."""
    xy = point_of_pixel(scenes, pictures, at, offset[0], offset[1])
    origin = camera_origin(scenes, at.scene, xy)
    return outline_margin(shape_of(scenes.objects[object_id]), origin, camera_direction(scenes, at.scene, xy))


@wp.struct
class FilledByLamp:
    """What a lamp alone fills of the squares about a pixel's fine rays, and how many of these hit it."""

    squares: float
    hits: float


@wp.func
def filled_by_lamp(scenes: Scenes, pictures: Pictures, object_id: int, at: PixelPlace) -> FilledByLamp:
    """The squares change steadily as the lamp's outline moves over the pixel."""
    filled = FilledByLamp(0.0, 0.0)
    for k in range(FINE):
        offset = fine_offset(k)
        if hits_alone(scenes, pictures, object_id, at, offset):
            filled.hits += 1.0
        margin = margin_at(scenes, pictures, object_id, at, offset)
        beside = margin_at(scenes, pictures, object_id, at, offset + wp.vec2(FINE_STEP, 0.0))
        below = margin_at(scenes, pictures, object_id, at, offset + wp.vec2(0.0, FINE_STEP))
        filled.squares += share_inside(margin, beside, below, FINE_STEP, FINE_SPACING)
    return filled


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
    for k in range(FINE):
        offset = fine_offset(k)
        found = seen_at(scenes, pictures, at, shaft, offset[0], offset[1])
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
    """Make fine rays' hits of lamps what they fill, and those of all else what that leaves; which is the result."""
    before = float(0.0)
    after = float(0.0)
    for i in range(first, end):
        object_id = key[i] // FACES
        if scenes.objects[object_id].mean_emission > 0.0:
            before += hits[i]
            if hits[i] < float(FINE):
                filled = filled_by_lamp(scenes, pictures, object_id, at)
                hits[i] = wp.where(filled.hits > 0.0, hits[i] / wp.max(filled.hits, 1.0), 1.0) * filled.squares
            after += hits[i]
    of_lamps = float(1.0)
    if before >= float(FINE) or after > float(FINE):
        of_lamps = float(FINE) / wp.max(after, 1.0)
    left = wp.max(float(FINE) - of_lamps * after, 0.0)
    of_others = left / wp.max(float(FINE) - before, 1.0)
    for i in range(first, end):
        is_lamp = scenes.objects[key[i] // FACES].mean_emission > 0.0
        hits[i] = hits[i] * wp.where(is_lamp, of_lamps, of_others)
    return left


@wp.func
def measure_finely(
    scenes: Scenes,
    pictures: Pictures,
    at: PixelPlace,
    seen: wp.array[int],
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
            if scenes.objects[key[i] // FACES].mean_emission == 0.0:
                hits = int(0)
                for k in range(lattice_rays):
                    hits += wp.where(seen[k] == key[i], 1, 0)
                coverage[i] = float(FINE * hits) / float(wp.max(lattice_rays, 1))
                total += coverage[i]
        of_others = wp.min(left / wp.max(total, 1.0), 1.0)
        for i in range(first, end):
            if scenes.objects[key[i] // FACES].mean_emission == 0.0:
                coverage[i] = coverage[i] * of_others
    for i in range(first, end):
        coverage[i] = coverage[i] / float(FINE)


@wp.kernel(enable_backward=False)
def write_fragments(
    scenes: Scenes,
    pictures: Pictures,
    lamp_rays: wp.array[int],
    whole: wp.array[int],
    seen: wp.array2d[int],
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
        found = whole[index]
        share = float(1.0)
        inside = wp.vec2(0.5, 0.5)
        if found == SHARED:
            found = wp.int32(2147483647)
            for k in range(rays):  # the next key
                if seen[index, k] > last:
                    found = wp.min(found, seen[index, k])
            last = found
            hits = int(0)
            mean = wp.vec2(0.0, 0.0)
            for k in range(rays):
                if seen[index, k] == found:
                    hits += 1
                    mean += shared_offset(k, rays, lamp_rays[index])
            mean = mean / float(hits)
            share = float(hits) / float(rays)
            if hits < rays:  # of the rays that show it, the nearest to their mean, where it may itself be hidden
                apart = float(9.0)
                for k in range(rays):
                    off = shared_offset(k, rays, lamp_rays[index]) - mean
                    if seen[index, k] == found and wp.dot(off, off) < apart:
                        apart = wp.dot(off, off)
                        inside = shared_offset(k, rays, lamp_rays[index])
            object_hits = wp.where(found // FACES == last_object, object_hits, 0) + hits
            last_object = found // FACES
            if scenes.objects[last_object].mean_emission > 0.0:
                shows_lamp = True
        key[i] = found
        scene[i] = at.scene
        pixel[i] = (at.row - pictures.first_row) * pictures.width + at.column
        object_id[i] = found // FACES
        object_number[i] = found // FACES - scenes.scenes[at.scene].first_object
        coverage[i] = share
        point[i] = point_of_pixel(scenes, pictures, at, inside[0], inside[1])
    if shows_lamp and object_hits < rays and lamp_rays[index] != CROWDED:
        lattice_rays = int(rays)
        for number in range(MOST_MISSED):
            lattice_rays -= wp.where(lamp_ray(lamp_rays[index], number) > 0, 1, 0)
        first = offsets[index]
        measure_finely(scenes, pictures, at, seen[index], lattice_rays, key, first, offsets[index + 1], coverage)


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
    whole, keys, is_thin, lamps, lamp_rays = torch.zeros(5, pixels, dtype=torch.int32, device=device)
    seen = torch.empty(pixels, pixel_rays, dtype=torch.int32, device=device)
    scene_of_object = batch.scene_of_object.int()
    launch(mark_thin_objects, len(batch.kind), [scenes, pictures, scene_of_object], [is_thin, lamps], device)
    corner = torch.empty(len(batch) * (width + 1) * (pictures.rows + 1), dtype=torch.int32, device=device)
    launch(sample_corners, len(corner), [scenes, pictures], [corner], device, sliced=True)
    marked = [scenes, pictures, is_thin, lamps, corner]
    launch(sample_centers, pixels, marked, [whole, lamp_rays], device, sliced=True)
    launch(sample_pixels, pixels, [scenes, pictures, whole, lamp_rays], [seen, keys], device, sliced=True)
    offsets = torch.zeros(pixels + 1, dtype=torch.int32, device=device)
    torch.cumsum(keys, 0, dtype=torch.int32, out=offsets[1:])
    fragments = int(offsets[-1]) if room is None else room
    key, scene, pixel, object_id, number = torch.empty(5, fragments, dtype=torch.int32, device=device)
    coverage, point = torch.empty(fragments, device=device), torch.empty(fragments, 2, device=device)
    needed = NOT_COUNTED
    if room is not None:
        needed = offsets[-1:].long()
        offsets.clamp_(max=room)
        for values, absent in ((scene, 0), (pixel, 0), (object_id, MISS), (coverage, 0), (point, 0)):
            values.fill_(absent)
    written = [key, scene, pixel, object_id, number, coverage, to_warp(point, wp.vec2)]
    shared = [scenes, pictures, lamp_rays, whole, seen, offsets]
    launch(write_fragments, pixels, shared, written, device, sliced=True)
    return Fragments(
        *(scene, pixel, object_id, number, coverage, point, offsets),
        *(width, height, first_row, pictures.rows, needed),
    )
