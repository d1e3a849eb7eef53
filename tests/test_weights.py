"""The newest weights of a run, while it trains and after."""

import json
import os
from dataclasses import replace

import pytest
import torch

from luxel import InputError
from luxel.experiments import EXPERIMENTS
from luxel.experiments.base import tiny_model
from luxel.models.image_model import ImageModel
from luxel.models.ray_model import RayModel, RayModelConfig
from luxel.train.checkpoint import Progress, save_checkpoint
from luxel.train.optim import MovingAverage, OptimConfig, optimizer
from luxel.viewer.weights import Weights

EXPERIMENT = EXPERIMENTS["ray_small"].make("tiny")
DATA = {"distribution": "varied", "count": 192, "seed": 0, "width": 16, "height": 16, "spp": 64, "max_depth": 6}
DATA |= {"test_share": 0.25, "renderer": "luxel", "test_set": "0" * 64}
SMALL = RayModelConfig(hidden=3, layers=1, light_rays=2, diffuse_rays=1, glossy_rays=1)


def write_config(run, model):
    values = {"experiment": replace(EXPERIMENT, model=model).to_json(), "data": DATA}
    (run / "config.json").write_text(json.dumps(values))


def checkpoint(run, step, time_s, model=None):
    """A run's checkpoint after so many steps, all of whose weights are `step`."""
    model = model or RayModel(SMALL)
    average = MovingAverage(model, 0.9)
    with torch.no_grad():
        for weights in average.module.parameters():
            weights.fill_(step)
    run.mkdir(exist_ok=True)
    write_config(run, model.config)
    path = run / "checkpoint.safetensors"
    save_checkpoint(path, model, average, optimizer(OptimConfig(), model.parameters()), Progress(step=step))
    os.utime(path, (time_s, time_s))


def value_of(weights):
    return float(next(weights.renderer.model.parameters()).detach().flatten()[0])


def test_the_newest_checkpoint_of_a_run_that_trains_is_taken(tmp_path):
    run = tmp_path / "run"
    checkpoint(run, 3, 100)
    weights = Weights(str(run))
    assert (value_of(weights), weights.step, str(weights)) == (3, 3, "run, step 3")
    assert not weights.poll()
    checkpoint(run, 7, 101)
    assert weights.poll()
    assert (value_of(weights), weights.step) == (7, 7)
    assert weights.fixed_side is None

    model = RayModel(SMALL)
    model.save_pretrained(run / "model")
    os.utime(run / "model" / "model.safetensors", (102, 102))
    assert weights.poll()
    assert (value_of(weights), weights.step) == (float(next(model.parameters()).detach().flatten()[0]), None)
    assert str(weights) == "run"


def test_models_by_name_never_change():
    weights = Weights("ray-small")
    assert weights.step is None
    assert not weights.poll()


def test_image_models_have_one_size(tmp_path):
    checkpoint(tmp_path / "run", 1, 100, ImageModel(tiny_model()))
    assert Weights(str(tmp_path / "run")).fixed_side == 16


def test_what_is_damaged_is_told_and_the_old_weights_stay(tmp_path):
    run = tmp_path / "run"
    checkpoint(run, 3, 100)
    weights = Weights(str(run))
    (run / "checkpoint.safetensors").write_bytes(b"x")
    with pytest.raises(InputError, match=r"checkpoint\.safetensors"):
        weights.poll()
    assert value_of(weights) == 3
    assert not weights.poll()
    checkpoint(run, 4, 101)
    (run / "config.json").write_text("{}")
    with pytest.raises(InputError, match=r"config\.json: .*not the configuration of a run"):
        weights.poll()
    checkpoint(run, 5, 102)
    write_config(run, replace(SMALL, hidden=5))
    with pytest.raises(InputError, match=r"not the weights of the model in config\.json"):
        weights.poll()


def test_no_model_is_told_as_everywhere(tmp_path):
    with pytest.raises(InputError, match="neither a folder nor a model that comes with Luxel"):
        Weights(str(tmp_path / "nothing"))
