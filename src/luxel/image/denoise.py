"""The baseline that a fast renderer has to beat: path tracing at a few paths a pixel, denoised.

Intel Open Image Denoise 2 (Áfra, "Intel Open Image Denoise", 2025), by the wheel `pyoidn`.
"""

from typing import Any, TypeVar

import numpy as np
from jaxtyping import Float32, Int64
from torch import Tensor

from luxel import InputError

BORDER = 8
"""Pixels about an image, its mirror image: without, OIDN makes corners up to a third too dark."""
Image = TypeVar("Image", Float32[np.ndarray, "height width 3"], Float32[Tensor, "height width 3"])


def denoise(radiance: Image, albedo: Image, normal: Image) -> Image:
    """Linear radiance without its noise, by OIDN's filter `RT` for HDR at high quality; a new image.

    The guides are of what each pixel shows first, free of noise and antialiased like the image: `albedo` in [0, 1],
    `normal` in [-1, 1]; both are 0 where there is sky. Arrays are denoised on the CPU, tensors where they are. Raises
    InputError if pyoidn is missing.
    """
    try:
        import pyoidn
    except ImportError as error:
        raise InputError(f"denoising needs pyoidn (pip install pyoidn): {error}") from error
    noisy, *guides = map(with_border, (radiance, albedo, normal))
    bordered = pyoidn.denoise(noisy, albedo=guides[0], normal=guides[1], hdr=True, clean_aux=True)
    clean: Image = bordered[BORDER:-BORDER, BORDER:-BORDER]
    return clean


def with_border(image: Image) -> Any:
    """The image with BORDER more pixels at each side: [height + 2 BORDER, width + 2 BORDER, 3]."""
    rows, columns = (mirrored(size) for size in image.shape[:2])
    return image[rows[:, None], columns]


def mirrored(size: int) -> Int64[np.ndarray, " bordered"]:
    """Which of 0 … size − 1 a row with BORDER more of them at each end has, 2 1 0 0 1 2, so that noise stays noise."""
    place = np.arange(-BORDER, size + BORDER) % (2 * size)
    return np.minimum(place, 2 * size - 1 - place)
