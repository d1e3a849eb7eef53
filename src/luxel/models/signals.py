"""Signals: the vector of numbers that a shading point gathers, and arithmetic with it."""

import warp as wp

DIRECT, CAUSTIC, HIGHLIGHT, UNSHADOWED = range(0, 12, 3)
DIRECT_VARIANCE, CAUSTIC_MOMENT = 12, 13
LIGHT_SIGNALS = 14
"""How many come from light samples; those that follow come from rays over the hemisphere and into lobes."""
SKY, SURFACES, REFLECTION, TRUNCATED = range(LIGHT_SIGNALS, LIGHT_SIGNALS + 12, 3)
OPENNESS, NEARNESS, INDIRECT_VARIANCE, GLOSSY_VARIANCE, ROUGH_ALBEDO = range(LIGHT_SIGNALS + 12, LIGHT_SIGNALS + 17)
SIGNALS = LIGHT_SIGNALS + 17
Signals = wp.types.vector(SIGNALS, float)
"""What a point gathers.

In RGB, irradiance over π, but for Burley's Fresnel factors:
    DIRECT      by lights in view
    UNSHADOWED  what DIRECT would be without shadows
    CAUSTIC     by lights through glass and by way of flat mirrors
    SKY         by the sky
    SURFACES    by way of other surfaces
    TRUNCATED   of a unit of radiance from everywhere, what paths were cut off from
In RGB, radiance that leaves by the glossy lobes:
    HIGHLIGHT   of lights
    REFLECTION  of all else
Single numbers:
    OPENNESS    the share of the hemisphere that is sky
    NEARNESS    of other surfaces: the mean of s / (s + t) over rays, t their lengths and s the width of a pixel
    ROUGH_ALBEDO    what REFLECTION would be under a radiance of 1, the mean of the channels; 0 but of a rough lobe
                (`luxel.core.rough_albedo.ROUGH`) that the diffuse lobe's rays serve, too
    CAUSTIC_MOMENT  radiance squared: E[x²] of the channels' mean x that a path finds of CAUSTIC on a white surface;
                each brings a light's whole radiance, or nothing
    DIRECT_VARIANCE, INDIRECT_VARIANCE, GLOSSY_VARIANCE    of the means over channels of DIRECT, of SKY + SURFACES and
                of HIGHLIGHT + REFLECTION by rays into lobes, as if rays were independent
"""

TINY = wp.constant(1.0e-36)  # radiance that is none: near the least float


@wp.func
def square(x: float) -> float:
    """x²."""
    return x * x


@wp.func
def variance_of_sum(squares: float, total: float, count: int) -> float:
    """Of independent summands, estimated from their sum and that of their squares."""
    result = float(0.0)
    if count > 1:
        result = wp.max(squares - total * total / float(count), 0.0) * (float(count) / float(count - 1))
    return result


@wp.func
def with_rgb(signals: Signals, at: int, value: wp.vec3) -> Signals:
    """The signals with the three from `at` on set."""
    signals[at] = value[0]
    signals[at + 1] = value[1]
    signals[at + 2] = value[2]
    return signals


@wp.func
def rgb_at(signals: Signals, at: int) -> wp.vec3:
    """The three signals from `at` on."""
    return wp.vec3(signals[at], signals[at + 1], signals[at + 2])
