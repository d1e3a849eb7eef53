import pytest
import torch

from luxel.experiments.base import base, tiny_model
from luxel.models.image_model import ImageModel


def millions(scale) -> float:
    with torch.device("meta"):
        return sum(parameter.numel() for parameter in ImageModel(base(scale).model).parameters()) / 1e6


def test_small_and_full_are_the_2020_networks_sizes():
    assert millions("small") == pytest.approx(1.27, rel=0.08)
    assert millions("full") == pytest.approx(21.0, rel=0.08)


def test_tiny_is_tiny():
    assert base("tiny").model == tiny_model()
    assert millions("tiny") < 0.1


def test_full_trains_the_logs_hundred_epochs():
    full = base("full")
    epochs = full.train.samples / (full.data.count * (1 - full.data.test_share))
    assert epochs == pytest.approx(100)
