"""Folders of models: refused if anything in them is not the model's."""

from dataclasses import replace

import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import load_file, save_file

from luxel import InputError
from luxel.models.ray_model import RayModel, RayModelConfig

SMALL = RayModelConfig(hidden=8)


@pytest.fixture
def folder(tmp_path):
    torch.manual_seed(0)
    RayModel(SMALL).save_pretrained(tmp_path)
    return tmp_path


def test_a_folder_gives_back_the_model(folder):
    torch.manual_seed(0)
    expected = RayModel(SMALL)
    model = RayModel.from_pretrained(folder)
    assert model.config == SMALL
    assert not model.training
    for (name, one), (_, other) in zip(model.named_parameters(), expected.named_parameters(), strict=True):
        assert torch.equal(one, other), name


def test_missing_weights_are_refused(folder):
    path = folder / "model.safetensors"
    weights = load_file(path)
    weights.pop("head.bias")
    save_file(weights, path)
    with pytest.raises(RuntimeError, match=r"head\.bias"):
        RayModel.from_pretrained(folder)


def test_a_configuration_of_another_version_is_refused(folder):
    path = folder / "config.json"
    path.write_text(path.read_text().replace('"bounces"', '"bounce_count"'))
    with pytest.raises(ValidationError, match="bounce_count"):
        RayModel.from_pretrained(folder)


def test_pickles_are_never_read():
    with pytest.raises(InputError, match="never from a pickle"):
        RayModel._load_as_pickle(RayModel(replace(SMALL, layers=2)), "weights.bin", "cpu", True)
