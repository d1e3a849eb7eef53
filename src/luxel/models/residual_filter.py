"""What paths say about a picture's error, shared among neighbouring pixels at several scales.

An edge-avoiding à-trous filter (Dammertz et al., "Edge-Avoiding À-Trous Wavelet Transform for fast Global Illumination
Filtering", HPG 2010) of the residual, paths minus picture. Its edges are those of first hits and of the picture itself:
shadows' edges, and what mirrors and glass show. As in SVGF (Schied et al., HPG 2017, eq. 3 to 5) a variance goes with
it. So do products with the picture's own details, which say how far these are mottles that the truth has not: those are
all in the residual, with the opposite sign.
"""

from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
import warp as wp
from jaxtyping import Float, Int32
from torch import Tensor

from luxel.core.launch import launch, struct_array, to_warp
from luxel.core.rays import camera_direction, camera_origin, image_plane_point
from luxel.core.scene_batch import SceneBatch
from luxel.core.scenes import Scenes, launchable
from luxel.models.shading_points import first_point, pixel_width

STEPS = (1, 2, 4, 8, 16, 32)
"""Pixels between neighbours, of each level."""
SAME_PICTURE = 0.1  # relative difference of the smoothed picture that halves a neighbour's weight twice
SAME_DETAIL = 0.25  # of the picture itself, which may be mottled
DETAILS = 2  # of the picture: bands whose shape the residual is asked for
SAME_PLANE = wp.constant(2.0)  # pixels off a point's tangent plane that do
GUIDE_WORDS = 8  # of a PixelGuide, 32 bits each
MOMENTS = 7 + 2 * DETAILS

# Of a pixel's residual: red, green, blue; variance of it as filtered; mean variance of its neighbours' paths; mean
# square of their residuals; mean of what was cut off them; then for each detail its mean product with the residual, and
# its mean square. All but the first three are means over channels, too.
Moments = wp.types.vector(MOMENTS, float)
VARIANCE, PATHS_VARIANCE, SQUARE, REMOVED, PRODUCTS = 3, 4, 5, 6, 7


@wp.struct
class PixelGuide:
    """What a pixel's centre shows."""

    object_id: int  # row of the SceneBatch, or MISS
    point: wp.vec3
    normal: wp.vec3
    width: float  # of a pixel there, scene units


@wp.kernel(enable_backward=False)
def find_guides(scenes: Scenes, width: int, height: int, guides: wp.array[PixelGuide], begin: int) -> None:
    """The guide of every pixel of all pictures."""
    index = wp.tid() + begin
    line = index // width
    scene = line // height
    row = scenes.scenes[scene]
    x = float(index - line * width) + 0.5
    y = float(line - scene * height) + 0.5
    xy = image_plane_point(x, y, width, height, row.tan_half_fov)
    p = first_point(scenes, scene, camera_origin(scenes, scene, xy), camera_direction(scenes, scene, xy), 0)
    guides[index] = PixelGuide(p.object_id, p.point, p.normal, pixel_width(scenes, p, height))


@wp.func
def likeness(p: PixelGuide, q: PixelGuide, radiance_p: wp.vec3, radiance_q: wp.vec3, tolerance: float) -> float:
    """How far a neighbour's residual is taken for a pixel's own: 1 if they show the same, 0 for different objects."""
    if p.object_id != q.object_id:
        return 0.0
    cosine = wp.max(wp.dot(p.normal, q.normal), 0.0)
    cosine *= cosine
    off = wp.dot(p.normal, q.point - p.point) / wp.max(SAME_PLANE * p.width, 1.0e-30)
    difference = radiance_p - radiance_q
    total = wp.dot(radiance_p + radiance_q, wp.vec3(1.0, 1.0, 1.0))
    relative = wp.length(difference) / wp.max(tolerance * total, 1.0e-30)
    far = (1.0 + off * off) * (1.0 + relative * relative)
    return cosine * cosine / (far * far)


