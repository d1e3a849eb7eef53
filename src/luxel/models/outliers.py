"""What single rays have found that is very bright, shared by a whole neighbourhood.

Such is a small lamp in a shade that transmits. One ray that meets it makes a square of the filter's kernel bright and
noisy, which the network, that trusts no noise, then takes to be dark. So what is beyond that of most rays is taken out
of all levels of filtering but the last, and what the last one has of it is added in its place: no light is lost.
"""

from typing import Any

import torch
import warp as wp
from jaxtyping import Int32
from torch import Tensor

from luxel.core.intersect import MISS
from luxel.core.launch import launch, scratch, struct_array
from luxel.core.principled import SMOOTH_ALPHA, Material, is_followed, refraction_weight
from luxel.core.scene_batch import SceneBatch
from luxel.core.scenes import Scenes, launchable, material_of_object
from luxel.models.atrous_filter import (
    ALL_STEPS,
    PASSES_OF_LEVELS,
    Filtered,
    GatheredSignals,
    SignalParts,
    neighbour_weight,
    parallax_falloff,
    share_of_gathered,
)
from luxel.models.gather_points import GatherSettings
from luxel.models.neighbourhood import Neighbours, PointLocation, find_neighbour, location_of
from luxel.models.signals import (
    GLOSSY_VARIANCE,
    INDIRECT_VARIANCE,
    LIGHT_SIGNALS,
    REFLECTION,
    SURFACES,
    TINY,
    square,
)

OUTLIER = wp.constant(60.0)  # what one ray brings, over the mean at the last level, from which on it is an outlier
FROSTED_OUTLIER = wp.constant(40.0)  # the same of glass that blurs what it shows
IN_SURFACES, IN_REFLECTION = wp.constant(SURFACES - LIGHT_SIGNALS), wp.constant(REFLECTION - LIGHT_SIGNALS)
IN_INDIRECT = wp.constant(INDIRECT_VARIANCE - LIGHT_SIGNALS)
IN_GLOSSY = wp.constant(GLOSSY_VARIANCE - LIGHT_SIGNALS)

Excess = wp.types.vector(8, float)
"""What of SURFACES and of REFLECTION, in RGB, and of their variances is beyond what most rays bring."""
BY_SURFACES, BY_LOBES, OF_INDIRECT, OF_GLOSSY = wp.constant(0), wp.constant(3), wp.constant(6), wp.constant(7)


@wp.func
def outlier_of_lobes(m: Material) -> float:
    """OUTLIER of rays into a material's lobes: of rough glass, whose rays may find a lamp or the sun; else 0, of none.

    Of all lobes' reflections it would take sharp images away: `ray-base` lost 0.7 dB of a garden.
    """
    result = float(0.0)
    if refraction_weight(m) > 0.0 and not is_followed(m):
        result = wp.where(m.alpha < SMOOTH_ALPHA, OUTLIER, FROSTED_OUTLIER)
    return result


@wp.func
def outlying_share(
    own: GatheredSignals, last: GatheredSignals, kind: int, variance: int, rays: int, outlier: float
) -> float:
    """The share of a signal in RGB that is beyond what one of so many rays may bring, and that one of them brings.

    The variance of a sum that k equal rays make alone is a k-th of its square. What two bring is no chance.
    """
    value = (own[kind] + own[kind + 1] + own[kind + 2]) / 3.0
    around = (last[kind] + last[kind + 1] + last[kind + 2]) / 3.0
    share = wp.max(1.0 - outlier / float(rays) * around / wp.max(value, TINY), 0.0)
    return share * wp.clamp(4.0 * own[variance] / wp.max(square(value), TINY) - 2.0, 0.0, 1.0)


@wp.kernel(enable_backward=False)
def find_outliers(
    scenes: Scenes,
    neighbours: Neighbours,
    settings: GatherSettings,
    own: wp.array[SignalParts],
    last: wp.array[SignalParts],
    excess: wp.array2d[Excess],
    is_near: wp.array2d[int],
    begin: int,
) -> None:
    """Row 0 of the excess, and of which pixels have any."""
    index = wp.tid() + begin
    excess[0, index] = Excess()
    p = neighbours.points[index]
    if p.object_id == MISS:
        return
    found = Excess()
    value = own[index].gathered
    around = last[index].gathered
    share = outlying_share(value, around, IN_SURFACES, IN_INDIRECT, settings.diffuse_rays, OUTLIER)
    of_lobe = float(0.0)
    outlier = outlier_of_lobes(material_of_object(scenes.objects[p.object_id]))
    if outlier > 0.0:
        of_lobe = outlying_share(value, around, IN_REFLECTION, IN_GLOSSY, settings.glossy_rays, outlier)
    for c in range(3):
        found[BY_SURFACES + c] = value[IN_SURFACES + c] * share
        found[BY_LOBES + c] = value[IN_REFLECTION + c] * of_lobe
    found[OF_INDIRECT] = value[IN_INDIRECT] * (1.0 - square(1.0 - share))
    found[OF_GLOSSY] = value[IN_GLOSSY] * (1.0 - square(1.0 - of_lobe))
    if share + of_lobe > 0.0:
        excess[0, index] = found
        is_near[0, location_of(neighbours, index).pixel] = 1


