"""Means and variances of chunks of paths, against NumPy."""

import numpy as np
import pytest
import torch
import warp as wp
from kernels import DEVICES

from luxel.core.launch import launch, to_warp
from luxel.trace.path_moments import CHUNK, merge_chunks


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("size", [1, 4, 8, 16])
@pytest.mark.parametrize("spp", [1, 2, CHUNK, CHUNK + 1, 5 * CHUNK + 7])
def test_chunks_merge_to_the_mean_and_variance_of_all(spp, size, device):
    """Against NumPy, of groups of `size` paths whose spread is a thousandth of their mean."""
    paths = np.random.default_rng(spp).normal(1000, 1, (11, spp, 3)).astype(np.float32).astype(np.float64)
    means, deviations, of_paths, groups = [], [], [], []
    for first in range(0, spp, CHUNK):
        chunk = paths[:, first : first + CHUNK]
        mean, parts = chunk.mean(1), [chunk[:, k : k + size] for k in range(0, chunk.shape[1], size)]
        means.append(mean)
        deviations.append(sum(part.shape[1] * (part.mean(1) - mean) ** 2 for part in parts))
        of_paths.append(((chunk - mean[:, None]) ** 2).sum((1, 2)))
        groups += parts
    chunks = [
        to_warp(torch.from_numpy(np.stack(values, 1).astype(np.float32)).to(device), wp.vec3)
        for values in (means, deviations)
    ]
    chunks.append(to_warp(torch.from_numpy(np.stack(of_paths, 1).astype(np.float32)).to(device)))
    mean, variance = (torch.empty(13, 3, device=device) for _ in range(2))
    path_variance = torch.empty(13, device=device)
    outputs = [to_warp(mean, wp.vec3), to_warp(variance, wp.vec3), path_variance]
    places = torch.randperm(13, generator=torch.Generator().manual_seed(spp)).int().to(device)  # from the third on
    launch(merge_chunks, 11, [*chunks, spp, len(groups), places, 2], outputs, torch.device(device), sliced=True)
    mean, variance, path_variance = (values[places[2:].long()] for values in (mean, variance, path_variance))
    in_order = [torch.empty(13, *values.shape[1:], device=device) for values in (mean, variance, path_variance)]
    outputs = [to_warp(in_order[0], wp.vec3), to_warp(in_order[1], wp.vec3), in_order[2]]
    launch(merge_chunks, 11, [*chunks, spp, len(groups), places[:0], 2], outputs, torch.device(device), sliced=True)
    for values, there in zip(in_order, (mean, variance, path_variance), strict=True):
        torch.testing.assert_close(values[2:], there, rtol=0, atol=0)
    np.testing.assert_allclose(mean.cpu(), paths.mean(1), rtol=1e-6)
    if spp > 1:
        np.testing.assert_allclose(path_variance.cpu(), paths.var(1, ddof=1).mean(1), rtol=5e-3)
    if len(groups) == 1:
        assert torch.isinf(variance).all()
    else:
        spread = sum(group.shape[1] * (group.mean(1) - paths.mean(1)) ** 2 for group in groups)
        np.testing.assert_allclose(variance.cpu(), spread / (spp * (len(groups) - 1)), rtol=5e-3)
