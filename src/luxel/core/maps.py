"""Environment maps in kernels: radiance in a direction, and directions towards what is bright.

See `luxel.scene.environment` for which way a map lies, and `luxel.core.map_tables` for what is sampled.
"""

import warp as wp

from luxel.core.frames import PI
from luxel.core.scenes import SceneRow, Scenes


@wp.struct
class MapRadiance:
    """A map's radiance in a direction: both add up to it."""

    sampled: wp.vec3
    unsampled: wp.vec3


@wp.func
def map_point(row: SceneRow, direction: wp.vec3) -> wp.vec2:
    """Where a map shows a unit vector, in texels from its upper left corner; columns may be beyond the right edge."""
    turn = (wp.atan2(direction[0], direction[1]) + row.map_rotation) / (2.0 * PI) + 0.5
    across = wp.sqrt(direction[0] * direction[0] + direction[1] * direction[1])
    return wp.vec2(
        (turn - wp.floor(turn)) * float(row.map_width),
        wp.atan2(across, direction[2]) / PI * float(row.map_height),
    )


@wp.func
def map_radiance(scenes: Scenes, row: SceneRow, direction: wp.vec3) -> MapRadiance:
    """Interpolated between the middles of four texels; 0 without a map."""
    result = MapRadiance(wp.vec3(0.0, 0.0, 0.0), wp.vec3(0.0, 0.0, 0.0))
    width = row.map_width
    if width > 0:
        point = map_point(row, direction)
        x = point[0] - 0.5
        y = point[1] - 0.5
        left = wp.floor(x)
        top = wp.floor(y)
        for corner in range(4):
            right = corner & 1
            below = corner >> 1
            column = (int(left) + right + width) % width
            line = wp.clamp(int(top) + below, 0, row.map_height - 1)
            across = wp.where(right == 1, x - left, 1.0 - (x - left))
            down = wp.where(below == 1, y - top, 1.0 - (y - top))
            texel = scenes.texels[row.first_texel + line * width + column]
            radiance = texel.radiance * (row.map_scale * across * down)
            result.sampled += radiance * texel.share
            result.unsampled += radiance * (1.0 - texel.share)
    return result


@wp.func
def texel_probability(scenes: Scenes, row: SceneRow, line: int, column: int) -> float:
    """With which `sample_map` chooses a texel: of its row, times its own in that."""
    texel = scenes.texels[row.first_texel + line * row.map_width + column]
    of_row = texel.of_row
    in_row = texel.in_row
    if line > 0:
        of_row -= scenes.texels[row.first_texel + (line - 1) * row.map_width + column].of_row
    if column > 0:
        in_row -= scenes.texels[row.first_texel + line * row.map_width + column - 1].in_row
    return of_row * in_row


@wp.func
def map_density(scenes: Scenes, row: SceneRow, direction: wp.vec3) -> float:
    """Per steradian, of `sample_map`: within a texel uniform in both angles, which dω = sin θ dθ dφ relates to it."""
    point = map_point(row, direction)
    column = wp.min(int(point[0]), row.map_width - 1)
    line = wp.min(int(point[1]), row.map_height - 1)
    across = wp.sqrt(direction[0] * direction[0] + direction[1] * direction[1])
    texels = float(row.map_width) * float(row.map_height) / (2.0 * PI * PI)
    return texel_probability(scenes, row, line, column) * texels / wp.max(across, 1.0e-6)


@wp.func
def sample_map(scenes: Scenes, row: SceneRow, u: wp.vec2) -> wp.vec3:
    """A unit vector towards the sampled part of a map: a row, a column of it, and a place in the texel."""
    first = int(0)
    last = row.map_height - 1
    while first < last:  # the first row whose cumulative probability is above the number
        middle = (first + last) // 2
        if scenes.texels[row.first_texel + middle * row.map_width].of_row > u[1]:
            last = middle
        else:
            first = middle + 1
    line = first
    begin = row.first_texel + line * row.map_width
    first = int(0)
    last = row.map_width - 1
    while first < last:
        middle = (first + last) // 2
        if scenes.texels[begin + middle].in_row > u[0]:
            last = middle
        else:
            first = middle + 1
    above = float(0.0)
    if line > 0:
        above = scenes.texels[begin - row.map_width].of_row
    before = float(0.0)
    if first > 0:
        before = scenes.texels[begin + first - 1].in_row
    down = (u[1] - above) / wp.max(scenes.texels[begin].of_row - above, 1.0e-30)
    across = (u[0] - before) / wp.max(scenes.texels[begin + first].in_row - before, 1.0e-30)
    theta = PI * (float(line) + wp.clamp(down, 0.0, 1.0)) / float(row.map_height)
    turn = 2.0 * PI * ((float(first) + wp.clamp(across, 0.0, 1.0)) / float(row.map_width) - 0.5) - row.map_rotation
    return wp.vec3(wp.sin(theta) * wp.sin(turn), wp.sin(theta) * wp.cos(turn), wp.cos(theta))
