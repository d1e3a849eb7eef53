"""How large a picture may be to be made in time, from how long the last ones took."""

from dataclasses import dataclass

TARGET_S = 0.05
"""Of a picture while something moves: with what sending takes, 15 a second or more."""
TOLERANCE = 1.25
"""Ratio of times within which the size stays, so that it doesn't tremble."""
MAX_STEP = 2.0
"""By which the number of pixels changes at once: a single slow picture was held up by something else."""
MIN_PIXELS = 48 * 48


@dataclass
class Resolution:
    """The number of pixels that can be rendered in `TARGET_S`, as far as is known."""

    pixels: float = 96 * 96

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height of a picture of this shape that is made in time, at most as large as asked for."""
        share = min(1.0, (max(self.pixels, MIN_PIXELS) / (width * height)) ** 0.5)
        return max(1, round(share * width)), max(1, round(share * height))

    def measured(self, pixels: int, seconds: float) -> None:
        """Learn from a picture."""
        ratio = TARGET_S / max(seconds, 1e-6)
        if 1 / TOLERANCE < ratio < TOLERANCE:
            return
        step = min(max(ratio, 1 / MAX_STEP), MAX_STEP)
        self.pixels = max(float(MIN_PIXELS), pixels * step)
