from dataclasses import replace

import pytest
import torch

from luxel.models.generator import Block, GeneratorConfig, NonLocal, SqueezeExcitation, positions

CONFIG = GeneratorConfig(start_channels=64, max_channels=128, min_channels=8)


def block(config: GeneratorConfig, channels: int = 6, extra: int = 0, out: int = 6, upsample: bool = False) -> Block:
    torch.manual_seed(0)
    return Block(channels, channels + extra, out, upsample, config)


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        ("expand_then_halve", [64, 96, 128, 64, 32]),
        ("constant_then_halve", [64, 64, 64, 32, 16]),
        ("halve", [64, 32, 16, 8, 8]),
    ],
)
def test_the_three_channel_strategies(strategy, expected):
    assert replace(CONFIG, strategy=strategy).channels(5) == expected


def test_one_level_has_the_start_channels():
    assert replace(CONFIG, strategy="halve").channels(1) == [64]


@pytest.mark.parametrize(("out", "kept"), [(4, 4), (6, 6), (9, 6)])
@pytest.mark.parametrize("upsample", [False, True])
def test_without_its_branch_a_block_is_nearest_upsampling_with_channels_dropped_or_padded(out, kept, upsample):
    module = block(CONFIG, out=out, upsample=upsample)
    torch.nn.init.zeros_(module.project.weight)
    torch.nn.init.zeros_(module.project.bias)
    image = torch.randn(2, 6, 3, 5)
    result = module(image, image)
    nearest = image.repeat_interleave(2, 2).repeat_interleave(2, 3) if upsample else image
    assert result.shape[1] == out
    assert torch.equal(result[:, :kept], nearest[:, :kept])
    assert result[:, kept:].abs().sum() == 0


def test_positions_by_hand():
    """Two pixels across: centres at −1/2 and 1/2, and sin and cos of π/2 times them."""
    maps = positions(torch.zeros(1, 1, 1, 2), frequencies=1)[0, :, 0]
    s = 0.5**0.5
    expected = torch.tensor([[0, 0], [-0.5, 0.5], [0, 0], [-s, s], [1, 1], [s, s]])
    torch.testing.assert_close(maps, expected)


@pytest.mark.parametrize(
    ("change", "added"),
    [
        (
            {"squeeze_excitation": True},
            {f"squeeze_excitation.weigh.{i}.{n}" for i in (0, 2) for n in ("weight", "bias")},
        ),
        ({"normalisation": "group"}, set()),
    ],
)
def test_an_option_adds_the_parameters_it_should(change, added):
    names = [set(dict(block(config).named_parameters())) for config in (CONFIG, replace(CONFIG, **change))]
    assert names[1] - names[0] == added


def test_no_normalisation_removes_its_parameters():
    names = [set(dict(block(config).named_parameters())) for config in (CONFIG, replace(CONFIG, normalisation="none"))]
    norms = {f"{norm}.{name}" for norm in ("hidden_norm", "depthwise_norm") for name in ("weight", "bias")}
    assert names[0] - names[1] == norms


def test_kernel_expansion_and_features_set_the_shapes():
    module = block(replace(CONFIG, kernel=5, expand_ratio=4), extra=3)
    assert module.expand.weight.shape == (24, 9, 1, 1)
    assert module.depthwise.weight.shape == (24, 1, 5, 5)


def test_squeeze_excitation_weighs_whole_channels():
    torch.manual_seed(0)
    image = torch.randn(2, 8, 3, 5)
    ratio = SqueezeExcitation(8)(image) / image
    torch.testing.assert_close(ratio, ratio[:, :, :1, :1].expand_as(ratio))
    assert ((ratio > 0) & (ratio < 1)).all()


def test_a_non_local_block_lets_every_pixel_reach_every_other():
    torch.manual_seed(0)
    module = NonLocal(8, replace(CONFIG, normalisation="none"))
    image = torch.randn(1, 8, 3, 4, requires_grad=True)
    (gradient,) = torch.autograd.grad(module(image)[0, :, 0, 0].sum(), image)
    assert (gradient.abs().sum(dim=1) > 0).all()


def test_neighbouring_pixels_of_a_large_image_differ_in_half_precision():
    grid = positions(torch.zeros(1, 1, 2, 256, dtype=torch.bfloat16), 0)
    assert grid.dtype == torch.bfloat16
    assert len(grid[0, 1, 0].unique()) == 256


def test_positions_leave_channels_innermost():
    image = torch.zeros(2, 5, 4, 4).contiguous(memory_format=torch.channels_last)
    joined = torch.cat([image, positions(image, 2)], dim=1)
    assert joined.is_contiguous(memory_format=torch.channels_last)
