"""From what points gather to what the network reads: estimates of the light that leaves them, and how they stand.

In each colour channel the estimates are radiances, each of one kind of light at one level of filtering, and the network
says how much of each to take. It reads them as shares of their sum, the *scale*, so that it knows no unit of light.
"""

from typing import NamedTuple

import torch
import warp as wp
from jaxtyping import Float, Int32
from torch import Tensor

from luxel.core.emitters import environment_radiance
from luxel.core.fresnel import fresnel_dielectric, schlick_weight
from luxel.core.intersect import MISS
from luxel.core.launch import launch, to_warp
from luxel.core.principled import Albedos, Material, albedos, mean, refraction_weight
from luxel.core.rough_albedo import rough_albedo
from luxel.core.scene_batch import SceneBatch
from luxel.core.scenes import Scenes, launchable, material_of_object
from luxel.core.shapes.shape import is_panel, panel_front
from luxel.models.shading_points import ShadingPoint, as_points
from luxel.models.shared_reflections import METAL, reflects_most
from luxel.models.signals import (
    CAUSTIC,
    CAUSTIC_MOMENT,
    DIRECT,
    DIRECT_VARIANCE,
    GLOSSY_VARIANCE,
    HIGHLIGHT,
    INDIRECT_VARIANCE,
    NEARNESS,
    OPENNESS,
    REFLECTION,
    ROUGH_ALBEDO,
    SKY,
    SURFACES,
    TINY,
    TRUNCATED,
    UNSHADOWED,
    Signals,
    square,
)

FILTERED = (4, 3, 3, 4, 4)
"""Estimates of light by lights, by the sky, by other surfaces, of highlights and of reflections: at that many levels of
filtering, the last ones, since a point alone sees too little of the sky and of other surfaces."""
NEAR_DIRECT, NEAR_SKY, NEAR_SURFACES, NEAR_HIGHLIGHT, NEAR_REFLECTION = (
    sum(FILTERED[:kind]) + FILTERED[kind] - 2 for kind in range(len(FILTERED))
)
"""Of each kind the estimate at the last level but one: together, with what the chains show, all light once."""
MIRRORED, TRANSMITTED, TAIL = range(sum(FILTERED), sum(FILTERED) + 3)
"""Estimates of what the chains show, and of what paths were cut off from."""
CORRECTED = TAIL + 1
"""Estimates that the network sees and may correct. The last one, light that glass gathers, it does not: paths find that
so rarely that training would have it, or all else beside it, too dark."""
ESTIMATES = CORRECTED + 1
POINT_FEATURES = 30
CHANNEL_FEATURES = CORRECTED + 7
PATTERN_VARIANCE = wp.constant(0.25)
"""Of a pattern's rays to lights, over that of as many independent ones, which signals hold.

With 0.5 soft shadows of a ball lamp lose 0.1 dB, with 0.1 there is grain left.
"""

PointVector = wp.types.vector(POINT_FEATURES, float)
ChannelVector = wp.types.vector(CHANNEL_FEATURES, float)
EstimateVector = wp.types.vector(ESTIMATES, float)


@wp.func
def visible_share(signals: Signals, channel: int) -> float:
    """The part of the lights' irradiance that arrives, at most 1; 0 where there is none."""
    return wp.min(signals[DIRECT + channel] / wp.max(signals[UNSHADOWED + channel], TINY), 1.0)


@wp.func
def mean_visible_share(signals: Signals) -> float:
    """Of the channels."""
    return (visible_share(signals, 0) + visible_share(signals, 1) + visible_share(signals, 2)) / 3.0


@wp.func
def mean_of(signals: Signals, signal: int) -> float:
    """Of the channels."""
    return (signals[signal] + signals[signal + 1] + signals[signal + 2]) / 3.0


@wp.func
def noise_share(variance: float, mean: float) -> float:
    """The standard deviation of what a point gathers alone, over what is gathered; at most 4."""
    return wp.min(wp.sqrt(variance) / wp.max(mean, TINY), 4.0)


@wp.func
def with_rough_reflection(signals: Signals, albedo: float) -> Signals:
    """REFLECTION of a lobe that the diffuse lobe's rays serve, as the albedo times the light that these found for it.

    They meet so wide a range of the lobe's values, at grazing angles above all, that their plain mean is noise, and a
    lattice where patterns repeat. This ratio is exact where the same light comes from everywhere.
    """
    result = signals
    if signals[ROUGH_ALBEDO] > 0.0:
        factor = albedo / signals[ROUGH_ALBEDO]
        for c in range(3):
            result[REFLECTION + c] = signals[REFLECTION + c] * factor
        result[GLOSSY_VARIANCE] = signals[GLOSSY_VARIANCE] * factor * factor
    return result


