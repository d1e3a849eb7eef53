"""Mitsuba's `principled` BSDF for the parameters that Luxel uses, to evaluate, to sample, and its density.

A diffuse lobe with retro-reflection, a metallic or dielectric GGX reflection and a GGX transmission, from
Burley, "Physically Based Shading at Disney", 2012, and "Extending the Disney BRDF to a BSDF", 2015;
transmission after Walter et al., "Microfacet Models for Refraction", 2007. Values are Mitsuba 3.9's,
with its peculiarities:

- an opaque object is black from inside, and a metal with transmission too;
- without any dielectric reflection (specular 0, opaque) there is no metallic one either;
- radiance is divided by η² where it enters (and so multiplied where it leaves).

The choice between the lobes is ours. Directions are [3, ...lanes] in a frame whose z is the outward normal,
point away from the surface, and `wi` is where the path comes from.
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from luxel.geometry.vectors import dot, normalised
from luxel.trace.packed import MIN_WIDTH, Materials

MAX_DIFFUSE = 0.9  # share of the samples; the specular lobe can be brighter at a slant than its estimate says
TINY = 1e-12


class Value(NamedTuple):
    """BSDF · |cos θ_o|, and the density per steradian with which `sample` finds the direction."""

    value: Float[Tensor, "3 *lanes"]
    density: Float[Tensor, "*lanes"]


class Sample(NamedTuple):
    """Directions drawn; `valid` is False where none came about and the path ends."""

    direction: Float[Tensor, "3 *lanes"]
    valid: Bool[Tensor, "*lanes"]


class _Shares(NamedTuple):
    """Probabilities of the diffuse lobe, and of reflection against transmission given the microfacet."""

    diffuse: Float[Tensor, "*lanes"]
    reflection: Float[Tensor, "*lanes"]


def evaluate(material: Materials, wi: Float[Tensor, "3 *lanes"], wo: Float[Tensor, "3 *lanes"]) -> Value:
    """Value and density of the direction `wo`."""
    cos_i, cos_o = wi[2], wo[2]
    front, reflects = cos_i > 0, cos_i * cos_o > 0
    side = torch.where(front, 1.0, -1.0)
    eta = _eta_along(material, front)
    half = normalised(wi + wo * torch.where(reflects, 1.0, eta))
    half = half * torch.where(half[2] < 0, -1.0, 1.0)
    dot_i, dot_o = dot(wi, half), dot(wo, half)
    fresnel, _ = dielectric_fresnel(dot_i, material.eta)
    agrees = (dot_i * side > 0) & (dot_o * torch.where(reflects, side, -side) > 0) & (cos_i * cos_o != 0)

    width = _width(material)
    facets = torch.where(agrees, _ggx(half, width), 0.0)
    visible = facets * _masking_over_cosine(wi, width)  # over |cos θ_i|
    reflection = _specular_fresnel(material, fresnel, dot_i, front)
    reflected = torch.where(reflects & (fresnel > 0), visible * _masking(wo, width) / 4, 0.0)
    compression = _compression(dot_i, dot_o, eta)
    transmitted = torch.where(reflects, 0.0, visible * _masking(wo, width) * (dot_i * dot_o).abs() * compression)
    value = (
        reflection * reflected
        + _transmission(material, fresnel) * transmitted
        + torch.where(front & reflects, _diffuse(material, cos_i, cos_o, dot_o), 0.0)
    )

    shares = _shares(material, cos_i, reflection, fresnel)
    microfacet = (1 - shares.diffuse) * visible
    density = torch.where(
        reflects,
        microfacet * shares.reflection / 4,
        microfacet * (1 - shares.reflection) * (dot_i * dot_o).abs() * compression * eta * eta,
    ) + torch.where(front & reflects, shares.diffuse * cos_o / torch.pi, 0.0)
    return Value(value, density)


def sample(material: Materials, wi: Float[Tensor, "3 *lanes"], random: Float[Tensor, "3 *lanes"]) -> Sample:
    """Draw directions with the density that `evaluate` states."""
    cos_i = wi[2]
    front = cos_i > 0
    facet = _visible_normal(wi * torch.where(front, 1.0, -1.0), _width(material), random[1], random[2])
    dot_i = dot(wi, facet)
    fresnel, cos_t = dielectric_fresnel(dot_i, material.eta)
    shares = _shares(material, cos_i, _specular_fresnel(material, fresnel, dot_i, front), fresnel)

    is_diffuse = random[0] < shares.diffuse
    rest = (random[0] - shares.diffuse) / (1 - shares.diffuse)
    is_reflection = rest < shares.reflection
    eta = _eta_along(material, front)
    direction = torch.where(
        is_diffuse,
        _cosine_hemisphere(random[1], random[2]),
        torch.where(is_reflection, 2 * dot_i * facet - wi, facet * (dot_i / eta + cos_t) - wi / eta),
    )
    same_side = cos_i * direction[2] > 0
    valid = torch.where(is_diffuse | is_reflection, same_side, cos_i * direction[2] < 0)
    return Sample(direction, valid & (front | (_bsdf(material) > 0)))


def dielectric_fresnel(
    cos_i: Float[Tensor, "*lanes"], eta: Float[Tensor, "*lanes"]
) -> tuple[Float[Tensor, "*lanes"], Float[Tensor, "*lanes"]]:
    """Reflectance of unpolarised light, and the cosine on the other side, whose sign is the opposite.

    `cos_i` is negative from inside. Exactly 0 where eta is 1, exactly 1 where reflection is total.
    """
    into = torch.where(cos_i >= 0, eta, 1 / eta)
    square = 1 - (1 - cos_i * cos_i) / (into * into)
    total = square <= 0
    cos_t = torch.where(total, 1.0, square).sqrt()
    cosine = cos_i.abs()
    s = (cosine - into * cos_t) / (cosine + into * cos_t)
    p = (into * cosine - cos_t) / (into * cosine + cos_t)
    reflectance = torch.where(total, 1.0, 0.5 * (s * s + p * p))
    signed = torch.where(total, 0.0, torch.where(cos_i >= 0, -cos_t, cos_t))
    return torch.where(eta == 1, 0.0, reflectance), signed


def _eta_along(material: Materials, front: Bool[Tensor, "*lanes"]) -> Float[Tensor, "*lanes"]:
    """Index of the other side over that of the side of `wi`."""
    return torch.where(front, material.eta, 1 / material.eta)


def _width(material: Materials) -> Float[Tensor, "*lanes"]:
    """GGX's α."""
    return (material.roughness * material.roughness).clamp(min=MIN_WIDTH)


