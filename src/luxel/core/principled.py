"""Mitsuba's `principled` BSDF for the parameters that Luxel uses: to evaluate, to sample, and its density.

A diffuse lobe with retro-reflection, a metallic or dielectric GGX reflection and a GGX transmission, from
Burley, "Physically Based Shading at Disney", 2012, and "Extending the Disney BRDF to a BSDF", 2015;
transmission after Walter et al., "Microfacet Models for Refraction", 2007. Values are Mitsuba 3.9's,
with its peculiarities:

- an opaque object is black from inside, and a metal with transmission too;
- without any dielectric reflection (specular 0, opaque) there is no metallic one either;
- radiance is divided by η² where it enters (and so multiplied where it leaves).

The choice between the lobes is ours. Directions are in a frame whose z is the outward normal, point away from
the surface, and `wi` is where the path comes from.
"""

from typing import Any

import warp as wp

from luxel.core.frames import INVERSE_PI, PI, unit_length
from luxel.core.fresnel import fresnel_dielectric, reflect, refract, schlick_weight
from luxel.core.microfacet import (
    TINY,
    alpha_of,
    ggx_density,
    sample_cosine_about,
    sample_cosine_hemisphere,
    sample_visible_normal,
    smith_g1,
    smith_g1_over_cosine,
)

SMOOTH_ALPHA = wp.constant(0.02)
"""Of GGX: opaque surfaces below it are taken for smooth, so that what they reflect is followed as one ray."""
SMOOTH_GLASS_ALPHA = wp.constant(0.008)
"""The same of what transmits: two interfaces of glass blur twice, and what is behind it may be far away."""
MAX_DIFFUSE = wp.constant(0.9)  # share of the samples; the specular lobe can be brighter at a slant than its estimate


@wp.struct
class Material:
    """Parameters of the BSDF."""

    base_color: wp.vec3
    metallic: float
    alpha: float  # of GGX
    roughness: float
    transmission: float
    eta: float  # index of refraction, inside over outside


@wp.struct
class BSDF:
    """A material seen from one direction: what evaluation and sampling have in common."""

    material: Material
    wi: wp.vec3
    diffuse_share: float  # probability of the diffuse lobe
    g1_over_cosine: float  # Smith's of wi


@wp.struct
class BSDFValue:
    """BSDF · |cos θ_o|, and the density per steradian with which `sample_bsdf` finds the direction."""

    value: wp.vec3
    density: float


@wp.struct
class LobeValues:
    """A BSDFValue, by lobes."""

    diffuse: float  # of the diffuse lobe for an albedo of 1
    specular: wp.vec3
    density: float


@wp.struct
class Albedos:
    """What a smooth surface does to light from one direction, by colour channel."""

    diffuse: wp.vec3
    reflectance: wp.vec3
    transmittance: wp.vec3  # of one crossing; radiance's η² is apart


@wp.func
def material_of(base_color: wp.vec3, metallic: float, roughness: float, transmission: float, eta: float) -> Material:
    """The material with these parameters."""
    return Material(base_color, metallic, alpha_of(roughness), roughness, transmission, eta)


@wp.func
def refraction_weight(m: Material) -> float:
    """Share of light that meets a clear dielectric: (1 − metallic) · transmission."""
    return (1.0 - m.metallic) * m.transmission


@wp.func
def is_followed(m: Material) -> bool:
    """Whether what a surface's lobes reflect and transmit is followed as one ray; or else it is gathered."""
    return m.alpha < wp.where(refraction_weight(m) > 0.0, SMOOTH_GLASS_ALPHA, SMOOTH_ALPHA)


def smooth_roughness(metallic: Any, transmission: Any) -> Any:
    """The roughness below which `is_followed`, of materials in floats, tensors or arrays."""
    transmits = (1.0 - metallic) * transmission > 0.0
    return SMOOTH_ALPHA**0.5 + transmits * (SMOOTH_GLASS_ALPHA**0.5 - SMOOTH_ALPHA**0.5)


@wp.func
def diffuse_weight(m: Material) -> float:
    """Share of light that meets a diffuse base: (1 − metallic)(1 − transmission)."""
    return (1.0 - m.metallic) * (1.0 - m.transmission)


@wp.func
def specular_reflectance(m: Material, dielectric: float, dot_i: float, front: bool) -> wp.vec3:
    """Of a microfacet: Schlick's for the metallic part, untinted for the rest (Burley 2012, §5.5)."""
    inside = refraction_weight(m) * dielectric
    result = wp.vec3(inside, inside, inside)
    if front:
        schlick = schlick_weight(wp.abs(dot_i))
        metal = m.base_color + (wp.vec3(1.0, 1.0, 1.0) - m.base_color) * schlick
        plain = (1.0 - m.metallic) * dielectric
        result = wp.vec3(plain, plain, plain) + m.metallic * metal
    return result


@wp.func
def specular_transmittance(m: Material, dielectric: float) -> wp.vec3:
    """Of a microfacet: √base_color, since light crosses two surfaces (Burley 2015, §2)."""
    clear = refraction_weight(m) * (1.0 - dielectric)
    return clear * wp.vec3(safe_sqrt(m.base_color[0]), safe_sqrt(m.base_color[1]), safe_sqrt(m.base_color[2]))


