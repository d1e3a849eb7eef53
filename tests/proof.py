"""Whether two renderings are of the same scene, statistically, and a folder to look into when they are not.

Every pixel and channel is tested by Student's t (with Welch's degrees of freedom), and so is each channel's mean over
the image, which finds what is too faint in any one pixel; the thresholds are for all of them together (Šidák).
"""

import tempfile
from pathlib import Path

import numpy as np
from scipy import stats

from luxel.image.formats import save_image
from luxel.trace.path_kernel import strata_of
from luxel.trace.tracer import Radiance

FALSE_ALARM = 1e-3  # an image; seeds are fixed, so that it passes always or never
DEGREES = 63  # of freedom of the reference's variance
ROUNDING = 1e-5  # relative, of sums in float32


def p_values(ours: Radiance, reference: Radiance) -> np.ndarray:
    """Two-sided, of every pixel and channel, and in the last row of the image's means: [values, 3]."""
    means, variances = (np.stack(arrays).astype(np.float64) for arrays in zip(ours[:2], reference[:2], strict=True))
    means, variances = means.reshape(2, -1, 3), variances.reshape(2, -1, 3)
    pixels = means.shape[1]
    means = np.concatenate([means, means.mean(1, keepdims=True)], axis=1)
    variances = np.concatenate([variances, variances.mean(1, keepdims=True) / pixels], axis=1)
    error = np.sqrt(variances.sum(0) + (ROUNDING * means[1]) ** 2 + 1e-14)
    degrees = np.array([degrees_of(one) for one in (ours, reference)], np.float64)[:, None, None]
    welch = (variances.sum(0) + 1e-30) ** 2 / ((variances**2 / degrees).sum(0) + 1e-60)
    return 2 * stats.t.sf(np.abs(means[0] - means[1]) / error, df=np.clip(welch, degrees.min(), None))


def degrees_of(radiance: Radiance) -> int:
    """Of freedom of a variance: that of the path tracer is from groups of stratified paths, Mitsuba's from batches."""
    columns, rows = strata_of(radiance.spp)
    return min(DEGREES, -(-radiance.spp // (columns * rows)) - 1)


def assert_agree(name: str, ours: Radiance, reference: Radiance) -> None:
    """Fails if they differ, naming a folder with both images and the p-values."""
    values = p_values(ours, reference)
    threshold = 1 - (1 - FALSE_ALARM) ** (1 / values.size)
    if values.min() >= threshold:
        return
    folder = Path(tempfile.mkdtemp(prefix=f"luxel-{name.replace(' ', '-').replace(',', '')}-"))
    for label, radiance in (("ours", ours), ("reference", reference)):
        save_image(folder / f"{label}.exr", radiance.mean[0])
    shape = reference.mean.shape[1:]
    save_image(folder / "p_values.exr", values[:-1].reshape(shape).astype(np.float32))
    np.savetxt(folder / "p_values.txt", values, header="pixels row by row, then the image's means")
    raise AssertionError(f"{name}: least p-value {values.min():.2g}, must be at least {threshold:.2g}; see {folder}")