def _bsdf(material: Materials) -> Float[Tensor, "*lanes"]:
    """Weight of refraction; that of the diffuse lobe is (1 − metallic)(1 − transmission)."""
    return (1 - material.metallic) * material.transmission


def _brdf(material: Materials) -> Float[Tensor, "*lanes"]:
    return (1 - material.metallic) * (1 - material.transmission)


def _ggx(half: Float[Tensor, "3 *lanes"], width: Float[Tensor, "*lanes"]) -> Float[Tensor, "*lanes"]:
    """Density of microfacet normals (Walter et al. 2007, eq. 33)."""
    across = (half[0] * half[0] + half[1] * half[1]) / (width * width)
    root = across + half[2] * half[2]
    return 1 / (torch.pi * width * width * root * root)


def _masking_over_cosine(v: Float[Tensor, "3 *lanes"], width: Float[Tensor, "*lanes"]) -> Float[Tensor, "*lanes"]:
    """Smith's G1 / |cos θ| (Walter et al. 2007, eq. 34), finite at grazing angles."""
    across = v[0] * v[0] + v[1] * v[1]
    return 2 / (v[2].abs() + (v[2] * v[2] + width * width * across).sqrt())


def _masking(v: Float[Tensor, "3 *lanes"], width: Float[Tensor, "*lanes"]) -> Float[Tensor, "*lanes"]:
    return v[2].abs() * _masking_over_cosine(v, width)


def _compression(
    dot_i: Float[Tensor, "*lanes"], dot_o: Float[Tensor, "*lanes"], eta: Float[Tensor, "*lanes"]
) -> Float[Tensor, "*lanes"]:
    """1 / (wi·h + η wo·h)², of Walter et al. 2007, eq. 17; the sum is at least 0.018 in size, η being 1.018 or more."""
    total = dot_i + eta * dot_o
    return 1 / (total * total).clamp(min=TINY)