@wp.func
def share_but_noise(sharp: Signals, beside: Signals, channel: int) -> float:
    """A point's own visible share, as far as noise does not explain how it differs from its neighbours'.

    So penumbras have no grain, and thin shadows stay thin (positive-part estimator of James and Stein, 1961).
    """
    noise = PATTERN_VARIANCE * square(noise_share(sharp[DIRECT_VARIANCE], mean_of(sharp, UNSHADOWED)))
    difference = square(mean_visible_share(sharp) - mean_visible_share(beside))
    own = wp.max(1.0 - noise / wp.max(difference, TINY), 0.0)
    return own * visible_share(sharp, channel) + (1.0 - own) * visible_share(beside, channel)


@wp.struct
class Levels:
    """A point's signals: its own, and at three levels of filtering, each of which reaches farther."""

    sharp: Signals
    beside: Signals
    near: Signals
    far: Signals


@wp.struct
class Shares:
    """The neighbours' weight at each level of filtering: 1 in the midst of a flat surface, 1/4 of a point alone."""

    beside: float
    near: float
    far: float


@wp.func
def features_of_point(
    material: Material, cosine: float, levels: Levels, shares: Shares, mirrored: wp.vec3, transmitted: wp.vec3
) -> PointVector:
    """What the network reads of a point, whatever the channel: geometry, material, occlusion and noise.

    `cosine` is that between normal and viewer, negative from inside.
    """
    sharp = levels.sharp
    beside = levels.beside
    near = levels.near
    far = levels.far
    return PointVector(
        wp.abs(cosine),
        schlick_weight(wp.abs(cosine)),
        fresnel_dielectric(cosine, material.eta).reflectance,
        material.metallic,
        material.eta - 1.0,
        material.roughness,
        wp.sqrt(material.roughness),
        material.transmission,
        wp.where(cosine < 0.0, 1.0, 0.0),
        wp.where(refraction_weight(material) > 0.0, 1.0, 0.0),
        beside[OPENNESS],
        near[OPENNESS],
        far[OPENNESS],
        beside[NEARNESS],
        near[NEARNESS],
        far[NEARNESS],
        mean_visible_share(sharp),
        mean_visible_share(beside),
        mean_visible_share(near),
        mean_visible_share(far),
        noise_share(sharp[DIRECT_VARIANCE], mean_of(sharp, UNSHADOWED)),
        noise_share(near[DIRECT_VARIANCE], mean_of(near, UNSHADOWED)),
        noise_share(near[INDIRECT_VARIANCE], mean_of(near, SKY) + mean_of(near, SURFACES)),
        noise_share(sharp[GLOSSY_VARIANCE], mean_of(sharp, HIGHLIGHT) + mean_of(sharp, REFLECTION)),
        noise_share(near[GLOSSY_VARIANCE], mean_of(near, HIGHLIGHT) + mean_of(near, REFLECTION)),
        shares.beside,
        shares.near,
        shares.far,
        wp.where(wp.max(mirrored) > 0.0, 1.0, 0.0),
        wp.where(wp.max(transmitted) > 0.0, 1.0, 0.0),
    )


@wp.func
def reflection_levels(levels: Levels, material: Material, c: int) -> wp.vec4:
    """REFLECTION in channel `c`, least filtered first.

    A sheen is faint and wide, so that what few rays find of it is noise, and bright dots in a room whose window or lamp
    is small: its first two levels are those of near neighbours. What metals reflect their neighbours' rays have found,
    too (`luxel.models.shared_reflections`), so that each level but the first is that before.
    """
    sharp = levels.sharp[REFLECTION + c]
    beside = levels.beside[REFLECTION + c]
    near = levels.near[REFLECTION + c]
    far = levels.far[REFLECTION + c]
    result = wp.vec4(sharp, beside, near, far)
    if levels.near[ROUGH_ALBEDO] > 0.0:
        if material.metallic < METAL:
            result = wp.vec4(near, near, near, far)
    elif reflects_most(material):
        result = wp.vec4(sharp, sharp, beside, near)
    return wp.max(result, wp.vec4(0.0, 0.0, 0.0, 0.0))


