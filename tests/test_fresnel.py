"""Fresnel's equations, reflection and refraction: values by hand, laws, derivatives against differences."""

import numpy as np
import pytest
import warp as wp
from kernels import DEVICES, derivatives, run, unit_vectors

from luxel.core.fresnel import fresnel_dielectric, reflect, refract, schlick_weight


@wp.kernel
def reflectances(cos_i: wp.array[float], eta: wp.array[float], reflectance: wp.array[float], cos_t: wp.array[float]):
    i = wp.tid()
    fresnel = fresnel_dielectric(cos_i[i], eta[i])
    reflectance[i] = fresnel.reflectance
    cos_t[i] = fresnel.cos_t


@wp.kernel
def reflectance_alone(cos_i: wp.array[float], eta: wp.array[float], reflectance: wp.array[float]):
    i = wp.tid()
    reflectance[i] = fresnel_dielectric(cos_i[i], eta[i]).reflectance


@wp.kernel(enable_backward=False)
def mirror(v: wp.array[wp.vec3], normal: wp.array[wp.vec3], mirrored: wp.array[wp.vec3]):
    i = wp.tid()
    mirrored[i] = reflect(v[i], normal[i])


@wp.kernel(enable_backward=False)
def bend(v: wp.array[wp.vec3], normal: wp.array[wp.vec3], eta: wp.array[float], refracted: wp.array[wp.vec3]):
    """`eta` is inside over outside, of which `normal` is the outward one."""
    i = wp.tid()
    cos_i = wp.dot(v[i], normal[i])
    fresnel = fresnel_dielectric(cos_i, eta[i])
    refracted[i] = refract(v[i], normal[i], fresnel.cos_t, wp.where(cos_i >= 0.0, eta[i], 1.0 / eta[i]))


@wp.kernel(enable_backward=False)
def schlick_weights(cosine: wp.array[float], weight: wp.array[float]):
    i = wp.tid()
    weight[i] = schlick_weight(cosine[i])


def column(*values: float) -> np.ndarray:
    return np.array(values, np.float32)


def exact_reflectance(cos_i: np.ndarray, eta: np.ndarray) -> np.ndarray:
    """Through angles, in float64: sin²(i − t)/sin²(i + t) and tan²(i − t)/tan²(i + t), averaged; 1 beyond."""
    into = np.where(cos_i >= 0, eta, 1 / eta)
    i = np.arccos(np.abs(cos_i))
    sine = np.sin(i) / into
    t = np.arcsin(np.minimum(sine, 1))
    s, p = (np.sin(i - t) / np.sin(i + t)) ** 2, (np.tan(i - t) / np.tan(i + t)) ** 2
    return np.where(sine >= 1, 1.0, (s + p) / 2)


def test_at_grazing_angles_little_is_reflected_where_there_is_hardly_an_interface():
    """Where 1 − sin² θ is lost to rounding, which would take it for total reflection."""
    cos_i = column(1e-3, 1e-4, 1e-5, 1e-3, 1e-2)
    eta = column(1, 1, 1, 1.000001, 1.0003)
    reflectance, cos_t = run(reflectances, cos_i, eta)
    assert (reflectance[:3] == 0).all()
    assert cos_t[:3] == pytest.approx(-cos_i[:3], rel=1e-6)
    exact = exact_reflectance(cos_i[3:].astype(np.float64), eta[3:].astype(np.float64))
    assert reflectance[3:] == pytest.approx(exact, rel=1e-3)


