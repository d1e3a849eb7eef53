"""Image files: OpenEXR for linear radiance; PNG, JPEG and WebP for a tone-mapped view of it."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import numpy as np
import torch
from jaxtyping import Float32, UInt8
from PIL import Image
from pydantic import Field

from luxel import InputError
from luxel.configuration import checker, shortened
from luxel.files.atomic import check_file, make_folder_of, replacing
from luxel.image.tonemap import tone_map
from luxel.near_words import naming_near_words

Radiance = Float32[np.ndarray, "height width 3"]
Stops: TypeAlias = Annotated[float, Field(ge=-64, le=64)]
check_exposure = checker(Stops)
LINEAR = ".exr"
ENCODERS: dict[str, tuple[str, dict[str, Any]]] = {
    ".png": ("PNG", {}),
    ".jpg": ("JPEG", {"quality": 92, "subsampling": "4:4:4"}),  # halved colour smears the edges of saturated objects
    ".jpeg": ("JPEG", {"quality": 92, "subsampling": "4:4:4"}),
    ".webp": ("WEBP", {"quality": 92}),
}
"""Pillow's format and options for each suffix of a tone-mapped picture."""
MAX_SIDE = {"JPEG": 65500, "WEBP": 16383}
"""Pixels that an encoder takes at most: libjpeg's JPEG_MAX_DIMENSION, and libwebp's WEBP_MAX_DIMENSION."""
SUFFIXES = ".exr (linear), or .png, .jpg or .webp (tone-mapped)"
ROUNDING = 1e-6
"""Radiance may be negative by this share of the image's highest, or of 1, which is written as 0."""


def display_values(radiance: Radiance, tone: str = "clamp", exposure: float = 0.0) -> Radiance:
    """Display values in [0, 1] of linear radiance, times 2 to the power of `exposure`, under the tone map `tone`."""
    exposed = np.ascontiguousarray(radiance) * np.float32(2.0**exposure)
    return tone_map(tone)(torch.from_numpy(exposed)).numpy()


def to_bytes(radiance: Radiance, tone: str = "clamp", exposure: float = 0.0) -> UInt8[np.ndarray, "height width 3"]:
    """`display_values` as integers, 0–255."""
    return (display_values(radiance, tone, exposure) * 255 + 0.5).astype(np.uint8)


@naming_near_words
def save_image(path: str | Path, radiance: Any, tone: str = "clamp", exposure: float = 0.0) -> None:
    """Write linear radiance, [height, width, 3], as `.exr` (float32), `.png`, `.jpg` or `.webp` (8 bit, `tone`, sRGB).

    All but an `.exr` are brighter by `exposure` stops: 1 doubles radiance before it is tone-mapped. Raises InputError
    on another suffix, for an exposure of an `.exr`, which is radiance itself, and for an image that is not radiance.
    """
    if not isinstance(path, str | Path):
        raise InputError(f"path is {shortened(path)}, must be the path of an .exr or a .png")
    path = Path(path)
    check_image_file(path, exposure)
    radiance = as_radiance(radiance, str(path))
    if is_display(path):
        save_pixels(path, to_bytes(radiance, tone, exposure))
        return
    make_folder_of(path)
    with replacing(path) as partial:
        write_exr(partial, radiance)


def save_pixels(path: Path, pixels: UInt8[np.ndarray, "height width channels"]) -> None:
    """Write display values as a PNG, JPEG or WebP, by the suffix. Raises InputError for more pixels than that takes.

    RGB, or where the file may have alpha (`has_alpha`) RGBA.
    """
    format_name, _ = ENCODERS[path.suffix.lower()]
    height, width, _ = pixels.shape
    most = MAX_SIDE.get(format_name, max(height, width))
    if max(height, width) > most:
        raise InputError(f"{path}: is of {width}×{height}, a {format_name} has at most {most} a side; write a .png")
    make_folder_of(path)
    with replacing(path) as partial:
        partial.write_bytes(encoded(pixels, path.suffix))


def encoded(pixels: UInt8[np.ndarray, "height width channels"], suffix: str) -> bytes:
    """The content of a file of these display values, by its suffix; a `.png` keeps them as they are."""
    format_name, options = ENCODERS[suffix.lower()]
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, format=format_name, **options)
    return content.getvalue()


def has_alpha(path: Path) -> bool:
    """Whether the file, by its suffix, may have an alpha channel."""
    return path.suffix.lower() in (LINEAR, ".png", ".webp")


def is_display(path: Path) -> bool:
    """Whether the file, by its suffix, is a tone-mapped picture."""
    return path.suffix.lower() in ENCODERS


def write_exr(
    path: Path, radiance: Float32[np.ndarray, "height width channels"], attributes: Mapping[str, str] | None = None
) -> None:
    """Write an OpenEXR file of float32, RGB or RGBA, with attributes of one's own in its header.

    Raises OSError if the system refuses, of which OpenEXR says hardly why.
    """
    import OpenEXR  # here, as training can do without

    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage, **(attributes or {})}
    try:
        with OpenEXR.File(
            header, {"RGB" if radiance.shape[2] == 3 else "RGBA": np.ascontiguousarray(radiance)}
        ) as file:
            file.write(str(path))
    except RuntimeError as error:
        raise OSError(str(error)) from error


def exr_attribute(path: Path, name: str) -> str | None:
    """What `write_exr` was given under this name; None without it, and for what is no OpenEXR file."""
    import OpenEXR

    try:
        with OpenEXR.File(str(path), header_only=True) as file:
            found = file.header().get(name)
    except (RuntimeError, ValueError, TypeError, OSError):
        return None
    return found if isinstance(found, str) else None


def check_image_file(path: Path, exposure: float = 0.0) -> None:
    """Raise InputError unless `path` ends as an image does, and has an exposure, within its range, only if tone-mapped.

    Nor may it be a folder. Call it before long work, not after.
    """
    check_file(path, "image.png")
    if not (is_display(path) or path.suffix.lower() == LINEAR):
        raise InputError(f"{path}: image files end in {SUFFIXES}")
    if check_exposure("exposure", exposure) and not is_display(path):
        raise InputError(f"exposure is {exposure}, but {path} holds radiance as it is; leave it out, or write a .png")


def as_radiance(image: Any, source: str) -> Radiance:
    """The array or tensor as float32 radiance. Raises InputError, beginning with `source`, if it is not radiance."""
    if isinstance(image, torch.Tensor):
        image = image.detach().cpu().numpy()
    if not isinstance(image, np.ndarray) or not np.issubdtype(image.dtype, np.floating):
        kind = f"{image.dtype}" if isinstance(image, np.ndarray) else type(image).__name__
        raise InputError(f"{source}: the image is of {kind}, must be an array of floating-point radiance")
    if image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
        raise InputError(f"{source}: the image is of shape {image.shape}, must be [height, width, 3]")
    image = image.astype(np.float32, copy=False)
    finite = np.isfinite(image)
    lowest = -ROUNDING * max(1.0, float(image.max(where=finite, initial=0.0)))
    wrong = np.argwhere(~finite | (image < lowest))
    if len(wrong):
        row, column, channel = wrong[0]
        raise InputError(
            f"{source}: the image is {image[row, column, channel]:g} at row {row}, column {column}, but radiance is "
            f"finite and at least 0 (of {image.size} values {len(wrong)} are not)"
        )
    return np.maximum(image, 0)