@wp.func
def estimates_of_channel(
    albedo: float, levels: Levels, material: Material, mirrored: wp.vec3, transmitted: wp.vec3, c: int
) -> EstimateVector:
    """Radiance that leaves a point in channel `c`, by kinds of light and levels of filtering."""
    sharp = levels.sharp
    beside = levels.beside
    near = levels.near
    far = levels.far
    # A point's own shadow, on light without shadows that its neighbours know better (ratio estimator, Heitz et al.,
    # "Combining Analytic Direct Illumination and Stochastic Shadows", 2018).
    unshadowed = near[UNSHADOWED + c]
    near_sky = wp.max(near[SKY + c], 0.0)  # an estimate less an error, that may be less than nothing
    incident = near[DIRECT + c] + near_sky + near[SURFACES + c]
    reflection = reflection_levels(levels, material, c)
    return EstimateVector(
        albedo * unshadowed * share_but_noise(sharp, beside, c),
        albedo * unshadowed * visible_share(beside, c),
        albedo * near[DIRECT + c],
        albedo * far[DIRECT + c],
        albedo * wp.max(beside[SKY + c], 0.0),
        albedo * near_sky,
        albedo * wp.max(far[SKY + c], 0.0),
        albedo * beside[SURFACES + c],
        albedo * near[SURFACES + c],
        albedo * far[SURFACES + c],
        wp.max(sharp[HIGHLIGHT + c], 0.0),
        wp.max(beside[HIGHLIGHT + c], 0.0),
        wp.max(near[HIGHLIGHT + c], 0.0),
        wp.max(far[HIGHLIGHT + c], 0.0),
        reflection[0],
        reflection[1],
        reflection[2],
        reflection[3],
        mirrored[c],
        transmitted[c],
        albedo * near[TRUNCATED + c] * incident,
        albedo * beside[CAUSTIC + c],
    )


@wp.func
def scale_of(e: EstimateVector) -> float:
    """The sum of estimates, each kind of light once."""
    total = e[NEAR_DIRECT] + e[NEAR_SKY] + e[NEAR_SURFACES] + e[NEAR_HIGHLIGHT] + e[NEAR_REFLECTION]
    return total + (e[MIRRORED] + e[TRANSMITTED])


@wp.func
def features_of_channel(
    e: EstimateVector, scale: wp.vec3, c: int, base_color: float, found: Albedos, levels: Levels
) -> ChannelVector:
    """What the network reads of a point's channel `c`: estimates as shares of the scale, albedos, what was cut off."""
    x = ChannelVector()
    for i in range(CORRECTED):
        x[i] = wp.sqrt(wp.min(e[i] / wp.max(scale[c], TINY), 4.0))
    x[CORRECTED] = found.diffuse[c]
    x[CORRECTED + 1] = base_color
    x[CORRECTED + 2] = found.reflectance[c]
    x[CORRECTED + 3] = found.transmittance[c]
    x[CORRECTED + 4] = levels.near[TRUNCATED + c]
    x[CORRECTED + 5] = levels.far[TRUNCATED + c]
    x[CORRECTED + 6] = scale[c] / wp.max(scale[0] + scale[1] + scale[2], TINY)  # how coloured the light is
    return x


