"""Pixels of pictures, and the rays through them: a lattice's, and finer ones."""

import warp as wp

from luxel.core.intersect import EVERYTHING, MISS, intersect_among, intersect_object
from luxel.core.rays import camera_direction, camera_origin, image_plane_point
from luxel.core.sampling import lattice_point
from luxel.core.scenes import Scenes, shape_of
from luxel.core.shafts import objects_in_cone
from luxel.core.shapes.local import INFINITY
from luxel.core.shapes.shape import FACES, face_of_hit

FINE_RAYS = wp.constant(128)  # rays for a pixel that shows a lamp
CORNERS = wp.constant(4)


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
def key_of_ray(scenes: Scenes, scene: int, shaft: wp.uint64, origin: wp.vec3, direction: wp.vec3) -> int:
    """The key, object · FACES + face, of what a ray of the camera's meets first among a shaft's objects, or MISS."""
    hit = intersect_among(scenes, scene, shaft, origin, direction, MISS)
    key = int(MISS)
    if hit.object_id != MISS:
        shape = shape_of(scenes.objects[hit.object_id])
        key = hit.object_id * FACES + face_of_hit(shape, origin, direction, hit.t)
    return key


@wp.func
def key_at(scenes: Scenes, pictures: Pictures, at: PixelPlace, shaft: wp.uint64, across: float, down: float) -> int:
    """The key of what shows at a place of a pixel, in pixels from its upper left corner, or MISS.

    Of the objects in a shaft that holds all rays through there.
    """
    xy = point_of_pixel(scenes, pictures, at, across, down)
    origin = camera_origin(scenes, at.scene, xy)
    return key_of_ray(scenes, at.scene, shaft, origin, camera_direction(scenes, at.scene, xy))


@wp.func
def fine_offset(k: int) -> wp.vec2:
    """Where fine ray k goes through the pixel; after all of them come its corners."""
    corner = k - FINE_RAYS
    offset = wp.vec2(float(corner & 1), float(corner >> 1))
    if k < FINE_RAYS:
        offset = lattice_point(k, FINE_RAYS)
    return offset


@wp.func
def hits_object(scenes: Scenes, pictures: Pictures, object_id: int, at: PixelPlace, offset: wp.vec2) -> bool:
    """Whether a ray through a place of a pixel hits an object, whatever hides it."""
    xy = point_of_pixel(scenes, pictures, at, offset[0], offset[1])
    origin = camera_origin(scenes, at.scene, xy)
    direction = camera_direction(scenes, at.scene, xy)
    return intersect_object(scenes, object_id, origin, direction, MISS, INFINITY) < INFINITY
