"""A browser without a window, where there is one."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")


def browser_path() -> str:
    """Chromium's path; without it, or without Playwright to drive it, the test that asks is skipped."""
    pytest.importorskip("playwright", reason="what runs in a browser is not tested: `pip install playwright`")
    for name in NAMES:
        if path := shutil.which(name):
            return path
    pytest.skip("what runs in a browser is not tested: there is no Chromium; `apt-get install chromium`")


@contextmanager
def launched() -> Iterator[Any]:
    """Playwright's browser, which is closed in the end."""
    path = browser_path()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()
