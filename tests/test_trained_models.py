"""From a model's name to the folder of its weights; what is no model is told with the remedy."""

from pathlib import Path

import pytest
from huggingface_hub.errors import HFValidationError

from luxel import InputError, trained_models
from luxel.trained_models import SHIPPED, find_weights, weights_folder


def test_a_model_of_the_hub_is_downloaded_by_name_only(tmp_path, monkeypatch):
    """And only if its name says so: what is no folder is no reason to ask the network."""
    (tmp_path / "model.safetensors").touch()
    asked = []

    def snapshot_download(name, allow_patterns):
        asked.append(name)
        if name != "somebody/model":
            raise HFValidationError("no such\nmodel")
        return str(tmp_path)

    monkeypatch.setattr(trained_models, "snapshot_download", snapshot_download)
    assert find_weights("hf-hub:somebody/model") == tmp_path
    with pytest.raises(InputError, match="hf-hub:gone: cannot be downloaded: no such model; the form is hf-hub:OWNER"):
        find_weights("hf-hub:gone")
    with pytest.raises(InputError, match="neither a folder nor a model"):
        find_weights("somebody/else")
    assert asked == ["somebody/model", "gone"]


@pytest.mark.parametrize("name", ["ray-small", "ray-base"])
def test_models_that_come_with_luxel_are_found_by_name(name):
    assert find_weights(name) == SHIPPED / name


def test_a_runs_model_comes_before_weights_of_the_folder_itself(tmp_path):
    (tmp_path / "model.safetensors").touch()
    assert weights_folder(tmp_path) == tmp_path
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "model.safetensors").touch()
    assert weights_folder(tmp_path) == tmp_path / "model"


def test_what_is_no_model_is_told_with_the_remedy(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run").mkdir()
    (tmp_path / "config.json").touch()
    for name, told in (
        ("run", "run has no model.safetensors, .* or end an interrupted one by repeating its `luxel train` command"),
        ("config.json", "config.json is a file; give the folder of a model"),
        ("gone", "gone is neither a folder nor a model that comes with Luxel; those are: ray-base, ray-small$"),
        ("ray_small", "those are: ray-base, ray-small; did you mean ray-small"),
    ):
        with pytest.raises(InputError, match=told):
            weights_folder(Path(name))
