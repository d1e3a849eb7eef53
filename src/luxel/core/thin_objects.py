"""Objects so narrow in a picture that they may slip through between pixels' corners."""

import warp as wp

from luxel.core.emitters import is_lamp
from luxel.core.frames import frame
from luxel.core.lamp_search import lamp_bit
from luxel.core.pixels import Pictures
from luxel.core.rays import camera_direction
from luxel.core.scenes import Scenes
from luxel.core.shapes.kinds import PLANE
from luxel.core.shapes.shape import is_panel

THIN = wp.constant(4.0)  # pixels across; of larger objects, no more than slivers come between corners
SMALL_LAMP = wp.constant(16.0)  # pixels across; of larger lamps slivers that few rays miss are a hundredth of a pixel


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
    if is_lamp(scenes, i):
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
