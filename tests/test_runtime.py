import math
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from luxel.train import runtime
from luxel.train.runtime import (
    LINUX_STATUS,
    accelerator,
    forget_peak_memory,
    interruption_noted,
    peak_memory,
    seed_step,
)

CPU = torch.device("cpu")


def draw(seed: int, step: int, rank: int) -> torch.Tensor:
    seed_step(seed, step, rank)
    return torch.rand(3)


def test_a_step_draws_the_same_again():
    assert torch.equal(draw(1, 2, 3), draw(1, 2, 3))


@pytest.mark.parametrize("other", [(2, 2, 3), (1, 3, 3), (1, 2, 0)])
def test_seed_step_and_rank_all_count(other):
    assert not torch.equal(draw(1, 2, 3), draw(*other))


def test_ctrl_c_is_noted_and_then_as_before():
    with interruption_noted() as noted:
        signal.raise_signal(signal.SIGINT)
        assert noted.is_set()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_sigterm_is_noted_like_ctrl_c_where_it_raises():
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with interruption_noted() as noted:
            signal.raise_signal(signal.SIGTERM)
            assert noted.is_set()
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(signal.SIGTERM)
        assert signal.getsignal(signal.SIGTERM) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with interruption_noted():
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL, "which is not ours to change"


def test_sigterm_is_noted_although_ctrl_c_is_ignored():
    """As in what a shell runs in the background."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with interruption_noted() as noted:
            signal.raise_signal(signal.SIGTERM)
            assert noted.is_set()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, before)


def test_ctrl_c_stays_another_s_to_handle():
    heard = []

    def other(number, frame):
        heard.append(number)

    before = signal.signal(signal.SIGINT, other)
    try:
        with interruption_noted() as noted:
            signal.raise_signal(signal.SIGINT)
        assert heard == [signal.SIGINT]
        assert not noted.is_set()
    finally:
        signal.signal(signal.SIGINT, before)
    with ThreadPoolExecutor(1) as thread:  # where no handler can be set
        thread.submit(lambda: interruption_noted().__enter__()).result()


def test_the_cpu_can_be_asked_for():
    assert accelerator(cpu=True).device.type == "cpu"


@pytest.mark.skipif(not LINUX_STATUS.exists(), reason="the kernel must tell")
def test_the_peak_of_memory_is_at_least_what_is_held_now():
    block = torch.ones(2**26)
    assert peak_memory(CPU) > block.nbytes / 2**20


def test_the_peak_of_memory_is_forgotten_by_linux(tmp_path, monkeypatch):
    monkeypatch.setattr(runtime, "LINUX_STATUS", tmp_path / "status")
    (tmp_path / "status").write_text("VmPeak:\t  9216 kB\nVmHWM:\t    3072 kB\nVmRSS:\t    1024 kB\n")
    assert peak_memory(CPU) == 3
    forget_peak_memory(CPU)
    assert (tmp_path / "clear_refs").read_text() == "5", "proc(5): resets VmHWM to VmRSS"


def test_a_kernel_that_does_not_tell_leaves_the_peak_unknown(tmp_path, monkeypatch):
    monkeypatch.setattr(runtime, "LINUX_STATUS", tmp_path / "missing" / "status")
    forget_peak_memory(CPU)
    assert math.isnan(peak_memory(CPU))
