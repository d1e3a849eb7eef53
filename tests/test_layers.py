import math

import pytest
import torch
import torch.distributed as distributed
from torch import nn

from luxel.models.layers import (
    CELU_ALPHA,
    CELU_LEAK,
    Intersection,
    StochasticDepth,
    averaging_statistics,
    normalisation,
    output_activation,
)


@pytest.mark.parametrize("kind", ["batch", "group", "instance"])
def test_a_normalisation_centres_what_it_normalises_over(kind):
    image = 5 + 3 * torch.randn(7, 32, 5, 3, generator=torch.Generator().manual_seed(0))
    normed = normalisation(kind, 32)(image)
    over = {"batch": (0, 2, 3), "group": (2, 3), "instance": (2, 3)}[kind]
    if kind == "group":
        normed = normed.unflatten(1, (2, 16)).flatten(2, 3)
    torch.testing.assert_close(normed.mean(dim=over), torch.zeros_like(normed.mean(dim=over)), atol=1e-5, rtol=0)


def test_no_normalisation_is_the_identity():
    image = torch.randn(2, 3, 5, 7)
    assert torch.equal(normalisation("none", 3)(image), image)


def test_running_statistics_are_taken_anew():
    """By hand: the mean over two batches of each one's mean and unbiased variance, whatever was there before."""
    model = nn.Sequential(normalisation("batch", 3)).eval()
    with torch.no_grad():
        model[0].running_var.fill_(1e9)
    generator = torch.Generator().manual_seed(0)
    batches = [scale * torch.randn(5, 3, 2, 7, generator=generator) + scale for scale in (1.0, 4.0)]
    with averaging_statistics(model):
        for batch in batches:
            model(batch)
    means = torch.stack([batch.mean(dim=(0, 2, 3)) for batch in batches]).mean(0)
    variances = torch.stack([batch.var(dim=(0, 2, 3)) for batch in batches]).mean(0)
    torch.testing.assert_close(model[0].running_mean, means)
    torch.testing.assert_close(model[0].running_var, variances)
    assert not model.training
    assert model[0].momentum == 0.1


@pytest.mark.parametrize(("kind", "lowest"), [("celu", -CELU_ALPHA), ("relu", 0.0), ("exp", 0.0), ("softplus", 0.0)])
def test_the_output_never_falls_below_its_floor(kind, lowest):
    values = output_activation(kind, torch.linspace(-80, 20, 997))
    assert values.min() >= lowest
    assert values.min() < lowest + 1e-4
    assert (values.diff() >= 0).all()


def test_batch_norm_over_processes_is_batch_norm_where_the_mean_is_large(tmp_path, monkeypatch):
    """A group of one process taken for two, whose sums are its own; values of 1e4 ± 1."""
    generator = torch.Generator().manual_seed(0)
    image = 1e4 + torch.randn(7, 3, 5, 2, generator=generator)
    upstream = torch.randn(image.shape, generator=generator)
    expected, ours = torch.nn.BatchNorm2d(3).double(), normalisation("batch", 3)
    distributed.init_process_group("gloo", f"file://{tmp_path}/store", rank=0, world_size=1)
    try:
        monkeypatch.setattr(distributed, "get_world_size", lambda *_: 2)
        found = []
        for norm, given in ((expected, image.double()), (ours, image.clone())):
            given.requires_grad_()
            out = nn.BatchNorm2d.forward(norm, given) if norm is expected else norm(given)
            (out * upstream.to(out.dtype)).sum().backward()
            found.append((out, given.grad, norm.running_mean, norm.running_var))
    finally:
        monkeypatch.undo()
        distributed.destroy_process_group()
    for name, right, got in zip(("output", "gradient", "mean", "variance"), *found, strict=True):
        assert (got.double() - right).abs().max() < 2e-3 * right.abs().max(), name


def test_intersection_by_hand():
    unit = Intersection(2, 1)
    with torch.no_grad():
        unit.project.weight.copy_(torch.tensor([[1.0, 0.0], [0.0, 1.0]]))
        unit.project.bias.zero_()
    assert torch.equal(unit(torch.tensor([[3.0, 2.0], [-1.0, 5.0]])), torch.tensor([[2.0], [-1.0]]))


def test_stochastic_depth_keeps_the_mean_and_drops_whole_samples():
    torch.manual_seed(0)
    branch = StochasticDepth(0.25)(torch.ones(4001, 3))
    assert branch.unique().tolist() == pytest.approx([0, 4 / 3])
    assert (branch == branch[:, :1]).all()
    assert branch.mean().item() == pytest.approx(1, abs=0.04)
    assert torch.equal(StochasticDepth(0.25).eval()(torch.ones(5, 3)), torch.ones(5, 3))


@pytest.mark.parametrize("channels", [8, 40, 56, 101])
def test_group_norm_takes_any_number_of_channels(channels):
    assert normalisation("group", channels)(torch.randn(2, channels, 3, 3)).shape == (2, channels, 3, 3)


def test_what_is_far_below_black_may_still_rise():
    """Where CELU alone has no slope in float32: black in a channel would be black for good."""
    x = torch.tensor([-10.0, -0.01, 0.5], requires_grad=True)
    y = output_activation("celu", x)
    torch.testing.assert_close(y.detach(), torch.celu(x.detach(), alpha=CELU_ALPHA), rtol=0, atol=0)
    y.sum().backward()
    assert x.grad is not None
    torch.testing.assert_close(
        x.grad, torch.tensor([CELU_LEAK, math.exp(-0.01 / CELU_ALPHA) + CELU_LEAK, 1 + CELU_LEAK])
    )
