"""The baseline that a fast renderer has to beat: path tracing at a few paths a pixel, denoised.

Intel Open Image Denoise 2 (Áfra, "Intel Open Image Denoise", 2025), by the wheel `pyoidn`.
"""

from typing import TypeVar

import numpy as np
from jaxtyping import Float32
from torch import Tensor

from luxel import InputError

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
    clean: Image = pyoidn.denoise(radiance, albedo=albedo, normal=normal, hdr=True, clean_aux=True)
    return clean
