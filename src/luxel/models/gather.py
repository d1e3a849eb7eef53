"""What a surface point sees when it looks around: its lights, and by final gathering everything else.

Every point sends a fixed pattern of rays: to points on its lights, over its hemisphere and into its glossy lobes. What
they meet is lit by one light, and sends one ray on; mirrors and glass send it further. The estimators are those of
path tracing, with multiple importance sampling; but no number is random, and paths end early. Patterns differ among
pixels, of which any tile of 4 × 4 together has one well-spread set: `luxel.models.filter` brings them together.

A light behind glass is looked for along the refracted line, and one in a flat mirror by way of its image, by points
themselves; straight through glass by what their rays meet. Paths from diffuse surfaces leave it at that, and find what
else glass and mirrors show.
"""

from typing import Any

import torch
import warp as wp
from jaxtyping import Float, Int32
from torch import Tensor

from luxel.core.launch import launch, to_warp
from luxel.core.scene_batch import SceneBatch
from luxel.core.scenes import launchable
from luxel.models.direct_light import FIRST_LOOK, add_up_lights, choose_light_rays, look_at_lights
from luxel.models.indirect_light import RAY_SUMS, RaySums, add_up_surroundings, look_around
from luxel.models.mirrored_lights import look_into_mirrors
from luxel.models.shading_points import as_points
from luxel.models.signals import SIGNALS, Signals

LANES = 8
"""Threads that share a point's rays on a GPU that has too few points to be busy: at most MANY_POINTS."""
MANY_POINTS = 1 << 17


@torch.no_grad()
def gather(
    batch: SceneBatch,
    table: Int32[Tensor, "points words"],
    settings: Any,
    near: Any | None = None,
) -> Float[Tensor, "points signals"]:
    """The Signals of ShadingPoints, by GatherSettings, whose `lanes` become those that the device needs.

    With Neighbours, points first send one of FIRST_LOOK rays to lights, and all of them only where shadows may end.
    """
    count, device = len(table), batch.device
    lanes = settings.lanes = LANES if device.type == "cuda" and count <= MANY_POINTS else 1
    signals = torch.empty(count, SIGNALS, device=device)
    parts = to_warp(torch.empty(count, lanes, SIGNALS, device=device), Signals)
    all_rays = settings.light_rays
    first = all_rays if near is None else max(1, all_rays // FIRST_LOOK)
    light_rays = torch.full((count,), first, dtype=torch.int32, device=device)
    visibility, rays_of = torch.empty_like(light_rays), torch.empty(count, 2, dtype=torch.int32, device=device)
    found_in = torch.empty(count, lanes, dtype=torch.int32, device=device)
    inputs = [launchable(batch), settings, as_points(table), light_rays]
    outputs = [to_warp(signals, Signals), visibility]

    def look(least: int) -> None:
        launch(look_at_lights, count * lanes, [*inputs, least], [parts, found_in], device, sliced=True)
        launch(add_up_lights, count, [*inputs, least, parts, found_in], outputs, device, sliced=True)

    look(0)
    if first < all_rays:
        launch(choose_light_rays, count, [near, visibility, all_rays], [light_rays], device, sliced=True)
        look(all_rays)
    if settings.occlusion and batch.is_flat_mirror.any():
        launch(look_into_mirrors, count, inputs[:3], outputs[:1], device, sliced=True)
    ray_sums = to_warp(torch.empty(count, lanes, RAY_SUMS, device=device), RaySums)
    around = [parts, to_warp(rays_of, wp.vec2i), ray_sums]
    launch(look_around, count * lanes, inputs, around, device, sliced=True)
    launch(add_up_surroundings, count, [*inputs[:3], *around], outputs[:1], device, sliced=True)
    return signals
