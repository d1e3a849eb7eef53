"""Mitsuba's `principled` BSDF for the parameters that Luxel uses, to evaluate, to sample, and its density.

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

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from luxel.geometry.vectors import Vector, dot, normalised, where
from luxel.trace.packed import MIN_WIDTH, Materials

MAX_DIFFUSE = 0.9  # share of the samples; the specular lobe can be brighter at a slant than its estimate says
TINY = 1e-12


class Value(NamedTuple):
    """BSDF · |cos θ_o|, and the density per steradian with which `sample` finds the direction."""

    value: Vector
    density: Float[Tensor, "*lanes"]


class Sample(NamedTuple):
    """Directions drawn; `valid` is False where none came about and the path ends."""

    direction: Vector
    valid: Bool[Tensor, "*lanes"]


class _Shares(NamedTuple):
    """Probabilities of the diffuse lobe, and of reflection against transmission given the microfacet."""

    diffuse: Float[Tensor, "*lanes"]
    reflection: Float[Tensor, "*lanes"]


def evaluate(material: Materials, wi: Vector, wo: Vector) -> Value:
    """Value and density of the direction `wo`."""
    cos_i, cos_o = wi.z, wo.z
    front, reflects = cos_i > 0, cos_i * cos_o > 0
    side = torch.where(front, 1.0, -1.0)
    eta = _eta_along(material, front)
    half = normalised(wi + wo.scaled(torch.where(reflects, 1.0, eta)))
    half = half.scaled(torch.where(half.z < 0, -1.0, 1.0))
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
        reflection.scaled(reflected)
        + _transmission(material, fresnel).scaled(transmitted)
        + where(front & reflects, _diffuse(material, cos_i, cos_o, dot_o), 0.0)
    )

    shares = _shares(material, cos_i, reflection, fresnel)
    microfacet = (1 - shares.diffuse) * visible
    density = torch.where(
        reflects,
        microfacet * shares.reflection / 4,
        microfacet * (1 - shares.reflection) * (dot_i * dot_o).abs() * compression * eta * eta,
    ) + torch.where(front & reflects, shares.diffuse * cos_o / torch.pi, 0.0)
    return Value(value, density)


def sample(material: Materials, wi: Vector, random: Vector) -> Sample:
    """Draw directions, from three random numbers, with the density that `evaluate` states."""
    cos_i = wi.z
    front = cos_i > 0
    facet = _visible_normal(wi.scaled(torch.where(front, 1.0, -1.0)), _width(material), random.y, random.z)
    dot_i = dot(wi, facet)
    fresnel, cos_t = dielectric_fresnel(dot_i, material.eta)
    shares = _shares(material, cos_i, _specular_fresnel(material, fresnel, dot_i, front), fresnel)

    is_diffuse = random.x < shares.diffuse
    rest = (random.x - shares.diffuse) / (1 - shares.diffuse)
    is_reflection = rest < shares.reflection
    eta = _eta_along(material, front)
    over_eta = 1 / eta
    through = facet.scaled(dot_i * over_eta + cos_t) - wi.scaled(over_eta)
    direction = where(
        is_diffuse,
        _cosine_hemisphere(random.y, random.z),
        where(is_reflection, facet.scaled(2 * dot_i) - wi, through),
    )
    same_side = cos_i * direction.z > 0
    valid = torch.where(is_diffuse | is_reflection, same_side, cos_i * direction.z < 0)
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


def _ggx(half: Vector, width: Float[Tensor, "*lanes"]) -> Float[Tensor, "*lanes"]:
    """Density of microfacet normals (Walter et al. 2007, eq. 33)."""
    across = (half.x * half.x + half.y * half.y) / (width * width)
    root = across + half.z * half.z
    return 1 / (torch.pi * width * width * root * root)


def _masking_over_cosine(v: Vector, width: Float[Tensor, "*lanes"]) -> Float[Tensor, "*lanes"]:
    """Smith's G1 / |cos θ| (Walter et al. 2007, eq. 34), finite at grazing angles."""
    across = v.x * v.x + v.y * v.y
    return 2 / (v.z.abs() + (v.z * v.z + width * width * across).sqrt())


