"""The kernel that takes residuals' levels apart: bands, how noisy they are, and what a Blender reads of them.

On a CPU, logarithms are most of it: those of a fragment are taken at once, by the processor's vector units.
"""

import warp as wp

from luxel.core.intersect import MISS
from luxel.core.principled import mean
from luxel.models.path_statistics import TINY
from luxel.models.residual_filter import (
    DETAILS,
    DEVIATION,
    PATHS_VARIANCE,
    PRODUCTS,
    REMOVED,
    SQUARE,
    STEPS,
    VARIANCE,
    Moments,
)

LEVELS = len(STEPS)
ALL_LEVELS, ALL_DETAILS = wp.constant(LEVELS), wp.constant(DETAILS)
WIDE_LEVEL = wp.constant(5)
"""Whose neighbours say which share of the picture's details is mottle."""
SCALE_LEVEL = wp.constant(3)
"""Whose paths say, beside the picture, how bright a place is."""
NOISE_LEVEL = wp.constant(2)
"""Whose neighbours' paths say, beside a pixel's own, how noisy it is: of few, none may have found what is bright."""
PATCH_LEVEL = wp.constant(4)
"""Whose neighbours say it of a patch with less than QUIET of their variance: all its paths may have missed a lamp."""
QUIET = wp.constant(0.03)
MAX_LOGARITHM = wp.constant(12.0)
"""Of a ratio that the Blender reads, or writes: e to the 12 is 160 000."""
MOTTLE_LEVELS = (2, 3, 5)
"""Of which the Blender reads what the residual has of the picture's details."""
FEATURES = 5 * LEVELS + 11 + 4 * DETAILS * len(MOTTLE_LEVELS)

# Where among a fragment's features they begin; see `luxel.models.residual_bands.Residual`.
BAND, BAND_NOISE, SQUARES, NOISE = (wp.constant(first) for first in (0, LEVELS, 2 * LEVELS, 3 * LEVELS + 1))
BRIGHTNESS, SHARES = wp.constant(4 * LEVELS + 2), wp.constant(4 * LEVELS + 3)
COARSEST, FINEST, MOTTLE = (wp.constant(5 * LEVELS + after) for after in (3, 4, 5))
OF_A_MOTTLE_LEVEL = wp.constant(4 * DETAILS)
PATHS, MATERIAL = wp.constant(FEATURES - 6), wp.constant(FEATURES - 5)
READ_LEVELS = wp.constant(len(MOTTLE_LEVELS))
MottleLevels = wp.types.vector(len(MOTTLE_LEVELS), int)
OF_MOTTLE = wp.constant(MottleLevels(*MOTTLE_LEVELS))

Features = wp.types.vector(FEATURES, float)
ALL_FEATURES = wp.constant(FEATURES)
SQRT_HALF_BITS = wp.constant(0x3F3504F3)  # of the float √½
LOG_2 = wp.constant(0.6931471805599453)


@wp.struct
class Materials:
    """What features say of objects."""

    roughness: wp.array[float]
    metallic: wp.array[float]
    transmission: wp.array[float]
    is_emissive: wp.array[bool]


@wp.struct
class Described:
    """A Residual for kernels, fragment by fragment."""

    bands: wp.array2d[wp.vec3]
    variance: wp.array2d[float]
    scale: wp.array[float]
    paths_variance: wp.array[float]
    noisy: wp.array[float]
    details: wp.array2d[wp.vec3]
    mottle: wp.array2d[float]
    mottle_variance: wp.array2d[float]
    features: wp.array[Features]


@wp.func
def greater(a: float, b: float) -> float:
    """The maximum, without the function call that a CPU's is."""
    return wp.where(a < b, b, a)


@wp.func
def log_ratios(above: Features, below: Features) -> Features:
    """log(a / b) within ±MAX_LOGARITHM, over 4, which is about 1 where it is large; 0 where both are 0.

    With a / b = 2^e (1 + m), 1 + m in [√½, √2), it is e log 2 + log(1 + m), the latter by the polynomial of Cephes'
    logf (Moshier 1992), which is right to 1e-7. There is no branch, so that a loop over vectors is vectorised.
    """
    result = Features()
    k = int(0)
    while k < ALL_FEATURES:
        bits = wp.cast((above[k] + TINY) / (below[k] + TINY), wp.int32)
        exponent = (bits - SQRT_HALF_BITS) >> 23
        m = wp.cast(bits - (exponent << 23), wp.float32) - 1.0
        p = float(7.0376836292e-2)
        p = p * m - 1.1514610310e-1
        p = p * m + 1.1676998740e-1
        p = p * m - 1.2420140846e-1
        p = p * m + 1.4249322787e-1
        p = p * m - 1.6668057665e-1
        p = p * m + 2.0000714765e-1
        p = p * m - 2.4999993993e-1
        p = p * m + 3.3333331174e-1
        value = float(exponent) * LOG_2 + (m + m * m * (m * p - 0.5))
        value = wp.where(value < -MAX_LOGARITHM, -MAX_LOGARITHM, value)
        result[k] = 0.25 * wp.where(value > MAX_LOGARITHM, MAX_LOGARITHM, value)
        k += 1
    return result


@wp.func
def level_variance(values: Moments) -> float:
    """Of a level's residual: what was cut off paths of great weight may all be there, and it may be off by as much."""
    return values[VARIANCE] + values[REMOVED] * values[REMOVED]


@wp.func
def colour_of(values: Moments) -> wp.vec3:
    """The residual itself."""
    return wp.vec3(values[0], values[1], values[2])


