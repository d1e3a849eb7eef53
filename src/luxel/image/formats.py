"""Image files: OpenEXR for linear radiance, PNG for a tone-mapped view of it."""

from pathlib import Path

import numpy as np
import OpenEXR
import torch
from jaxtyping import Float32, UInt8
from PIL import Image

from luxel import InputError
from luxel.image.tonemap import tone_map

Radiance = Float32[np.ndarray, "height width 3"]


def to_bytes(radiance: Radiance, tone: str = "clamp") -> UInt8[np.ndarray, "height width 3"]:
    """Display values 0–255 of linear radiance under the tone map named `tone`."""
    display = tone_map(tone)(torch.from_numpy(np.ascontiguousarray(radiance)))
    return (display * 255 + 0.5).to(torch.uint8).numpy()


def save_image(path: str | Path, radiance: Radiance, tone: str = "clamp") -> None:
    """Write `.exr` (float32, linear, `tone` unused) or `.png` (8 bit, `tone` then sRGB), by the suffix.

    Raises InputError on another suffix.
    """
    path = Path(path)
    check_suffix(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix.lower() == ".png":
        Image.fromarray(to_bytes(radiance, tone)).save(path)
        return
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    with OpenEXR.File(header, {"RGB": np.ascontiguousarray(radiance)}) as file:
        file.write(str(path))


def load_exr(path: Path) -> Radiance:
    """The RGB channels of an OpenEXR file as float32, row 0 at the top."""
    with OpenEXR.File(str(path)) as file:
        return np.asarray(file.channels()["RGB"].pixels, dtype=np.float32)


def check_suffix(path: Path) -> None:
    """Raise InputError unless `path` ends in `.exr` or `.png`: call it before long work, not after."""
    if path.suffix.lower() not in (".exr", ".png"):
        raise InputError(f"{path}: image files end in .exr (linear) or .png (tone-mapped)")
