"""Environment maps: pictures of all directions, latitude by longitude, from files or within the scene itself.

The first row is the zenith's, and columns go clockwise, seen from above: the middle of a map lies towards +y, and the
right half of it towards +x, so that it looks as it would from within.
"""

import base64
import binascii
import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Float64

from luxel import InputError
from luxel.files.exr import load_exr
from luxel.files.pfm import decode_pfm, encode_pfm
from luxel.files.radiance_hdr import decode_hdr, encode_hdr
from luxel.files.typed_json import check_size, reading
from luxel.scene.limits import MAX_RADIANCE

MAX_TEXELS = 1 << 23
"""4096 × 2048: with what sampling needs, 200 MB."""
MAX_BYTES = 1 << 30
EMBEDDED = "data:image/vnd.radiance;base64,"
"""What the name of a map begins with whose .hdr file is in the scene itself (RFC 2397)."""
LOSSLESS = "data:image/x-portable-floatmap;base64,"
"""The same of a .pfm file, which keeps every bit: 16 characters a texel, where an .hdr file has 6."""
WITHIN = "the map in the scene"
REMEDY = "give an .exr or .hdr file, latitude by longitude"


@dataclass(frozen=True, eq=False)
class EnvironmentMap:
    """Radiance in all directions; equal maps have equal hashes."""

    texels: Float32[np.ndarray, "height width 3"]
    """Linear RGB; not writeable."""
    sha256: str
    """Of the texels and their size."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, EnvironmentMap) and self.sha256 == other.sha256

    def __hash__(self) -> int:
        return hash(self.sha256)


def read_map(file: str) -> EnvironmentMap:
    """The map of a file, or of one within the scene. Raises InputError, naming the file and what would be right."""
    if file.startswith(EMBEDDED):
        return _embedded(file)
    if file.startswith(LOSSLESS):
        return _lossless(file)
    with reading(Path(file), REMEDY):
        found = Path(file).stat()
    return _of_file(file, found.st_mtime_ns, found.st_size)


def is_within_scene(file: str) -> bool:
    """Whether the name of a map is the map itself, not a path."""
    return file.startswith((EMBEDDED, LOSSLESS))


def embedded(texels: Float32[np.ndarray, "height width 3"]) -> str:
    """What `read_map` reads these texels from, rounded as in an .hdr file."""
    return EMBEDDED + base64.b64encode(encode_hdr(texels)).decode()


def lossless(texels: Float32[np.ndarray, "height width 3"]) -> str:
    """What `read_map` reads just these texels from."""
    return LOSSLESS + base64.b64encode(encode_pfm(texels)).decode()


@lru_cache(64)
def _embedded(file: str) -> EnvironmentMap:
    return environment_map(decode_hdr(_content(file), WITHIN), WITHIN)


@lru_cache(8)
def _lossless(file: str) -> EnvironmentMap:
    return environment_map(decode_pfm(_content(file), WITHIN), WITHIN)


def _content(file: str) -> bytes:
    """The bytes of a data URL."""
    try:
        return base64.b64decode(file.partition(",")[2], validate=True)
    except binascii.Error as error:
        raise InputError(f"{WITHIN} is no base64: {error}") from None


@lru_cache(8)
def _of_file(file: str, modified: int, size: int) -> EnvironmentMap:
    path = Path(file)
    with reading(path, REMEDY):
        check_size(path, MAX_BYTES, REMEDY)
        match path.suffix.lower():
            case ".exr":
                return environment_map(load_exr(path), file)
            case ".hdr" | ".pic" | ".rgbe":
                return environment_map(decode_hdr(path.read_bytes(), file), file)
    raise InputError(f"{file}: is no environment map; {REMEDY}")


def map_directions(
    latitude: Float64[np.ndarray, "height 1"], azimuth: Float64[np.ndarray, " width"]
) -> Float64[np.ndarray, "height width 3"]:
    """Unit vectors at latitudes from the zenith, and at azimuths from +y on, clockwise seen from above; radians."""
    across = np.sin(latitude)
    return np.stack(np.broadcast_arrays(across * np.sin(azimuth), across * np.cos(azimuth), np.cos(latitude)), 2)


def environment_map(texels: Float32[np.ndarray, "height width 3"], source: str) -> EnvironmentMap:
    """Raises InputError, beginning with `source`, for what is too large, or no radiance."""
    height, width, _ = texels.shape
    if not 0 < height * width <= MAX_TEXELS:
        raise InputError(f"{source}: has {width}×{height} pixels, must have at most {MAX_TEXELS}; scale it down")
    wrong = np.argwhere(~((texels >= 0) & (texels <= MAX_RADIANCE)))
    if len(wrong):
        row, column, _ = wrong[0].tolist()
        raise InputError(
            f"{source}: is {texels[row, column].tolist()} at row {row}, column {column}, must be radiance in "
            f"[0, {MAX_RADIANCE:g}]"
        )
    texels = np.ascontiguousarray(texels, np.float32)
    texels.flags.writeable = False
    digest = hashlib.sha256(f"{width}x{height}".encode() + texels.tobytes())
    return EnvironmentMap(texels, digest.hexdigest())
