"""Random numbers that are a function of what they are for: no state, so any order and any batch gives the same."""

import warp as wp

UNIT = wp.constant(2.0**-24)  # all numbers are multiples of it


@wp.func
def pcg4d(v: wp.vec4ui) -> wp.vec4ui:
    """Four 32-bit words in, four out.

    Jarzynski & Olano, "Hash Functions for GPU Rendering", JCGT 9(3), 2020, whose first step is the generator of
    Numerical Recipes.
    """
    x = v[0] * wp.uint32(1664525) + wp.uint32(1013904223)
    y = v[1] * wp.uint32(1664525) + wp.uint32(1013904223)
    z = v[2] * wp.uint32(1664525) + wp.uint32(1013904223)
    w = v[3] * wp.uint32(1664525) + wp.uint32(1013904223)
    x += y * w
    y += z * x
    z += x * y
    w += y * z
    x = x ^ (x >> wp.uint32(16))
    y = y ^ (y >> wp.uint32(16))
    z = z ^ (z >> wp.uint32(16))
    w = w ^ (w >> wp.uint32(16))
    x += y * w
    y += z * x
    z += x * y
    w += y * z
    return wp.vec4ui(x, y, z, w)


@wp.func
def unit(word: wp.uint32) -> float:
    """In [0, 1), from the upper 24 bits."""
    return float(word >> wp.uint32(8)) * UNIT


@wp.func
def seeded(key: wp.vec2ui, seed: wp.vec2ui) -> wp.vec2ui:
    """The key of a scene's random numbers under a 64-bit seed."""
    words = pcg4d(wp.vec4ui(key[0], key[1], seed[0], seed[1]))
    return wp.vec2ui(words[0], words[1])


@wp.func
def uniform(key: wp.vec2ui, pixel: int, sample: int, dimension: int) -> wp.vec4:
    """Four numbers in [0, 1), multiples of 2⁻²⁴, for (scene's key, pixel, sample, dimension)."""
    words = pcg4d(wp.vec4ui(wp.uint32(pixel), wp.uint32(sample), key[0] ^ wp.uint32(dimension), key[1]))
    return wp.vec4(unit(words[0]), unit(words[1]), unit(words[2]), unit(words[3]))
