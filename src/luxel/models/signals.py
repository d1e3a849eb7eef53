"""What the ray model's points gather: a vector of numbers, and arithmetic with it."""

import warp as wp

DIRECT, THROUGH, HIGHLIGHT, UNSHADOWED = range(0, 12, 3)
DIRECT_NOISE = 12
OF_LIGHTS = 13
"""The first of the signals: what lights do. The others are what rays over the hemisphere and into lobes find."""
SKY, SURFACES, REFLECTION, LOST = range(OF_LIGHTS, OF_LIGHTS + 12, 3)
OPENNESS, NEARNESS, INDIRECT_NOISE, GLOSSY_NOISE, ROUGH_WEIGHT = range(OF_LIGHTS + 12, OF_LIGHTS + 17)
SIGNALS = OF_LIGHTS + 17
Signals = wp.types.vector(SIGNALS, float)
"""What a point gathers, in RGB but for OPENNESS, NEARNESS and noise.

Irradiance over π (but for Burley's Fresnel factors) by lights (DIRECT), by lights through glass and by way of flat
mirrors (THROUGH), by the sky, and by way of other surfaces; radiance that leaves by the glossy lobes, of lights
(HIGHLIGHT) and of all else; what DIRECT would be without shadows; the share of the hemisphere's light that paths were
cut off from, for a unit of radiance everywhere (LOST); the share of the hemisphere that is sky; how near the other
surfaces are: the mean of s / (s + t), for rays that meet something at a distance of t, where a pixel is s wide; and the
variances, as if rays were independent, of the means over channels: of DIRECT by rays to lights, of SKY and SURFACES,
of HIGHLIGHT and REFLECTION by rays into lobes; and, where the diffuse lobe's rays serve a rough lobe (ROUGH) too, what
REFLECTION would be under a radiance of 1, the mean of the channels (ROUGH_WEIGHT).
"""


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
def with_vector(signals: Signals, at: int, value: wp.vec3) -> Signals:
    """The signals with three of them set."""
    signals[at] = value[0]
    signals[at + 1] = value[1]
    signals[at + 2] = value[2]
    return signals


@wp.func
def vector_at(signals: Signals, at: int) -> wp.vec3:
    """Three of the signals."""
    return wp.vec3(signals[at], signals[at + 1], signals[at + 2])
