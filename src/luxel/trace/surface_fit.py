"""Noise taken off matte surfaces, whose radiance changes with the place on them about linearly over a few pixels.

What a pixel shows of an object is fitted to the object's other pixels around: least squares, linear in the place in
world space, which on a sphere is also linear in the normal, and so exact for Lambert's cosine. Of discs of several
radii the larger counts the more, the less its value differs from that of smaller ones beyond what noise explains
(Lepski's principle; Katkovnik, Egiazarian & Astola, "Local Approximation Techniques in Signal and Image Processing",
2006, ch. 6). Pixels that several objects share are put together from each one's fit by exact coverage, so that edges
have no noise of their own, as with regression on features (Bitterli et al., "Nonlinearly Weighted First-order
Regression for Denoising Monte Carlo Renderings", 2016).
"""

from functools import cache
from typing import Any, NamedTuple

import torch
import warp as wp
from jaxtyping import Bool, Float
from torch import Tensor

from luxel.core.launch import launch, to_warp
from luxel.core.scene_batch import SceneBatch
from luxel.core.shapes.kinds import BOX, DISC, PLANE, RECTANGLE
from luxel.trace.first_hits import Features

DISC_RADII = 1.5, 2.3, 3.2, 4.5, 6.4
"""Of the discs, in pixels: each has twice the pixels of the one before."""
FLAT_FITS = (5, 12.8), (10, 25.0)
"""Of flat faces, over which light changes more slowly than over round ones: pixels from fit to fit, and the radius."""
FLAT_SHAPES = BOX, RECTANGLE, DISC, PLANE
MIN_FIT_PIXELS = wp.constant(6.0)  # pixels for a fit: its slopes and its noise are told from them, too
FACE_COSINE = wp.constant(0.5)  # cosine between normals from which on two places are of one face
RIDGE = wp.constant(1.0e-3)  # of the places' variance, added to it where they lie on a line or in a plane
MIN_MATTE_ROUGHNESS = 0.35
"""Roughness from which on an opaque surface is matte: highlights are then wider than a disc of a few pixels."""
SKY_RADIUS = wp.constant(2)  # pixels away the sky's radiance is looked for


class SurfaceFit(NamedTuple):
    """A picture of one scene, where it is known, and of what."""

    radiance: Float[Tensor, "height width 3"]
    is_known: Bool[Tensor, "height width"]
    """Of pixels all of whose objects are matte and have pixels of their own around."""
    is_whole: Bool[Tensor, "height width"]
    """Of pixels that show one face alone."""


@wp.func
def residual(moments: wp.mat33, covariance: wp.mat33, slopes: wp.mat33) -> float:
    """Σ over channels of what a fit leaves of their variance."""
    left = float(0.0)
    for channel in range(3):
        left += moments[channel, channel] - wp.dot(
            wp.vec3(covariance[0, channel], covariance[1, channel], covariance[2, channel]),
            wp.vec3(slopes[0, channel], slopes[1, channel], slopes[2, channel]),
        )
    return wp.max(left, 0.0)


