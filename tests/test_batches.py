"""Batches of training and of tests: every sample where it should be, for any number of processes."""

import signal
import subprocess
import sys
import time
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from data_folder import SETTINGS, write_data_folder

from luxel.core.scene_batch import SceneBatch
from luxel.data.batches import ShardSource, evaluation_batches, training_batches
from luxel.data.dataset import Batch, ShardDataset


@pytest.fixture(scope="module")
def train(tmp_path_factory):
    return ShardDataset(write_data_folder(tmp_path_factory.mktemp("data")), "train")


class Numbers:
    """A source whose samples are their own numbers, so that a test sees which came."""

    def order(self, start, stop, seed):
        return np.arange(start, stop) * 10 + seed

    def batch(self, indices):
        numbers = torch.tensor(np.asarray(indices), dtype=torch.float32)
        images = numbers[:, None, None, None].expand(-1, 1, 1, 3)
        return Batch(SceneBatch.of([SETTINGS.distribution(0, 0)] * len(numbers)), images, images)


def numbers(batches, count):
    return [batch.radiance[:, 0, 0, 0].tolist() for batch in islice(batches, count)]


def test_steps_follow_one_another():
    assert numbers(training_batches(Numbers(), 3, seed=7), 2) == [[7, 17, 27], [37, 47, 57]]
    assert numbers(training_batches(Numbers(), 3, seed=7, start_step=1), 1) == [[37, 47, 57]]


def test_ranks_share_the_batch():
    ranks = [numbers(training_batches(Numbers(), 4, 0, rank=rank, world=2), 2) for rank in range(2)]
    assert ranks == [[[0, 10], [40, 50]], [[20, 30], [60, 70]]]
    with pytest.raises(ValueError, match="must be a multiple of the 3 processes"):
        training_batches(Numbers(), 4, 0, world=3)


def test_an_epoch_has_every_sample_once(train):
    batches = training_batches(train, 5, seed=1)
    images = torch.cat([batch.radiance for batch in islice(batches, -(-2 * len(train) // 5))])
    for epoch in range(2):
        assert len(torch.unique(images[epoch * len(train) : (epoch + 1) * len(train)], dim=0)) == len(train)


@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
def test_workers_change_nothing(train):
    def first_images(workers, start):
        batches = training_batches(train, 5, seed=1, start_step=start, workers=workers)
        return torch.cat([batch.radiance for batch in islice(batches, 4)])

    assert first_images(0, 3).equal(first_images(2, 3))


ORPHANED = """
import sys, time
sys.path.insert(0, {tests!r})
from luxel.data.batches import training_batches
class Slow:
    def order(self, start, stop, seed):
        return range(start, stop)
    def batch(self, indices):
        import os
        print(os.getpid(), flush=True)
        time.sleep(600)
next(training_batches(Slow(), 1, 0, workers=1))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_worker_ends_with_its_parent_in_the_middle_of_a_batch(number):
    """Whatever killed that."""
    code = ORPHANED.format(tests=str(Path(__file__).parent))
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as parent:
        worker = int(parent.stdout.readline())
        parent.send_signal(number)
        parent.wait()
        deadline = time.monotonic() + 30
        while Path(f"/proc/{worker}").exists():
            assert time.monotonic() < deadline
            time.sleep(0.1)


def test_the_global_random_state_is_left_alone(train):
    torch.manual_seed(0)
    before = torch.get_rng_state()
    next(training_batches(train, 5, seed=1))
    assert torch.get_rng_state().equal(before)


@pytest.mark.parametrize(("batch_size", "world"), [(4, 1), (7, 1), (4, 3), (1000, 2)])
def test_evaluation_sees_every_sample_once(train, batch_size, world):
    batches = [batch for rank in range(world) for batch in evaluation_batches(train, batch_size, rank, world)]
    images = torch.cat([batch.radiance for batch in batches])
    assert len(images) == len(train)
    assert len(torch.unique(images, dim=0)) == len(train)
    assert max(map(len, batches)) <= batch_size


def test_source_of_a_folder(train):
    source = ShardSource(train.root)
    batch = next(source.training_batches(6, 1, 2, 1, 2))
    assert batch.radiance.equal(next(training_batches(train, 6, 1, 2, 1, 2)).radiance)
    assert sum(len(batch) for batch in source.test_batches(3, 0, 1)) == 60 - len(train)
