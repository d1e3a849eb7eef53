"""The closed form of a rough lobe's albedo, against samples of the lobe itself."""

import numpy as np
import pytest
import warp as wp
from kernels import DEVICES, run
from scipy.stats import qmc

from luxel.core.principled import bsdf_of, evaluate_bsdf, material_of, sample_bsdf
from luxel.core.rough_albedo import ROUGH, rough_albedo

BASE = wp.constant(wp.vec3(0.0, 0.0, 0.0))
TINT = wp.constant(wp.vec3(0.9, 0.6, 0.3))
COSINES = [0.03, 0.1, 0.3, 0.6, 1.0]
COUNT = 1 << 12


@wp.kernel(enable_backward=False)
def closed_form(cosine: wp.array[float], metallic: float, roughness: float, eta: float, albedo: wp.array[wp.vec3]):
    i = wp.tid()
    albedo[i] = rough_albedo(material_of(TINT, metallic, roughness, 0.0, eta), cosine[i])


@wp.kernel(enable_backward=False)
def sampled(
    u: wp.array[wp.vec2], cosine: float, metallic: float, roughness: float, eta: float, weight: wp.array[wp.vec3]
):
    """The lobe's value over the density of one of its samples."""
    i = wp.tid()
    base = wp.where(metallic > 0.0, TINT, BASE)
    wi = wp.vec3(wp.sqrt(1.0 - cosine * cosine), 0.0, cosine)
    bsdf = bsdf_of(material_of(base, metallic, roughness, 0.0, eta), wi)
    found = evaluate_bsdf(bsdf, sample_bsdf(bsdf, wp.vec3(0.0, u[i][0], u[i][1])))
    if found.density > 0.0:
        weight[i] = found.value / found.density


def albedo_by_samples(cosine: float, metallic: float, roughness: float, eta: float) -> np.ndarray:
    u = qmc.Sobol(2, rng=np.random.default_rng(0)).random(COUNT).astype(np.float32)
    (weights,) = run(sampled, np.minimum(u, 1 - 2.0**-24), cosine, metallic, roughness, eta)
    return weights.mean(0)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("roughness", [ROUGH, 0.7, 1.0])
@pytest.mark.parametrize("eta", [1.1, 1.5, 1.8])
def test_a_dielectric_reflects_what_its_lobes_samples_say(eta, roughness, device):
    (found,) = run(closed_form, np.array(COSINES, np.float32), 0.0, roughness, eta, device=device)
    expected = [albedo_by_samples(cosine, 0.0, roughness, eta) for cosine in COSINES]
    np.testing.assert_allclose(found, expected, rtol=0.08)


def test_a_metal_reflects_its_tint():
    """Whose Fresnel factor at grazing angles is another one's: Schlick's."""
    for roughness in (ROUGH, 0.7, 1.0):
        (found,) = run(closed_form, np.array(COSINES, np.float32), 1.0, roughness, 1.5)
        expected = [albedo_by_samples(cosine, 1.0, roughness, 1.5) for cosine in COSINES]
        np.testing.assert_allclose(found, expected, rtol=0.15)


def test_without_a_difference_of_index_nothing_is_reflected():
    (found,) = run(closed_form, np.array(COSINES, np.float32), 0.0, 0.7, 1.0)
    assert not found.any()
