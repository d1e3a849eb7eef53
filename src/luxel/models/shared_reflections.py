"""What rough metals reflect, by their neighbours' rays, too.

A metal's lobe is narrow, and what has left it cannot be filtered as irradiance is: the pixel beside shows another part
of what is mirrored. But most of a neighbour's rays go where the point's own lobe does, too, for which they have to be
weighed anew (Stachowiak, "Stochastic Screen-Space Reflections", in: Advances in Real-Time Rendering in Games, SIGGRAPH
2015).
"""

import warp as wp

from luxel.core.intersect import MISS
from luxel.core.principled import Material, evaluate_lobes, mean
from luxel.core.scenes import Scenes, material_of_object
from luxel.models.gather_points import GatherPoint, GatherSettings, PointTerms, gather_point_at
from luxel.models.neighbourhood import Neighbours, find_neighbour, location_of
from luxel.models.signals import GLOSSY_VARIANCE, REFLECTION, Signals, square, with_rgb

METAL = wp.constant(0.47)
"""Metallic, from which on reflections are about most of what a surface shows; pictures jump there, not at a round 0.5.
"""
LEAST_DENSITY = wp.constant(0.6)
"""Over a point's own density in a direction, that a neighbour's ray there counts as drawn with.

So no ray counts for more than 1 / 0.6 of the point's own. With less there is more noise, with 1 lobes of roughness 0.3
and more are blurred: each loses 0.1 dB (metals and gold, two floors and a wall, both models).
"""
MOST_OVER_OTHERS = wp.constant(1.0)
"""What one ray may bring, over all others together: more would be a dot of nine pixels."""
FEW_RAYS = wp.constant(32.0)  # of fewer, as of what is a pixel wide, one may well be all that meets a light
LEAST_WEIGHT = wp.constant(1.0e-12)  # of all rays together, below which a point keeps what its own have found


@wp.struct
class LobeRay:
    """A ray into a point's lobes, and what it has found."""

    direction: wp.vec3
    density: float  # per steradian, with which its own point has drawn it; 0 of none
    radiance: wp.vec3  # without that of lights, which each point samples itself
    light: float  # radiance of lights times its MIS weight, the mean of the channels
    weight: float  # what its own point's lobe reflects over the density, the mean of the channels


@wp.struct
class LobeRaySums:
    """Over rays of a point and its neighbours.

    What the point's lobe reflects of one, x, is its weight w times its radiance, both means of the channels.
    """

    reflected: wp.vec3  # x by channel
    largest: wp.vec3  # the largest of them
    weight: float  # w
    squared_weights: float  # w²
    crossed: float  # w x
    squares: float  # x²
    own_weight: float  # LobeRay's, an estimate of the lobe's albedo each
    count: float


@wp.func
def reflects_most(m: Material) -> bool:
    """Whether most of what a surface shows is what it reflects."""
    return m.metallic >= METAL and m.transmission == 0.0


@wp.func
def with_ray(sums: LobeRaySums, r: GatherPoint, ray: LobeRay) -> LobeRaySums:
    """The sums with one more ray, the point's own or a neighbour's."""
    sums.own_weight += ray.weight
    sums.count += 1.0
    if ray.density > 0.0:
        lobes = evaluate_lobes(r.bsdf, r.local * ray.direction)
        value = lobes.specular / wp.max(ray.density, LEAST_DENSITY * lobes.density)
        weight = mean(value)
        reflected = wp.cw_mul(value, ray.radiance)
        of_channels = mean(reflected)
        sums.reflected += reflected
        if of_channels > mean(sums.largest):
            sums.largest = reflected
        sums.weight += weight
        sums.squared_weights += weight * weight
        sums.crossed += weight * of_channels
        sums.squares += of_channels * of_channels
    return sums


@wp.func
def reflected_without_dots(sums: LobeRaySums) -> wp.vec3:
    """What is reflected of all rays, the largest cut to MOST_OVER_OTHERS."""
    result = sums.reflected
    largest = mean(sums.largest)
    most = MOST_OVER_OTHERS * (mean(sums.reflected) - largest)
    if largest > most and sums.count >= FEW_RAYS:
        result -= sums.largest * (1.0 - most / largest)
    return result


@wp.func
def own_light_variance(rays: wp.array[LobeRay], first: int, count: int) -> float:
    """Of what a point's own rays bring of lights, the mean over so many."""
    total = float(0.0)
    squares = float(0.0)
    for i in range(first, first + count):
        light = rays[i].weight * rays[i].light
        total += light
        squares += light * light
    n = float(count)
    return wp.max(squares - total * total / n, 0.0) / (n * wp.max(n - 1.0, 1.0))


@wp.kernel(enable_backward=False)
def share_reflections(
    scenes: Scenes,
    settings: GatherSettings,
    neighbours: Neighbours,
    throughput: wp.array[float],
    terms: wp.array[PointTerms],
    ray_counts: wp.array[wp.vec2i],
    rays: wp.array[LobeRay],
    signals: wp.array[Signals],
    begin: int,
) -> None:
    """Set REFLECTION and GLOSSY_VARIANCE of rough metals by the rays of the 3 × 3 pixels about each point.

    REFLECTION is the mean radiance, of weights by the point's own lobe, times the mean albedo by the rays' own lobes,
    so that under a sky that is the same everywhere no noise but the albedo's is left. Its noise is that of a ratio
    (Cochran, "Sampling Techniques", eq. 2.46).
    """
    index = wp.tid() + begin
    p = neighbours.points[index]
    if p.object_id == MISS or not reflects_most(material_of_object(scenes.objects[p.object_id])):
        return
    r = gather_point_at(scenes, settings, p, index, terms[index].alpha, throughput[index])
    if r.glossy_rays == 0:
        return
    location = location_of(neighbours, index)
    sums = LobeRaySums()
    k = int(0)  # no constant range, which would be unrolled
    while k < 9:
        j = find_neighbour(neighbours, location, k - 3 * (k // 3) - 1, k // 3 - 1)
        if k == 4:
            j = index
        if j != MISS:
            first = j * settings.glossy_rays
            for i in range(first, first + ray_counts[j][1]):
                sums = with_ray(sums, r, rays[i])
        k += 1
    if sums.weight < LEAST_WEIGHT:
        return
    albedo = sums.own_weight / sums.count
    ratio = mean(sums.reflected) / sums.weight
    deviations = sums.squares + ratio * (ratio * sums.squared_weights - 2.0 * sums.crossed)
    variance = wp.max(deviations, 0.0) * square(albedo / sums.weight)
    out = with_rgb(signals[index], REFLECTION, reflected_without_dots(sums) * (albedo / sums.weight))
    out[GLOSSY_VARIANCE] = variance + own_light_variance(rays, index * settings.glossy_rays, r.glossy_rays)
    signals[index] = out
