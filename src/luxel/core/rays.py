"""Rays, and the one convention of the image plane.

Camera space is right-handed: x to the right, y up, and the camera looks along −z (OpenGL's convention). A point of the
image plane is (x, y) at distance 1, or of an orthographic camera, whose rays are parallel, (x, y) where they begin; row
0 of a picture is its top, and pixels are square.
"""

from dataclasses import dataclass

import torch
import warp as wp
from jaxtyping import Float, Int32
from torch import Tensor

from luxel.core.scene_batch import SceneBatch
from luxel.core.scenes import Scenes


@dataclass(frozen=True)
class Rays:
    """Rays in world space, each in a scene of a batch; directions may have any length but 0."""

    origin: Float[Tensor, "rays 3"]
    direction: Float[Tensor, "rays 3"]
    scene: Int32[Tensor, " rays"]

    def __len__(self) -> int:
        return len(self.scene)

    def to(self, device: torch.device | str) -> "Rays":
        """The same on another device."""
        return Rays(self.origin.to(device), self.direction.to(device), self.scene.to(device))

    @property
    def unit_direction(self) -> Float[Tensor, "rays 3"]:
        """Directions of length 1, whose squares neither overflow nor vanish on the way."""
        largest = self.direction.abs().amax(1, keepdim=True)
        return torch.nn.functional.normalize(self.direction / largest, dim=1)


@wp.func
def image_plane_point(column: float, row: float, width: int, height: int, tan_half_fov: float) -> wp.vec2:
    """(x, y) of a point of the picture, in pixels from its upper left corner."""
    scale = 2.0 * tan_half_fov / float(height)
    return wp.vec2((column - 0.5 * float(width)) * scale, (0.5 * float(height) - row) * scale)


@wp.func
def camera_direction(scenes: Scenes, scene: int, xy: wp.vec2) -> wp.vec3:
    """Unit direction of the camera's ray through a point of the image plane."""
    x = wp.where(scenes.scenes[scene].is_orthographic == 0, xy[0], 0.0)
    y = wp.where(scenes.scenes[scene].is_orthographic == 0, xy[1], 0.0)
    return wp.normalize(scenes.scenes[scene].camera_rotation * wp.vec3(x, y, -1.0))


@wp.func
def camera_origin(scenes: Scenes, scene: int, xy: wp.vec2) -> wp.vec3:
    """Where the camera's ray through a point of the image plane begins: the pinhole, if it has one."""
    origin = scenes.scenes[scene].camera_position
    if scenes.scenes[scene].is_orthographic != 0:
        origin += scenes.scenes[scene].camera_rotation * wp.vec3(xy[0], xy[1], 0.0)
    return origin


@wp.func
def image_plane_point_of(scenes: Scenes, scene: int, point: wp.vec3, direction: wp.vec3) -> wp.vec2:
    """(x, y) of a point that the camera's ray of this direction hits."""
    to_camera = wp.transpose(scenes.scenes[scene].camera_rotation)
    if scenes.scenes[scene].is_orthographic != 0:
        place = to_camera * (point - scenes.scenes[scene].camera_position)
        return wp.vec2(place[0], place[1])
    local = to_camera * direction
    return wp.vec2(local[0] / -local[2], local[1] / -local[2])


def image_plane_rays(batch: SceneBatch, points: Float[Tensor, "rays 2"], scene: Int32[Tensor, " rays"]) -> Rays:
    """The camera's rays through points (x, y) of the image planes of these scenes; directions have depth 1."""
    number = scene.long()
    is_orthographic = batch.is_orthographic[number][:, None] > 0
    depth, nothing = torch.full_like(points[:, :1], -1.0), torch.zeros_like(points)

    def in_world(local: Float[Tensor, "rays 3"]) -> Float[Tensor, "rays 3"]:
        return (batch.camera_rotation[number] @ local[:, :, None])[:, :, 0]

    direction = in_world(torch.cat([torch.where(is_orthographic, nothing, points), depth], 1))
    begins = in_world(torch.cat([torch.where(is_orthographic, points, nothing), torch.zeros_like(depth)], 1))
    return Rays(batch.camera_position[number] + begins, direction, scene)
