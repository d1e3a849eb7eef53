"""GGX: values by hand, normalisation by quadrature, samples against densities by χ²."""

import math

import numpy as np
import pytest
import warp as wp
from chi_square import cells_of, p_value, probabilities
from kernels import DEVICES, run, uniform_numbers
from scipy import stats

from luxel.core.frames import frame
from luxel.core.microfacet import (
    MIN_ALPHA,
    alpha_of,
    ggx_density,
    sample_cosine_about,
    sample_cosine_hemisphere,
    sample_visible_normal,
    smith_g1,
    smith_g1_over_cosine,
)

ALPHAS = [MIN_ALPHA, 0.01, 0.1, 0.3, 1.0]
COSINES = [1.0, 0.95, 0.4, 0.05]  # of the incident direction
COUNT = 40_000


@wp.kernel(enable_backward=False)
def widths(roughness: wp.array[float], alpha: wp.array[float]):
    i = wp.tid()
    alpha[i] = alpha_of(roughness[i])


@wp.kernel(enable_backward=False)
def densities(half: wp.array[wp.vec3], alpha: wp.array[float], density: wp.array[float]):
    i = wp.tid()
    density[i] = ggx_density(half[i], alpha[i])


@wp.kernel(enable_backward=False)
def maskings(v: wp.array[wp.vec3], alpha: wp.array[float], g1: wp.array[float], over_cosine: wp.array[float]):
    i = wp.tid()
    g1[i] = smith_g1(v[i], alpha[i])
    over_cosine[i] = smith_g1_over_cosine(v[i], alpha[i])


@wp.kernel(enable_backward=False)
def visible_normals(wi: wp.array[wp.vec3], alpha: wp.array[float], u: wp.array[wp.vec2], half: wp.array[wp.vec3]):
    i = wp.tid()
    half[i] = sample_visible_normal(wi[i], alpha[i], u[i])


@wp.kernel(enable_backward=False)
def cosine_directions(u: wp.array[wp.vec2], direction: wp.array[wp.vec3]):
    i = wp.tid()
    direction[i] = sample_cosine_hemisphere(u[i])


@wp.kernel(enable_backward=False)
def cosine_directions_about(normal: wp.array[wp.vec3], u: wp.array[wp.vec2], direction: wp.array[wp.vec3]):
    i = wp.tid()
    direction[i] = sample_cosine_about(frame(normal[i]), u[i])


@wp.kernel(enable_backward=False)
def in_world(normal: wp.array[wp.vec3], local: wp.array[wp.vec3], world: wp.array[wp.vec3]):
    i = wp.tid()
    world[i] = wp.transpose(frame(normal[i])) * local[i]


def incident(cosine: float, count: int) -> np.ndarray:
    sine = math.sqrt(1 - cosine * cosine)
    return np.tile(np.array([0.6 * sine, -0.8 * sine, cosine], np.float32), (count, 1))


def constant(value: float, count: int) -> np.ndarray:
    return np.full(count, value, np.float32)


def slopes(alpha: float, rings: int = 480, sectors: int = 256) -> tuple[np.ndarray, np.ndarray]:
    """Directions of the upper hemisphere, dense where the lobe is, and the solid angle that each stands for.

    With cos²θ = (1 − t) / (1 − t + α² t), t in (0, 1), D(h) cos θ dω is uniform; |d cos θ / dt| is written out.
    Steps in √(1 − t) are even, as what is seen from a slant goes with its inverse.
    """
    root = ((np.arange(rings) + 0.5) / rings)[:, None]
    t = 1 - root**2
    angle = (np.arange(sectors) + 0.5) / sectors * 2 * math.pi
    below = 1 - t + alpha**2 * t
    cosine, sine = np.sqrt((1 - t) / below), alpha * np.sqrt(t / below)
    half = np.stack(np.broadcast_arrays(sine * np.cos(angle), sine * np.sin(angle), cosine), axis=-1)
    ring = alpha**2 / (2 * cosine * below**2) * 2 * root / rings
    return half.reshape(-1, 3).astype(np.float32), np.repeat(ring[:, 0] * 2 * math.pi / sectors, sectors)


