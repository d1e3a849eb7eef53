from typing import get_args

import pytest
import torch

from luxel.experiments.base import base, tiny_model
from luxel.experiments.experiment import Scale, with_train
from luxel.models.image_model import ImageModel


def millions(scale) -> float:
    with torch.device("meta"):
        return sum(parameter.numel() for parameter in ImageModel(base(scale).model).parameters()) / 1e6


def test_full_is_the_2020_networks_size():
    assert millions("full") == pytest.approx(21.0, rel=0.1)


def test_smaller_scales_are_smaller():
    assert base("tiny").model == tiny_model()
    assert millions("tiny") < 0.1 < millions("small") < 0.5 < millions("medium") < 5


def test_long_is_small_with_five_times_the_images():
    small, long = base("small"), base("long")
    assert long == with_train(small, samples=5 * small.train.samples)


def test_medium_is_between_small_and_full():
    small, medium, full = (base(scale) for scale in ("small", "medium", "full"))
    assert (medium.model.width, medium.data.count, medium.train.samples) == (64, 20_000, 300_000)
    assert medium.data.distribution == full.data.distribution
    assert small.train.samples < medium.train.samples < full.train.samples


@pytest.mark.parametrize("scale", get_args(Scale))
def test_every_scale_has_the_batch_that_the_logs_rate_is_for(scale):
    train = base(scale).train
    assert train.batch_size == 16
    assert train.optim.peak_rate(train.batch_size) == 2e-3


def test_full_trains_the_logs_hundred_epochs_at_its_rate():
    full = base("full")
    epochs = full.train.samples / (full.data.count * (1 - full.data.test_share))
    assert epochs == pytest.approx(100)
    peak = max(full.train.rate(step) for step in range(1, full.train.steps, 1000))
    assert peak == pytest.approx(2e-3, rel=1e-3)
    assert full.train.rate(1) == pytest.approx(2e-3 / 4, rel=1e-3)