@wp.kernel(enable_backward=False)
def filter_residuals(
    guides: wp.array[PixelGuide],
    picture: wp.array[wp.vec3],
    width: int,
    height: int,
    step: int,
    tolerance: float,
    moments: wp.array[Moments],
    filtered: wp.array[Moments],
    share: wp.array[float],
    begin: int,
) -> None:
    """The weighted mean of each pixel and its eight neighbours `step` pixels away, and the weight that they have."""
    index = wp.tid() + begin
    line = index // width
    x = index - line * width
    y = line % height
    own = guides[index]
    radiance = picture[index]
    total = Moments()
    weight = float(0.0)
    variance = float(0.0)
    for k in range(9):
        across = k - 3 * (k // 3) - 1
        down = k // 3 - 1
        column = x + across * step
        row = y + down * step
        if column >= 0 and column < width and row >= 0 and row < height:
            other = index + down * step * width + across * step
            w = float(1.0)
            if other != index:
                w = likeness(own, guides[other], radiance, picture[other], tolerance)
                w = w / float((1 + across * across) * (1 + down * down))
            values = moments[other]
            total += values * w
            weight += w
            variance += w * w * values[VARIANCE]
    result = total / weight
    result[VARIANCE] = variance / (weight * weight)
    filtered[index] = result
    share[index] = weight * 0.25


class Levels(NamedTuple):
    """The residual at every level, the first being as it is; pixels of all pictures, row by row, scene by scene."""

    moments: list[Float[Tensor, "pixels moments"]]
    share: list[Float[Tensor, " pixels"]]
    """Weight of the neighbours of each level but the first: 1 in the midst of a surface, 1/4 where a pixel is alone."""
    details: list[Float[Tensor, "pixels 3"]]
    """Of the picture: what the filter's first levels take off it."""
    object_id: Int32[Tensor, " pixels"]
    """Row of the SceneBatch that the pixel's centre shows, or MISS."""

    def part(self, pixels: slice) -> "Levels":
        """Of some of the pixels."""
        moments, share, details = ([v[pixels] for v in values] for values in self[:3])
        return Levels(moments, share, details, self.object_id[pixels])


@torch.no_grad()
def residual_levels(
    batch: SceneBatch,
    picture: Float[Tensor, "pixels 3"],
    residual: Float[Tensor, "pixels 3"],
    variance: Float[Tensor, " pixels"],
    removed: Float[Tensor, " pixels"],
    width: int,
    height: int,
) -> Levels:
    """The residual, with its variance and what was cut off it, filtered along what the scenes and the picture show."""
    device, pixels = batch.device, len(picture)
    table = torch.empty(pixels, GUIDE_WORDS, dtype=torch.int32, device=device)
    guides: Any = struct_array(table, PixelGuide)
    launch(find_guides, pixels, [launchable(batch), width, height], [guides], device, sliced=True)

    def filtered(guide: Tensor, tolerance: float, step: int, moments: Tensor) -> tuple[Tensor, Tensor]:
        result, share = torch.empty_like(moments), torch.empty_like(variance)
        inputs = [guides, to_warp(guide, wp.vec3), width, height, step, tolerance, to_warp(moments, Moments)]
        launch(filter_residuals, pixels, inputs, [to_warp(result, Moments), share], device, sliced=True)
        return result, share

    smoothed, details = F.pad(picture, (0, MOMENTS - 3)), []
    for step in STEPS[:DETAILS]:
        before = smoothed
        smoothed, _ = filtered(picture, SAME_DETAIL, step, before)
        details.append(before[:, :3] - smoothed[:, :3])
    products = [(detail * other).mean(1) for detail in details for other in (residual, detail)]
    square = (residual**2).mean(1)
    moments = [torch.cat([residual, torch.stack([variance, variance, square, removed, *products], 1)], 1)]
    shares = []
    for step in STEPS:
        more, share = filtered(smoothed[:, :3], SAME_PICTURE, step, moments[-1])
        moments.append(more)
        shares.append(share)
    return Levels(moments, shares, details, table[:, 0])
