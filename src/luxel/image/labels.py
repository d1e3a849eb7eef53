"""Names written onto a picture, readable on any ground."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw, ImageFont

from luxel.image.side_by_side import FONT

MIN_FONT_SIZE, MAX_FONT_SIZE, SHARE = 10, 32, 1 / 24
"""Font size in pixels, and its share of the picture's shorter side."""
INK, OUTLINE = (255, 255, 255), (0, 0, 0)
"""One of them stands out, whatever the ground."""

Box = tuple[float, float, float, float]


class Label(NamedTuple):
    """What is written with its middle at a place, in pixels from the top left corner."""

    column: float
    row: float
    texts: tuple[str, ...]
    """The text, then shorter ones that are taken where it would lie over another label."""


def labelled(
    pixels: UInt8[np.ndarray, "height width 3"], labels: Sequence[Label]
) -> tuple[UInt8[np.ndarray, "height width 3"], int]:
    """The picture with the labels, earlier ones first, and how many had no room: none lies over another.

    The input stays as it is.
    """
    height, width, _ = pixels.shape
    size = round(min(max(SHARE * min(height, width), MIN_FONT_SIZE), MAX_FONT_SIZE))
    font, stroke = ImageFont.truetype(FONT, size), max(1, size // 8)
    image = Image.fromarray(pixels.copy())
    draw = ImageDraw.Draw(image)
    taken: list[Box] = []
    for label in labels:
        for text in label.texts:
            low_x, low_y, high_x, high_y = map(float, draw.textbbox((0, 0), text, font, stroke_width=stroke))
            left = within(label.column - (high_x - low_x) / 2, high_x - low_x, float(width))
            top = within(label.row - (high_y - low_y) / 2, high_y - low_y, float(height))
            box = (left, top, left + high_x - low_x, top + high_y - low_y)
            if not any(overlap(box, other) for other in taken):
                place = (left - low_x, top - low_y)
                draw.text(place, text, INK, font, stroke_width=stroke, stroke_fill=OUTLINE)
                taken.append(box)
                break
    return np.array(image), len(labels) - len(taken)


def within(start: float, length: float, room: float) -> float:
    """The start nearest to this one of a length that ends within the room; 0 if it is longer."""
    return max(0.0, min(start, room - length))


def overlap(a: Box, b: Box) -> bool:
    """Whether two boxes (left, top, right, bottom) share more than an edge."""
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
