"""The kernels that take together what paths say of pixels and of the fragments that these show."""

import warp as wp

from luxel.core.principled import mean

LATTICE, LAMP_LATTICE = wp.constant(32.0**1.5), wp.constant(128.0**1.5)
"""Weights of what a pixel's fragments are known to cover, by 32 rays, and at least by 128 where there is a lamp."""
LAMP_SHARE_ERROR = wp.constant(0.0037)
"""Of a pixel's share that lamps cover, by their outlines: the root mean square error of balls and panels of 0.07 to 4
pixels is 0.0029 to 0.0041, whatever their size."""
STRATA = wp.constant(16.0)
"""Of a pixel, at most: see `luxel.trace.path_kernel.strata_of`."""
FEW_PATHS = wp.constant(16.0)
"""See `luxel.models.residual_bands.unseen`."""
MIN_COUNT = wp.constant(0.25)
"""Paths that a fragment counts for which none has met: its residual is then 0, with the variance of so many."""
BRIGHTEST = wp.constant(4.0)
"""Times the radiance around it, to which a pixel's residual is cut before it is shared: of paths of great weight."""
TINY = wp.constant(1.0e-30)
"""Added to squares of radiance, which are far above it: what is divided by may be 0."""


@wp.struct
class PathTable:
    """Paths of pictures' pixels and of their fragments; see `luxel.models.traced_paths.Paths`."""

    offsets: wp.array[int]  # of the pixels' fragments
    mean: wp.array[wp.vec3]  # of pixels, as those that follow
    variance: wp.array[float]
    spp: wp.array[float]
    scatter: wp.array[float]
    fragment_mean: wp.array[wp.vec3]
    count: wp.array[float]  # of each fragment's paths


@wp.kernel(enable_backward=False)
def weigh_fragments(
    paths: PathTable,
    coverage: wp.array[float],
    is_lamp: wp.array[bool],
    share: wp.array[float],
    unknown: wp.array[float],
    from_unknown: wp.array[wp.vec3],
    certainty: wp.array[float],
    begin: int,
) -> None:
    """What share of each pixel its fragments cover, by the rays that have found them and by the paths.

    What n rays on a lattice, or one in each of n strata, say of a share is off by about n^(-3/4). A lamp's share c is
    known as by c (1 − c) / LAMP_SHARE_ERROR² independent rays, and strata gain 4 c (1 − c) of that: a speck may lie in
    one of them, where they gain nothing.
    """
    pixel = wp.tid() + begin
    first = paths.offsets[pixel]
    end = paths.offsets[pixel + 1]
    spp = paths.spp[pixel]
    of_lamps = float(0.0)
    counted = float(0.0)
    of_fragments = wp.vec3(0.0, 0.0, 0.0)
    for i in range(first, end):
        if is_lamp[i]:
            of_lamps += coverage[i]
        counted += paths.count[i]
        of_fragments += paths.count[i] * paths.fragment_mean[i]
    of_lamps = wp.clamp(of_lamps, 0.0, 1.0)
    lattice = float(LATTICE)
    of_path = wp.sqrt(wp.min(spp, STRATA))
    if of_lamps > 0.0:
        spread = of_lamps * (1.0 - of_lamps)
        lattice = wp.max(spread / (LAMP_SHARE_ERROR * LAMP_SHARE_ERROR), LAMP_LATTICE)
        of_path = wp.max(4.0 * spread * of_path, 1.0)
    traced = spp * of_path
    for i in range(first, end):
        share[i] = (lattice * coverage[i] + of_path * paths.count[i]) / (lattice + traced)
    believed = wp.where(counted < spp, traced / (lattice + traced), 0.0)
    unknown[pixel] = believed * (1.0 - counted / spp)
    from_unknown[pixel] = believed * wp.max(paths.mean[pixel] - of_fragments / spp, wp.vec3(0.0, 0.0, 0.0))
    certainty[pixel] = lattice + traced


@wp.kernel(enable_backward=False)
def measure_pixels(
    paths: PathTable,
    coverage: wp.array[float],
    picture: wp.array[wp.vec3],
    path_variance: wp.array[float],
    brightness: wp.array[float],
    begin: int,
) -> None:
    """Of each pixel the variance of one path, 0 of a single one, and the radiance of its `picture` or of its paths.

    The variance is that about its fragment's mean, or, where each path has found another fragment, about the pixel's.
    Of the radiance it is that of its fragments, whichever says more.
    """
    pixel = wp.tid() + begin
    counted = float(0.0)
    means = float(0.0)
    total = float(0.0)
    for i in range(paths.offsets[pixel], paths.offsets[pixel + 1]):
        counted += paths.count[i]
        means += wp.where(paths.count[i] > 0.0, 1.0, 0.0)
        total += wp.max(mean(picture[i]), mean(paths.fragment_mean[i])) * coverage[i]
    found = float(0.0)
    if counted > means:
        found = paths.scatter[pixel] / wp.max(counted - means, 1.0)
    else:
        found = paths.variance[pixel] * paths.spp[pixel]
    path_variance[pixel] = wp.where(paths.spp[pixel] > 1.0, found, 0.0)
    brightness[pixel] = total


@wp.kernel(enable_backward=False)
def measure_residuals(
    paths: PathTable,
    pixels: wp.array[int],
    picture: wp.array[wp.vec3],
    least_path_variance: wp.array[float],
    is_uncertain: wp.array[bool],
    path_variance: wp.array[float],
    around: wp.array[float],
    shared: wp.array[wp.vec3],
    variance: wp.array[float],
    removed: wp.array[float],
    weight: wp.array[float],
    begin: int,
) -> None:
    """Of each fragment the residual that its neighbours share, its variance, what was cut off it, and what it counts.

    It is cut to BRIGHTEST times the radiance `around` its pixel. A part of the variance is `unseen`.
    """
    i = wp.tid() + begin
    pixel = pixels[i]
    count = wp.max(paths.count[i], MIN_COUNT)
    raw = wp.vec3(0.0, 0.0, 0.0)
    if paths.count[i] > 0.0:
        raw = paths.fragment_mean[i] - picture[i]
    seen = wp.max(path_variance[pixel], least_path_variance[i]) / count
    variance[i] = mean(wp.cw_mul(raw, raw)) / (count * (1.0 + count / FEW_PATHS)) + seen
    length = wp.max(wp.abs(raw))
    cut = raw * wp.min(BRIGHTEST * around[pixel] / wp.max(length, TINY), 1.0)
    shared[i] = cut
    removed[i] = mean(raw - cut)
    weight[i] = wp.where(is_uncertain[i], count / paths.spp[pixel], 0.0)
