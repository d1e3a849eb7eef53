"""Launching: the same result with any number of threads, also after a fork; nothing copied, errors raised."""

import multiprocessing
import os

import numpy as np
import pytest
import torch
import warp as wp
from filelock import FileLock, Timeout
from tracer_scenes import FEATURES

from luxel.core import launch as launching
from luxel.core.launch import MIN_SLICE, launch, scratch, threads, to_warp
from luxel.trace.path import PathTracer

CPU = torch.device("cpu")


@wp.kernel(enable_backward=False)
def square(numbers: wp.array[float], squares: wp.array[float], begin: int):
    i = wp.tid() + begin
    squares[i] += numbers[i] * numbers[i]


@wp.kernel(enable_backward=False)
def lengths(vectors: wp.array[wp.vec3], keys: wp.array[wp.vec2ui], length: wp.array[float], high: wp.array[int]):
    i = wp.tid()
    length[i] = wp.length(vectors[i])
    high[i] = int(keys[i][1] >> wp.uint32(31))


@pytest.fixture(params=[1, 2, 4])
def thread_count(request, monkeypatch):
    """Also more than there are cores."""
    monkeypatch.setattr(launching, "threads", lambda: request.param)
    return request.param


@pytest.mark.parametrize("size", [0, 1, MIN_SLICE, MIN_SLICE + 1, 10_007])
def test_every_index_runs_once(size, thread_count):
    numbers, squares = torch.arange(size).float() / 16, torch.zeros(size)
    launch(square, size, [numbers], [squares], CPU, sliced=True)
    assert torch.equal(squares, numbers**2)


def image() -> np.ndarray:
    return PathTracer(max_depth=4).trace([FEATURES["glossy glass"][0]], 31, 17, 19, 0).mean


@pytest.fixture(scope="module")
def reference() -> np.ndarray:
    return image()


def test_pictures_are_the_same_with_any_number_of_threads(thread_count, reference):
    np.testing.assert_array_equal(image(), reference)


def test_a_forked_process_makes_threads_of_its_own(monkeypatch, reference):
    monkeypatch.setattr(launching, "threads", lambda: 2)
    np.testing.assert_array_equal(image(), reference)  # the pool exists, and is not inherited
    receiver, sender = multiprocessing.Pipe(duplex=False)

    def work() -> None:
        sender.send(np.array_equal(image(), reference))

    child = multiprocessing.get_context("fork").Process(target=work)
    child.start()
    assert receiver.poll(60)
    assert receiver.recv()
    child.join(60)
    assert child.exitcode == 0


@pytest.mark.parametrize("can_be_locked", [True, False])
def test_no_other_process_makes_a_kernel_ready_meanwhile(can_be_locked, tmp_path, monkeypatch):
    """So that it is compiled once; a cache in which nothing can be locked is used nevertheless."""
    folder = tmp_path / "cache"
    if not can_be_locked:
        folder.touch()
    loaded = []

    def load_module(module, device):
        if can_be_locked:
            with pytest.raises(Timeout):
                FileLock(folder / f"{module.name}.lock").acquire(timeout=0)
        loaded.append(module)

    monkeypatch.setattr(wp.config, "kernel_cache_dir", str(folder))
    monkeypatch.setattr(wp, "load_module", load_module)
    monkeypatch.setattr(launching, "_loaded", {})
    for _ in range(2):
        launching.load(square, CPU)
    assert loaded == [square.module]
    if can_be_locked:
        FileLock(folder / f"{square.module.name}.lock").acquire(timeout=0).lock.release()


def test_a_lock_that_does_not_come_is_not_waited_for_for_ever(tmp_path, monkeypatch):
    loaded = []
    monkeypatch.setattr(wp.config, "kernel_cache_dir", str(tmp_path))
    monkeypatch.setattr(wp, "load_module", lambda module, device: loaded.append(module))
    monkeypatch.setattr(launching, "_loaded", {})
    monkeypatch.setattr(launching, "LOCK_TIMEOUT_S", 0.1)
    with FileLock(tmp_path / f"{square.module.name}.lock"):
        launching.load(square, CPU)
    assert loaded == [square.module]


def test_threads_are_torchs_but_no_more_than_cores():
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        assert threads() == 1
        torch.set_num_threads(1009)
        assert threads() == len(os.sched_getaffinity(0))
    finally:
        torch.set_num_threads(before)


def test_an_error_in_a_slice_is_raised(thread_count):
    with pytest.raises(Exception, match="argument"):
        launch(square, 1009, [torch.zeros(1009, dtype=torch.float64)], [torch.zeros(1009)], CPU, sliced=True)


def test_tensors_are_shared_not_copied_and_keys_are_unsigned():
    vectors = torch.tensor([[3.0, 4, 0], [0, 0, 2]])
    keys = torch.tensor([[0, -1], [0, 1]], dtype=torch.int32)
    assert to_warp(vectors, wp.vec3).ptr == vectors.data_ptr()
    length, high = torch.empty(2), torch.empty(2, dtype=torch.int32)
    launch(lengths, 2, [to_warp(vectors, wp.vec3), to_warp(keys, wp.vec2ui)], [length, high], CPU)
    assert length.tolist() == [5, 2]
    assert high.tolist() == [1, 0]


def test_scratch_arrays_are_apart_from_one_another_and_outlive_the_list():
    one, none, other = scratch(CPU, ((3, 5), wp.vec3), ((0,), wp.float32), ((7,), wp.int32))
    for array, value in ((one, 1.5), (other, 2)):
        array.fill_(value)
    assert one.shape == (3, 5)
    assert (one.numpy() == 1.5).all()
    assert none.numpy().size == 0
    assert (other.numpy() == [2] * 7).all()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_on_cuda_kernels_follow_torchs_current_stream():
    device = torch.device("cuda")
    numbers, squares = torch.arange(10_007, device=device).float(), torch.zeros(10_007, device=device)
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        numbers = numbers * 2
        launch(square, 10_007, [numbers], [squares], device, sliced=True)
        doubled = squares * 2
    stream.synchronize()
    torch.testing.assert_close(doubled, 2 * numbers**2)
