"""Sharing what neighbouring points gather: each sends few rays, and a tile of pixels many.

An edge-avoiding à-trous filter (Dammertz et al., "Edge-Avoiding À-Trous Wavelet Transform for fast Global Illumination
Filtering", HPG 2010) whose edges are those of objects and of their curvature: what is filtered is light, not texture.
"""

from itertools import accumulate, chain
from typing import Any, NamedTuple

import torch
import warp as wp
from jaxtyping import Float
from torch import Tensor

from luxel.core.intersect import MISS
from luxel.core.launch import launch, struct_array
from luxel.core.scene_batch import SceneBatch
from luxel.core.scenes import SceneRow, Scenes, launchable
from luxel.models.neighbourhood import Neighbours, find_neighbour, location_of
from luxel.models.shading_points import ShadingPoint, pixel_width
from luxel.models.signals import (
    DIRECT,
    DIRECT_VARIANCE,
    INDIRECT_VARIANCE,
    LIGHT_SIGNALS,
    NEARNESS,
    SIGNALS,
    SKY,
    SURFACES,
    UNSHADOWED,
    square,
)

STEPS: tuple[tuple[int, ...], ...] = ((1,), (2,), (4, 8))
"""Pixels between neighbours, of each level beyond the points' own.

The kernels (1, 2, 1) / 4 of steps 1 and 2 together have no response to a period of 4 pixels, the side of the tiles
whose patterns are well spread.
"""
LEVELS = 1 + len(STEPS)
PARALLAX = wp.constant(1.5)  # how much the neighbours' weight falls with what they see shifted
ALL_STEPS = tuple(chain(*STEPS))
PASSES_OF_LEVELS = (0, *accumulate(map(len, STEPS)))
REACH = sum(ALL_STEPS)
"""Pixels from beyond which nothing that is gathered comes to a point."""

SAME_LIGHT = wp.constant(0.6)  # difference in UNSHADOWED over the sum, up to which neighbours share light: one to four
SAME_SHADOW = wp.constant(0.45)  # the same in DIRECT, beyond the next pixel: less than between 1/4 and 1
SAME_NOISE = wp.constant(1.0)  # the same by noise, over the sum of variances: three standard deviations
SAME_INDIRECT = wp.constant(0.1)
"""The same in SKY + SURFACES, beyond noise, on what is flat, at the last step: what a frosted lamp or a window lights
has shadows, too, which that step would fill. With 0.2 frosted lamps gain 0.1 dB less; at smaller steps, where less of
the noise is gone, other scenes lose."""
LAST_STEP = wp.constant(ALL_STEPS[-1])
FLAT = wp.constant(0.9999)  # cosine between the normals of neighbours on what is taken to be flat

LightSignals = wp.types.vector(LIGHT_SIGNALS, float)
GatheredSignals = wp.types.vector(SIGNALS - LIGHT_SIGNALS, float)


@wp.struct
class SignalParts:
    """Signals, by the rays that they come from: whole vectors are added by a processor's vector units."""

    light: LightSignals
    gathered: GatheredSignals  # by rays over the hemisphere and into lobes


@wp.func
def same_within(p: float, q: float, most: float, variance: float) -> float:
    """How far two values are alike: 1, but where neither noise nor `most` of their sum explains the difference."""
    difference = square(p - q)
    tolerated = square(most * (p + q)) + variance
    alike = float(1.0)
    if difference > tolerated:
        alike = square(square(tolerated / difference))
    return alike


