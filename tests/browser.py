"""A browser without a window, where there is one."""

import shutil

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")


def browser_path() -> str:
    """Chromium's path; without it, or without Playwright to drive it, the test that asks is skipped."""
    pytest.importorskip("playwright", reason="the viewer in a browser is not tested: `pip install playwright`")
    for name in NAMES:
        if path := shutil.which(name):
            return path
    pytest.skip("the viewer in a browser is not tested: there is no Chromium; `apt-get install chromium`")
