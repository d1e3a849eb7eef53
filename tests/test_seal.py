"""Sealed JSON: what was written is read, and any other content is told."""

import json
from contextlib import suppress

import pytest

from luxel import InputError
from luxel.files.seal import SEAL, opened, sealed
from luxel.files.typed_json import read_json, write_json
from luxel.models.model_types import load_model
from luxel.models.ray_model import RayModel, RayModelConfig

VALUES = {"b": (1, 2.5, None), "a": {"ä": [True, -0.0, 1e-300]}, "c": 10**20}


def test_the_seal_is_of_the_content_in_any_order():
    seal = sealed(VALUES)[SEAL]
    assert seal == sealed(dict(reversed(VALUES.items())))[SEAL]
    assert seal != sealed({**VALUES, "c": 10**20 + 1})[SEAL]
    assert opened(sealed(VALUES), "it") == opened(VALUES, "it") == VALUES


def test_every_flipped_bit_of_a_file_is_told_or_changes_nothing(tmp_path):
    """In the name of the seal, which is then an unknown field, or in white space."""
    path = tmp_path / "a.json"
    write_json(path, VALUES)
    right, content = read_json(path), path.read_bytes()
    assert json.loads(content).keys() == {*VALUES, SEAL}
    kept = 0
    for place in range(len(content)):
        changed = bytearray(content)
        changed[place] ^= 1
        path.write_bytes(changed)
        found = right
        with suppress(InputError):
            found = read_json(path)
            kept += 1
        assert {name: found[name] for name in right} == right
    assert kept < 64 < len(content) / 2
    path.write_bytes(content.replace(b"2.5", b"3.5"))
    with pytest.raises(InputError, match=r"a\.json: damaged, .*, remove that field\); delete it$"):
        read_json(path, remedy="delete it")


def test_a_models_configuration_is_sealed(tmp_path):
    RayModel(RayModelConfig(width=8, hidden=16)).save_pretrained(tmp_path)
    for load in (load_model, RayModel.from_pretrained):
        assert load(tmp_path).config.hidden == 16
    path = tmp_path / "config.json"
    path.write_text(path.read_text().replace('"width": 8', '"width": 9'))
    for load in (load_model, RayModel.from_pretrained):
        with pytest.raises(InputError, match=r"config\.json: damaged"):
            load(tmp_path)
