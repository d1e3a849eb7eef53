"""Sharing what neighbouring points gather: each sends few rays, and a tile of pixels many.

An edge-avoiding à-trous filter (Dammertz et al., "Edge-Avoiding À-Trous Wavelet Transform for fast Global Illumination
Filtering", HPG 2010) whose edges are those of objects and of their curvature: what is filtered is light, not texture.
"""

from typing import Any

import torch
import warp as wp
from jaxtyping import Float
from torch import Tensor

from luxel.core.intersect import MISS
from luxel.core.launch import launch, struct_array
from luxel.core.scene_batch import SceneBatch
from luxel.core.scenes import Scenes, launchable
from luxel.models.neighbourhood import Neighbours, find_neighbour, location_of
from luxel.models.shading_points import pixel_width
from luxel.models.signals import DIRECT, DIRECT_VARIANCE, LIGHT_SIGNALS, NEARNESS, SIGNALS, UNSHADOWED, square

STEPS: tuple[tuple[int, ...], ...] = ((1,), (2,), (4, 8))
"""Pixels between neighbours, of each level beyond the points' own.

The kernels (1, 2, 1) / 4 of steps 1 and 2 together have no response to a period of 4 pixels, the side of the tiles
whose patterns are well spread.
"""
LEVELS = 1 + len(STEPS)
PARALLAX = wp.constant(1.5)  # how much the neighbours' weight falls with what they see shifted
REACH = sum(map(sum, STEPS))
"""Pixels from beyond which nothing that is gathered comes to a point."""

SAME_LIGHT = wp.constant(0.6)  # difference in UNSHADOWED over the sum, up to which neighbours share light: one to four
SAME_SHADOW = wp.constant(0.45)  # the same in DIRECT, beyond the next pixel: less than between 1/4 and 1
SAME_NOISE = wp.constant(1.0)  # the same by noise, over the sum of variances: three standard deviations
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


@wp.kernel(enable_backward=False)
def filter_points(
    scenes: Scenes,
    neighbours: Neighbours,
    height: int,
    step: int,
    signals: wp.array[SignalParts],
    filtered: wp.array[SignalParts],
    share: wp.array[float],
    begin: int,
) -> None:
    """The weighted mean of each point and its eight neighbours `step` pixels away, and the weight that they have.

    Neighbours are points of the same surface, shown by the same object in the same way, with about the same normal and
    at about the same distance: on the ground near the horizon, pixels are far apart. Of what other surfaces send or
    hide, a neighbour says less the nearer those are: beside a wall every step counts.
    """
    index = wp.tid() + begin
    p = neighbours.points[index]
    if p.object_id == MISS:
        filtered[index] = SignalParts()
        share[index] = 0.25
        return
    own = signals[index]
    own_nearness = own.gathered[NEARNESS - LIGHT_SIGNALS]
    location = location_of(neighbours, index)
    row = scenes.scenes[p.scene]
    pixel = pixel_width(scenes, p, height)
    falloff = PARALLAX * PARALLAX / wp.max(pixel * pixel, 1.0e-36)
    own_square = wp.length_sq(p.point - row.camera_position)
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
            cosine = wp.dot(p.normal, q.normal)
            if cosine > 0.0:
                # (cos⁴ θ · near / far)⁴ of distances from the camera, without their roots.
                other_square = wp.length_sq(q.point - row.camera_position)
                near = wp.where(own_square < other_square, own_square, other_square)
                far = wp.where(own_square < other_square, other_square, own_square)
                alike = cosine * cosine
                alike *= alike
                alike *= alike
                if row.is_orthographic == 0:
                    alike *= near / (far + 1.0e-36)
                alike *= alike
                value = signals[j]
                w = alike / float((1 + across * across) * (1 + down * down))
                weight += w
                lit_alike = w
                if cosine > FLAT:  # where normals turn, what lights reach ends little by little
                    lit_alike *= same_light(own.light, value.light, step)
                light_weight += lit_alike
                light += value.light * lit_alike
                nearness = value.gathered[NEARNESS - LIGHT_SIGNALS]
                if nearness < own_nearness:
                    nearness = own_nearness
                w = w / (1.0 + falloff * nearness * nearness * wp.length_sq(p.point - q.point))
                gathered_weight += w
                gathered += value.gathered * w
        k += 1
    light = light / wp.max(light_weight, 1.0e-9)
    filtered[index] = SignalParts(light, gathered / wp.max(gathered_weight, 1.0e-9))
    share[index] = weight * 0.25


@torch.no_grad()
def filter_levels(
    batch: SceneBatch, neighbours: Any, signals: Float[Tensor, "points signals"], height: int
) -> tuple[list[Float[Tensor, "points signals"]], list[Float[Tensor, " points"]]]:
    """The signals at every level, the first being as they are, and the weight of the neighbours at the others.

    That is 1 in the midst of a flat surface, and 1/4 where a point is alone. `neighbours` are the points' Neighbours,
    and `height` is the pictures', in pixels.
    """
    levels, shares = [signals], []
    passes = sum(map(len, STEPS))
    buffers = zip(signals.new_empty(passes, *signals.shape), signals.new_empty(passes, len(signals)), strict=True)
    for steps in STEPS:
        for step in steps:
            filtered, share = next(buffers)
            inputs = [launchable(batch), neighbours, height, step, struct_array(signals, SignalParts)]
            outputs = [struct_array(filtered, SignalParts), share]
            launch(filter_points, len(signals), inputs, outputs, signals.device, sliced=True)
            signals = filtered
        levels.append(signals)
        shares.append(share)
    return levels, shares
