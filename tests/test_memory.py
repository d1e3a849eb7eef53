import pytest
import torch

import luxel.memory
from luxel import InputError
from luxel.experiments import EXPERIMENTS
from luxel.experiments.experiment import with_model, with_train
from luxel.experiments.run import check_memory, run
from luxel.memory import check_fits, free_memory, in_words


def test_what_does_not_fit_is_told_before_it_starts(monkeypatch):
    monkeypatch.setattr(luxel.memory, "free_memory", lambda device: 3 * 2**30)
    check_fits(3 * 2**30, "x is 1", "take less")
    with pytest.raises(InputError) as error:
        check_fits(5 * 2**40, "x is 9", "take less")
    assert str(error.value) == "x is 9: that takes some 5 TiB of memory, of which 3 GiB are free; take less"


def test_memory_in_words():
    assert [in_words(size) for size in (0, 3 * 2**19, 2**30, 1234 * 2**30)] == ["0 MiB", "1.5 MiB", "1 GiB", "1.21 TiB"]


def test_a_container_has_less_than_its_machine(monkeypatch, tmp_path):
    monkeypatch.setattr(luxel.memory, "CGROUP_LIMIT", tmp_path / "memory.max")
    machine = free_memory()
    assert machine > 2**20
    (tmp_path / "memory.max").write_text("max\n")
    assert free_memory() > 2**20
    (tmp_path / "memory.max").write_text("1048576\n")
    assert free_memory() == 2**20


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda made: with_train(made, batch_size=100_000), r"train\.batch_size is 100000, .*GiB are free.*accumulate"),
        (lambda made: with_model(made, seq_width=65_536), r"its [\d,]+ parameters are to be trained.* TiB of memory"),
    ],
)
def test_a_training_that_does_not_fit_writes_nothing(change, message, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(luxel.memory, "free_memory", lambda device: 100 * 2**30)
    with pytest.raises(InputError, match=message):
        run(change(EXPERIMENTS["standard_run"].make("small")), tmp_path / "run", cpu=True)
    assert not any(tmp_path.iterdir())


def test_every_experiment_fits_into_a_machine_that_it_is_for(monkeypatch):
    """Full scale is a GPU's work, of 80 GiB; the others are for any machine."""
    for scale, size in (("tiny", 2), ("small", 4), ("full", 80)):
        monkeypatch.setattr(luxel.memory, "free_memory", lambda device, size=size: size * 2**30)
        for entry in EXPERIMENTS.values():
            check_memory(entry.make(scale), torch.device("cpu"))