def slope_cells(half: np.ndarray, alpha: float) -> np.ndarray:
    """24 rings by 32 sectors of the `slopes`' t and angle."""
    square = (half[:, 0] ** 2 + half[:, 1] ** 2).astype(np.float64) / (half[:, 2] * alpha) ** 2
    ring = np.minimum(square / (1 + square) * 24, 23).astype(int)
    turn = np.arctan2(half[:, 1], half[:, 0]).astype(np.float64) / (2 * math.pi) % 1
    return ring * 32 + np.minimum(turn * 32, 31).astype(int)


@pytest.mark.parametrize("device", DEVICES)
def test_values_by_hand(device):
    roughness = np.array([0.5, 1, 0, 0.01], np.float32)
    np.testing.assert_allclose(run(widths, roughness, device=device)[0], [0.25, 1, 0.001, 0.001], rtol=1e-6)
    up, slant = np.array([[0, 0, 1]], np.float32), np.array([[0.75**0.5, 0, 0.5]], np.float32)
    half = run(densities, np.concatenate([up, up, slant]), np.array([1, 0.5, 1], np.float32), device=device)[0]
    np.testing.assert_allclose(half, [1 / math.pi, 4 / math.pi, 1 / math.pi], rtol=1e-6)
    g1, over_cosine = run(maskings, np.concatenate([up, slant, -slant]), constant(1, 3), device=device)
    np.testing.assert_allclose(g1, [1, 2 / 3, 2 / 3], rtol=1e-6)  # 2 / (1 + √(1 + tan²θ))
    np.testing.assert_allclose(over_cosine, [1, 4 / 3, 4 / 3], rtol=1e-6)
    grazing = np.array([[1, 0, 0]], np.float32)
    np.testing.assert_allclose(run(maskings, grazing, constant(0.2, 1), device=device)[1], 10, rtol=1e-6)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("alpha", ALPHAS)
def test_microfacets_cover_the_surface_and_what_is_seen_of_them_the_view(alpha, device):
    """∫ D(h) cos θ dω = 1, and ∫ D(h) (v·h)⁺ dω G1(v) / cos θ_v = 1 from every direction (Walter et al., eq. 4)."""
    half, solid_angle = slopes(alpha)
    density = run(densities, half, constant(alpha, len(half)), device=device)[0].astype(np.float64)
    assert (density * half[:, 2] * solid_angle).sum() == pytest.approx(1, abs=1e-3)
    for cosine in COSINES:
        v = incident(cosine, 1)
        over_cosine = run(maskings, v, constant(alpha, 1), device=device)[1][0]
        seen = np.maximum((half * v).sum(1), 0)
        assert (density * seen * solid_angle).sum() * over_cosine == pytest.approx(1, abs=5e-3)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("cosine", COSINES)
@pytest.mark.parametrize("alpha", ALPHAS)
def test_visible_normals_follow_their_density(alpha, cosine, device):
    """χ² over cells that D(h) cos θ fills evenly, so that no lobe is too narrow; the density is summed up in each."""
    wi = incident(cosine, COUNT)
    half = run(visible_normals, wi, constant(alpha, COUNT), uniform_numbers(COUNT, 2, 3), device=device)[0]
    np.testing.assert_allclose(np.linalg.norm(half, axis=1), 1, atol=1e-5)
    assert (half[:, 2] > 0).all()
    assert ((half * wi).sum(1) > -1e-5).all()
    points, solid_angle = slopes(alpha)
    over_cosine = run(maskings, wi[:1], constant(alpha, 1), device=device)[1][0]
    density = run(densities, points, constant(alpha, len(points)), device=device)[0].astype(np.float64)
    share = density * over_cosine * np.maximum(points @ wi[0], 0) * solid_angle
    expected = np.bincount(slope_cells(points, alpha), share, minlength=24 * 32) * COUNT
    observed = np.bincount(slope_cells(half, alpha), minlength=24 * 32)
    assert p_value(observed, expected) > 1 - (1 - 1e-2) ** (1 / len(ALPHAS) / len(COSINES))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("alpha", ALPHAS)
