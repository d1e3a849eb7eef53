import numpy as np
import pytest
import torch

from luxel import InputError
from luxel.core.scene_batch import SceneBatch
from luxel.data.generate_settings import GenerateSettings
from luxel.data.stream import RaySampler, camera_rays, sees_objects
from luxel.image.losses import LOSSES, MIN_SPP, UNBIASED, bias_under_noise, loss_function
from luxel.scene import Spheres
from luxel.trace.path import PathTracer

PREDICTION = torch.tensor([0.5, 4.0, 1.0])
TARGET = torch.tensor([1.0, 1.0, 1.0])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mse", [0.25, 9.0, 0.0]),
        ("perceptual", [0.125 / 2, 2.5 / 2, 0.0]),
        ("log1p_l1", [0.2876821, 0.9162907, 0.0]),
        ("relative_l2", [0.25 / 0.26, 9 / 16.01, 0.0]),
        ("weighted_l2", [0.125 / 1.5, 4.5 / 5, 0.0]),
        ("sqrt_l2", [0.0625 / 0.6, 2.25 / 4.1, 0.0]),
        ("display_huber", [0.4 * 0.25 / 0.6**0.5 - 0.04, 0.4 * 1.5 / (4.1 * 4) ** 0.5 - 0.04, 0.0]),
    ],
)
def test_hand_computed_values(name, expected):
    torch.testing.assert_close(loss_function(name)(PREDICTION, TARGET), torch.tensor(expected))


def test_a_huge_error_counts_linearly():
    """An error of e times the display's range beyond 0.2 costs 0.4 e − 0.04 instead of e²."""
    prediction, target = torch.tensor([0.3, 0.3]), torch.tensor([50.0, 100.0])
    e = (target - prediction) / (2 * 0.4**0.5)
    torch.testing.assert_close(loss_function("display_huber")(prediction, target), 0.4 * e - 0.04)


@pytest.mark.parametrize("name", LOSSES)
def test_zero_at_the_target_and_a_finite_gradient_elsewhere(name):
    prediction = torch.tensor([-2.0, -0.5, 0.0, 0.3, 7.0], requires_grad=True)
    loss_function(name)(prediction, torch.tensor([0.0, 0.1, 0.0, 5.0, 100.0])).sum().backward()
    assert prediction.grad is not None
    assert prediction.grad.isfinite().all()
    assert loss_function(name)(TARGET, TARGET).abs().max() == 0


@pytest.mark.parametrize("name", UNBIASED)
def test_noise_in_the_target_leaves_the_minimum_at_its_mean(name):
    """At the mean of the noisy targets the gradient vanishes; a denominator from the target would break it."""
    noisy = torch.tensor([0.0, 0.0, 0.0, 8.0])
    prediction = torch.full_like(noisy, 2.0).requires_grad_()
    (gradient,) = torch.autograd.grad(loss_function(name)(prediction, noisy).sum(), prediction)
    assert gradient.sum().abs() < 1e-6


def test_an_unknown_loss_names_those_there_are():
    with pytest.raises(InputError, match=r"huber.*perceptual"):
        loss_function("huber")


def test_the_twins_agree_near_the_minimum():
    """To the first order: in value at the target, and in slope beside it."""
    target = torch.tensor([0.1, 1.0, 20.0])
    slopes = []
    for name in ("perceptual", "weighted_l2"):
        prediction = (target * 1.001).requires_grad_()
        slopes += torch.autograd.grad(loss_function(name)(prediction, target).sum(), prediction)
    torch.testing.assert_close(slopes[0], slopes[1], rtol=1e-3, atol=0)


PATHS, RAYS, SCENES = 8192, 12, 10


@pytest.fixture(scope="module")
def paths() -> torch.Tensor:
    """Single paths [path, ray and channel] along rays that meet an object, as the tracer draws them."""
    data = GenerateSettings(Spheres(max_objects=4))
    traced = []
    for number in range(SCENES):
        scene = data.distribution(78, number)
        batch, points = SceneBatch.of([scene]), RaySampler(data, scene, number).points(2000)[None]
        seen = points[sees_objects(batch, points)][:RAYS]
        repeated = np.tile(seen, (PATHS, 1))[None]
        traced.append(PathTracer().trace_rays(batch, camera_rays(batch, repeated), spp=1).mean)
    return torch.cat([one.reshape(PATHS, -1) for one in traced], dim=1)


def bias(name: str, paths: torch.Tensor, spp: int) -> torch.Tensor:
    """How far the minimiser of the loss over targets of `spp` paths is from the mean, over the mean, for every ray."""
    targets = paths.unflatten(0, (-1, spp)).mean(1)
    low, high = targets.amin(0), targets.amax(0)
    for _ in range(30):  # bisection: a convex loss falls before its minimum and rises behind it
        middle = ((low + high) / 2).requires_grad_()
        loss = loss_function(name)(middle.expand_as(targets), targets).sum()
        (slope,) = torch.autograd.grad(loss, middle)
        middle = middle.detach()
        low, high = torch.where(slope > 0, low, middle), torch.where(slope > 0, middle, high)
    mean = paths.mean(0)
    return ((low + high) / 2 - mean) / (mean + 0.01)


@pytest.mark.parametrize("name", LOSSES)
def test_the_fewest_spp_of_a_loss_is_where_its_bias_ends(name, paths):
    """At 95 % of the rays it is within 1 % there; with a quarter of the paths it is not."""
    fewest = MIN_SPP.get(name, 1)
    assert bias(name, paths, fewest).abs().quantile(0.95) < 0.01
    if fewest > 1:
        assert bias(name, paths, fewest // 4).abs().quantile(0.95) > 0.01


def test_a_biased_loss_is_refused_with_the_remedy():
    assert bias_under_noise("log1p_l1", 64) is None
    assert bias_under_noise("weighted_l2", 1) is None
    said = bias_under_noise("log1p_l1", 63)
    assert said is not None
    assert "train.loss is log1p_l1" in said
    assert "targets have 63 spp: take 64 spp or more" in said
    assert "mse, relative_l2, weighted_l2" in said
