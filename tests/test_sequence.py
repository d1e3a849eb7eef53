from dataclasses import replace

import pytest
import torch

from luxel import InputError
from luxel.models.sequence import Transformer, TransformerConfig

CONFIG = TransformerConfig(layers=3, feed_forward=2)
WB = ("weight", "bias")
MASK = torch.tensor([[True, True, False, False, False], [True] * 5])


def made(config: TransformerConfig) -> Transformer:
    torch.manual_seed(0)
    return Transformer(12, config)


def count(model: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def test_without_layers_it_is_the_identity():
    sequence = torch.randn(2, 5, 12)
    model = made(replace(CONFIG, layers=0))
    assert count(model) == 0
    assert torch.equal(model(sequence, MASK), sequence)


def test_sharing_keeps_one_layer_and_passes_it_as_often():
    one, shared = made(replace(CONFIG, layers=1)), made(replace(CONFIG, shared=True))
    assert count(shared) == count(one) == count(made(CONFIG)) // 3
    sequence = torch.randn(2, 5, 12)
    expected = one(one(one(sequence, MASK), MASK), MASK)
    torch.testing.assert_close(shared(sequence, MASK), expected)


def test_a_closed_gate_leaves_the_sequence_alone_and_an_open_one_does_not():
    sequence = torch.randn(2, 5, 12)
    closed, open_ = (made(replace(CONFIG, gate_bias=bias)) for bias in (-30.0, 30.0))
    torch.testing.assert_close(closed(sequence, MASK), sequence)
    torch.testing.assert_close(open_(sequence, MASK), made(CONFIG)(sequence, MASK))


@pytest.mark.parametrize(
    ("change", "added"),
    [
        ({"gate_bias": -3.0}, {"layers.0.gates", "layers.1.gates", "layers.2.gates"}),
        ({"activation": "intersection"}, {f"layers.{i}.feed_forward.1.project.{n}" for i in range(3) for n in WB}),
        ({"dropout": 0.5}, set()),
        ({"stochastic_depth": 0.5}, set()),
    ],
)
def test_an_option_adds_the_parameters_it_should(change, added):
    names = [set(dict(made(config).named_parameters())) for config in (CONFIG, replace(CONFIG, **change))]
    assert names[1] - names[0] == added
    assert names[0] <= names[1] or "activation" in change


@pytest.mark.parametrize("change", [{"dropout": 0.5}, {"stochastic_depth": 0.5}])
def test_noise_is_for_training_only(change):
    model, sequence = made(replace(CONFIG, **change)), torch.randn(2, 5, 12)
    plain = made(CONFIG)(sequence, MASK)
    assert not torch.allclose(model(sequence, MASK), plain)
    torch.testing.assert_close(model.eval()(sequence, MASK), plain)


@pytest.mark.parametrize("field", ["dropout", "stochastic_depth"])
def test_a_rate_of_one_is_refused(field):
    with pytest.raises(InputError, match=f"{field} is 1.0"):
        replace(CONFIG, **{field: 1.0})


def test_padding_never_reaches_a_real_object():
    model, sequence = made(CONFIG), torch.randn(2, 5, 12)
    changed = torch.where(MASK[..., None], sequence, 7.0)
    torch.testing.assert_close(model(changed, MASK)[MASK], model(sequence, MASK)[MASK])
