"""Small lamps in a pixel, which may be a thousand times as bright as the rest: they are looked for, lest they blink."""

import warp as wp

from luxel.core.intersect import MISS
from luxel.core.pixels import CORNERS, FINE_RAYS, Pictures, PixelPlace, fine_offset, hits_object, point_of_pixel
from luxel.core.rays import camera_direction, camera_origin
from luxel.core.sampling import lattice_point
from luxel.core.scenes import Scenes
from luxel.core.shapes.local import INFINITY, slab
from luxel.core.shapes.shape import FACES

LAMP_BITS = wp.constant(32)  # of a pixel's set of lamps: a lamp's is its number modulo so many
MAX_MISSED_LAMPS = wp.constant(4)  # in a pixel, that the lattice misses and others hit: these rays fill 32 bits
MAX_TRIED_LAMPS = wp.constant(512)  # lamps whose boxes are tried for a pixel
CROWDED = wp.constant(-1)  # in the place of those rays: there are more lamps, all of which only the lattice measures


@wp.func
def lamp_ray(lamp_rays: int, number: int) -> int:
    """1 + which of the fine rays is the one of that number, of those to lamps that the lattice misses; 0 if none is."""
    return wp.where(lamp_rays == CROWDED, 0, (lamp_rays >> (8 * number)) & 255)


@wp.func
def shared_offset(k: int, rays: int, lamp_rays: int) -> wp.vec2:
    """Where ray k of a shared pixel goes: the last ones to where lamps are that the others miss, if there are any."""
    offset = lattice_point(k, rays)
    if lamp_rays != 0 and k >= rays - MAX_MISSED_LAMPS:
        ray = lamp_ray(lamp_rays, rays - 1 - k)
        if ray > 0:
            offset = fine_offset(ray - 1)
    return offset


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
        if hits_object(scenes, pictures, object_id, at, lattice_point(k, pictures.rays)):
            found = -1
        k += 1
    k = int(0)
    while found == 0 and k < FINE_RAYS + CORNERS:
        if hits_object(scenes, pictures, object_id, at, fine_offset(k)):
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
def look_for_lamps(scenes: Scenes, pictures: Pictures, at: PixelPlace, lamps: int, covering_object: int) -> LampSearch:
    """Of a set of lamps, but for the one that covers the whole pixel, if one does.

    By their numbers among the scene's lights, whose order is not the description's.
    """
    row = scenes.scenes[at.scene]
    most = wp.clamp(pictures.rays // 4, 1, MAX_MISSED_LAMPS)
    search = LampSearch(False, 0)
    missed = int(0)
    tried = int(0)
    bit = int(0)
    while bit < LAMP_BITS and search.rays != CROWDED:
        light = row.first_light + bit
        while ((lamps >> bit) & 1) != 0 and light < row.end_lights and search.rays != CROWDED:
            object_id = scenes.light_object[light]
            tried += 1
            if tried > MAX_TRIED_LAMPS:
                search = LampSearch(True, CROWDED)
            elif object_id != covering_object and box_reaches(scenes, pictures, object_id, at):
                ray = missed_lamp_ray(scenes, pictures, object_id, at)
                if ray != 0:
                    search.may_show = True
                if ray > 0:
                    search.rays = wp.where(missed < most, search.rays | (ray << (8 * missed)), CROWDED)
                    missed += 1
            light += LAMP_BITS
        bit += 1
    return search