@pytest.mark.parametrize("device", DEVICES)
def test_values_by_hand(device):
    reflectance, cos_t = run(
        reflectances, column(1, -1, -0.5, 0.3, 0.6), column(1.5, 1.5, 1.5, 1, 4 / 3), device=device
    )
    # 4 %; the third is beyond 41.8°; in the fifth the sine is 0.6: s = 1.4/5, p = 0, at Brewster's angle.
    np.testing.assert_allclose(reflectance, [0.04, 0.04, 1, 0, (1.4 / 5) ** 2 / 2], rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(cos_t, [-1, 1, 0, -0.3, -0.8], atol=1e-6)
    assert reflectance[2] == 1
    assert reflectance[3] == 0


@pytest.mark.parametrize("device", DEVICES)
def test_reflectance_is_that_of_the_angles(device):
    random = np.random.default_rng(0)
    cos_i = random.uniform(-0.999, 0.999, 1009).astype(np.float32)
    eta = random.uniform(1.02, 2.9, 1009).astype(np.float32)
    reflectance = run(reflectances, cos_i, eta, device=device)[0]
    np.testing.assert_allclose(reflectance, exact_reflectance(cos_i.astype(np.float64), eta), rtol=2e-3, atol=2e-6)


@pytest.mark.parametrize("device", DEVICES)
def test_reflectance_and_angles_are_the_same_from_the_other_side(device):
    random = np.random.default_rng(1)
    cos_i = random.uniform(0.01, 1, 499).astype(np.float32)
    eta = random.uniform(1.02, 1.8, 499).astype(np.float32)
    reflectance, cos_t = run(reflectances, cos_i, eta, device=device)
    back, cos_back = run(reflectances, cos_t, eta, device=device)
    np.testing.assert_allclose(back, reflectance, rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(cos_back, cos_i, atol=1e-4)


@pytest.mark.parametrize("device", DEVICES)
def test_refraction_obeys_snell_and_reflection_mirrors(device):
    v, normal = unit_vectors(1009, 2), unit_vectors(1009, 3)
    eta = np.full(1009, 1.33, np.float32)
    cosine = (v * normal).sum(1, keepdims=True)
    mirrored = run(mirror, v, normal, device=device)[0]
    np.testing.assert_allclose((mirrored * normal).sum(1, keepdims=True), cosine, atol=1e-6)
    np.testing.assert_allclose(np.cross(mirrored + v, normal), 0, atol=1e-6)
    refracted = run(bend, v, normal, eta, device=device)[0]
    sine = 1 - cosine[:, 0] ** 2
    passes = (cosine[:, 0] > 0) | (sine * 1.33**2 < 0.999)
    refracted, v, normal, cosine = refracted[passes], v[passes], normal[passes], cosine[passes]
    index = np.where(cosine > 0, 1.33, 1 / 1.33)
    np.testing.assert_allclose(np.linalg.norm(refracted, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(np.cross(refracted, normal) * index, -np.cross(v, normal), atol=1e-5)
    assert (np.sign((refracted * normal).sum(1)) == -np.sign(cosine[:, 0])).all()


@pytest.mark.parametrize("device", DEVICES)
def test_schlick_by_hand(device):
    np.testing.assert_allclose(run(schlick_weights, column(1, 0, 0.5, -1), device=device)[0], [0, 1, 1 / 32, 1])


@pytest.mark.parametrize("device", DEVICES)
def test_derivatives_are_those_of_differences(device):
    """By the cosine and by the index, from both sides, away from total reflection, where they are infinite."""
    random = np.random.default_rng(4)
    cos_i, eta = random.uniform(-0.95, 0.95, 211), random.uniform(1.1, 2, 211)
    inside = 1 - (1 - cos_i**2) * np.where(cos_i > 0, 1 / eta, eta) ** 2
    clear = (np.abs(inside) > 0.05) & (np.abs(cos_i) > 0.05)
    cos_i, eta = cos_i[clear], eta[clear]
    found = derivatives(reflectance_alone, cos_i.astype(np.float32), eta.astype(np.float32), device=device)
    h = 1e-6
    slopes = [
        (exact_reflectance(cos_i + h, eta) - exact_reflectance(cos_i - h, eta)) / (2 * h),
        (exact_reflectance(cos_i, eta + h) - exact_reflectance(cos_i, eta - h)) / (2 * h),
    ]
    for derivative, slope in zip(found, slopes, strict=True):
        np.testing.assert_allclose(derivative, slope, rtol=2e-3, atol=1e-4)
    total = np.full(7, -0.3, np.float32)
    for derivative in derivatives(reflectance_alone, total, np.full(7, 1.5, np.float32), device=device):
        np.testing.assert_array_equal(derivative, 0)
