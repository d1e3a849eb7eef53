"""Make the pictures of docs/gallery.md: every scene of examples/scenes, by ray-base.

    python docs/gallery.py

Takes some seconds. Writes docs/images/gallery_NAME.webp, by the network alone, without paths.
"""

from pathlib import Path

from luxel import Renderer, Scene, save_image

ROOT = Path(__file__).parents[1]


def main(width: int = 384, images: Path = ROOT / "docs/images") -> None:
    """Render every scene."""
    renderer = Renderer.from_pretrained("ray-base")
    for path in sorted((ROOT / "examples/scenes").glob("*.json")):
        save_image(images / f"gallery_{path.stem}.webp", renderer(Scene.load(path), width, width * 3 // 4))


if __name__ == "__main__":
    main()
