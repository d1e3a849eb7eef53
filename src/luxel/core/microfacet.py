"""The GGX (Trowbridge–Reitz) distribution of microfacets, in a frame whose z is the normal.

Walter et al., "Microfacet Models for Refraction through Rough Surfaces", EGSR 2007.
"""

import warp as wp

from luxel.core.frames import PI, unit_length

MIN_ALPHA = wp.constant(0.001)  # Mitsuba's bound
TINY = wp.constant(1.0e-12)


@wp.func
def alpha_of(roughness: float) -> float:
    """The distribution's width: roughness², but at least MIN_ALPHA (Burley 2012)."""
    return wp.max(roughness * roughness, MIN_ALPHA)


@wp.func
def ggx_density(half: wp.vec3, alpha: float) -> float:
    """D(h), density of microfacet normals (Walter et al. 2007, eq. 33)."""
    square = alpha * alpha
    root = half[0] * half[0] + half[1] * half[1] + square * half[2] * half[2]
    return square / (PI * root * root)


@wp.func
def smith_g1_over_cosine(v: wp.vec3, alpha: float) -> float:
    """Smith's G1(v) / |cos θ| (Walter et al. 2007, eq. 34), finite at grazing angles."""
    across = v[0] * v[0] + v[1] * v[1]
    return 2.0 / (wp.abs(v[2]) + wp.sqrt(v[2] * v[2] + alpha * alpha * across))


@wp.func
def smith_g1(v: wp.vec3, alpha: float) -> float:
    """Smith's G1(v): the share of microfacets facing v that it sees."""
    return wp.abs(v[2]) * smith_g1_over_cosine(v, alpha)


@wp.func
def sample_visible_normal(wi: wp.vec3, alpha: float, u: wp.vec2) -> wp.vec3:
    """A microfacet normal seen from `wi`, which is above the surface; its density is G1(wi) D(h) (wi·h) / cos θ_i.

    Dupuy & Benyoub, "Sampling Visible GGX Normals with Spherical Caps", HPG 2023: a uniform point on a cap.
    """
    stretched = unit_length(wp.vec3(wi[0] * alpha, wi[1] * alpha, wi[2]))
    z = (1.0 - u[1]) * (1.0 + stretched[2]) - stretched[2]
    across = wp.sqrt(wp.max(0.0, 1.0 - z * z))
    angle = 2.0 * PI * u[0]
    x = across * wp.cos(angle) + stretched[0]
    y = across * wp.sin(angle) + stretched[1]
    return unit_length(wp.vec3(x * alpha, y * alpha, wp.max(z + stretched[2], TINY)))


@wp.func
def sample_cosine_hemisphere(u: wp.vec2) -> wp.vec3:
    """A direction of density cos θ / π: a uniform point on the disc, lifted (Malley's method)."""
    radius = wp.sqrt(u[1])
    angle = 2.0 * PI * u[0]
    return wp.vec3(radius * wp.cos(angle), radius * wp.sin(angle), wp.sqrt(1.0 - u[1]))


@wp.func
def sample_cosine_about(local: wp.mat33, u: wp.vec2) -> wp.vec3:
    """As `sample_cosine_hemisphere`, in the frame `local`, of numbers that are a point on a sphere in world space.

    The normal is added to that point (Shirley et al., "Sampling Transformations Zoo", Ray Tracing Gems 2019, §16.6.2).
    Where the normal turns, the same numbers' directions then turn half as far, so that nets which neighbouring pixels
    share are nets on round surfaces, too.
    """
    z = 1.0 - 2.0 * u[0]
    radius = wp.sqrt(wp.max(1.0 - z * z, 0.0))
    angle = 2.0 * PI * u[1]
    point = wp.vec3(radius * wp.cos(angle), radius * wp.sin(angle), z)
    return unit_length(local * point + wp.vec3(0.0, 0.0, 1.0))
