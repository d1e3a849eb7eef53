"""Run lengths of masks, as COCO's annotations have them: columns first, zeros first (https://cocodataset.org/#format-data).

The compressed text is that of pycocotools: from the fourth length on each is told by its difference from the one before
the last; five bits a character, the lowest first, the sixth says that more follow, the first character is "0".
"""

from typing import TypedDict

import numpy as np
from jaxtyping import Bool, Int64

CHUNK_BITS = 5
MORE = 1 << CHUNK_BITS
SIGN = MORE >> 1
FIRST_CHARACTER = ord("0")


class Rle(TypedDict):
    """A mask, as pycocotools decodes it."""

    size: list[int]
    """Height and width."""
    counts: str
    """Compressed run lengths."""


def encode(mask: Bool[np.ndarray, "height width"]) -> Rle:
    """The mask as compressed run lengths."""
    return {"size": list(mask.shape), "counts": compressed(run_lengths(mask))}


def run_lengths(mask: Bool[np.ndarray, "height width"]) -> Int64[np.ndarray, " runs"]:
    """Lengths of the runs of zeros, ones, zeros … down the columns; the first is 0 if the mask begins with a one."""
    pixels = np.concatenate([[False], mask.ravel(order="F")])
    ends = np.flatnonzero(pixels[1:] != pixels[:-1])
    return np.diff(ends, prepend=0, append=mask.size).astype(np.int64)


def compressed(counts: Int64[np.ndarray, " runs"]) -> str:
    """The text that holds these run lengths."""
    told = counts.copy()
    told[3:] -= counts[1:-2]
    return "".join(_characters(int(number)) for number in told)


def _characters(number: int) -> str:
    """A signed number, five bits a character."""
    text = ""
    while True:
        chunk = number & (MORE - 1)
        number >>= CHUNK_BITS
        is_last = number == (-1 if chunk & SIGN else 0)
        text += chr(FIRST_CHARACTER + chunk + (0 if is_last else MORE))
        if is_last:
            return text
