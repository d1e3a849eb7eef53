from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest
import torch
from data_folder import SETTINGS, write_data_folder
from torch.utils._python_dispatch import TorchDispatchMode

from luxel.data.batches import ShardSource, training_batches
from luxel.models.tokens import encode
from luxel.train import resident as module
from luxel.train.resident import ResidentPictures, resident

CPU = torch.device("cpu")


class Reads(torch.nn.Module):
    """A model that reads tokens."""

    encode = staticmethod(encode)


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> ShardSource:
    return ShardSource(write_data_folder(tmp_path_factory.mktemp("data")))


@pytest.mark.parametrize(("start", "rank", "world"), [(0, 0, 1), (3, 0, 1), (2, 1, 3)])
def test_its_batches_are_those_of_the_data_set(source, monkeypatch, start, rank, world):
    """Over more steps than are ordered at once, and more samples than are read at once."""
    monkeypatch.setattr(module, "STEPS_AT_ONCE", 2)
    monkeypatch.setattr(module, "READ_AT_ONCE", 7)
    held = ResidentPictures(source.train, encode, CPU)
    ours = held.training_batches(6, 5, start, rank, world)
    theirs = training_batches(source.train, 6, 5, start, rank, world)
    for one, other in islice(zip(ours, theirs, strict=False), 5):
        assert torch.equal(one.radiance, other.radiance)
        for value, expected in zip(one.encoded, encode(other.scenes, one.encoded.mask.shape[1]), strict=True):
            torch.testing.assert_close(value, expected, rtol=1e-6, atol=1e-6)


def test_a_part_has_its_own_rows(source):
    batch = next(ResidentPictures(source.train, encode, CPU).training_batches(6, 5, 0, 0, 1))
    part = batch.rows(slice(2, 5))
    assert len(part) == 3
    assert torch.equal(part.radiance, batch.radiance[2:5])
    assert torch.equal(part.encoded.objects, batch.encoded.objects[2:5])


class Operations(TorchDispatchMode):
    """The names of the operations."""

    def __init__(self):
        super().__init__()
        self.seen: list[str] = []

    def __torch_dispatch__(self, operation, types, arguments=(), options=None):
        self.seen.append(operation._overloadpacket.__name__)
        return operation(*arguments, **(options or {}))


def test_a_step_takes_rows_and_copies_nothing(source):
    batches = ResidentPictures(source.train, encode, CPU).training_batches(6, 5, 0, 0, 1)
    next(batches)
    with Operations() as operations:
        next(batches)
    assert set(operations.seen) == {"index_select"}


def test_only_what_fits_and_is_read_as_tokens_is_held(source, monkeypatch, tmp_path: Path):
    assert resident(source, torch.nn.Linear(1, 1), CPU) is None
    assert resident(source.train, Reads(), CPU) is None
    assert resident(source, Reads(), CPU) is not None
    images = len(source.train) * SETTINGS.height * SETTINGS.width * 3 * 4
    monkeypatch.setattr(module, "MAX_CPU_BYTES", images - 1)
    assert resident(source, Reads(), CPU) is None
    larger = replace(SETTINGS, height=SETTINGS.height + 1)
    monkeypatch.setattr(module, "MAX_CPU_BYTES", images)
    assert resident(ShardSource(write_data_folder(tmp_path, larger)), Reads(), CPU) is None