@wp.func
def has_excess(
    neighbours: Neighbours, location: PointLocation, is_near: wp.array2d[int], row: int, across: int, down: int
) -> bool:
    """Whether the pixel so far away has points with an excess."""
    x = location.column + across
    y = location.row + down
    found = int(0)
    if x >= 0 and x < neighbours.width and y >= 0 and y < neighbours.height:
        found = is_near[row, location.pixel + down * neighbours.width + across]
    return found != 0


@wp.kernel(enable_backward=False)
def filter_excess(
    scenes: Scenes,
    neighbours: Neighbours,
    height: int,
    step: int,
    row: int,
    signals: wp.array[SignalParts],
    weights: wp.array[float],
    excess: wp.array2d[Excess],
    is_near: wp.array2d[int],
    begin: int,
) -> None:
    """From one row of the excess the next, as `filter_points` has filtered `signals`, with these weights in all."""
    index = wp.tid() + begin
    total = Excess()
    p = neighbours.points[index]
    if p.object_id != MISS:
        location = location_of(neighbours, index)
        k = int(0)  # no constant range, which would be unrolled
        while k < 9:
            across = k % 3 - 1
            down = k // 3 - 1
            if has_excess(neighbours, location, is_near, row, across * step, down * step):
                is_near[row + 1, location.pixel] = 1
                j = find_neighbour(neighbours, location, across * step, down * step)
                if j != MISS:
                    q = neighbours.points[j]
                    w = neighbour_weight(scenes.scenes[p.scene], p, q, across, down)
                    falloff = parallax_falloff(scenes, p, height)
                    w *= share_of_gathered(falloff, p, q, signals[index].gathered, signals[j].gathered, step)
                    total += excess[row, j] * w
            k += 1
        total = total / wp.max(weights[index], 1.0e-9)
    excess[row + 1, index] = total


@wp.func
def replaced(value: float, part: float, by: float) -> float:
    """The value with `by` in place of a part, as it is where there is neither."""
    result = value
    if part != by:
        result = wp.max(value + by - part, 0.0)
    return result


@wp.func
def with_excess_of(signals: SignalParts, part: Excess, by: Excess) -> SignalParts:
    """A level's signals with another level's excess in place of their own; their variances without any."""
    for c in range(3):
        at = IN_SURFACES + c
        signals.gathered[at] = replaced(signals.gathered[at], part[BY_SURFACES + c], by[BY_SURFACES + c])
        at = IN_REFLECTION + c
        signals.gathered[at] = replaced(signals.gathered[at], part[BY_LOBES + c], by[BY_LOBES + c])
    signals.gathered[IN_INDIRECT] = wp.max(signals.gathered[IN_INDIRECT] - part[OF_INDIRECT], 0.0)
    signals.gathered[IN_GLOSSY] = wp.max(signals.gathered[IN_GLOSSY] - part[OF_GLOSSY], 0.0)
    return signals


@wp.kernel(enable_backward=False)
def spread_excess(
    excess: wp.array2d[Excess],
    rows: wp.vec4i,
    level_0: wp.array[SignalParts],
    level_1: wp.array[SignalParts],
    level_2: wp.array[SignalParts],
    begin: int,
) -> None:
    """What each level has of the excess, in these rows, becomes what the last one has."""
    index = wp.tid() + begin
    by = excess[rows[3], index]
    level_0[index] = with_excess_of(level_0[index], excess[rows[0], index], by)
    level_1[index] = with_excess_of(level_1[index], excess[rows[1], index], by)
    level_2[index] = with_excess_of(level_2[index], excess[rows[2], index], by)


def may_have_any(is_near: Int32[Tensor, "rows pixels"]) -> bool:
    """Whether to go on: on a GPU always, whose host need not wait to hear whether there are any."""
    return is_near.device.type != "cpu" or bool(is_near.any())


@torch.no_grad()
def spread_outliers(batch: SceneBatch, neighbours: Any, filtered: Filtered, settings: Any) -> None:
    """Change the levels of signals, but the last, that were gathered with these GatherSettings."""
    device, count = batch.device, len(filtered.passes[0])
    signals = [struct_array(of_pass, SignalParts) for of_pass in filtered.passes]
    pixels = neighbours.offsets.size - 1
    (excess,) = scratch(device, ((len(signals), count), Excess))
    is_near = torch.zeros(len(signals), pixels, dtype=torch.int32, device=device)
    where = [launchable(batch), neighbours]
    launch(find_outliers, count, [*where, settings, signals[0], signals[-1]], [excess, is_near], device, sliced=True)
    if not may_have_any(is_near):
        return
    for row, step in enumerate(ALL_STEPS):
        inputs = [*where, settings.height, step, row, signals[row], filtered.gathered_weights[row]]
        launch(filter_excess, count, inputs, [excess, is_near], device, sliced=True)
    levels = [signals[i] for i in PASSES_OF_LEVELS[:-1]]
    launch(spread_excess, count, [excess, wp.vec4i(*PASSES_OF_LEVELS)], levels, device, sliced=True)
