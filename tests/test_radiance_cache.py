"""Spherical harmonics of what balls send out: exact for what they hold, the same in torch and Warp."""

import numpy as np
import pytest
import torch
import warp as wp
from kernels import DEVICES

from luxel.core.launch import to_warp
from luxel.trace.radiance_cache import HARMONICS, MIN_SAMPLES, RIDGE, cached_radiance, fitted_cache, harmonics


def directions(count: int, seed: int = 0) -> torch.Tensor:
    vectors = torch.randn(count, 3, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.normalize(vectors, dim=1)


@wp.kernel(enable_backward=False)
def looked_up(
    coefficients: wp.array2d[wp.vec3], object_id: wp.array[int], normal: wp.array[wp.vec3], found: wp.array[wp.vec3]
):
    i = wp.tid()
    found[i] = cached_radiance(coefficients, object_id[i], normal[i])


@pytest.mark.parametrize("device", DEVICES)
def test_what_a_path_looks_up_is_the_harmonics_sum(device):
    coefficients = torch.randn(3, HARMONICS, 3, generator=torch.Generator().manual_seed(1))
    object_id, normal = torch.arange(101) % 3, directions(101)
    found = torch.empty(101, 3, device=device)
    inputs = [to_warp(coefficients.to(device), wp.vec3), to_warp(object_id.int().to(device))]
    inputs.append(to_warp(normal.to(device), wp.vec3))
    wp.launch(looked_up, 101, inputs, [to_warp(found, wp.vec3)], device=device)
    expected = torch.einsum("sh,shc->sc", harmonics(normal), coefficients[object_id]).clamp(min=0)
    assert (expected == 0).any()
    np.testing.assert_allclose(found.cpu(), expected, atol=1e-5)


def test_harmonics_are_orthogonal():
    basis = harmonics(directions(200_003)).double()
    gram = basis.T @ basis / len(basis)
    scale = gram.diagonal().sqrt()
    np.testing.assert_allclose(gram / scale[:, None] / scale, np.eye(HARMONICS), atol=0.02)


def test_a_cosine_is_found_and_few_samples_are_not_known():
    """The ridge leaves n / 3 / (n / 3 + RIDGE) of a coefficient of the first order."""
    up = torch.tensor([0.0, 0.0, 1.0])
    normal, count = directions(5_003), 5_000
    object_id = torch.where(torch.arange(len(normal)) < count, 2, 4)
    radiance = (0.3 + 0.2 * normal @ up)[:, None] * torch.tensor([1.0, 2.0, 3.0])
    cache = fitted_cache(object_id, normal, radiance, 5)
    assert cache.is_known.tolist() == [False, False, True, False, False]
    assert count >= MIN_SAMPLES > len(normal) - count
    kept = count / 3 / (count / 3 + RIDGE[3])
    np.testing.assert_allclose(cache.coefficients[2, 0], [0.3, 0.6, 0.9], rtol=1e-3)
    np.testing.assert_allclose(cache.coefficients[2, 3], kept * torch.tensor([0.2, 0.4, 0.6]), rtol=1e-3)
    assert float(cache.coefficients[2, [1, 2, 4, 5, 6, 7, 8]].abs().max()) < 2e-3
