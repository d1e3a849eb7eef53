"""Sharing what neighbouring points gather: each sends few rays, and a tile of pixels many.

An edge-avoiding à-trous filter (Dammertz et al., "Edge-Avoiding À-Trous Wavelet Transform for fast Global Illumination
Filtering", HPG 2010) whose edges are those of objects and of their curvature: what is filtered is light, not texture.
"""

from typing import Any

import torch
import warp as wp
from jaxtyping import Bool, Float, Int32
from torch import Tensor

from luxel.core.intersect import MISS
from luxel.core.launch import launch, struct_array
from luxel.core.principled import smooth_roughness
from luxel.core.scene_batch import SceneBatch
from luxel.core.scenes import Scenes, launchable
from luxel.models.neighbourhood import Neighbours, find_neighbour, location_of
from luxel.models.shading_points import OBJECT, pixel_width
from luxel.models.signals import (
    DIRECT,
    DIRECT_VARIANCE,
    GLOSSY_VARIANCE,
    INDIRECT_VARIANCE,
    LIGHT_SIGNALS,
    NEARNESS,
    REFLECTION,
    SIGNALS,
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
REACH = sum(map(sum, STEPS))
"""Pixels from beyond which nothing that is gathered comes to a point."""

SAME_LIGHT = wp.constant(0.6)  # difference in UNSHADOWED over the sum, up to which neighbours share light: one to four
SAME_SHADOW = wp.constant(0.45)  # the same in DIRECT, beyond the next pixel: less than between 1/4 and 1
SAME_NOISE = wp.constant(1.0)  # the same by noise, over the sum of variances: three standard deviations
FLAT = wp.constant(0.9999)  # cosine between the normals of neighbours on what is taken to be flat
OUTLIER = 60.0
"""What one ray brings, over the mean at the last level, from which on it is an outlier."""
TINY = 1e-36  # radiance that is none

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


def narrow_lobes(batch: SceneBatch, table: Int32[Tensor, "points words"]) -> Bool[Tensor, " points"]:
    """Whether ShadingPoints are of glass that is gathered, but by lobes so narrow that a metal's are followed."""
    is_gathered = batch.roughness >= smooth_roughness(batch.metallic, batch.transmission)
    is_narrow = is_gathered & (batch.roughness < smooth_roughness(1.0, 0.0))
    return torch.cat([is_narrow, is_narrow.new_zeros(1)])[table[:, OBJECT]]  # of MISS the last one


@torch.no_grad()
def spread_outliers(
    batch: SceneBatch,
    neighbours: Any,
    levels: list[Float[Tensor, "points signals"]],
    height: int,
    diffuse_rays: int,
    glossy_rays: int,
    has_narrow_lobe: Bool[Tensor, " points"],
) -> list[Float[Tensor, "points signals"]]:
    """Levels where what single rays bring that hit something very bright by chance is their whole neighbourhood's.

    Such is a small lamp in a shade that transmits. One ray makes a square of a level's kernel bright and noisy, which
    the network, that trusts no noise, then takes to be dark. So of SURFACES, and of REFLECTION by `narrow_lobes`, what
    is beyond OUTLIER times the last level's mean, over the number of rays of their kind, comes from that level instead:
    no light is lost, as filters are linear in it. (Of all REFLECTION it would take sharp images away: ray-base lost
    0.7 dB of a garden.) `levels` are those of `filter_levels`, of which the last stays as it is. On a CPU it takes
    no time where there are no outliers.
    """
    signals, last = levels[0], levels[-1]
    everywhere = torch.ones_like(has_narrow_lobe)
    kinds = (
        (SURFACES, INDIRECT_VARIANCE, diffuse_rays, everywhere),
        (REFLECTION, GLOSSY_VARIANCE, glossy_rays, has_narrow_lobe),
    )
    excess = signals.clone()
    found = signals.device.type != "cpu"
    for kind, variance, rays, spreads in kinds:
        rgb = slice(kind, kind + 3)
        most = OUTLIER / rays * last[:, rgb].mean(1)
        beyond = (1.0 - most / signals[:, rgb].mean(1).clamp(min=TINY)).clamp(min=0.0) * spreads
        excess[:, rgb] *= beyond[:, None]
        excess[:, variance] *= 1.0 - (1.0 - beyond).square()
        found = found or bool(beyond.any())
    if not found:
        return levels
    *parts, all_around = filter_levels(batch, neighbours, excess, height)[0]
    spread = [level.clone() for level in levels[:-1]]
    for level, part in zip(spread, parts, strict=True):
        for kind, variance, *_ in kinds:
            rgb = slice(kind, kind + 3)
            level[:, rgb] = (level[:, rgb] + all_around[:, rgb] - part[:, rgb]).clamp(min=0.0)
            level[:, variance] = (level[:, variance] - part[:, variance]).clamp(min=0.0)
    return [*spread, last]
