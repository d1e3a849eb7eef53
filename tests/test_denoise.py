"""OIDN takes off noise, keeps what its guides show, and leaves its inputs alone."""

import numpy as np
import pytest
import torch

from luxel.image.denoise import denoise

pytest.importorskip("pyoidn")

HEIGHT, WIDTH = 37, 53


def test_noise_goes_and_an_edge_of_the_guides_stays():
    truth = np.full((HEIGHT, WIDTH, 3), 0.2, np.float32)
    truth[:, WIDTH // 2 :] = (6.0, 3.0, 1.0)
    noise = np.random.default_rng(0).gamma(1.0, 1.0, truth.shape).astype(np.float32)
    noisy, albedo, normal = truth * noise, truth / 6, np.zeros_like(truth)
    before = noisy.copy()
    clean = denoise(noisy, albedo, normal)
    assert clean.dtype == np.float32
    assert np.square(clean / truth - 1).mean() < 0.02 * np.square(noisy / truth - 1).mean()
    columns = clean.mean(axis=(0, 2))
    assert columns[WIDTH // 2] / columns[WIDTH // 2 - 1] > 10  # of 16.7
    np.testing.assert_array_equal(noisy, before)


def test_what_has_no_noise_is_kept_up_to_the_corners():
    """Where the network sees zeros beyond its picture, corners are up to a third too dark."""
    flat, guide = np.full((HEIGHT, WIDTH, 3), 0.8, np.float32), np.zeros((HEIGHT, WIDTH, 3), np.float32)
    np.testing.assert_allclose(denoise(flat, guide, guide), flat, rtol=0.01)
    speck = torch.full((1, 1, 3), 0.8)
    np.testing.assert_allclose(denoise(speck, speck, speck), speck, rtol=0.01)
