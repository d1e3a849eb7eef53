"""Configurations and folders lead to the model that they are of."""

import pytest
import torch

from luxel.experiments.base import tiny_model
from luxel.models.image_model import ImageModel
from luxel.models.model_types import load_model, model_of
from luxel.models.ray_model import RayModel, RayModelConfig


@pytest.mark.parametrize(("config", "kind"), [(tiny_model(), ImageModel), (RayModelConfig(), RayModel)])
def test_a_model_comes_back_from_its_folder(config, kind, tmp_path):
    torch.manual_seed(0)
    model = model_of(config)
    assert type(model) is kind
    model.save_pretrained(tmp_path)
    loaded = load_model(tmp_path)
    assert type(loaded) is kind
    assert loaded.config == config
    torch.testing.assert_close(loaded.state_dict(), model.state_dict(), rtol=0, atol=0)


@pytest.mark.parametrize(("config", "told"), [('{"kind": "cloud"}', "kind is 'cloud'"), ("[]", r"its content is \[\]")])
def test_a_folder_of_another_kind_is_told_so(config, told, tmp_path):
    (tmp_path / "config.json").write_text(config)
    with pytest.raises(ValueError, match=told):
        load_model(tmp_path)