@wp.func
def same_light(p: LightSignals, q: LightSignals, step: int) -> float:
    """How far lights light two neighbours alike: 1, but where one side of an edge gets none or hardly any of a light.

    Such is the ground before and behind a panel: what is filtered as if there were no shadows should have no edges. So
    is the edge of the sun's light on a floor. There the next pixel has its share, which makes the edge as soft as a
    pixel, whose light is that of one point of it; beyond, sharing would be a glow around what is bright.
    """
    variance = 9.0 * SAME_NOISE * (p[DIRECT_VARIANCE] + q[DIRECT_VARIANCE])  # of sums over the three channels
    alike = same_within(
        p[UNSHADOWED] + p[UNSHADOWED + 1] + p[UNSHADOWED + 2],
        q[UNSHADOWED] + q[UNSHADOWED + 1] + q[UNSHADOWED + 2],
        SAME_LIGHT,
        variance,
    )
    if step > 1:
        arriving = same_within(
            p[DIRECT] + p[DIRECT + 1] + p[DIRECT + 2], q[DIRECT] + q[DIRECT + 1] + q[DIRECT + 2], SAME_SHADOW, variance
        )
        if arriving < alike:
            alike = arriving
    return alike


@wp.func
def neighbour_weight(row: SceneRow, p: ShadingPoint, q: ShadingPoint, across: int, down: int) -> float:
    """The kernel's, times (cos⁴ θ · near / far)⁴ of the angle between normals and of distances from the camera."""
    cosine = wp.dot(p.normal, q.normal)
    alike = float(0.0)
    if cosine > 0.0:
        one = wp.length_sq(p.point - row.camera_position)
        other = wp.length_sq(q.point - row.camera_position)
        near = wp.where(one < other, one, other)
        far = wp.where(one < other, other, one)
        alike = cosine * cosine
        alike *= alike
        alike *= alike
        if row.is_orthographic == 0:
            alike *= near / (far + 1.0e-36)
        alike *= alike
    return alike / float((1 + across * across) * (1 + down * down))


@wp.func
def parallax_falloff(scenes: Scenes, p: ShadingPoint, height: int) -> float:
    """Of what neighbours see shifted, over their distance squared, in pixels."""
    pixel = pixel_width(scenes, p, height)
    return PARALLAX * PARALLAX / wp.max(pixel * pixel, 1.0e-36)


@wp.func
def share_beside_others(falloff: float, own: GatheredSignals, other: GatheredSignals, offset: wp.vec3) -> float:
    """How much a neighbour at that offset says of what other surfaces send or hide."""
    nearness = other[NEARNESS - LIGHT_SIGNALS]
    if nearness < own[NEARNESS - LIGHT_SIGNALS]:
        nearness = own[NEARNESS - LIGHT_SIGNALS]
    return 1.0 / (1.0 + falloff * nearness * nearness * wp.length_sq(offset))


@wp.func
def indirect_light(signals: GatheredSignals) -> float:
    """The sum of SKY and SURFACES over the channels."""
    result = float(0.0)
    for c in range(3):
        result += signals[SKY - LIGHT_SIGNALS + c] + signals[SURFACES - LIGHT_SIGNALS + c]
    return result


@wp.func
def same_indirect(p: GatheredSignals, q: GatheredSignals) -> float:
    """How far two neighbours gather alike: 1, but where one is in a shadow of what many have found.

    Variances are of single points' means over channels, a ninth of their sums': of those, what smaller steps have
    filtered has less than a ninth left.
    """
    variance = p[INDIRECT_VARIANCE - LIGHT_SIGNALS] + q[INDIRECT_VARIANCE - LIGHT_SIGNALS]
    return same_within(indirect_light(p), indirect_light(q), SAME_INDIRECT, variance)


@wp.func
def share_of_gathered(
    falloff: float, p: ShadingPoint, q: ShadingPoint, own: GatheredSignals, other: GatheredSignals, step: int
) -> float:
    """How much of what the rays over the hemisphere and into lobes of a neighbour q have found goes to p."""
    share = share_beside_others(falloff, own, other, p.point - q.point)
    if step == LAST_STEP and wp.dot(p.normal, q.normal) > FLAT:
        share *= same_indirect(own, other)
    return share


