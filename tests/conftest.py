"""Settings of the whole suite."""

import os
import signal

os.environ.setdefault("OMP_NUM_THREADS", "1")  # as tests run side by side, with what processes they start; before torch

import pytest
import torch
from hypothesis import settings

settings.register_profile("luxel", deadline=None, derandomize=True)  # tests never time anything, nor flake
settings.load_profile("luxel")
torch.set_num_threads(1)  # models here are tiny; two threads would only wait for each other
signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell ignores for what it runs in the background


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without a GPU, what is marked `gpu` is skipped."""
    if not torch.cuda.is_available():
        for item in items:
            if item.get_closest_marker("gpu"):
                item.add_marker(pytest.mark.skip(reason="needs a GPU"))
