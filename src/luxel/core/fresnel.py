"""Reflectance and refraction at a smooth interface."""

import warp as wp


@wp.struct
class Fresnel:
    """What happens to unpolarised light at a smooth dielectric."""

    reflectance: float
    cos_t: float  # of the refracted ray; its sign is opposite to that of cos_i, and it is 0 for total reflection


@wp.func
def fresnel_dielectric(cos_i: float, eta: float) -> Fresnel:
    """Fresnel's equations for `eta`, the index inside over that outside; `cos_i` is negative from inside.

    The reflectance is exactly 0 where eta is 1, exactly 1 where reflection is total (pbrt, 4th ed., §9.3.5).
    """
    into = eta
    if cos_i < 0.0:
        into = 1.0 / eta
    # η² cos² θ_t, which written with sin² θ_i rounding would take for total reflection at grazing angles where η is 1
    square = (into - 1.0) * (into + 1.0) + cos_i * cos_i
    result = Fresnel(1.0, 0.0)
    if square > 0.0:
        bent = wp.sqrt(square)
        cosine = wp.abs(cos_i)
        across = cosine + bent
        along = into * into * cosine + bent
        denominator = 1.0 / (across * along)  # of both amplitudes: division is slow
        s = (cosine - bent) * along * denominator
        p = (into * into * cosine - bent) * across * denominator
        result.reflectance = wp.where(eta == 1.0, 0.0, 0.5 * (s * s + p * p))
        result.cos_t = wp.where(cos_i >= 0.0, -bent, bent) / into
    return result


@wp.func
def reflect(v: wp.vec3, normal: wp.vec3) -> wp.vec3:
    """The mirror image of `v`, which points away from the surface."""
    return 2.0 * wp.dot(v, normal) * normal - v


@wp.func
def refract(v: wp.vec3, normal: wp.vec3, cos_t: float, eta: float) -> wp.vec3:
    """Snell's law for `v`, away from the surface; `cos_t` as in Fresnel, `eta` of the other side over that of `v`."""
    over_eta = 1.0 / eta
    return (wp.dot(v, normal) * over_eta + cos_t) * normal - v * over_eta


@wp.func
def schlick_weight(cosine: float) -> float:
    """(1 − cos θ)⁵ (Schlick 1994)."""
    m = wp.clamp(1.0 - cosine, 0.0, 1.0)
    square = m * m
    return square * square * m