@wp.kernel(enable_backward=False)
def filter_points(
    scenes: Scenes,
    neighbours: Neighbours,
    height: int,
    step: int,
    signals: wp.array[SignalParts],
    filtered: wp.array[SignalParts],
    share: wp.array[float],
    gathered_weights: wp.array[float],
    begin: int,
) -> None:
    """The weighted mean of each point and its eight neighbours `step` pixels away, and the weights that they have.

    Neighbours are points of the same surface, shown by the same object in the same way, with about the same normal and
    at about the same distance: on the ground near the horizon, pixels are far apart. Of what other surfaces send or
    hide, a neighbour says less the nearer those are: beside a wall every step counts.
    """
    index = wp.tid() + begin
    p = neighbours.points[index]
    if p.object_id == MISS:
        filtered[index] = SignalParts()
        share[index] = 0.25
        gathered_weights[index] = 0.0
        return
    own = signals[index]
    location = location_of(neighbours, index)
    row = scenes.scenes[p.scene]
    falloff = parallax_falloff(scenes, p, height)
    light = LightSignals()
    gathered = GatheredSignals()
    weight = float(0.0)
    light_weight = float(0.0)
    gathered_weight = float(0.0)
    k = int(0)  # no constant range, which would be unrolled
    while k < 9:
        down = k // 3 - 1
        across = k - 3 * (k // 3) - 1
        j = find_neighbour(neighbours, location, across * step, down * step)
        if j != MISS:
            q = neighbours.points[j]
            w = neighbour_weight(row, p, q, across, down)
            if w > 0.0:
                value = signals[j]
                weight += w
                lit_alike = w
                if wp.dot(p.normal, q.normal) > FLAT:  # where normals turn, what lights reach ends little by little
                    lit_alike *= same_light(own.light, value.light, step)
                light_weight += lit_alike
                light += value.light * lit_alike
                w *= share_of_gathered(falloff, p, q, own.gathered, value.gathered, step)
                gathered_weight += w
                gathered += value.gathered * w
        k += 1
    light = light / wp.max(light_weight, 1.0e-9)
    filtered[index] = SignalParts(light, gathered / wp.max(gathered_weight, 1.0e-9))
    share[index] = weight * 0.25
    gathered_weights[index] = gathered_weight


class Filtered(NamedTuple):
    """Signals as they are, and after each pass of the filter."""

    passes: list[Float[Tensor, "points signals"]]
    weights: list[Float[Tensor, " points"]]
    """Of all neighbours in each pass: 1 in the midst of a flat surface, and 1/4 where a point is alone."""
    gathered_weights: list[Float[Tensor, " points"]]
    """Of all neighbours in each pass for what rays over the hemisphere and into lobes find, 4 and 1 there."""

    @property
    def levels(self) -> list[Float[Tensor, "points signals"]]:
        """The signals at every level, the first being as they are."""
        return [self.passes[i] for i in PASSES_OF_LEVELS]

    @property
    def shares(self) -> list[Float[Tensor, " points"]]:
        """The weights at every level but the first."""
        return [self.weights[i - 1] for i in PASSES_OF_LEVELS[1:]]


@torch.no_grad()
def filter_signals(
    batch: SceneBatch, neighbours: Any, signals: Float[Tensor, "points signals"], height: int
) -> Filtered:
    """The signals of points with these Neighbours, in pictures of this height in pixels."""
    passes = [signals, *signals.new_empty(len(ALL_STEPS), *signals.shape)]
    both = list(signals.new_empty(2 * len(ALL_STEPS), len(signals)))
    weights, gathered_weights = both[::2], both[1::2]
    tables = [struct_array(table, SignalParts) for table in passes]
    outputs = zip(tables[1:], weights, gathered_weights, strict=True)
    for step, before, after in zip(ALL_STEPS, tables[:-1], outputs, strict=True):
        inputs = [launchable(batch), neighbours, height, step, before]
        launch(filter_points, len(signals), inputs, after, signals.device, sliced=True)
    return Filtered(passes, weights, gathered_weights)