def test_slopes_of_visible_normals_are_those_of_ggx(alpha, device):
    """Also of the narrowest: seen from above, P(tan θ < α t) = t² / (1 + t²), evenly all round.

    From a slant, slopes along the view and across, over α, are those of α' = 1 in the stretched frame.
    """
    u = uniform_numbers(COUNT, 2, 4)
    half = run(visible_normals, incident(1.0, COUNT), constant(alpha, COUNT), u, device=device)[0].astype(np.float64)
    square = (half[:, 0] ** 2 + half[:, 1] ** 2) / (half[:, 2] * alpha) ** 2
    assert stats.kstest(square / (1 + square), "uniform").pvalue > 1e-3
    assert stats.kstest(np.arctan2(half[:, 1], half[:, 0]) / (2 * math.pi) + 0.5, "uniform").pvalue > 1e-3
    steep = math.sqrt(0.5)
    wide = np.tile(np.array([steep, 0, steep], np.float32), (COUNT, 1))
    stretched = np.tile(np.array([steep, 0, steep * alpha], np.float32), (COUNT, 1))
    stretched /= np.linalg.norm(stretched, axis=1, keepdims=True)
    one, other = (
        run(visible_normals, wi, constant(width, COUNT), uniform_numbers(COUNT, 2, 5 + (width == 1)), device=device)[0]
        for wi, width in ((stretched, alpha), (wide, 1.0))
    )
    for axis in (0, 1):
        slope, expected = one[:, axis] / (one[:, 2] * alpha), other[:, axis] / other[:, 2]
        assert stats.ks_2samp(slope, expected).pvalue > 1e-3


@pytest.mark.parametrize("device", DEVICES)
def test_cosine_samples_follow_their_density(device):
    bands, sectors = 24, 32
    direction = run(cosine_directions, uniform_numbers(COUNT, 2, 6), device=device)[0]
    np.testing.assert_allclose(np.linalg.norm(direction, axis=1), 1, atol=1e-6)
    expected = probabilities(lambda d: np.maximum(d[:, 2], 0) / math.pi, bands, sectors, inner=4) * COUNT
    assert expected.sum() == pytest.approx(COUNT, rel=1e-6)
    observed = np.bincount(cells_of(direction, bands, sectors), minlength=bands * sectors)
    assert p_value(observed, expected) > 1e-3


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("normal", [(0.0, 0.0, 1.0), (0.48, -0.6, -0.64)])
def test_cosine_samples_about_a_normal_follow_the_same_density(normal, device):
    bands, sectors = 24, 32
    normals = np.tile(np.array(normal, np.float32), (COUNT, 1))
    direction = run(cosine_directions_about, normals, uniform_numbers(COUNT, 2, 8), device=device)[0]
    np.testing.assert_allclose(np.linalg.norm(direction, axis=1), 1, atol=1e-6)
    expected = probabilities(lambda d: np.maximum(d[:, 2], 0) / math.pi, bands, sectors, inner=4) * COUNT
    observed = np.bincount(cells_of(direction, bands, sectors), minlength=bands * sectors)
    assert p_value(observed, expected) > 1e-3


@pytest.mark.parametrize("device", DEVICES)
def test_where_the_normal_turns_samples_about_it_turn_half_as_far(device):
    """In world space, for the same numbers: along the normal by half the angle, elsewhere as a point on a sphere moves.

    A direction d is n + s, a point of a unit sphere about n, made as long as 1: of length 2 n·d, at an angle to dn.
    """
    turned, normals = [], []
    for angle in (0.7, 0.701):
        normals.append(np.tile(np.array([math.sin(angle), 0, math.cos(angle)], np.float32), (COUNT, 1)))
        local = run(cosine_directions_about, normals[-1], uniform_numbers(COUNT, 2, 9), device=device)[0]
        turned.append(run(in_world, normals[-1], local, device=device)[0].astype(np.float64))
    by, cosine = normals[1] - normals[0], (turned[0] * normals[0]).sum(1, keepdims=True)
    expected = (by - turned[0] * (turned[0] * by).sum(1, keepdims=True)) / (2 * cosine)
    steep = cosine[:, 0] > 0.3
    np.testing.assert_allclose((turned[1] - turned[0])[steep], expected[steep], atol=2e-5)
    assert np.linalg.norm(expected[cosine[:, 0] > 0.99], axis=1).mean() == pytest.approx(0.0005, rel=0.02)


@pytest.mark.parametrize("device", DEVICES)
def test_the_ends_of_the_unit_interval_give_directions(device):
    last = 1 - 2.0**-24
    u = np.array([[a, b] for a in (0, 0.5, last) for b in (0, last)], np.float32)
    for cosine in COSINES:
        half = run(visible_normals, incident(cosine, len(u)), constant(0.001, len(u)), u, device=device)[0]
        np.testing.assert_allclose(np.linalg.norm(half, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(run(cosine_directions, u, device=device)[0], axis=1), 1, atol=1e-5)
