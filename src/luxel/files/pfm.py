"""Portable float maps (.pfm): pixels of 32-bit floats as they are, rows from the bottom up (Debevec 2001)."""

import re

import numpy as np
from jaxtyping import Float32

from luxel import InputError

Pixels = Float32[np.ndarray, "height width 3"]


def encode_pfm(pixels: Pixels) -> bytes:
    """The file's bytes, little-endian, as the scale below zero says."""
    height, width, _ = pixels.shape
    return f"PF\n{width} {height}\n-1.0\n".encode() + pixels[::-1].astype("<f4").tobytes()


def decode_pfm(content: bytes, source: str) -> Pixels:
    """Linear RGB, row 0 at the top. Raises InputError, beginning with `source`, for what `encode_pfm` does not write.

    The scale's size, which has no agreed meaning, is ignored; its sign is the order of bytes.
    """
    header = re.match(rb"PF\s+(\d{1,9})\s+(\d{1,9})\s+(-?)\d+(?:\.\d+)?\s", content)
    if header is None:
        raise InputError(f"{source}: is no portable float map of RGB, which begins with PF, width, height and scale")
    width, height, order = int(header[1]), int(header[2]), "<f4" if header[3] else ">f4"
    if width * height == 0 or len(content) - header.end() != width * height * 12:
        size = len(content) - header.end()
        raise InputError(f"{source}: has {size} bytes of pixels, must have {width}×{height} of 12, at least one")
    rows = np.frombuffer(content, order, offset=header.end()).reshape(height, width, 3)
    return np.ascontiguousarray(rows[::-1], np.float32)