@wp.func
def with_plain_features(features: Features, i: int, moments: wp.array2d[Moments], share: wp.array2d[float]) -> Features:
    """With those of fragment i that are no logarithms: neighbours' weights, and the details' shares in the residual."""
    k = int(0)
    while k < ALL_LEVELS:
        features[SHARES + k] = share[k, i]
        k += 1
    d = int(0)
    while d < ALL_DETAILS:
        k = int(0)
        while k < READ_LEVELS:
            values = moments[OF_MOTTLE[k], i]
            ratio = -values[PRODUCTS + 2 * d] / greater(values[PRODUCTS + 2 * d + 1], TINY)
            features[MOTTLE + k * OF_A_MOTTLE_LEVEL + d] = wp.clamp(ratio, -1.0, 2.0)
            k += 1
        d += 1
    return features


@wp.func
def with_material(features: Features, materials: Materials, object_id: int) -> Features:
    """With those of an object's material; 0 of the sky."""
    if object_id != MISS:
        features[MATERIAL] = 1.0
        features[MATERIAL + 1] = materials.roughness[object_id]
        features[MATERIAL + 2] = materials.metallic[object_id]
        features[MATERIAL + 3] = materials.transmission[object_id]
        features[MATERIAL + 4] = wp.where(materials.is_emissive[object_id], 1.0, 0.0)
    return features


@wp.kernel(enable_backward=False)
def describe_fragments(
    rows: wp.array[wp.int64],
    object_id: wp.array[int],
    materials: Materials,
    radiance: wp.array[wp.vec3],
    spp: wp.array[float],
    moments: wp.array2d[Moments],
    share: wp.array2d[float],
    details: wp.array2d[wp.vec3],
    described: Described,
    begin: int,
) -> None:
    """Of the fragments `rows` their Residual: bands, variances, and the features that compare them.

    What is compared is a ratio of `above` and `below`, until the logarithms of all are taken; the features that are
    none are written after these. As functions of their own, which copy such long vectors, the parts before take a CPU
    four to eight times as long altogether.
    """
    j = wp.tid() + begin
    i = int(rows[j])
    brightness = mean(radiance[i])
    scale = brightness + greater(brightness + mean(colour_of(moments[SCALE_LEVEL, i])), 0.0)
    squared = scale * scale
    above = Features()
    below = Features()

    # Bands are differences of levels; the variance of each is that of the noisier level.
    k = int(0)
    while k < ALL_LEVELS:
        level = moments[k + 1, i]
        band = colour_of(level)
        variance = level_variance(level)
        if k + 1 < ALL_LEVELS:
            coarser = moments[k + 2, i]
            band -= colour_of(coarser)
            variance = greater(variance, level_variance(coarser))
        described.bands[j, k] = band
        described.variance[j, k] = variance
        above[BAND + k] = wp.dot(band, band) / 3.0
        below[BAND + k] = variance
        above[BAND_NOISE + k] = variance
        below[BAND_NOISE + k] = squared
        k += 1
    k = int(0)
    while k <= ALL_LEVELS:
        noise = moments[k, i][PATHS_VARIANCE]
        above[SQUARES + k] = moments[k, i][SQUARE]
        below[SQUARES + k] = noise
        above[NOISE + k] = noise
        below[NOISE + k] = squared
        k += 1
    above[BRIGHTNESS] = brightness
    below[BRIGHTNESS] = scale
    above[COARSEST] = above[BAND + ALL_LEVELS - 1]
    below[COARSEST] = squared
    above[FINEST] = above[BAND]
    below[FINEST] = squared
    above[PATHS] = spp[i]
    below[PATHS] = 1.0

    # Of each of the picture's details: how sure its share in the residual is, and how strong it is.
    wide = moments[WIDE_LEVEL, i]
    d = int(0)
    while d < ALL_DETAILS:
        detail = details[d, i]
        own = wp.dot(detail, detail) / 3.0
        k = int(0)
        while k < READ_LEVELS:
            values = moments[OF_MOTTLE[k], i]
            products = values[PRODUCTS + 2 * d]
            squares = values[PRODUCTS + 2 * d + 1]
            along = products / greater(wp.sqrt(squares), TINY)  # the residual's part along the detail
            at = MOTTLE + k * OF_A_MOTTLE_LEVEL + d + ALL_DETAILS
            above[at] = along * along
            below[at] = values[VARIANCE]
            above[at + ALL_DETAILS] = squares
            below[at + ALL_DETAILS] = squared
            above[at + 2 * ALL_DETAILS] = own
            below[at + 2 * ALL_DETAILS] = squares
            k += 1
        squares = greater(wide[PRODUCTS + 2 * d + 1], TINY)
        described.details[j, d] = detail
        described.mottle[j, d] = -wide[PRODUCTS + 2 * d] / squares
        described.mottle_variance[j, d] = wide[VARIANCE] / squares
        d += 1

    features = with_plain_features(log_ratios(above, below), i, moments, share)
    described.features[j] = with_material(features, materials, object_id[i])

    # The noise of the fragment's own paths, or of those around it.
    nearby = moments[NOISE_LEVEL, i]
    near = greater(moments[0, i][PATHS_VARIANCE], nearby[PATHS_VARIANCE])
    around = moments[PATCH_LEVEL, i][PATHS_VARIANCE]
    described.scale[j] = scale
    described.paths_variance[j] = wp.where(near < QUIET * around, around, near)
    described.noisy[j] = nearby[DEVIATION] * nearby[DEVIATION] / greater(nearby[PATHS_VARIANCE], TINY)
