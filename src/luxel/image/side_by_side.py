"""Pictures beside their truth, in one order everywhere, with their names and how near they come.

The order: path traced first, then the models. That is from left to right, or from top to bottom where every scene is a
column.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib
import numpy as np
import torch
from jaxtyping import Float32, UInt8
from PIL import Image, ImageDraw, ImageFont

from luxel.image.formats import Radiance, to_bytes
from luxel.image.metrics import equivalent_spp, flip, per_image, psnr
from luxel.image.tonemap import clamp

Images = Float32[np.ndarray, "batch height width 3"]
Pixels = UInt8[np.ndarray, "height width 3"]
Sheet = UInt8[np.ndarray, "rows columns 3"]

FONT = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
FONT_SIZE, LINE_HEIGHT, GAP, INDENT = 12, 16, 4, 2  # pixels
PAPER, INK = 255, 32  # greys
SHOWN_WIDTH = 128  # pixels, to which smaller pictures are magnified: about as wide as their captions


@dataclass(frozen=True)
class Figures:
    """How near a picture comes to its truth."""

    psnr: float
    """dB, of sRGB, radiance clamped to [0, 1]."""
    flip: float
    """Mean LDR-FLIP of the same."""
    equivalent_spp: float | None = None
    """See `luxel.image.metrics.equivalent_spp`; None if the truth's noise is not known, or 0."""
    limited_by_truth: bool = False
    """Whether the picture is as near as the truth's noise allows, so that its equivalent spp may be more."""

    @classmethod
    def of(
        cls, output: Radiance, truth: Radiance, variance: Radiance | None = None, path_variance: float | None = None
    ) -> "Figures":
        """Of linear radiance. `variance` is that of the truth, `path_variance` that of one path, over the image."""
        radiance, target = (torch.from_numpy(np.ascontiguousarray(image))[None] for image in (output, truth))
        shown = clamp(radiance), clamp(target)
        in_display = psnr(*shown).item(), flip(*shown).item()
        noise = None if variance is None else float(variance.mean(dtype=np.float64))
        if noise is None or path_variance is None or not 0 < noise < np.inf:
            return cls(*in_display)
        mse = per_image((radiance - target) ** 2)
        spp = equivalent_spp(mse, torch.tensor([noise]), torch.tensor([float(path_variance)])).item()
        return cls(*in_display, equivalent_spp=spp, limited_by_truth=mse.item() <= 2 * noise)

    @property
    def lines(self) -> list[str]:
        """As they are shown, a figure a line."""
        lines = [f"PSNR {self.psnr:.1f} dB", f"FLIP {self.flip:.3f}"]
        if self.equivalent_spp is not None:
            lines.append(f"equivalent spp {'≥ ' if self.limited_by_truth else ''}{self.equivalent_spp:.3g}")
        return lines


@dataclass(frozen=True)
class SideBySide:
    """One scene as path traced and as models render it, linear radiance, each model by its name."""

    title: str
    truth: Radiance
    outputs: Mapping[str, Radiance]
    figures: Mapping[str, Figures]
    spp: int | None = None
    """Of the truth, if known."""

    @classmethod
    def of(
        cls,
        title: str,
        truth: Radiance,
        outputs: Mapping[str, Radiance],
        spp: int | None = None,
        variance: Radiance | None = None,
        path_variance: float | None = None,
    ) -> "SideBySide":
        """With every output's figures."""
        figures = {name: Figures.of(output, truth, variance, path_variance) for name, output in outputs.items()}
        return cls(title, truth, outputs, figures, spp)

    @classmethod
    def each(
        cls,
        titles: Sequence[str],
        truths: Images,
        outputs: Mapping[str, Images],
        variances: Images,
        path_variances: Float32[np.ndarray, " batch"] | None,
        spp: int | None = None,
    ) -> "list[SideBySide]":
        """The scenes of a batch."""
        return [
            cls.of(
                title,
                truths[index],
                {name: images[index] for name, images in outputs.items()},
                spp,
                variances[index],
                None if path_variances is None else float(path_variances[index]),
            )
            for index, title in enumerate(titles)
        ]

    @property
    def images(self) -> list[Radiance]:
        """In the order in which they are shown."""
        return [self.truth, *self.outputs.values()]

    @property
    def captions(self) -> list[list[str]]:
        """Lines below each of `images`: its name, and how near it comes."""
        return [
            ["path traced", *([] if self.spp is None else [f"{self.spp} spp"])],
            *([name, *self.figures[name].lines] for name in self.outputs),
        ]

    @property
    def summary(self) -> str:
        """The captions in one line."""
        return "; ".join(", ".join(lines) for lines in self.captions)


def sheet(scenes: Sequence[SideBySide], columns: bool = False, tone: str = "clamp", exposure: float = 0.0) -> Sheet:
    """One labelled picture of scenes of one size by the same models: a scene a row or, with `columns`, a column.

    Pictures that are smaller than SHOWN_WIDTH are magnified, each pixel to a square.
    """
    cells = [
        [
            captioned(magnified(to_bytes(image, tone, exposure)), lines)
            for image, lines in zip(s.images, s.captions, strict=True)
        ]
        for s in scenes
    ]
    rows = list(zip(*cells, strict=True)) if columns else cells
    width = max(cell.shape[1] for row in rows for cell in row)
    heights = [max(cell.shape[0] for cell in row) for row in rows]
    return np.concatenate(
        [
            np.concatenate([enlarged(cell, height, width) for cell in row], axis=1)
            for row, height in zip(rows, heights, strict=True)
        ]
    )


def magnified(pixels: Pixels) -> Sheet:
    """The picture as many whole times as large as its longer side has room for in SHOWN_WIDTH."""
    times = max(1, SHOWN_WIDTH // max(pixels.shape[:2]))
    return pixels.repeat(times, 0).repeat(times, 1)


def captioned(pixels: Pixels, lines: Sequence[str]) -> Sheet:
    """The picture at the top left of a sheet that is as wide as the longest line needs, the lines below."""
    font = ImageFont.truetype(FONT, FONT_SIZE)
    height, width, _ = pixels.shape
    widest = max(width, *(INDENT + int(font.getlength(line)) + 1 for line in lines))
    image = Image.new("RGB", (widest + GAP, height + LINE_HEIGHT * len(lines) + 2 * GAP), (PAPER,) * 3)
    image.paste(Image.fromarray(pixels), (0, 0))
    draw = ImageDraw.Draw(image)
    for number, line in enumerate(lines):
        draw.text((INDENT, height + GAP + LINE_HEIGHT * number), line, (INK,) * 3, font)
    return np.array(image)


def enlarged(cell: Sheet, height: int, width: int) -> Pixels:
    """The cell with paper at its right and below."""
    missing = ((0, height - cell.shape[0]), (0, width - cell.shape[1]), (0, 0))
    return np.pad(cell, missing, constant_values=PAPER)
