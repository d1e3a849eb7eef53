"""What rays through a pixel's corners and centre see, and where these differ those of a lattice.

The faces of a box, or of a cylinder, count as objects: `key` numbers them, object · FACES + face.
"""

import warp as wp

from luxel.core.intersect import EVERYTHING, MISS
from luxel.core.lamp_search import LampSearch, lamp_bit_of_key, look_for_lamps, shared_offset
from luxel.core.pixels import Pictures, PixelPlace, key_at, pixel_shaft, place_of
from luxel.core.scenes import Scenes
from luxel.core.shapes.shape import FACES

SHARED = wp.constant(-2)  # in place of the key of a pixel that several objects may share


@wp.kernel(enable_backward=False)
def sample_corners(scenes: Scenes, pictures: Pictures, corner: wp.array[int], begin: int) -> None:
    """The key at each pixel's upper left corner, in pictures of one row and one column more."""
    index = wp.tid() + begin
    line = index // (pictures.width + 1)
    scene = line // (pictures.rows + 1)
    column = index - line * (pictures.width + 1)
    row = line - scene * (pictures.rows + 1) + pictures.first_row
    corner[index] = key_at(scenes, pictures, PixelPlace(scene, column, row), EVERYTHING, 0.0, 0.0)


@wp.kernel(enable_backward=False)
def sample_centers(
    scenes: Scenes,
    pictures: Pictures,
    is_thin: wp.array[int],
    lamps: wp.array[int],
    corner: wp.array[int],
    pixel_key: wp.array[int],
    lamp_rays: wp.array[int],
    begin: int,
) -> None:
    """The key at each pixel's centre if its corners see the same, or SHARED; and what `shared_offset` reads."""
    index = wp.tid() + begin
    at = place_of(pictures, index)
    found = int(SHARED)
    candidate_lamps = lamps[index]
    if is_thin[index] == 0:
        above = (at.scene * (pictures.rows + 1) + at.row - pictures.first_row) * (pictures.width + 1) + at.column
        below = above + pictures.width + 1
        key = corner[above]
        corners_agree = corner[above + 1] == key and corner[below] == key and corner[below + 1] == key
        if corners_agree:
            center = key_at(scenes, pictures, at, EVERYTHING, 0.5, 0.5)
            found = wp.where(center == key, key, SHARED)
            if center != key:
                candidate_lamps = candidate_lamps | lamp_bit_of_key(scenes, key) | lamp_bit_of_key(scenes, center)
        else:
            candidate_lamps = (
                candidate_lamps | lamp_bit_of_key(scenes, key) | lamp_bit_of_key(scenes, corner[above + 1])
            )
            candidate_lamps = candidate_lamps | lamp_bit_of_key(scenes, corner[below])
            candidate_lamps = candidate_lamps | lamp_bit_of_key(scenes, corner[below + 1])
    search = LampSearch(False, 0)
    if candidate_lamps != 0:
        search = look_for_lamps(scenes, pictures, at, candidate_lamps, wp.where(found >= 0, found // FACES, MISS))
    lamp_rays[index] = search.rays
    pixel_key[index] = wp.where(search.may_show, SHARED, found)


@wp.kernel(enable_backward=False)
def sample_pixels(
    scenes: Scenes,
    pictures: Pictures,
    pixel_key: wp.array[int],
    lamp_rays: wp.array[int],
    ray_keys: wp.array2d[int],
    count: wp.array[int],
    begin: int,
) -> None:
    """The keys that the lattice of rays sees in each pixel that is SHARED; how many there are in every pixel."""
    index = wp.tid() + begin
    keys = wp.where(pixel_key[index] >= 0, 1, 0)
    if pixel_key[index] == SHARED:
        at = place_of(pictures, index)
        missed = lamp_rays[index]
        shaft = pixel_shaft(scenes, pictures, at)
        recent = int(MISS)  # the last two different keys, mostly all there are
        other = int(MISS)
        for k in range(pictures.rays):
            offset = shared_offset(k, pictures.rays, missed)
            key = key_at(scenes, pictures, at, shaft, offset[0], offset[1])
            ray_keys[index, k] = key
            is_new = key != MISS and key != recent and key != other
            if is_new:
                for j in range(k):
                    if ray_keys[index, j] == key:
                        is_new = bool(False)
            if is_new:
                keys += 1
            if key != recent:
                other = recent
                recent = key
    count[index] = keys
