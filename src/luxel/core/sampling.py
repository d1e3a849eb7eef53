"""Combining samples, and well-spread points: what takes the place of random numbers where pictures must not flicker."""

import warp as wp

from luxel.core.rng import pcg4d, unit


@wp.func
def power_heuristic(density: float, other: float) -> float:
    """Weight of a sample of `density`, which could also have been drawn with the `other` (Veach 1997, eq. 9.13).

    Of several samples, densities are times their numbers.
    """
    ratio = other / density
    return 1.0 / (1.0 + ratio * ratio)


@wp.func
def net_point(index: int, dimension: int) -> wp.vec2:
    """Point `index` of a (0, 2)-sequence in [0, 1)², digitally shifted by the dimension.

    Any 2ⁿ points that begin at a multiple of 2ⁿ are stratified in every way in which so many can be: van der Corput's
    sequence and Sobol's second (Kollig & Keller, "Efficient Multidimensional Sampling", 2002).
    """
    shift = pcg4d(wp.vec4ui(wp.uint32(dimension), wp.uint32(1), wp.uint32(2), wp.uint32(3)))
    n = wp.uint32(index)
    x = wp.uint32(0)
    y = wp.uint32(0)
    of_x = wp.uint32(1) << wp.uint32(31)
    of_y = of_x
    while n != wp.uint32(0):
        if (n & wp.uint32(1)) != wp.uint32(0):
            x = x ^ of_x
            y = y ^ of_y
        n = n >> wp.uint32(1)
        of_x = of_x >> wp.uint32(1)
        of_y = of_y ^ (of_y >> wp.uint32(1))
    return wp.vec2(unit(x ^ shift[0]), unit(y ^ shift[1]))
