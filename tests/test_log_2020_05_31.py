"""Each run of 2020-05-31 changes what it says, and nothing else."""

import pytest

from luxel.experiments import EXPERIMENTS, Experiment
from luxel.models.image_model import ImageModel
from luxel.train.run_folder import differences

SCALES = ("tiny", "small", "full")


def made(name: str, scale: str = "tiny") -> Experiment:
    return EXPERIMENTS[name].make(scale)


def parameters(name: str) -> set[str]:
    return set(dict(ImageModel(made(name).model).named_parameters()))


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize(
    ("name", "base", "changed"),
    [
        ("just_image_to_seq", "standard_run", ["model.image_to_seq"]),
        ("just_seq_blocks", "standard_run", ["model.sequence_blocks"]),
        ("new_improve_seq", "just_image_to_seq", ["model.sequence_blocks"]),
        ("improve_seq_half_lr", "new_improve_seq", ["train.optim.lr_multiplier"]),
    ],
)
def test_a_run_changes_one_thing(name, base, changed, scale):
    fields = differences(made(base, scale).to_json(), made(name, scale).to_json())
    assert [field for field, _, _ in fields] == changed


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("just_image_to_seq", {"image_to_seq"}),
        ("just_seq_blocks", {"sequence_block"}),
        ("new_improve_seq", {"image_to_seq", "sequence_block"}),
    ],
)
def test_a_run_adds_the_parameters_of_its_parts(name, parts):
    standard, added = parameters("standard_run"), parameters(name) - parameters("standard_run")
    assert standard < parameters(name)
    assert {parameter.split(".")[2] for parameter in added} == parts


def test_sequence_blocks_start_almost_closed():
    gates = [p for n, p in ImageModel(made("new_improve_seq").model).named_parameters() if n.endswith("gates")]
    assert gates
    assert all((gate.sigmoid() < 0.05).all() for gate in gates)


def test_half_the_rate_is_half_the_rate():
    rates = [made(name).train.optim.peak_rate(32) for name in ("new_improve_seq", "improve_seq_half_lr")]
    assert rates[1] == rates[0] / 2