@wp.kernel(enable_backward=False)
def fit_fragments(
    width: int,
    height: int,
    offsets: wp.array[wp.vec2i],
    ends: wp.array[int],
    pixel: wp.array[int],
    object_id: wp.array[int],
    position: wp.array[wp.vec3],
    normal: wp.array[wp.vec3],
    whole: wp.array[int],
    radiance: wp.array[wp.vec3],
    is_wanted: wp.array[int],
    fitted: wp.array[wp.vec3],
    fit_variance: wp.array[float],
    is_fitted: wp.array[int],
    begin: int,
) -> None:
    """The radiance of each fragment by those pixels around that show its face alone, `whole` with their fragment.

    What is fitted already counts as the fit to a smaller disc.
    """
    i = wp.tid() + begin
    if is_wanted[i] == 0:
        return
    column = pixel[i] % width
    row = pixel[i] // width
    place = position[i]
    n = float(0.0)
    d_sum = wp.vec3(0.0, 0.0, 0.0)
    y_sum = wp.vec3(0.0, 0.0, 0.0)
    dd_sum = wp.mat33()
    dy_sum = wp.mat33()
    yy_sum = wp.mat33()
    found = is_fitted[i] != 0
    value = fitted[i]
    variance = fit_variance[i]  # of the value, summed over channels
    k = int(0)
    for disc in range(ends.shape[0]):
        while k < ends[disc]:
            x = column + offsets[k][0]
            y = row + offsets[k][1]
            k += 1
            if x >= 0 and y >= 0 and x < width and y < height:
                other = whole[y * width + x]
                near = wp.max(other, 0)  # as Warp reads all parts of a condition
                if other >= 0 and object_id[near] == object_id[i] and wp.dot(normal[near], normal[i]) > FACE_COSINE:
                    d = position[near] - place
                    L = radiance[y * width + x]
                    n += 1.0
                    d_sum += d
                    y_sum += L
                    dd_sum += wp.outer(d, d)
                    dy_sum += wp.outer(d, L)
                    yy_sum += wp.outer(L, L)
        if n >= MIN_FIT_PIXELS:
            d_mean = d_sum / n
            y_mean = y_sum / n
            spread = dd_sum / n - wp.outer(d_mean, d_mean)
            scale = wp.trace(spread) + 1.0e-30  # divided out, as determinants of small lengths are too small for floats
            inverse = wp.inverse(spread / scale + wp.diag(wp.vec3(RIDGE, RIDGE, RIDGE))) / scale
            covariance = dy_sum / n - wp.outer(d_mean, y_mean)
            slopes = inverse * covariance
            estimate = y_mean - wp.transpose(slopes) * d_mean
            noise = residual(yy_sum / n - wp.outer(y_mean, y_mean), covariance, slopes) * n / (n - 3.0)
            own = noise * (1.0 + wp.dot(d_mean, inverse * d_mean)) / n
            if not found:
                value = estimate
                variance = own
                found = bool(True)
            else:
                # The larger disc's value, as far as it is not biased: w = v / (v + bias²).
                off = estimate - value
                w = variance / (variance + wp.dot(off, off) + 1.0e-20)
                value += off * w
                # The smaller disc is a part of the larger one, so that their covariance is about the latter's variance.
                variance = (1.0 - w) * (1.0 - w) * variance + w * (2.0 - w) * wp.min(own, variance)
    if found:
        fitted[i] = wp.max(value, wp.vec3(0.0, 0.0, 0.0))
        fit_variance[i] = variance
        is_fitted[i] = 1


@wp.kernel(enable_backward=False)
def compose_fragments(
    width: int,
    height: int,
    offsets: wp.array[int],
    coverage: wp.array[float],
    radiance: wp.array[wp.vec3],
    fitted: wp.array[wp.vec3],
    is_fitted: wp.array[int],
    picture: wp.array[wp.vec3],
    is_known: wp.array[bool],
    begin: int,
) -> None:
    """Each pixel as its fragments and, where they leave some of it, the sky, as the next pixels show it alone."""
    index = wp.tid() + begin
    known = offsets[index + 1] > offsets[index]
    total = wp.vec3(0.0, 0.0, 0.0)
    left = float(1.0)
    for i in range(offsets[index], offsets[index + 1]):
        if is_fitted[i] == 0:
            known = bool(False)
        total += fitted[i] * coverage[i]
        left -= coverage[i]
    if known and left > 1.0e-4:
        sky = wp.vec3(0.0, 0.0, 0.0)
        pixels = float(0.0)
        column = index % width
        row = index // width
        for y in range(wp.max(row - SKY_RADIUS, 0), wp.min(row + SKY_RADIUS + 1, height)):
            for x in range(wp.max(column - SKY_RADIUS, 0), wp.min(column + SKY_RADIUS + 1, width)):
                if offsets[y * width + x] == offsets[y * width + x + 1]:
                    sky += radiance[y * width + x]
                    pixels += 1.0
        known = pixels > 0.0
        total += sky * (left / wp.max(pixels, 1.0))
    picture[index] = total
    is_known[index] = known


