"""Settings of the whole suite."""

import gc
import os
import signal
from collections.abc import Generator
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # as tests run side by side, with what processes they start; before torch

import pytest
import shape_checks
import torch
from hypothesis import settings

shape_checks.install()  # before Luxel is imported
settings.register_profile("luxel", deadline=None, derandomize=True)  # tests never time anything, nor flake
settings.load_profile("luxel")
torch.set_num_threads(1)  # models here are tiny; two threads would only wait for each other
signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell ignores for what it runs in the background


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Without looking for garbage among 800 000 objects again and again, a fifth of the time; all of them stay."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


FIRST = "test_kernels_compile.py"
"""Has the longest tests, after which, were they the last of one of pytest's processes, the other would wait.

In the meantime the other has compiled, for the CPU, what both need.
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest tests come first; without a GPU, what is marked `gpu` is skipped."""
    items.sort(key=lambda item: item.path.name != FIRST)
    if not torch.cuda.is_available():
        for item in items:
            if item.get_closest_marker("gpu"):
                item.add_marker(pytest.mark.skip(reason="needs a GPU"))


@pytest.fixture(scope="session")
def data(tmp_path_factory) -> Path:
    """A data set as `luxel generate` makes it."""
    from command_line import GENERATE, call  # which imports Luxel, that is to be checked from its first import on

    path = tmp_path_factory.mktemp("cli") / "data"
    assert call("generate", "spheres", "--out", path, "--max-objects", "3", *GENERATE) == 0
    return path


@pytest.fixture(scope="session")
def trained(data) -> Path:
    """A run folder as `luxel train` makes it."""
    from command_line import TRAIN, call

    path = data.parent / "run"
    assert call(*TRAIN, "--data", data, "--out", path) == 0
    return path


@pytest.fixture(scope="session")
def sixteen(tmp_path_factory) -> Path:
    """A data set of images of 16², as small experiments learn from, whose pixels are noise."""
    from dataclasses import replace

    from data_folder import SETTINGS, write_data_folder

    return write_data_folder(tmp_path_factory.mktemp("sixteen") / "data", replace(SETTINGS, width=16, height=16))


@pytest.fixture
def scenes(tmp_path) -> Path:
    """A folder of eight scenes."""
    from luxel.scene import Spheres

    (tmp_path / "scenes").mkdir()
    for index in range(8):
        Spheres(max_objects=3)(0, index).save(tmp_path / "scenes" / f"{index}.json")
    return tmp_path / "scenes"
