"""What paths say about a picture's error, shared among neighbouring pixels at several scales.

An edge-avoiding à-trous filter (Dammertz et al., "Edge-Avoiding À-Trous Wavelet Transform for fast Global Illumination
Filtering", HPG 2010) of the residual, paths minus picture. Its edges are those of first hits and of the picture itself:
shadows' edges, and what mirrors and glass show. As in SVGF (Schied et al., HPG 2017, eq. 3 to 5) a variance goes with
it. So do products with the picture's own details, which say how far these are mottles that the truth has not: those are
all in the residual, with the opposite sign.
"""

from typing import Any, NamedTuple

import torch
import warp as wp
from jaxtyping import Float
from torch import Tensor

from luxel.core.launch import launch, struct_array, to_warp
from luxel.core.pixels import PixelPlace, place_of
from luxel.core.scene_batch import SceneBatch
from luxel.core.scenes import Scenes, launchable
from luxel.models.shading_points import NORMAL, POINT, pixel_width
from luxel.models.visible_surfaces import SAME_PLANE, Surfaces, SurfaceTable, pixel_beside

STEPS = (1, 2, 4, 8, 16, 32)
"""Pixels between neighbours, of each level."""
SAME_PICTURE = wp.constant(0.1)  # relative difference of the smoothed picture that halves a neighbour's weight twice
SAME_DETAIL = wp.constant(0.25)  # of the picture itself, which may be mottled
MIN_COVERAGE = 1e-3  # that a fragment counts for: a lamp's may be 0
DETAILS = 2  # of the picture: bands whose shape the residual is asked for
MOMENTS = 8 + 2 * DETAILS

# Of a pixel's residual: red, green, blue; variance of it as filtered; mean variance of its neighbours' paths; mean
# square of their residuals; mean of what was cut off them; mean standard deviation of their paths; then for each detail
# its mean product with the residual, and its mean square. All but the first three are means over channels, too.
Moments = wp.types.vector(MOMENTS, float)
VARIANCE, PATHS_VARIANCE, SQUARE, REMOVED, DEVIATION, PRODUCTS = 3, 4, 5, 6, 7, 8


@wp.struct
class FilterPoint:
    """A fragment as its neighbours see it, side by side in memory."""

    point: wp.vec3
    normal: wp.vec3
    radiance: wp.vec3
    weight: float  # 0 of what is not filtered


@wp.struct
class Guide:
    """What a fragment's neighbours are compared with."""

    point: wp.vec3
    normal: wp.vec3
    plane_falloff: float  # over the squared distance from the tangent plane
    radiance: wp.vec3
    tolerance_square: float


@wp.func
def guide_of(scenes: Scenes, seen: SurfaceTable, i: int, own: FilterPoint, tolerance: float) -> Guide:
    """A fragment's."""
    half = SAME_PLANE * pixel_width(scenes, seen.points[i], seen.pictures.height)
    return Guide(own.point, own.normal, 1.0 / (half * half + 1.0e-30), own.radiance, tolerance * tolerance)


@wp.func
def likeness(own: Guide, point: wp.vec3, normal: wp.vec3, radiance: wp.vec3) -> float:
    """How alike a neighbour is by its place and normal, as `alike` has it, and by the picture.

    cos⁴ θ / ((1 + a²)² (1 + d²)²), a being its distance from the tangent plane and d its relative difference in
    radiance, with one division.
    """
    cosine = wp.dot(own.normal, normal)
    result = float(0.0)
    if cosine > 0.0:
        off = wp.dot(own.normal, point - own.point)
        total = wp.dot(own.radiance + radiance, wp.vec3(1.0, 1.0, 1.0))
        tolerated = own.tolerance_square * total * total + 1.0e-36
        difference = own.radiance - radiance
        far = (1.0 + off * off * own.plane_falloff) * (tolerated + wp.dot(difference, difference))
        result = cosine * cosine * tolerated / far
    return result * result


@wp.func
def fragment_with_key(seen: SurfaceTable, pixel: int, key: int) -> int:
    """The fragment of a pixel that shows a face, or −1, as for no pixel."""
    if pixel < 0:
        return -1
    for i in range(seen.offsets[pixel], seen.offsets[pixel + 1]):
        if seen.key[i] == key:
            return i
    return -1


@wp.struct
class Neighbour:
    """A fragment that counts for another one, or −1, and its weight."""

    fragment: int
    weight: float