def _masking(v: Vector, width: Float[Tensor, "*lanes"]) -> Float[Tensor, "*lanes"]:
    return v.z.abs() * _masking_over_cosine(v, width)


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
) -> Vector:
    """Reflectance of a microfacet: Schlick's for the metallic part, untinted for the rest."""
    schlick = _schlick(dot_i.abs())
    outside = material.base_color.map(
        lambda color: (1 - material.metallic) * dielectric + material.metallic * (color + (1 - color) * schlick)
    )
    return where(front, outside, _bsdf(material) * dielectric)


def _transmission(material: Materials, dielectric: Float[Tensor, "*lanes"]) -> Vector:
    """Transmittance of a microfacet: √base_color, since light crosses two surfaces."""
    root = material.base_color.map(_root)
    return root.scaled(_bsdf(material) * (1 - dielectric))


def _root(value: Tensor) -> Tensor:
    """Square root, whose gradient at 0 is 0 and not infinite."""
    return torch.where(value > 0, value.clamp(min=TINY).sqrt(), 0.0)


def _diffuse(
    material: Materials,
    cos_i: Float[Tensor, "*lanes"],
    cos_o: Float[Tensor, "*lanes"],
    cos_d: Float[Tensor, "*lanes"],
) -> Vector:
    """Burley 2015, eq. 4: Lambert with a Fresnel factor, and retro-reflection; times |cos θ_o|."""
    at_i, at_o = _schlick(cos_i.abs()), _schlick(cos_o.abs())
    retro = 2 * material.roughness * cos_d * cos_d
    factor = (1 - 0.5 * at_i) * (1 - 0.5 * at_o) + retro * (at_o + at_i + at_o * at_i * (retro - 1))
    return material.base_color.scaled(_brdf(material) * cos_o.abs() / torch.pi * factor)


def _schlick(cosine: Float[Tensor, "*lanes"]) -> Float[Tensor, "*lanes"]:
    """(1 − cos)⁵."""
    m = (1 - cosine).clamp(0, 1)
    square = m * m
    return square * square * m


def _shares(
    material: Materials,
    cos_i: Float[Tensor, "*lanes"],
    reflection: Vector,
    fresnel: Float[Tensor, "*lanes"],
) -> _Shares:
    """In proportion to the lobes' albedos: of the surface for the diffuse one, of the microfacet for the others."""
    front = cos_i > 0
    smooth, _ = dielectric_fresnel(cos_i, material.eta)
    specular = _specular_fresnel(material, smooth, cos_i, front) + _transmission(material, smooth)
    diffuse = _brdf(material) * material.base_color.mean()
    share = (diffuse / (diffuse + specular.mean()).clamp(min=TINY)).clamp(max=MAX_DIFFUSE)
    through = _transmission(material, fresnel).mean()
    back = reflection.mean()
    return _Shares(
        torch.where(front, share, 0.0),
        torch.where(through > 0, back / (back + through).clamp(min=TINY), 1.0),
    )


def _visible_normal(
    wi: Vector,
    width: Float[Tensor, "*lanes"],
    first: Float[Tensor, "*lanes"],
    second: Float[Tensor, "*lanes"],
) -> Vector:
    """A microfacet normal seen from `wi`, above the surface.

    Dupuy & Benyoub, "Sampling Visible GGX Normals with Spherical Caps", 2023: a uniform point on a cap.
    """
    stretched = normalised(Vector(wi.x * width, wi.y * width, wi.z))
    z = (1 - second) * (1 + stretched.z) - stretched.z
    across = (1 - z * z).clamp(min=0).sqrt()
    angle = 2 * torch.pi * first
    x, y = across * angle.cos() + stretched.x, across * angle.sin() + stretched.y
    return normalised(Vector(x * width, y * width, (z + stretched.z).clamp(min=TINY)))


def _cosine_hemisphere(first: Float[Tensor, "*lanes"], second: Float[Tensor, "*lanes"]) -> Vector:
    """A direction of density cos θ / π: a uniform point on the disc, lifted."""
    radius, angle = second.sqrt(), 2 * torch.pi * first
    return Vector(radius * angle.cos(), radius * angle.sin(), (1 - second).sqrt())
