"""What pixels show of the sky: its mean over each of them, since a sun may be smaller than one."""

import torch
import warp as wp
from jaxtyping import Float32
from torch import Tensor

from luxel.core.emitters import environment_radiance
from luxel.core.fragments import Fragments
from luxel.core.launch import launch, to_warp
from luxel.core.rays import camera_direction, image_plane_point
from luxel.core.scene_batch import SceneBatch
from luxel.core.scenes import Scenes, launchable

POINTS_ACROSS = wp.constant(4)  # points of a pixel, along both of its sides


@wp.kernel(enable_backward=False)
def average_sky(
    scenes: Scenes, width: int, height: int, first_row: int, rows: int, radiance: wp.array[wp.vec3], begin: int
) -> None:
    """The mean over POINTS_ACROSS² points of every pixel of rows of pictures, as if nothing were in front."""
    index = wp.tid() + begin
    scene = index // (width * rows)
    row = index // width - scene * rows
    column = index - (scene * rows + row) * width
    half = scenes.scenes[scene].tan_half_fov
    total = wp.vec3(0.0, 0.0, 0.0)
    for k in range(POINTS_ACROSS * POINTS_ACROSS):
        down = k // POINTS_ACROSS
        x = float(column) + (float(k - down * POINTS_ACROSS) + 0.5) / float(POINTS_ACROSS)
        y = float(row + first_row) + (float(down) + 0.5) / float(POINTS_ACROSS)
        direction = camera_direction(scenes, scene, image_plane_point(x, y, width, height, half))
        total += environment_radiance(scenes, scene, direction)
    radiance[index] = total / float(POINTS_ACROSS * POINTS_ACROSS)


@torch.no_grad()
def sky_of_pixels(batch: SceneBatch, found: Fragments) -> Float32[Tensor, "pixels 3"]:
    """The radiance of the sky, the sun included, in the pixels that fragments were looked for in."""
    count = len(batch) * found.width * found.rows
    radiance = torch.empty(count, 3, device=batch.device)
    inputs = [launchable(batch), found.width, found.height, found.first_row, found.rows]
    launch(average_sky, count, inputs, [to_warp(radiance, wp.vec3)], batch.device, sliced=True)
    return radiance
