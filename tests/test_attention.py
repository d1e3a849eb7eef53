import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from luxel import InputError
from luxel.models.attention import Attention, AttentionConfig, masked_mean, softmax_attention, tanh_attention

BASE = AttentionConfig(heads=2)
OPTIONS = {
    "softmax": BASE,
    "tanh": replace(BASE, weighting="tanh"),
    "qk_norm": replace(BASE, qk_norm=True),
    "registers": replace(BASE, registers=3),
    "intersection": replace(BASE, intersection=True),
}


def made(config: AttentionConfig) -> Attention:
    torch.manual_seed(0)
    return Attention(query_width=5, context_width=7, width=6, out=11, config=config)


def reference(query, key, value, mask, weighting):
    """Plain loops over batch and heads, keys that are not real left out."""
    rows = []
    for b in range(len(query)):
        real = mask[b]
        heads = []
        for h in range(query.shape[1]):
            logits = query[b, h] @ key[b, h][real].T / math.sqrt(query.shape[-1])
            weights = logits.softmax(-1) if weighting == "softmax" else logits.tanh() / real.sum()
            heads.append(weights @ value[b, h][real])
        rows.append(torch.stack(heads))
    return torch.stack(rows)


@pytest.mark.parametrize("weighting", ["softmax", "tanh"])
@given(seed=st.integers(0, 1000), keys=st.integers(1, 6))
@settings(max_examples=15)
def test_values_and_gradients_match_the_reference(weighting, seed, keys):
    generator = torch.Generator().manual_seed(seed)
    query, key, value = (
        torch.randn(3, 2, n, 5, generator=generator, dtype=torch.float64, requires_grad=True) for n in (4, keys, keys)
    )
    mask = torch.rand(3, keys, generator=generator) < 0.6
    mask[:, 0] = True
    fast = (softmax_attention if weighting == "softmax" else tanh_attention)(query, key, value, mask)
    slow = reference(query, key, value, mask, weighting)
    torch.testing.assert_close(fast, slow)
    probe = torch.randn(fast.shape, generator=generator, dtype=torch.float64)
    gradients = [torch.autograd.grad((result * probe).sum(), (query, key, value)) for result in (fast, slow)]
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("name", ["softmax", "tanh"])
def test_the_module_weighs_as_its_configuration_says(name):
    attention, x, context = made(OPTIONS[name]), torch.randn(3, 2, 5), torch.randn(3, 4, 7)
    mask = torch.ones(3, 4, dtype=torch.bool)
    layers = (attention.query(x), attention.key(context), attention.value(context))
    query, key, value = (layer.unflatten(-1, (2, -1)).transpose(1, 2) for layer in layers)
    expected = attention.out(reference(query, key, value, mask, name).transpose(1, 2).flatten(2))
    torch.testing.assert_close(attention(x, context, mask), expected)


def test_attention_by_hand():
    """One head of width 1: keys ln 1 and ln 3 weigh 1/4 and 3/4; tanh is signed and averaged."""
    query, key = torch.ones(1, 1, 1, 1), torch.tensor([0.0, math.log(3.0)]).view(1, 1, 2, 1)
    value = torch.tensor([8.0, 4.0]).view(1, 1, 2, 1)
    assert softmax_attention(query, key, value, None).item() == pytest.approx(5.0)
    assert tanh_attention(query, key, value, None).item() == pytest.approx(4.0 * 0.8 / 2)


@pytest.mark.parametrize("name", OPTIONS)
def test_padding_changes_nothing_and_keys_may_come_in_any_order(name):
    attention = made(OPTIONS[name])
    x, context = torch.randn(3, 2, 5), torch.randn(3, 4, 7)
    mask = torch.tensor([[True, True, False, False], [True] * 4, [True, False, False, False]])
    expected = attention(x, context, mask)
    changed = torch.where(mask[..., None], context, 1e3)
    torch.testing.assert_close(attention(x, changed, mask), expected)
    order = torch.tensor([2, 0, 3, 1])
    torch.testing.assert_close(attention(x, context[:, order], mask[:, order]), expected)


@pytest.mark.parametrize("name", OPTIONS)
def test_a_gradient_reaches_every_parameter(name):
    attention = made(OPTIONS[name])
    attention(torch.randn(3, 2, 5), torch.randn(3, 4, 7)).square().sum().backward()
    for parameter_name, parameter in attention.named_parameters():
        assert parameter.grad is not None, parameter_name
        if parameter_name != "key.bias" or OPTIONS[name].weighting == "tanh":  # softmax does not see a common shift
            assert parameter.grad.abs().max() > 0, parameter_name


@pytest.mark.parametrize(
    ("name", "added"),
    [
        ("tanh", set()),
        ("qk_norm", {"query_norm.weight", "key_norm.weight"}),
        ("registers", {"registers"}),
        ("intersection", {"value.project.weight", "value.project.bias"}),
    ],
)
def test_an_option_adds_the_parameters_it_should(name, added):
    names = [set(dict(made(OPTIONS[option]).named_parameters())) for option in ("softmax", name)]
    assert names[1] - names[0] == added


def test_heads_must_divide_the_width():
    with pytest.raises(InputError, match="6 is not a multiple of its 4 heads"):
        made(AttentionConfig(heads=4))


def test_masked_mean_by_hand():
    x = torch.tensor([[[1.0], [3.0], [100.0]]])
    assert masked_mean(x, torch.tensor([[True, True, False]])).item() == 2.0
    assert masked_mean(x[:, None], torch.tensor([[True, True, False]])).shape == (1, 1, 1)
