import pytest
import torch

from luxel import InputError
from luxel.image.losses import LOSSES, loss_function

PREDICTION = torch.tensor([0.5, 4.0, 1.0])
TARGET = torch.tensor([1.0, 1.0, 1.0])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mse", [0.25, 9.0, 0.0]),
        ("perceptual", [0.125 / 2, 2.5 / 2, 0.0]),
        ("log1p_l1", [0.2876821, 0.9162907, 0.0]),
        ("relative_l2", [0.25 / 0.26, 9 / 16.01, 0.0]),
    ],
)
def test_hand_computed_values(name, expected):
    torch.testing.assert_close(loss_function(name)(PREDICTION, TARGET), torch.tensor(expected))


@pytest.mark.parametrize("name", LOSSES)
def test_zero_at_the_target_and_a_finite_gradient_elsewhere(name):
    prediction = torch.tensor([-2.0, -0.5, 0.0, 0.3, 7.0], requires_grad=True)
    loss_function(name)(prediction, torch.tensor([0.0, 0.1, 0.0, 5.0, 100.0])).sum().backward()
    assert prediction.grad is not None
    assert prediction.grad.isfinite().all()
    assert loss_function(name)(TARGET, TARGET).abs().max() == 0


@pytest.mark.parametrize("name", ["mse", "relative_l2"])
def test_noise_in_the_target_leaves_the_minimum_at_its_mean(name):
    """At the mean of the noisy targets the gradient vanishes; a denominator from the target would break it."""
    noisy = torch.tensor([0.0, 0.0, 0.0, 8.0])
    prediction = torch.full_like(noisy, 2.0).requires_grad_()
    (gradient,) = torch.autograd.grad(loss_function(name)(prediction, noisy).sum(), prediction)
    assert gradient.sum().abs() < 1e-6


def test_an_unknown_loss_names_those_there_are():
    with pytest.raises(InputError, match=r"huber.*perceptual"):
        loss_function("huber")
