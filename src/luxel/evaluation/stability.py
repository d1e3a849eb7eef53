"""How still a renderer holds while camera or objects move: flicker, in pictures from one frame to the next.

Legend: frames, pictures of the same size, of scenes of the same objects; display values in [0, 1], by a tone map.
"""

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from luxel.core.rays import Rays, image_plane_rays
from luxel.core.scene_batch import SceneBatch, rotation_matrix
from luxel.models.shading_points import OBJECT, POINT, points_of_rays
from luxel.scene.camera import pixel_size
from luxel.scene.description import Scene

SAME_PLACE = 1e-3
"""How far apart two rays may meet an object, over their length, for it to be the same place."""


def tracking_shot(scene: Scene, frames: int, shift: float, height: int) -> list[Scene]:
    """The scene, its camera moving to the right by so much a frame that what it looks at moves by `shift` pixels.

    Of pictures `height` pixels high. What is nearer moves by more, and what is farther by less.
    """
    camera = scene.camera
    position, target = (np.array(place, float) for place in (camera.position, camera.look_at))
    ahead = target - position
    right = np.cross(ahead, camera.up)
    right /= np.linalg.norm(right)
    step = shift * pixel_size(camera, float(np.linalg.norm(ahead)), height)
    return [
        scene.with_camera(
            **{
                name: tuple(map(float, place + frame * step * right))
                for name, place in (("position", position), ("look_at", target))
            }
        )
        for frame in range(frames)
    ]


def second_difference(frames: Float[Tensor, "frames height width 3"]) -> Float[Tensor, "inner_frames height width"]:
    """|x(t − 1) − 2 x(t) + x(t + 1)| / 2 of every pixel but in the first and last frame, the mean over channels.

    What moves steadily hardly has any; a pixel that is wrong in one frame alone has the whole of its error.
    """
    return (frames[:-2] - 2 * frames[1:-1] + frames[2:]).abs().mean(-1) / 2


def jumps(frames: Float[Tensor, "frames height width 3"], least: float = 0.25) -> int:
    """How often a pixel changes by more than `least` in any channel from one frame to the next."""
    return int(((frames[1:] - frames[:-1]).abs().amax(-1) > least).sum())


def reprojected_difference(
    scenes: list[Scene], frames: Float[Tensor, "frames height width 3"]
) -> Float[Tensor, " differences"]:
    """How much each place in view changes from one frame to the next, the mean over channels.

    A place is where the ray through a pixel's centre arrives first; it moves with its object. Where it is in the next
    frame, and in view there, is known exactly; the next picture is read there bilinearly. Edges are left out: all four
    pixels that are read must show the same object. `scenes` are the frames'; the sky is left out, which nothing hides.
    """
    height, width = frames.shape[1:3]
    changes = []
    place, seen = pixel_centres(scenes[0], width, height)
    for before, after, then, now in zip(scenes[:-1], scenes[1:], frames[:-1], frames[1:], strict=True):
        batch = SceneBatch.of([after])
        place = carried(SceneBatch.of([before]), batch, place, seen)
        pixel, is_seen = seen_at(batch, place, seen, width, height)
        next_place, shown = pixel_centres(after, width, height)
        corners = torch.stack([pixel.floor(), pixel.floor() + torch.tensor([1.0, 0.0])], 1)
        corners = torch.cat([corners, corners + torch.tensor([0.0, 1.0])], 1).long()
        inside = ((corners >= 0) & (corners < torch.tensor([width, height]))).all(2).all(1)
        number = corners[..., 1].clamp(0, height - 1) * width + corners[..., 0].clamp(0, width - 1)
        counts = is_seen & inside & (shown[number] == seen[:, None]).all(1)
        grid = (pixel + 0.5) / torch.tensor([width, height]) * 2 - 1
        read = F.grid_sample(now.movedim(-1, 0)[None], grid[None, None], align_corners=False)[0, :, 0].T
        changes.append((read - then.reshape(-1, 3)).abs().mean(1)[counts])
        place, seen = next_place, shown
    return torch.cat(changes)


def carried(
    before: SceneBatch, after: SceneBatch, place: Float[Tensor, "places 3"], object_id: Tensor
) -> Float[Tensor, "places 3"]:
    """Where places on one scene's objects are in the next scene: the same points of the unit shapes."""
    rows = object_id.clamp(min=0).long()

    def parts(batch: SceneBatch) -> tuple[Tensor, Tensor, Tensor]:
        return batch.center[rows].double(), rotation_matrix(batch.rotation)[rows], batch.scale[rows].double()

    (center, rotation, scale), (next_center, next_rotation, next_scale) = parts(before), parts(after)
    unit = torch.einsum("nji,nj->ni", rotation, place.double() - center) / scale
    return (next_center + torch.einsum("nij,nj->ni", next_rotation, next_scale * unit)).float()


def pixel_centres(scene: Scene, width: int, height: int) -> tuple[Float[Tensor, "pixels 3"], Tensor]:
    """Where the rays through all pixels' centres arrive first, row by row, and the object's number, or MISS."""
    batch = SceneBatch.of([scene])
    rows, columns = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    scale = 2 * batch.tan_half_fov / height
    plane = torch.stack([(columns - width / 2) * scale, (height / 2 - rows) * scale], -1).reshape(-1, 2)
    table = points_of_rays(batch, image_plane_rays(batch, plane, torch.zeros(len(plane), dtype=torch.int32)))
    return table[:, POINT : POINT + 3].view(torch.float32), table[:, OBJECT]


def seen_at(
    batch: SceneBatch, place: Float[Tensor, "places 3"], object_id: Tensor, width: int, height: int
) -> tuple[Float[Tensor, "places 2"], Bool[Tensor, " places"]]:
    """Where in one scene's picture places are, in pixels from the centre of its upper left one, and if in view."""
    vector = place - batch.camera_position
    local = vector @ batch.camera_rotation[0]
    depth = -local[:, 2]
    is_orthographic = bool(batch.is_orthographic)
    scale = height / (2 * batch.tan_half_fov * (torch.ones_like(depth) if is_orthographic else depth.clamp(min=1e-12)))
    pixel = torch.stack([width / 2 + local[:, 0] * scale, height / 2 - local[:, 1] * scale], 1) - 0.5
    in_front = (depth > 0) & (object_id >= 0)
    ahead, origin = -batch.camera_rotation[0, :, 2], batch.camera_position.expand_as(place)
    if is_orthographic:
        vector = depth[:, None] * ahead
        origin = place - vector
    direction = torch.where(in_front[:, None], vector, ahead)
    rays = Rays(origin, direction, torch.zeros(len(place), dtype=torch.int32))
    table = points_of_rays(batch, rays)
    away = (table[:, POINT : POINT + 3].view(torch.float32) - place).norm(dim=1)
    return pixel, in_front & (table[:, OBJECT] == object_id) & (away < SAME_PLACE * vector.norm(dim=1))
