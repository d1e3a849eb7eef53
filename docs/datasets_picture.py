"""Make docs/images/clevr.png: a scene after CLEVR and what `annotate` says of it.

python docs/datasets_picture.py
"""

from itertools import combinations
from pathlib import Path

import matplotlib
import numpy as np
from jaxtyping import Float, Float32, UInt8
from PIL import Image, ImageDraw, ImageFont

from luxel.data.annotations import UNIT_CORNERS, Annotations, annotate
from luxel.image.formats import encoded, to_bytes
from luxel.image.side_by_side import FONT
from luxel.pipeline import Renderer
from luxel.scene.clevr import Clevr, things_in_words

Pixels = UInt8[np.ndarray, "height width 3"]

OUT = Path(__file__).parent / "images" / "clevr.png"
SEED, INDEX, WIDTH, HEIGHT = 0, 0, 320, 240
PATHS = 256
COLORS = (matplotlib.colormaps["tab10"](np.arange(10))[:, :3] * 255).astype(np.uint8)
EDGES = [pair for pair in combinations(range(8), 2) if np.abs(np.diff(UNIT_CORNERS[list(pair)], axis=0)).sum() == 2]
"""Corners of a box that differ along one axis."""


def main() -> None:
    """Render the scene, draw its labels, and write both."""
    scene = Clevr()(SEED, INDEX)
    objects = len(things_in_words(scene, "the scene"))
    picture = to_bytes(Renderer.from_pretrained("ray-base")(scene, WIDTH, HEIGHT, spp=PATHS))
    labels = annotate(scene, WIDTH, HEIGHT)
    panels = {
        "picture": picture,
        "visible masks, 2-D boxes": with_boxes(in_colors(labels.visible[:objects]), labels, objects),
        "amodal masks, 3-D boxes": with_corners(over(picture, labels.amodal[:objects]), labels, objects),
        "depth": in_grey(labels.depth),
        "normals": (labels.normal * 127.5 + 127.5).clip(0, 255).astype(np.uint8),
        "albedo": to_bytes(labels.albedo),
    }
    named = [with_name(pixels, name) for name, pixels in panels.items()]
    OUT.write_bytes(encoded(np.concatenate([np.concatenate(named[:3], 1), np.concatenate(named[3:], 1)]), ".png"))


def in_colors(masks: Float32[np.ndarray, "objects height width"]) -> Pixels:
    """Each mask in a colour, on black."""
    return np.einsum("nhw,nc->hwc", masks, COLORS[: len(masks)]).clip(0, 255).astype(np.uint8)


def over(pixels: Pixels, masks: Float32[np.ndarray, "objects height width"]) -> Pixels:
    """The picture under each mask, half transparent, one over another."""
    shown = pixels.astype(np.float32)
    for mask, color in zip(masks, COLORS, strict=False):
        shown += 0.5 * mask[..., None] * (color - shown)
    return shown.astype(np.uint8)


def in_grey(depth: Float[np.ndarray, "height width"]) -> Pixels:
    """The nearest white, the farthest, and the sky, black."""
    near, far = 1 / depth.min(), 1 / np.max(depth, where=np.isfinite(depth), initial=0)
    grey = (1 / depth - far) / (near - far)
    return np.repeat((grey.clip(0, 1) * 255).astype(np.uint8)[..., None], 3, 2)


def with_boxes(pixels: Pixels, labels: Annotations, objects: int) -> Pixels:
    """The picture and the boxes of what is visible."""
    image = Image.fromarray(pixels)
    draw = ImageDraw.Draw(image)
    for x0, y0, x1, y1 in labels.visible_box[:objects].tolist():
        draw.rectangle((x0, y0, x1 - 1, y1 - 1), outline="white")
    return np.array(image)


def with_corners(pixels: Pixels, labels: Annotations, objects: int) -> Pixels:
    """The picture and the edges of the oriented boxes."""
    image = Image.fromarray(pixels)
    draw = ImageDraw.Draw(image)
    for corners in labels.box_corners[:objects].tolist():
        for first, second in EDGES:
            draw.line((*corners[first], *corners[second]), fill="white")
    return np.array(image)


def with_name(pixels: Pixels, name: str) -> Pixels:
    """The picture and its name, in its upper left corner."""
    image = Image.fromarray(pixels)
    font = ImageFont.truetype(FONT, 14)
    ImageDraw.Draw(image).text((6, 4), name, "white", font, stroke_width=2, stroke_fill="black")
    return np.array(image)


if __name__ == "__main__":
    main()