@wp.kernel(enable_backward=False)
def measure_points(
    scenes: Scenes,
    points: wp.array[ShadingPoint],
    level_0: wp.array[Signals],
    level_1: wp.array[Signals],
    level_2: wp.array[Signals],
    level_3: wp.array[Signals],
    share_1: wp.array[float],
    share_2: wp.array[float],
    share_3: wp.array[float],
    chains: wp.array2d[wp.vec3],
    brightest: wp.array[wp.vec3],
    first: int,
    point_features: wp.array[PointVector],
    channel_features: wp.array2d[ChannelVector],
    estimates: wp.array2d[EstimateVector],
    scale: wp.array[wp.vec3],
    emitted: wp.array[wp.vec3],
    bound: wp.array[wp.vec3],
    least_path_variance: wp.array[float],
    begin: int,
) -> None:
    """The network's inputs at each point, 0 where there is no object but the sky's light; see Measured."""
    index = wp.tid() + begin
    p = points[index]
    none = wp.vec3(0.0, 0.0, 0.0)
    point_features[index] = PointVector()
    scale[index] = none
    emitted[index] = none
    bound[index] = none
    least_path_variance[index] = 0.0
    for c in range(3):
        channel_features[index, c] = ChannelVector()
        estimates[index, c] = EstimateVector()
    if p.object_id == MISS:
        emitted[index] = environment_radiance(scenes, p.scene, p.direction)
        return
    obj = scenes.objects[p.object_id]
    material = material_of_object(obj)
    cosine = -wp.dot(p.direction, p.normal)
    is_inside = cosine < 0.0
    is_back = is_panel(obj.kind) and wp.dot(panel_front(obj.world_from_unit), p.direction) > 0.0
    if not is_inside and not is_back:
        emitted[index] = obj.emission
    found = albedos(material, cosine)
    # At a slant Burley's diffuse lobe returns up to 1.6 times its colour, of light that others return so, too.
    bound[index] = wp.cw_mul(brightest[p.scene], wp.vec3(1.0, 1.0, 1.0) + found.diffuse) * p.gain
    mirrored = chains[index, 0]
    transmitted = chains[index, 1]
    place = index + first
    rough = mean(rough_albedo(material, wp.abs(cosine)))
    levels = Levels(
        with_rough_reflection(level_0[place], rough),
        with_rough_reflection(level_1[place], rough),
        with_rough_reflection(level_2[place], rough),
        with_rough_reflection(level_3[place], rough),
    )
    of_white = wp.max(levels.beside[CAUSTIC_MOMENT] - square(mean_of(levels.beside, CAUSTIC)), 0.0)
    least_path_variance[index] = square(mean(found.diffuse)) * of_white
    shares = Shares(share_1[place], share_2[place], share_3[place])
    point_features[index] = features_of_point(material, cosine, levels, shares, mirrored, transmitted)
    sums = none
    for c in range(3):
        e = estimates_of_channel(found.diffuse[c], levels, material, mirrored, transmitted, c)
        estimates[index, c] = e
        sums[c] = scale_of(e)
    scale[index] = sums
    for c in range(3):
        channel_features[index, c] = features_of_channel(estimates[index, c], sums, c, obj.base_color[c], found, levels)


class Measured(NamedTuple):
    """What the network reads of points, and what it corrects."""

    point: Float[Tensor, "points point_features"]
    channel: Float[Tensor, "points 3 channel_features"]
    estimates: Float[Tensor, "points 3 estimates"]  # radiance
    scale: Float[Tensor, "points 3"]  # radiance: the sum of those that the network sees, each kind once
    emitted: Float[Tensor, "points 3"]  # radiance by the points' own objects, or by the sky
    bound: Float[Tensor, "points 3"]  # radiance, which no light of the scene can make brighter


@torch.no_grad()
def measure(
    batch: SceneBatch,
    table: Int32[Tensor, "points words"],
    levels: list[Float[Tensor, "points signals"]],
    shares: list[Float[Tensor, " points"]],
    chains: Float[Tensor, "points lobes 3"],
    brightest: Float[Tensor, "scenes 3"],
    first: int = 0,
) -> tuple[Measured, Float[Tensor, " points"]]:
    """Of ShadingPoints with their signals at each level, what their chains show, and their scenes' brightest light.

    Beside it, radiance squared, the points' own `least_path_variance`; see `visible_surfaces.FragmentRadiance`.
    The levels have the points from number `first` on, and may have others.
    """
    count, device = len(table), batch.device
    measured = Measured(
        torch.empty(count, POINT_FEATURES, device=device),
        torch.empty(count, 3, CHANNEL_FEATURES, device=device),
        torch.empty(count, 3, ESTIMATES, device=device),
        *torch.empty(3, count, 3, device=device),
    )
    least_path_variance = torch.empty(count, device=device)
    launch(
        measure_points,
        count,
        [
            launchable(batch),
            as_points(table),
            *(to_warp(level, Signals) for level in levels),
            *shares,
            to_warp(chains, wp.vec3),
            to_warp(brightest, wp.vec3),
            first,
        ],
        [
            to_warp(measured.point, PointVector),
            to_warp(measured.channel, ChannelVector),
            to_warp(measured.estimates, EstimateVector),
            to_warp(measured.scale, wp.vec3),
            to_warp(measured.emitted, wp.vec3),
            to_warp(measured.bound, wp.vec3),
            least_path_variance,
        ],
        device,
        sliced=True,
    )
    return measured, least_path_variance
