"""The light that arrives at shading points: next-event estimation for lights, final gathering for everything else.

Every point sends a fixed pattern of rays: to points on lights, over its hemisphere and into its glossy lobes. What
they hit samples one light and sends one ray on; mirrors and glass send it further. The estimators are those of path
tracing, with multiple importance sampling; but no number is random, and paths end early. Patterns differ among
pixels, of which any tile of 4 × 4 together has one well-spread set: `luxel.models.atrous_filter` brings them together.

Points connect to a light behind glass along the refracted line, and to one in a flat mirror by way of its image; what
their rays hit does so straight through glass. Paths from diffuse surfaces leave it at that, and find what else glass
and mirrors show.
"""

from typing import Any

import torch
import warp as wp
from jaxtyping import Float, Int32
from torch import Tensor

from luxel.core.launch import launch, scratch, to_warp
from luxel.core.scene_batch import SceneBatch
from luxel.core.scenes import launchable
from luxel.models.direct_light import (
    PILOT_DIVISOR,
    HighlightSums,
    allocate_light_rays,
    sample_direct_light,
    sum_direct_light,
)
from luxel.models.gather_points import PointTerms
from luxel.models.indirect_light import RaySums, gather_indirect_light, sum_indirect_light
from luxel.models.mirrored_lights import add_mirrored_lights
from luxel.models.shading_points import as_points
from luxel.models.shared_reflections import LobeRay, share_reflections
from luxel.models.signals import SIGNALS, Signals

THREADS_PER_POINT = 8
"""Threads that share a point's rays on a GPU that has too few points to be busy: at most BUSY_POINTS."""
BUSY_POINTS = 1 << 17


@torch.no_grad()
def gather(
    batch: SceneBatch,
    table: Int32[Tensor, "points words"],
    settings: Any,
    neighbours: Any | None = None,
    throughput: Float[Tensor, " points"] | None = None,
) -> Float[Tensor, "points signals"]:
    """The Signals of ShadingPoints, by GatherSettings, whose `threads_per_point` become those that the device needs.

    With Neighbours, points first send one of PILOT_DIVISOR rays to lights, if these are a multiple of it, and the
    others only where shadows may end. `throughput` is the share of their light that arrives at the camera, without it
    all: of less than MIN_THROUGHPUT they send no others, and of less than FAINT_THROUGHPUT few rays of other kinds.
    """
    count, device = len(table), batch.device
    threads_per_point = settings.threads_per_point = (
        THREADS_PER_POINT if device.type == "cuda" and count <= BUSY_POINTS else 1
    )
    signals = torch.empty(count, SIGNALS, device=device)
    parts = (count, threads_per_point)
    kept_rays = count * settings.glossy_rays if neighbours is not None else 0
    partial_signals, partial_visibility, partial_highlight_sums, partial_ray_sums, terms, ray_counts, lobe_rays = (
        scratch(
            device,
            (parts, Signals),
            (parts, wp.int32),
            (parts, HighlightSums),
            (parts, RaySums),
            ((count,), PointTerms),
            ((count,), wp.vec2i),
            ((kept_rays,), LobeRay),
        )
    )
    all_rays = settings.light_rays
    has_pilot = neighbours is not None and settings.patterns_per_point == 1 and all_rays % PILOT_DIVISOR == 0
    first = all_rays // PILOT_DIVISOR if has_pilot else all_rays
    light_rays = torch.full((count,), first, dtype=torch.int32, device=device)
    throughput = torch.ones(count, device=device) if throughput is None else throughput
    sampling = [partial_signals, partial_visibility, partial_highlight_sums]
    inputs = [launchable(batch), settings, as_points(table)]
    outputs = [to_warp(signals, Signals)]

    def sample_lights(sent: int) -> None:
        sample = [*inputs, throughput, light_rays, sent]
        launch(sample_direct_light, count * threads_per_point, sample, [terms, *sampling], device, sliced=True)
        sums = [*inputs, light_rays, sent, terms, *sampling]
        launch(sum_direct_light, count, sums, outputs, device, sliced=True)

    sample_lights(0)
    if first < all_rays:
        of_points = [neighbours, throughput, terms, all_rays]
        launch(allocate_light_rays, count, of_points, [light_rays], device, sliced=True)
        sample_lights(first)
    if settings.occlusion and batch.is_flat_mirror.any():
        launch(add_mirrored_lights, count, [*inputs, throughput, terms], outputs, device, sliced=True)
    gathering = [partial_signals, ray_counts, partial_ray_sums]
    of_points = [*inputs, throughput, light_rays, terms]
    launch(gather_indirect_light, count * threads_per_point, of_points, [*gathering, lobe_rays], device, sliced=True)
    launch(sum_indirect_light, count, [*inputs, *gathering], outputs, device, sliced=True)
    if neighbours is not None:
        shared = [*inputs[:2], neighbours, throughput, terms, ray_counts, lobe_rays]
        launch(share_reflections, count, shared, outputs, device, sliced=True)
    return signals