@wp.func
def neighbour(
    seen: SurfaceTable,
    table: wp.array[FilterPoint],
    own: Guide,
    at: PixelPlace,
    key: int,
    k: int,
    step: int,
) -> Neighbour:
    """Of the face `key`, in pixel k of the 3 × 3 that are `step` apart and have `at` in their midst."""
    across = k - 3 * (k // 3) - 1
    down = k // 3 - 1
    other = fragment_with_key(seen, pixel_beside(seen.pictures, at, across * step, down * step), key)
    w = float(0.0)
    if other >= 0:
        p = table[other]
        w = p.weight * likeness(own, p.point, p.normal, p.radiance)
        w *= wp.where(across * down == 0, 0.5, 0.25)
    return Neighbour(other, w)


@wp.kernel(enable_backward=False)
def smooth_picture(
    scenes: Scenes,
    seen: SurfaceTable,
    table: wp.array[FilterPoint],
    step: int,
    before: wp.array[wp.vec3],
    smoothed: wp.array[wp.vec3],
    begin: int,
) -> None:
    """The weighted mean of each fragment's radiance and of those of its face in the eight pixels `step` away."""
    i = wp.tid() + begin
    smoothed[i] = before[i]
    weight = table[i].weight
    if weight == 0.0:
        return
    at = place_of(seen.pictures, seen.pixel[i])
    own = guide_of(scenes, seen, i, table[i], SAME_DETAIL)
    total = wp.vec3(0.0, 0.0, 0.0)
    k = int(0)  # no constant range, which would be unrolled
    while k < 9:
        if k != 4:
            beside = neighbour(seen, table, own, at, seen.key[i], k, step)
            if beside.fragment >= 0:
                total += (before[beside.fragment] - before[i]) * beside.weight
                weight += beside.weight
        k += 1
    smoothed[i] = before[i] + total / weight


@wp.kernel(enable_backward=False)
def filter_residuals(
    scenes: Scenes,
    seen: SurfaceTable,
    table: wp.array[FilterPoint],
    step: int,
    moments: wp.array[Moments],
    filtered: wp.array[Moments],
    share: wp.array[float],
    begin: int,
) -> None:
    """The same of their Moments, and the weight of all."""
    i = wp.tid() + begin
    before = moments[i]
    weight = table[i].weight
    if weight == 0.0:
        filtered[i] = before
        share[i] = 0.25
        return
    at = place_of(seen.pictures, seen.pixel[i])
    own = guide_of(scenes, seen, i, table[i], SAME_PICTURE)
    total = Moments()
    variance = weight * weight * before[VARIANCE]
    k = int(0)  # no constant range, which would be unrolled
    while k < 9:
        if k != 4:
            beside = neighbour(seen, table, own, at, seen.key[i], k, step)
            if beside.fragment >= 0:
                values = moments[beside.fragment]
                total += (values - before) * beside.weight
                weight += beside.weight
                variance += beside.weight * beside.weight * values[VARIANCE]
        k += 1
    result = before + total / weight  # exactly as it was where there are no neighbours
    result[VARIANCE] = variance / (weight * weight)
    filtered[i] = result
    share[i] = weight * 0.25


class Levels(NamedTuple):
    """The residual at every level, the first being as it is; of the fragments of all pictures."""

    moments: Float[Tensor, "levels_and_one fragments moments"]
    share: Float[Tensor, "levels fragments"]
    """Weight of the neighbours of each level but the first: 1 in the midst of a surface, 1/4 where a pixel is alone."""
    details: Float[Tensor, "details fragments 3"]
    """Of the picture: what the filter's first levels take off it."""


def filter_points(
    surfaces: Surfaces, radiance: Float[Tensor, "fragments 3"], weights: Float[Tensor, " fragments"]
) -> Any:
    """FilterPoints, as an array."""
    places, normals = (surfaces.points[:, first : first + 3].view(torch.float32) for first in (POINT, NORMAL))
    return struct_array(torch.cat([places, normals, radiance, weights[:, None]], 1), FilterPoint)


@torch.no_grad()
def residual_levels(
    batch: SceneBatch,
    surfaces: Surfaces,
    picture: Float[Tensor, "fragments 3"],
    residual: Float[Tensor, "fragments 3"],
    variance: Float[Tensor, " fragments"],
    removed: Float[Tensor, " fragments"],
    weights: Float[Tensor, " fragments"],
) -> Levels:
    """The residual, with its variance and what was cut off it, filtered along what the scenes and the picture show.

    `weights` say how much each fragment's is worth to others; what has a weight of 0 stays as it is.
    """
    device, where = batch.device, [launchable(batch), surfaces.for_kernels()]
    coverage = surfaces.fragments.coverage.clamp(min=MIN_COVERAGE) * (weights > 0)
    table = filter_points(surfaces, picture, coverage)
    smoothed, details = picture, torch.empty(DETAILS, *picture.shape, device=device)
    for step, detail in zip(STEPS[:DETAILS], details, strict=True):
        before, smoothed = smoothed, torch.empty_like(picture)
        inputs = [*where, table, step, to_warp(before, wp.vec3)]
        launch(smooth_picture, len(smoothed), inputs, [to_warp(smoothed, wp.vec3)], device, sliced=True)
        torch.sub(before, smoothed, out=detail)
    products = [(detail * other).mean(1) for detail in details for other in (residual, detail)]
    square = (residual**2).mean(1)
    of_channels = [variance, variance, square, removed, variance.sqrt(), *products]
    moments = torch.empty(1 + len(STEPS), len(variance), MOMENTS, device=device)
    torch.cat([residual, torch.stack(of_channels, 1)], 1, out=moments[0])
    shares = torch.empty(len(STEPS), len(variance), device=device)
    table = filter_points(surfaces, smoothed, weights)
    for level, step in enumerate(STEPS):
        inputs = [*where, table, step, to_warp(moments[level], Moments)]
        outputs = [to_warp(moments[level + 1], Moments), shares[level]]
        launch(filter_residuals, len(variance), inputs, outputs, device, sliced=True)
    return Levels(moments, shares, details)
