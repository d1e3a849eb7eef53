"""Make docs/images/viewer.png: the viewer in a browser without a window, a comparison, an object selected.

    python docs/viewer_screenshot.py

Needs Playwright, and Chromium (`apt-get install chromium`).
"""

import shutil
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from luxel import InputError
from luxel.scene.description import Scene
from luxel.viewer.address import free_port
from luxel.viewer.app import Viewer
from luxel.viewer.compose import Look
from luxel.viewer.document import Document
from luxel.viewer.panels.picture_panel import Settings
from luxel.viewer.weights import Weights

ROOT = Path(__file__).parents[1]
WINDOW = {"width": 1180, "height": 640}
PATHS = 64
OBJECT = 5
SHOWN = (885, 480)
"""Pixels of the file, for which noise is averaged: at the window's own size it would take twice the bytes."""


def main() -> None:
    """Start the viewer, look at it, and stop it."""
    document = Document(Scene.load(ROOT / "examples/scenes/six_objects.json"), Path("six_objects.json"))
    settings = Settings(height=480, most_paths=PATHS, look=Look("network", "truth", 0.5))
    viewer = Viewer(document, Weights("ray-small"), "127.0.0.1", free_port("127.0.0.1", 8080), settings)
    try:
        with sync_playwright() as playwright:
            path = shutil.which("chromium")
            if path is None:
                raise InputError("there is no Chromium; `apt-get install chromium`")
            browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
            page = browser.new_page(viewport=WINDOW)
            photograph(page, viewer, ROOT / "docs/images/viewer.png")
            browser.close()
    finally:
        viewer.close()


def photograph(page: Page, viewer: Viewer, out: Path) -> None:
    """Select an object, wait for all its paths, and save what is seen."""
    page.goto(viewer.url)
    page.get_by_text("Undo").wait_for()
    page.locator(".mantine-Notification-closeButton").first.click()  # of a word on software rendering
    viewer.document.select(OBJECT)
    page.get_by_text(f"{PATHS} paths a pixel").wait_for(timeout=300_000)
    page.wait_for_timeout(500)
    page.screenshot(path=out)
    Image.open(out).convert("RGB").resize(SHOWN, Image.Resampling.LANCZOS).save(out, optimize=True)


if __name__ == "__main__":
    main()