@wp.func
def safe_sqrt(x: float) -> float:
    """Square root, whose derivative at 0 is 0 and not infinite."""
    result = float(0.0)
    if x > 0.0:
        result = wp.sqrt(wp.max(x, TINY))
    return result


@wp.func
def albedos(m: Material, cos_i: float) -> Albedos:
    """Of the lobes with a smooth interface, `cos_i` negative from inside."""
    front = cos_i > 0.0
    dielectric = fresnel_dielectric(cos_i, m.eta).reflectance
    diffuse = m.base_color * wp.where(front, diffuse_weight(m), 0.0)
    reflectance = specular_reflectance(m, dielectric, cos_i, front)
    if dielectric == 0.0:
        reflectance = wp.vec3(0.0, 0.0, 0.0)
    return Albedos(diffuse, reflectance, specular_transmittance(m, dielectric))


@wp.func
def bsdf_of(m: Material, wi: wp.vec3) -> BSDF:
    """The BSDF from `wi`.

    The diffuse lobe's share of the samples is in proportion to the albedos that the surface would have if smooth.
    """
    share = float(0.0)
    base = diffuse_weight(m) * mean(m.base_color)
    if wi[2] > 0.0 and base > 0.0:
        smooth = fresnel_dielectric(wi[2], m.eta).reflectance
        specular = mean(specular_reflectance(m, smooth, wi[2], True)) + mean(specular_transmittance(m, smooth))
        share = wp.min(base / wp.max(base + specular, TINY), MAX_DIFFUSE)
    return BSDF(m, wi, share, smith_g1_over_cosine(wi, m.alpha))


@wp.func
def reflection_share(m: Material, reflectance: wp.vec3, dielectric: float) -> float:
    """Probability of reflection against transmission at a microfacet, in proportion to their albedos."""
    share = float(1.0)
    if m.transmission > 0.0:
        through = mean(specular_transmittance(m, dielectric))
        if through > 0.0:
            back = mean(reflectance)
            share = back / wp.max(back + through, TINY)
    return share


@wp.func
def mean(v: wp.vec3) -> float:
    """Of the components."""
    return (v[0] + v[1] + v[2]) * (1.0 / 3.0)


@wp.func
def evaluate_lobes(bsdf: BSDF, wo: wp.vec3) -> LobeValues:
    """What the lobes do in the direction `wo`.

    Of reflection, D and G1 are written for the half vector h = wi + wo as it is, of whatever length.
    """
    m = bsdf.material
    wi = bsdf.wi
    result = LobeValues(0.0, wp.vec3(0.0, 0.0, 0.0), 0.0)
    cos_i = wi[2]
    cos_o = wo[2]
    if cos_i * cos_o == 0.0:
        return result
    front = cos_i > 0.0
    side = wp.where(front, 1.0, -1.0)
    if cos_i * cos_o > 0.0:
        if not front and refraction_weight(m) == 0.0:
            return result
        half = wi + wo
        square = wp.dot(half, half)
        dot_i = 0.5 * wp.sqrt(square)
        fresnel = fresnel_dielectric(side * dot_i, m.eta).reflectance
        reflectance = specular_reflectance(m, fresnel, dot_i, front)
        alpha_square = m.alpha * m.alpha
        spread = half[0] * half[0] + half[1] * half[1] + alpha_square * half[2] * half[2]
        across = wo[0] * wo[0] + wo[1] * wo[1]
        smith = wp.abs(cos_o) + wp.sqrt(cos_o * cos_o + alpha_square * across)
        shared = (
            alpha_square * square * square * bsdf.g1_over_cosine / wp.max(PI * spread * spread * smith, TINY * TINY)
        )
        if fresnel > 0.0:  # D G F / (4 |cos θ_i|), Walter et al. 2007, eq. 20 times |cos θ_o|
            result.specular = reflectance * (shared * 0.5 * wp.abs(cos_o))
        share = reflection_share(m, reflectance, fresnel)
        result.density = (1.0 - bsdf.diffuse_share) * share * shared * smith * 0.25
        if front:
            result.diffuse = burley_diffuse(m, cos_i, cos_o, dot_i)
            result.density += bsdf.diffuse_share * cos_o * INVERSE_PI
    elif refraction_weight(m) > 0.0:
        eta = wp.where(front, m.eta, 1.0 / m.eta)
        half = unit_length(wi + wo * eta)
        half = half * wp.where(half[2] < 0.0, -1.0, 1.0)
        dot_i = wp.dot(wi, half)
        dot_o = wp.dot(wo, half)
        if dot_i * side > 0.0 and dot_o * side < 0.0:  # the facet faces both; eqs. 17 and 21
            fresnel = fresnel_dielectric(dot_i, m.eta).reflectance
            share = reflection_share(m, specular_reflectance(m, fresnel, dot_i, front), fresnel)
            visible = ggx_density(half, m.alpha) * bsdf.g1_over_cosine  # over |cos θ_i|
            total = dot_i + eta * dot_o
            jacobian = wp.abs(dot_i * dot_o) / wp.max(total * total, TINY)
            result.specular = specular_transmittance(m, fresnel) * (visible * smith_g1(wo, m.alpha) * jacobian)
            result.density = (1.0 - bsdf.diffuse_share) * visible * (1.0 - share) * jacobian * eta * eta
    return result