@torch.no_grad()
def surface_fit(batch: SceneBatch, features: Features, radiance: Float[Tensor, "height width 3"]) -> SurfaceFit:
    """The picture of a batch's only scene, from its noisy radiance and first hits."""
    fragments, device = features.fragments, batch.device
    width, height = fragments.width, fragments.height
    pixels, count = width * height, len(fragments.pixel)
    object_id, pixel = fragments.object_id.long(), fragments.pixel.long()
    wanted, flat = matte(batch)[object_id], flat_and_matte(batch)[object_id]
    alone = fragments.offsets.diff()[pixel] == 1
    is_whole = alone & (fragments.coverage > 1 - 1e-4)
    noisy = radiance.reshape(pixels, 3).contiguous()
    fitted, variance = torch.zeros(count, 3, device=device), torch.zeros(count, device=device)
    is_fitted = torch.zeros(count, dtype=torch.int32, device=device)
    picture, is_known = torch.zeros(pixels, 3, device=device), torch.zeros(pixels, dtype=torch.bool, device=device)

    def fit(
        discs: tuple[Tensor, Tensor],
        given: Bool[Tensor, " fragments"],
        values: Float[Tensor, "pixels 3"],
        is_wanted: Bool[Tensor, " fragments"],
    ) -> None:
        """Fits to the values of pixels that show a `given` fragment alone."""
        whole = torch.full((pixels,), -1, dtype=torch.int32, device=device)
        whole[pixel[given]] = given.nonzero()[:, 0].int()
        inputs: list[Any] = [width, height, to_warp(discs[0].to(device), wp.vec2i), discs[1].to(device)]
        inputs += [fragments.pixel, fragments.object_id]
        inputs += [to_warp(vectors, wp.vec3) for vectors in (features.position, features.facing)]
        inputs += [whole, to_warp(values, wp.vec3), is_wanted.int()]
        launch(fit_fragments, count, inputs, [to_warp(fitted, wp.vec3), variance, is_fitted], device, sliced=True)

    fit(disc_offsets(DISC_RADII), is_whole, noisy, wanted)
    for step, radius in FLAT_FITS:  # of these every few pixels' fits will do, as those hold what is between
        given = is_whole & flat & (is_fitted > 0)
        fits = torch.zeros_like(noisy).index_copy(0, pixel[given], fitted[given])
        fit(disc_offsets((radius,), step), given, fits, flat)
    inputs: list[Any] = [width, height, fragments.offsets, fragments.coverage]
    inputs += [to_warp(vectors, wp.vec3) for vectors in (noisy, fitted)]
    outputs = [to_warp(picture, wp.vec3), is_known]
    launch(compose_fragments, pixels, [*inputs, is_fitted], outputs, device, sliced=True)
    fills = torch.zeros_like(is_known).index_fill(0, pixel[is_whole], True)
    return SurfaceFit(picture.reshape(height, width, 3), is_known.reshape(height, width), fills.reshape(height, width))


def matte(batch: SceneBatch) -> Bool[Tensor, " objects"]:
    """Whether an object's surface is opaque and has no highlight narrower than a disc."""
    return (batch.roughness >= MIN_MATTE_ROUGHNESS) & (batch.transmission == 0)


def flat_and_matte(batch: SceneBatch) -> Bool[Tensor, " objects"]:
    """Whether noise of an object is taken off by the wider discs, too."""
    return matte(batch) & torch.isin(batch.kind, torch.tensor(FLAT_SHAPES, device=batch.device))


@cache
def disc_offsets(radii: tuple[float, ...], step: int = 1) -> tuple[Tensor, Tensor]:
    """Columns and rows from the centre, the nearest first, and how many of them each of the discs has.

    Of every pixel, or of those on a grid of so many pixels' `step`.
    """
    reach = int(radii[-1]) // step
    steps = torch.arange(-reach, reach + 1) * step
    across, down = torch.meshgrid(steps, steps, indexing="ij")
    distance = (across**2 + down**2).flatten().double().sqrt()
    order = distance.argsort(stable=True)
    offsets = torch.stack([across.flatten(), down.flatten()], 1)[order].int()
    ends = torch.searchsorted(distance[order], torch.tensor(radii, dtype=torch.float64)).int()
    return offsets[: int(ends[-1])].contiguous(), ends
