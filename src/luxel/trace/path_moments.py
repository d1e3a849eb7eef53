"""Means and variances of paths: a chunk of a pixel's by one thread, and all chunks of it together."""

import warp as wp

from luxel.core.shapes.local import INFINITY

CHUNK = wp.constant(16)
"""Paths of a pixel that one thread follows, whatever the batch, so that sums are the same in any."""


@wp.struct
class PathMoments:
    """Mean of a pixel's paths so far, and sums of squared deviations from it: of groups, and of paths."""

    mean: wp.vec3  # of whole groups
    deviation: wp.vec3  # of their means, times their size
    group: wp.vec3  # mean of the group that is not whole yet
    members: int  # of that group
    path_mean: wp.vec3
    path_deviation: float  # the sum over channels


@wp.func
def add_path(moments: PathMoments, L: wp.vec3, paths: int, group_size: int) -> PathMoments:
    """The moments with one more path, which makes so many `paths` (Welford 1962)."""
    off = L - moments.path_mean
    moments.path_mean += off / float(paths)
    moments.path_deviation += wp.dot(off, L - moments.path_mean)
    moments.members += 1
    moments.group += (L - moments.group) / float(moments.members)
    if moments.members == group_size:
        step = moments.group - moments.mean
        moments.mean += step * (float(group_size) / float(paths))
        moments.deviation += wp.cw_mul(step, moments.group - moments.mean) * float(group_size)
        moments.group = wp.vec3(0.0, 0.0, 0.0)
        moments.members = 0
    return moments


@wp.kernel(enable_backward=False)
def merge_chunks(
    means: wp.array2d[wp.vec3],
    deviations: wp.array2d[wp.vec3],
    path_deviations: wp.array2d[float],
    spp: int,
    groups: int,
    places: wp.array[int],
    first: int,
    mean: wp.array[wp.vec3],
    variance: wp.array[wp.vec3],
    path_variance: wp.array[float],
    begin: int,
) -> None:
    """Mean of all of a pixel's paths and its estimated variance, in float64 (Chan, Golub & LeVeque 1979).

    Σ n (x_k − mean)² / (spp (groups − 1)), over groups of n paths with the means x_k; and the variance of one path, the
    mean over channels. They are written from `first` on, or, if there are `places`, to the places that are there.
    """
    row = wp.tid() + begin
    total = wp.vec3d(wp.float64(0.0), wp.float64(0.0), wp.float64(0.0))
    spread = wp.vec3d(wp.float64(0.0), wp.float64(0.0), wp.float64(0.0))
    path_spread = wp.float64(0.0)
    for chunk in range(means.shape[1]):
        count = wp.float64(wp.min(CHUNK, spp - chunk * CHUNK))
        before = wp.float64(chunk * CHUNK)
        step = wp.vec3d(means[row, chunk]) - total
        between = before * count / (before + count)
        total += step * (count / (before + count))
        spread += wp.vec3d(deviations[row, chunk]) + wp.cw_mul(step, step) * between
        path_spread += wp.float64(path_deviations[row, chunk]) + wp.dot(step, step) * between
    at = first + row
    if places.shape[0] > 0:
        at = places[at]
    mean[at] = wp.vec3(total)
    path_variance[at] = INFINITY
    if spp > 1:
        path_variance[at] = float(path_spread / (wp.float64(3.0) * wp.float64(spp - 1)))
    if groups > 1:
        variance[at] = wp.vec3(spread / (wp.float64(spp) * wp.float64(groups - 1)))
    else:
        variance[at] = wp.vec3(INFINITY, INFINITY, INFINITY)
