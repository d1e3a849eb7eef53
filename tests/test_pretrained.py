"""Folders of models: refused if anything in them is not the model's."""

import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file, save_file

from luxel import InputError
from luxel.files.typed_json import read_json, write_json
from luxel.models.model_types import load_model
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
    with pytest.raises(InputError, match=r"model\.safetensors: not the weights of the model.*head\.bias"):
        RayModel.from_pretrained(folder)


def test_one_flipped_bit_is_found(folder):
    path = folder / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"model\.safetensors: damaged, its SHA-256 is not the one that was written"):
        RayModel.from_pretrained(folder)


def test_weights_without_a_checksum_are_read(folder):
    """As they were written before there was one."""
    path = folder / "model.safetensors"
    save_file(load_file(path), path)
    assert RayModel.from_pretrained(folder).config == SMALL


@pytest.mark.parametrize("value", [torch.nan, -torch.inf])
def test_weights_that_are_not_finite_are_refused(folder, value):
    model = RayModel.from_pretrained(folder)
    with torch.no_grad():
        model.head.bias[0] = value
    model.save_pretrained(folder)
    with pytest.raises(InputError, match=r"model\.safetensors: head\.bias is not finite"):
        RayModel.from_pretrained(folder)


def test_a_full_disk_leaves_the_model_that_was_there(folder):
    """A limit on the size of files stands for it, in a process of its own."""
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    code = f"""
import resource
from luxel import InputError
from luxel.models.ray_model import RayModel
model = RayModel.from_pretrained({str(folder)!r})
resource.setrlimit(resource.RLIMIT_FSIZE, (500, 500))
try:
    model.save_pretrained({str(folder)!r})
except InputError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"{folder / 'model.safetensors'}: cannot be written: File too large")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_file_in_a_models_place_is_named(tmp_path):
    (tmp_path / "model").write_text("notes")
    with pytest.raises(InputError, match=r"model: cannot be written: File exists"):
        RayModel(SMALL).save_pretrained(tmp_path / "model")


def test_a_configuration_of_another_version_is_refused(folder):
    path = folder / "config.json"
    values = read_json(path)
    write_json(path, {"bounce_count": values.pop("bounces"), **values})
    message = r"config\.json: bounce_count is not a field of this version.*; train again with this version"
    with pytest.raises(InputError, match=message):
        RayModel.from_pretrained(folder)
    with pytest.raises(InputError, match=f"^{folder}/{message}"):
        load_model(folder)


def test_pickles_are_never_read():
    with pytest.raises(InputError, match="never from a pickle"):
        RayModel._load_as_pickle(RayModel(replace(SMALL, layers=2)), "weights.bin", "cpu", True)
