"""Radiance's .hdr files: RGBE, three mantissas of 8 bits that share an exponent (Ward, "Real Pixels", 1991)."""

import re

import numpy as np
from jaxtyping import Float32, UInt8

from luxel import InputError

SIGNATURES = (b"#?RADIANCE", b"#?RGBE")
RUN_LENGTHS = range(8, 1 << 15)  # widths of which rows may be compressed

Pixels = Float32[np.ndarray, "height width 3"]


def decode_hdr(content: bytes, source: str) -> Pixels:
    """Linear RGB, row 0 at the top. Raises InputError, beginning with `source`, for what is no .hdr of radiance."""
    header, blank, rest = content.partition(b"\n\n")
    if not content.startswith(SIGNATURES) or not blank:
        raise InputError(f"{source}: is no Radiance file, which begins with #?RADIANCE")
    form = re.search(rb"^FORMAT=(.*)$", header, re.MULTILINE)
    if form is not None and form[1].strip() != b"32-bit_rle_rgbe":
        name = form[1].decode(errors="replace").strip()
        raise InputError(f"{source}: its FORMAT is {name}, must be 32-bit_rle_rgbe")
    line, _, data = rest.partition(b"\n")
    size = re.fullmatch(rb"-Y (\d+) \+X (\d+)\s*", line)
    if size is None:
        order = line[:40].decode(errors="replace")
        raise InputError(f"{source}: its pixels are in the order {order!r}, must be '-Y height +X width'")
    height, width = int(size[1]), int(size[2])
    if not 0 < height * width <= 1 << 28:
        raise InputError(f"{source}: is {width}×{height} pixels large, must have at least one and at most 2²⁸")
    return _radiance(_rows(data, height, width, source))


def encode_hdr(pixels: Pixels) -> bytes:
    """The file's bytes, uncompressed; radiance keeps 8 bits of its largest channel."""
    height, width, _ = pixels.shape
    largest = pixels.max(axis=2)
    mantissa, exponent = np.frexp(largest)
    scale = np.where(largest > 1e-32, mantissa * 256 / np.maximum(largest, 1e-32), 0)
    rgbe = np.zeros((height, width, 4), np.uint8)
    rgbe[..., :3] = pixels * scale[..., None]
    rgbe[..., 3] = np.where(largest > 1e-32, exponent + 128, 0)
    return b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n" + f"-Y {height} +X {width}\n".encode() + rgbe.tobytes()


def _radiance(rgbe: UInt8[np.ndarray, "height width 4"]) -> Pixels:
    """(mantissa + ½) 2^(exponent − 136), the middle of what is rounded to it; 0 for an exponent of 0."""
    scale = np.where(rgbe[..., 3] > 0, np.ldexp(1.0, rgbe[..., 3].astype(np.int32) - 136), 0)
    return ((rgbe[..., :3] + 0.5) * scale[..., None]).astype(np.float32)


def _rows(data: bytes, height: int, width: int, source: str) -> UInt8[np.ndarray, "height width 4"]:
    """The pixels' four bytes: all as they are, or row by row, channel by channel, in runs."""
    start = bytes((2, 2, width >> 8, width & 255)) if width in RUN_LENGTHS else None
    cut_off = InputError(f"{source}: ends before its {width}×{height} pixels do")
    if start is None or not data.startswith(start):
        if len(data) < height * width * 4:
            raise cut_off
        return np.frombuffer(data, np.uint8, height * width * 4).reshape(height, width, 4)
    rows, place = bytearray(), 0
    for _ in range(height):
        if data[place : place + 4] != start:
            raise InputError(f"{source}: has a row that is not compressed as the first is")
        place += 4
        end = len(rows) + 4 * width
        while len(rows) < end:
            if place + 1 >= len(data):
                raise cut_off
            count = data[place]
            if count > 128:
                rows += data[place + 1 : place + 2] * (count - 128)
                place += 2
            else:
                rows += data[place + 1 : place + 1 + count]
                place += 1 + count
        if len(rows) != end:
            raise InputError(f"{source}: has a run that does not end with its row")
    return np.frombuffer(rows, np.uint8).reshape(height, 4, width).transpose(0, 2, 1)