def _specular_fresnel(
    material: Materials,
    dielectric: Float[Tensor, "*lanes"],
    dot_i: Float[Tensor, "*lanes"],
    front: Bool[Tensor, "*lanes"],
) -> Float[Tensor, "3 *lanes"]:
    """Reflectance of a microfacet: Schlick's for the metallic part, untinted for the rest."""
    metal = material.base_color + (1 - material.base_color) * _schlick(dot_i.abs())
    outside = (1 - material.metallic) * dielectric + material.metallic * metal
    return torch.where(front, outside, _bsdf(material) * dielectric)


def _transmission(material: Materials, dielectric: Float[Tensor, "*lanes"]) -> Float[Tensor, "3 *lanes"]:
    """Transmittance of a microfacet: √base_color, since light crosses two surfaces."""
    color = material.base_color
    root = torch.where(color > 0, color.clamp(min=TINY).sqrt(), 0.0)  # whose gradient at 0 would be infinite
    return root * (_bsdf(material) * (1 - dielectric))


def _diffuse(
    material: Materials,
    cos_i: Float[Tensor, "*lanes"],
    cos_o: Float[Tensor, "*lanes"],
    cos_d: Float[Tensor, "*lanes"],
) -> Float[Tensor, "3 *lanes"]:
    """Burley 2015, eq. 4: Lambert with a Fresnel factor, and retro-reflection; times |cos θ_o|."""
    at_i, at_o = _schlick(cos_i.abs()), _schlick(cos_o.abs())
    retro = 2 * material.roughness * cos_d * cos_d
    factor = (1 - 0.5 * at_i) * (1 - 0.5 * at_o) + retro * (at_o + at_i + at_o * at_i * (retro - 1))
    return material.base_color * (_brdf(material) * cos_o.abs() / torch.pi * factor)


def _schlick(cosine: Float[Tensor, "*lanes"]) -> Float[Tensor, "*lanes"]:
    """(1 − cos)⁵."""
    m = (1 - cosine).clamp(0, 1)
    square = m * m
    return square * square * m


def _shares(
    material: Materials,
    cos_i: Float[Tensor, "*lanes"],
    reflection: Float[Tensor, "3 *lanes"],
    fresnel: Float[Tensor, "*lanes"],
) -> _Shares:
    """In proportion to the lobes' albedos: of the surface for the diffuse one, of the microfacet for the others."""
    front = cos_i > 0
    smooth, _ = dielectric_fresnel(cos_i, material.eta)
    specular = _specular_fresnel(material, smooth, cos_i, front) + _transmission(material, smooth)
    diffuse = _brdf(material) * material.base_color.mean(0)
    share = (diffuse / (diffuse + specular.mean(0)).clamp(min=TINY)).clamp(max=MAX_DIFFUSE)
    through = _transmission(material, fresnel).mean(0)
    back = reflection.mean(0)
    return _Shares(
        torch.where(front, share, 0.0),
        torch.where(through > 0, back / (back + through).clamp(min=TINY), 1.0),
    )


def _visible_normal(
    wi: Float[Tensor, "3 *lanes"],
    width: Float[Tensor, "*lanes"],
    first: Float[Tensor, "*lanes"],
    second: Float[Tensor, "*lanes"],
) -> Float[Tensor, "3 *lanes"]:
    """A microfacet normal seen from `wi`, above the surface.

    Dupuy & Benyoub, "Sampling Visible GGX Normals with Spherical Caps", 2023: a uniform point on a cap.
    """
    stretched = normalised(torch.stack([wi[0] * width, wi[1] * width, wi[2]]))
    z = (1 - second) * (1 + stretched[2]) - stretched[2]
    across = (1 - z * z).clamp(min=0).sqrt()
    angle = 2 * torch.pi * first
    x, y = across * angle.cos() + stretched[0], across * angle.sin() + stretched[1]
    return normalised(torch.stack([x * width, y * width, (z + stretched[2]).clamp(min=TINY)]))


def _cosine_hemisphere(first: Float[Tensor, "*lanes"], second: Float[Tensor, "*lanes"]) -> Float[Tensor, "3 *lanes"]:
    """A direction of density cos θ / π: a uniform point on the disc, lifted."""
    radius, angle = second.sqrt(), 2 * torch.pi * first
    return torch.stack([radius * angle.cos(), radius * angle.sin(), (1 - second).sqrt()])
