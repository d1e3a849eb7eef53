from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn

from luxel import InputError
from luxel.train.checkpoint import CheckpointError, Progress, load_checkpoint, read_progress, save_checkpoint
from luxel.train.guard import Event, Guard
from luxel.train.optim import MovingAverage, OptimConfig, optimizer


def trained(steps: int, seed: int = 0):
    """A small network with batch norm, its average and its optimiser after some steps."""
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(3, 5), nn.BatchNorm1d(5), nn.Linear(5, 2))
    average, optim = MovingAverage(model, 0.9), optimizer(OptimConfig(), model.parameters())
    optim.param_groups[0]["lr"] = 0.1
    for _ in range(steps):
        model(torch.randn(7, 3)).square().mean().backward()
        optim.step()
        optim.zero_grad()
        average.update_parameters(model)
    return model, average, optim


def test_everything_comes_back(tmp_path: Path):
    event = Event(2, "loss spike", "roll back")
    guard = Guard(
        skipped=2, in_a_row=1, losses=(0.5, 0.25), train_at_best=0.5, before_spike=0.25, rollbacks=1, events=(event,)
    )
    progress = Progress(
        step=3,
        seconds=1.5,
        peak_memory_mib=512.5,
        train_loss=0.25,
        test_loss=0.125,
        guard=guard,
        loss_scale={"scale": 128.0},
    )
    saved = trained(3)
    save_checkpoint(tmp_path / "checkpoint.safetensors", *saved, progress)
    fresh = trained(0, seed=1)
    assert load_checkpoint(tmp_path / "checkpoint.safetensors", *fresh) == progress
    assert read_progress(tmp_path / "checkpoint.safetensors") == progress
    for before, after in zip(saved[:2], fresh[:2], strict=True):
        torch.testing.assert_close(after.state_dict(), before.state_dict(), rtol=0, atol=0)
    before, after = (optim.state_dict()["state"] for optim in (saved[2], fresh[2]))
    torch.testing.assert_close(after, before, rtol=0, atol=0)


@pytest.mark.parametrize("damage", [lambda data: data[:100], lambda data: b"junk", lambda data: b""])
def test_a_damaged_file_is_named_with_the_remedy(tmp_path: Path, damage):
    path = tmp_path / "checkpoint.safetensors"
    save_checkpoint(path, *trained(1), Progress())
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(CheckpointError, match=r"checkpoint\.safetensors.*delete it"):
        load_checkpoint(path, *trained(0))
    with pytest.raises(CheckpointError, match=r"checkpoint\.safetensors: not a checkpoint"):
        read_progress(path)


def flip_a_bit(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


def test_one_flipped_bit_is_found_and_files_without_a_checksum_are_read(tmp_path: Path):
    path = tmp_path / "checkpoint.safetensors"
    save_checkpoint(path, *trained(1), Progress(step=12))
    whole, step = path.read_bytes(), path.read_bytes().index(b"12,")
    for place in (len(whole) - 1, len(whole) - 100, step):
        path.write_bytes(whole)
        flip_a_bit(path, place)
        with pytest.raises(CheckpointError, match=r"checkpoint\.safetensors: damaged.*; delete it"):
            load_checkpoint(path, *trained(0))
    path.write_bytes(whole)
    with safe_open(path, framework="pt") as file:
        progress = {"progress": file.metadata()["progress"]}
    save_file(load_file(path), path, progress)
    assert load_checkpoint(path, *trained(0)).step == 12


@pytest.mark.parametrize(
    ("progress", "message"),
    [
        ({}, "its content is None"),
        ({"progress": "["}, "not valid JSON"),
        ({"progress": '{"step": "x"}'}, "step is 'x'"),
        ({"progress": '{"guard": {"events": [{"step": 3}]}}'}, r"guard\.events\[0\]\.diagnosis is missing"),
    ],
)
def test_wrong_progress_is_named_by_its_field(tmp_path: Path, progress, message):
    path = tmp_path / "checkpoint.safetensors"
    save_file({"model.weight": torch.zeros(1)}, path, progress)
    for read in (read_progress, lambda path: load_checkpoint(path, *trained(0))):
        with pytest.raises(CheckpointError, match=rf"checkpoint\.safetensors: progress: {message}"):
            read(path)


def test_a_checkpoint_of_another_model_is_refused(tmp_path: Path):
    path = tmp_path / "checkpoint.safetensors"
    save_checkpoint(path, *trained(1), Progress())
    other = nn.Linear(3, 5)
    with pytest.raises(CheckpointError, match="not a checkpoint of this run"):
        load_checkpoint(path, other, MovingAverage(other, 0.9), optimizer(OptimConfig(), other.parameters()))


def test_a_crash_while_writing_leaves_the_old_one(tmp_path: Path, monkeypatch):
    path = tmp_path / "checkpoint.safetensors"
    save_checkpoint(path, *trained(1), Progress(step=1))
    whole = path.read_bytes()

    def crash(*_):
        raise OSError("disk full")

    monkeypatch.setattr("pathlib.Path.replace", crash)
    with pytest.raises(InputError, match=r"checkpoint\.safetensors: cannot be written: disk full"):
        save_checkpoint(path, *trained(2), Progress(step=2))
    assert path.read_bytes() == whole
