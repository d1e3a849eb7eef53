"""What is replayed computes what is called, on the inputs of each call; the same for whole training steps."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from data_folder import SETTINGS, write_data_folder
from tape import Tape

from luxel.data.batches import ShardSource
from luxel.experiments.experiment import EXPERIMENTS
from luxel.models.model_types import model_of
from luxel.train import replay
from luxel.train.replay import WARM_UP, Replay
from luxel.train.resident import resident
from luxel.train.runtime import accelerator
from luxel.train.trainer import Trainer

CPU = torch.device("cpu")
WIDTH, BATCH, STEPS = 16, 5, WARM_UP + 3


@pytest.fixture
def taped(monkeypatch) -> list[Tape]:
    """On the CPU too, functions are recorded: the tapes."""
    made: list[Tape] = []
    monkeypatch.setattr(Tape, "made", made)
    monkeypatch.setitem(replay.RECORDERS, "cpu", Tape)
    return made


def test_without_a_recorder_the_function_is_called():
    calls = []
    assert Replay(lambda value: calls.append(value) or 2 * value, CPU)(torch.ones(())) == 2
    assert len(calls) == 1


def test_it_computes_with_each_calls_inputs_and_what_stands_in_memory(taped):
    calls, total = [], torch.zeros(())

    def add_up(value: torch.Tensor) -> torch.Tensor:
        calls.append(None)
        return total.add_(value.sum()).clone()

    adding = Replay(add_up, CPU)
    sums = [adding(torch.tensor(float(value))).item() for value in range(WARM_UP + 4)]
    assert sums == [0, 1, 3, 6, 10, 15][: len(sums)]
    assert len(calls) == WARM_UP + 1
    total.fill_(100)
    assert adding(torch.tensor(5.0)) == 105
    assert adding(torch.ones(2)) == 107, "of another shape it is called"


def test_told_to_forget_it_records_anew(taped):
    values = [torch.ones(()), torch.full((), 3.0)]
    reading = Replay(lambda: values[-1] * 2, CPU)
    assert [reading().item() for _ in range(WARM_UP + 2)] == [6] * (WARM_UP + 2)
    values.append(torch.full((), 4.0))
    assert reading() == 6
    reading.forget()
    assert [reading().item() for _ in range(WARM_UP + 2)] == [8] * (WARM_UP + 2)


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> ShardSource:
    settings = replace(SETTINGS, width=WIDTH, height=WIDTH)
    return ShardSource(write_data_folder(tmp_path_factory.mktemp("data"), settings))


def trained(
    source: ShardSource, precision: str, path: Path, accumulate: int = 1, cpu: bool = True
) -> tuple[Trainer, list[dict]]:
    """A trainer after a few steps, in whose middle it goes back to its checkpoint, and what they logged."""
    torch.manual_seed(0)
    experiment = EXPERIMENTS["just_image_to_seq"].make("tiny")
    config = replace(experiment.train, precision=precision, batch_size=BATCH * accumulate, accumulate=accumulate)
    model = replace(experiment.model, base_transformer=replace(experiment.model.base_transformer, dropout=0.2))
    trainer = Trainer(model_of(model), config, source, accelerator(cpu))
    logged, start = [], trainer.begin(path)
    progress = start
    for step in range(2 * STEPS):
        if step == STEPS:
            progress = trainer.roll_back(path, progress)
        progress, verdict, scalars = trainer.step(progress)
        assert verdict == "go on"
        logged.append(scalars)
    trainer.close()
    return trainer, logged


@pytest.mark.parametrize(("precision", "accumulate"), [("fp32", 1), ("fp32", 2), ("bf16", 1), ("fp16-o2", 1)])
def test_replayed_training_is_training(source, precision, accumulate, taped, monkeypatch, tmp_path: Path):
    """To the bit: dropout's draws, rates, the average's weights and a rollback included; and nothing waits."""
    replayed, ours = trained(source, precision, tmp_path / "one.safetensors", accumulate)
    assert [tape.replays for tape in taped if tape.replays] == [2 * STEPS - WARM_UP, STEPS - WARM_UP, STEPS - WARM_UP]
    monkeypatch.setattr(replay, "WARM_UP", 1000)
    called, theirs = trained(source, precision, tmp_path / "two.safetensors", accumulate)
    assert ours == theirs
    for name, value in called.average.state_dict().items():
        assert torch.equal(replayed.average.state_dict()[name], value), name


def test_an_encoded_batch_has_gradients_whatever_the_last_step_was_of(source):
    experiment = EXPERIMENTS["just_image_to_seq"].make("tiny")
    config = replace(experiment.train, batch_size=BATCH)
    trainer = Trainer(model_of(experiment.model), config, source, accelerator(cpu=True))
    held = resident(source, trainer.model, CPU)
    loss, norm = trainer.gradients(next(held.training_batches(BATCH, 0, 0, 0, 1)))
    assert loss > 0
    assert norm > 0


@pytest.mark.gpu
@pytest.mark.parametrize(
    ("precision", "tolerance"), [("fp32", 1e-3), ("bf16", 2e-2), ("fp16-o1", 1e-2), ("fp16-o2", 1e-2)]
)
def test_a_gpu_replays_what_it_computes(source, precision, tolerance, monkeypatch, tmp_path: Path):
    """As far as its sums come in one order."""
    _, ours = trained(source, precision, tmp_path / "one.safetensors", cpu=False)
    monkeypatch.setattr(replay, "WARM_UP", 1000)
    _, theirs = trained(source, precision, tmp_path / "two.safetensors", cpu=False)
    for scalar in ("train_loss", "gradient_norm", "rate"):
        assert [row[scalar] for row in ours] == pytest.approx([row[scalar] for row in theirs], rel=tolerance)
