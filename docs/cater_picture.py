"""Make docs/images/cater.png: frames of a video after CATER, and below each the masks of what is seen.

python docs/cater_picture.py
"""

from pathlib import Path

import numpy as np
from datasets_picture import COLORS, in_colors, with_name

from luxel.data.annotations import annotate
from luxel.image.formats import encoded, to_bytes
from luxel.pipeline import Renderer
from luxel.scene.cater.video import Cater

OUT = Path(__file__).parent / "images" / "cater.png"
SEED, INDEX, WIDTH, HEIGHT = 0, 1, 256, 192
FRAMES = (0, 19, 48, 76, 101)
PATHS = 64


def main() -> None:
    """Render the frames, draw their masks, and write both."""
    video, renderer = Cater()(SEED, INDEX), Renderer.from_pretrained("ray-small")
    columns = []
    for frame in FRAMES:
        scene = video.scene(frame)
        picture = to_bytes(renderer(scene, WIDTH, HEIGHT, spp=PATHS))
        masks = in_colors(annotate(scene, WIDTH, HEIGHT).visible[: min(len(video.words), len(COLORS))])
        columns.append(np.concatenate([with_name(picture, f"frame {frame}"), masks]))
    OUT.write_bytes(encoded(np.concatenate(columns, 1), ".png"))


if __name__ == "__main__":
    main()