@wp.func
def evaluate_bsdf(bsdf: BSDF, wo: wp.vec3) -> BSDFValue:
    """Value and density of the direction `wo`."""
    lobes = evaluate_lobes(bsdf, wo)
    m = bsdf.material
    return BSDFValue(lobes.specular + m.base_color * (diffuse_weight(m) * lobes.diffuse), lobes.density)


@wp.func
def burley_diffuse(m: Material, cos_i: float, cos_o: float, cos_d: float) -> float:
    """Lambert with a Fresnel factor, and retro-reflection, times |cos θ_o| (Burley 2015, eq. 4)."""
    at_i = schlick_weight(wp.abs(cos_i))
    at_o = schlick_weight(wp.abs(cos_o))
    retro = 2.0 * m.roughness * cos_d * cos_d
    factor = (1.0 - 0.5 * at_i) * (1.0 - 0.5 * at_o) + retro * (at_o + at_i + at_o * at_i * (retro - 1.0))
    return wp.abs(cos_o) * INVERSE_PI * factor


@wp.func
def mean_burley_factor(m: Material, cos_i: float) -> float:
    """The diffuse lobe's albedo, seen from outside, over the base colour: `burley_diffuse` integrated over cos θ_o.

    With s = (1 − cos θ_o)⁵ and d = cos² θ_d = (1 + ω_i · ω_o) / 2, cosine-weighted means over the hemisphere are
    ⟨s⟩ = 1/21, ⟨s cos θ_o⟩ = 1/84 and ⟨s cos² θ_o⟩ = 1/252, and those of d s and d² s follow.
    """
    at_i = schlick_weight(wp.abs(cos_i))
    s = 1.0 / 21.0
    d = 0.5 + cos_i / 3.0
    ds = 0.5 * (s + cos_i / 84.0)
    square = cos_i * cos_i / 252.0 + 0.5 * (1.0 - cos_i * cos_i) * (s - 1.0 / 252.0)  # ⟨(ω_i · ω_o)² s⟩
    dds = 0.25 * (s + cos_i / 42.0 + square)
    retro = 2.0 * m.roughness
    return (1.0 - 0.5 * at_i) * (1.0 - 0.5 * s) + retro * (ds + at_i * (d - ds)) + retro * retro * at_i * dds


@wp.func
def reuse_lobe_sample(bsdf: BSDF, u: wp.vec3) -> wp.vec3:
    """Numbers for `sample_bsdf`, of which the first of `u` chooses the lobe and is used again for the direction.

    So strata of the first two are strata of the lobe's choice, too; the third is for what else is chosen.
    """
    share = bsdf.diffuse_share
    if u[0] < share:
        return wp.vec3(0.0, u[0] / share, u[1])
    return wp.vec3(share + (1.0 - share) * u[2], (u[0] - share) / (1.0 - share), u[1])


@wp.func
def sample_bsdf_about(bsdf: BSDF, local: wp.mat33, u: wp.vec3) -> wp.vec3:
    """As `sample_bsdf` at a surface of this frame, diffuse directions by `sample_cosine_about`."""
    if u[0] < bsdf.diffuse_share:
        return sample_cosine_about(local, wp.vec2(u[1], u[2]))
    return sample_bsdf(bsdf, u)


@wp.func
def sample_bsdf(bsdf: BSDF, u: wp.vec3) -> wp.vec3:
    """A direction of the density that `evaluate_bsdf` states, or 0 where none comes about and the path ends."""
    none = wp.vec3(0.0, 0.0, 0.0)
    m = bsdf.material
    wi = bsdf.wi
    cos_i = wi[2]
    front = cos_i > 0.0
    if not front and refraction_weight(m) == 0.0:
        return none
    if u[0] < bsdf.diffuse_share:
        return sample_cosine_hemisphere(wp.vec2(u[1], u[2]))
    side = wp.where(front, 1.0, -1.0)
    facet = sample_visible_normal(wi * side, m.alpha, wp.vec2(u[1], u[2]))
    dot_i = wp.dot(wi, facet)
    fresnel = fresnel_dielectric(dot_i, m.eta)
    reflectance = specular_reflectance(m, fresnel.reflectance, dot_i, front)
    share = reflection_share(m, reflectance, fresnel.reflectance)
    direction = reflect(wi, facet)
    reflects = (u[0] - bsdf.diffuse_share) / (1.0 - bsdf.diffuse_share) < share
    if not reflects:
        direction = refract(wi, facet, fresnel.cos_t, wp.where(front, m.eta, 1.0 / m.eta))
    if (cos_i * direction[2] > 0.0) != reflects:
        return none
    return direction
