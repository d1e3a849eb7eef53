"""Make the picture of docs/tutorial.md: the page's scene, and the same with a ball of glass.

    python docs/tutorial.py

Takes a second. Writes docs/images/tutorial.webp, by ray-small.
"""

from pathlib import Path

import numpy as np

from luxel import Renderer, Scene, save_image

DOCS = Path(__file__).parent


def main(width: int = 320, images: Path = DOCS / "images") -> None:
    """Render the scene that the page holds, before and after its edit."""
    page = DOCS / "tutorial.md"
    scene = Scene.from_json(page.read_text().split("```json\n")[1].split("```")[0].encode(), str(page))
    glass = scene.with_material(1, metallic=0, transmission=1, roughness=0)
    pictures = Renderer.from_pretrained("ray-small").render([scene, glass], width, width * 3 // 4)
    save_image(images / "tutorial.webp", np.concatenate(list(pictures), axis=1))


if __name__ == "__main__":
    main()
