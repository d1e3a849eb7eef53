"""What paths say about a picture's error, shared among neighbouring pixels at several scales.

An edge-avoiding à-trous filter (Dammertz et al., "Edge-Avoiding À-Trous Wavelet Transform for fast Global Illumination
Filtering", HPG 2010) of the residual, paths minus picture. Its edges are those of first hits and of the picture itself:
shadows' edges, and what mirrors and glass show. As in SVGF (Schied et al., HPG 2017, eq. 3 to 5) a variance goes with
it. So do products with the picture's own details, which say how far these are mottles that the truth has not: those are
all in the residual, with the opposite sign.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
import warp as wp
from jaxtyping import Float
from torch import Tensor

from luxel.core.launch import launch, to_warp
from luxel.core.pixels import place_of
from luxel.core.scene_batch import SceneBatch
from luxel.core.scenes import Scenes, launchable
from luxel.models.shading_points import pixel_width
from luxel.models.visible_surfaces import Surfaces, SurfaceTable, alike, pixel_beside

STEPS = (1, 2, 4, 8, 16, 32)
"""Pixels between neighbours, of each level."""
SAME_PICTURE = 0.1  # relative difference of the smoothed picture that halves a neighbour's weight twice
SAME_DETAIL = 0.25  # of the picture itself, which may be mottled
LEAST_COVERAGE = 1e-3  # that a fragment counts for: a lamp's may be 0
DETAILS = 2  # of the picture: bands whose shape the residual is asked for
MOMENTS = 7 + 2 * DETAILS

# Of a pixel's residual: red, green, blue; variance of it as filtered; mean variance of its neighbours' paths; mean
# square of their residuals; mean of what was cut off them; then for each detail its mean product with the residual, and
# its mean square. All but the first three are means over channels, too.
Moments = wp.types.vector(MOMENTS, float)
VARIANCE, PATHS_VARIANCE, SQUARE, REMOVED, PRODUCTS = 3, 4, 5, 6, 7


@wp.func
def alike_in_radiance(a: wp.vec3, b: wp.vec3, tolerance: float) -> float:
    """How alike two fragments are by the picture."""
    total = wp.dot(a + b, wp.vec3(1.0, 1.0, 1.0))
    relative = wp.length(a - b) / wp.max(tolerance * total, 1.0e-30)
    far = 1.0 + relative * relative
    return 1.0 / (far * far)


@wp.func
def fragment_with_key(seen: SurfaceTable, pixel: int, key: int) -> int:
    """The fragment of a pixel that shows a face, or −1, as for no pixel."""
    if pixel < 0:
        return -1
    for i in range(seen.offsets[pixel], seen.offsets[pixel + 1]):
        if seen.key[i] == key:
            return i
    return -1


@wp.kernel(enable_backward=False)
def filter_residuals(
    scenes: Scenes,
    seen: SurfaceTable,
    weights: wp.array[float],
    picture: wp.array[wp.vec3],
    step: int,
    tolerance: float,
    moments: wp.array[Moments],
    filtered: wp.array[Moments],
    share: wp.array[float],
    begin: int,
) -> None:
    """The weighted mean of each fragment and of those of its face in the eight pixels `step` away, and its weight."""
    i = wp.tid() + begin
    at = place_of(seen.pictures, seen.pixel[i])
    own = seen.points[i]
    radiance = picture[i]
    size = pixel_width(scenes, own, seen.pictures.height)
    total = Moments()
    weight = float(0.0)
    variance = float(0.0)
    for k in range(9):
        across = k - 3 * (k // 3) - 1
        down = k // 3 - 1
        other = int(i)
        if k != 4:
            other = fragment_with_key(seen, pixel_beside(seen.pictures, at, across * step, down * step), seen.key[i])
        if other >= 0:
            w = weights[other]
            if other != i:
                w *= alike(own, seen.points[other], size) * alike_in_radiance(radiance, picture[other], tolerance)
                w = w / float((1 + across * across) * (1 + down * down))
            values = moments[other]
            total += (values - moments[i]) * w
            weight += w
            variance += w * w * values[VARIANCE]
    result = moments[i] + total / weight  # exactly as it was where there are no neighbours
    result[VARIANCE] = variance / (weight * weight)
    filtered[i] = result
    share[i] = weight * 0.25


class Levels(NamedTuple):
    """The residual at every level, the first being as it is; of the fragments of all pictures."""

    moments: list[Float[Tensor, "fragments moments"]]
    share: list[Float[Tensor, " fragments"]]
    """Weight of the neighbours of each level but the first: 1 in the midst of a surface, 1/4 where a pixel is alone."""
    details: list[Float[Tensor, "fragments 3"]]
    """Of the picture: what the filter's first levels take off it."""

    def part(self, fragments: slice) -> "Levels":
        """Of some of the fragments."""
        return Levels(*([v[fragments] for v in values] for values in self))


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

    `weights` say how much each fragment's is worth to others.
    """
    device, coverage = batch.device, surfaces.fragments.coverage.clamp(min=LEAST_COVERAGE)
    where = [launchable(batch), surfaces.for_kernels()]

    def filtered(guide: Tensor, tolerance: float, step: int, moments: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
        result, share = torch.empty_like(moments), torch.empty_like(variance)
        inputs = [*where, weights, to_warp(guide, wp.vec3), step, tolerance, to_warp(moments, Moments)]
        launch(filter_residuals, len(result), inputs, [to_warp(result, Moments), share], device, sliced=True)
        return result, share

    smoothed, details = F.pad(picture, (0, MOMENTS - 3)), []
    for step in STEPS[:DETAILS]:
        before = smoothed
        smoothed, _ = filtered(picture, SAME_DETAIL, step, before, coverage)
        details.append(before[:, :3] - smoothed[:, :3])
    products = [(detail * other).mean(1) for detail in details for other in (residual, detail)]
    square = (residual**2).mean(1)
    moments = [torch.cat([residual, torch.stack([variance, variance, square, removed, *products], 1)], 1)]
    shares = []
    for step in STEPS:
        more, share = filtered(smoothed[:, :3], SAME_PICTURE, step, moments[-1], weights)
        moments.append(more)
        shares.append(share)
    return Levels(moments, shares, details)
