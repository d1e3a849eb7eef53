"""Highlights of smooth curved surfaces: how much of them specular chains leave to light samples."""

import math

import numpy as np
import pytest
import warp as wp
from kernels import DEVICES, run

from luxel.models.gather_points import highlight_beyond_pixel


@wp.kernel(enable_backward=False)
def shares(wi: wp.array[wp.vec3], wo: wp.array[wp.vec3], turn: wp.array[float], share: wp.array[float]):
    i = wp.tid()
    share[i] = highlight_beyond_pixel(wi[i], wo[i], turn[i] * turn[i])


@pytest.mark.parametrize("device", DEVICES)
def test_chains_find_what_the_normals_of_a_pixel_mirror(device):
    """By the tangent of the half vector's angle: 0, as far as the normal turns, three times and 100 times as far."""
    tangent, turn = np.array([0.0, 0.02, 0.06, 2.0]), np.full(4, 0.02, np.float32)
    half = np.stack([np.sin(np.arctan(tangent)), np.zeros(4), np.cos(np.arctan(tangent))], 1)
    wi = np.tile([-0.6, 0.0, 0.8], (4, 1))
    wo = 2 * (half * wi).sum(1, keepdims=True) * half - wi
    found = run(shares, wi.astype(np.float32), wo.astype(np.float32), turn, device=device)[0]
    np.testing.assert_allclose(found, [0, 1 / 2**2, (9 / 10) ** 2, 1], rtol=2e-3, atol=1e-5)


@pytest.mark.parametrize("device", DEVICES)
def test_flat_surfaces_leave_nothing_to_chains_but_the_mirror_image(device):
    wi, wo = (np.array([[x, 0.0, 0.8]], np.float32) for x in (-0.6, math.sqrt(1 - 0.64) - 0.01))
    assert run(shares, wi, wo / np.linalg.norm(wo), np.zeros(1, np.float32), device=device)[0][0] == pytest.approx(1)
