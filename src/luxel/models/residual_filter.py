"""What paths say about a picture's error, shared among neighbouring pixels at several scales.

An edge-avoiding à-trous filter (Dammertz et al., "Edge-Avoiding À-Trous Wavelet Transform for fast Global Illumination
Filtering", HPG 2010) of the residual, paths minus picture. Its edges are those of first hits and of the picture itself:
shadows' edges, and what mirrors and glass show. As in SVGF (Schied et al., HPG 2017, eq. 3 to 5) a variance goes with
it. So do products with the picture's own details, which say how far these are mottles that the truth has not: those are
all in the residual, with the opposite sign.
"""

from typing import NamedTuple

import torch
import warp as wp
from jaxtyping import Float
from torch import Tensor

from luxel.core.launch import launch, scratch, to_warp
from luxel.core.pixels import PixelPlace, place_of
from luxel.core.scene_batch import SceneBatch
from luxel.core.scenes import Scenes, launchable
from luxel.models.shading_points import ShadingPoint, pixel_width
from luxel.models.visible_surfaces import SAME_PLANE, Surfaces, SurfaceTable, pixel_beside

STEPS = (1, 2, 4, 8, 16, 32)
"""Pixels between neighbours, of each level."""
SAME_PICTURE = wp.constant(0.1)  # relative difference of the smoothed picture that halves a neighbour's weight twice
SAME_DETAIL = wp.constant(0.25)  # of the picture itself, which may be mottled
MIN_COVERAGE = wp.constant(1.0e-3)  # that a fragment counts for: a lamp's may be 0
DETAILS = wp.constant(2)  # of the picture: bands whose shape the residual is asked for
MOMENTS = 8 + 2 * DETAILS

# Of a pixel's residual: red, green, blue; variance of it as filtered; mean variance of its neighbours' paths; mean
# square of their residuals; mean of what was cut off them; mean standard deviation of their paths; then for each detail
# its mean product with the residual, and its mean square. All but the first three are means over channels, too.
Moments = wp.types.vector(MOMENTS, float)
VARIANCE, PATHS_VARIANCE, SQUARE, REMOVED, DEVIATION, PRODUCTS = map(wp.constant, range(3, 9))


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
    detail: wp.array[wp.vec3],
    begin: int,
) -> None:
    """The weighted mean of each fragment's radiance and of those of its face in the eight pixels `step` away.

    And what that takes off it, as a detail.
    """
    i = wp.tid() + begin
    smoothed[i] = before[i]
    detail[i] = wp.vec3(0.0, 0.0, 0.0)
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
    detail[i] = before[i] - smoothed[i]


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


@wp.func
def filter_point(p: ShadingPoint, radiance: wp.vec3, weight: float) -> FilterPoint:
    """Of a fragment at this point."""
    return FilterPoint(p.point, p.normal, radiance, weight)


@wp.kernel(enable_backward=False)
def write_picture_points(
    seen: SurfaceTable,
    coverage: wp.array[float],
    picture: wp.array[wp.vec3],
    weights: wp.array[float],
    table: wp.array[FilterPoint],
    begin: int,
) -> None:
    """FilterPoints for the picture, which count for as much as they cover."""
    i = wp.tid() + begin
    weight = float(0.0)
    if weights[i] > 0.0:
        weight = wp.max(coverage[i], MIN_COVERAGE)
    table[i] = filter_point(seen.points[i], picture[i], weight)


@wp.kernel(enable_backward=False)
def write_residual_points(
    seen: SurfaceTable,
    smoothed: wp.array[wp.vec3],
    details: wp.array2d[wp.vec3],
    residual: wp.array[wp.vec3],
    variance: wp.array[float],
    removed: wp.array[float],
    weights: wp.array[float],
    moments: wp.array[Moments],
    table: wp.array[FilterPoint],
    begin: int,
) -> None:
    """Moments of residuals as they are, and FilterPoints for them, which know the smoothed picture."""
    i = wp.tid() + begin
    own = residual[i]
    found = Moments()
    for c in range(3):
        found[c] = own[c]
    found[VARIANCE] = variance[i]
    found[PATHS_VARIANCE] = variance[i]
    found[SQUARE] = wp.dot(own, own) / 3.0
    found[REMOVED] = removed[i]
    found[DEVIATION] = wp.sqrt(variance[i])
    for k in range(DETAILS):
        detail = details[k, i]
        found[PRODUCTS + 2 * k] = wp.dot(detail, own) / 3.0
        found[PRODUCTS + 2 * k + 1] = wp.dot(detail, detail) / 3.0
    moments[i] = found
    table[i] = filter_point(seen.points[i], smoothed[i], weights[i])


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
    device, seen, count = batch.device, surfaces.for_kernels(), len(variance)
    shared = [launchable(batch), seen]
    details, smoothed = torch.empty(2, DETAILS, count, 3, device=device)
    moments = torch.empty(1 + len(STEPS), count, MOMENTS, device=device)
    shares = torch.empty(len(STEPS), count, device=device)
    (table,) = scratch(device, ((count,), FilterPoint))
    inputs = [seen, surfaces.fragments.coverage, to_warp(picture, wp.vec3), weights]
    launch(write_picture_points, count, inputs, [table], device, sliced=True)
    for level, step in enumerate(STEPS[:DETAILS]):
        before = to_warp(smoothed[level - 1] if level else picture, wp.vec3)
        outputs = [to_warp(values[level], wp.vec3) for values in (smoothed, details)]
        launch(smooth_picture, count, [*shared, table, step, before], outputs, device, sliced=True)
    of_picture = [to_warp(values, wp.vec3) for values in (smoothed[-1], details, residual)]
    inputs = [seen, *of_picture, variance, removed, weights]
    launch(write_residual_points, count, inputs, [to_warp(moments[0], Moments), table], device, sliced=True)
    for level, step in enumerate(STEPS):
        before, after = (to_warp(moments[i], Moments) for i in (level, level + 1))
        outputs = [after, shares[level]]
        launch(filter_residuals, count, [*shared, table, step, before], outputs, device, sliced=True)
    return Levels(moments, shares, details)
