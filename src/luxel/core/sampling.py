"""Multiple importance sampling's weight, and points of low discrepancy: the (0, 2)-sequence, lattices, ZSobol."""

import warp as wp

from luxel.core.rng import pcg4d, uniform, unit

GOLDEN_RATIO = wp.constant(0.618033989)  # its fractional part


@wp.func
def power_heuristic(density: float, other: float) -> float:
    """Weight of a sample of `density`, which could also have been drawn with the `other` (Veach 1997, eq. 9.13).

    Of several samples, densities are times their numbers.
    """
    ratio = other / density
    return 1.0 / (1.0 + ratio * ratio)


@wp.func
def jittered_point(index: int, across: int, down: int) -> wp.vec2:
    """Point `index` of as many in [0, 1)² as a grid has cells, one in each, anywhere in it; always the same ones.

    No line meets many of them at once, so that what is within a moving edge grows by one after the other. Of 128 points
    of a lattice, edges of some directions meet eleven at once.
    """
    row = index // across
    jitter = pcg4d(wp.vec4ui(wp.uint32(index), wp.uint32(4), wp.uint32(5), wp.uint32(6)))
    x = (float(index - row * across) + unit(jitter[0])) / float(across)
    return wp.vec2(x, (float(row) + unit(jitter[1])) / float(down))


@wp.func
def lattice_point(k: int, points: int) -> wp.vec2:
    """Point k of so many in [0, 1)², no two in one column or row.

    32 find the share behind a straight edge to 0.023, in the mean square over all directions, as a grid of about 5 × 5
    does, and to 0.016 if it is level or upright, where a grid of 16 × 16 is 0.018 off. Squares about 128 of them, each
    as far as it is behind, find it to 0.003, about jittered ones to 0.006.
    """
    down = float(k) * GOLDEN_RATIO + 0.5
    return wp.vec2((float(k) + 0.5) / float(points), down - wp.floor(down))


@wp.func
def swap_bits(x: wp.uint32, mask: wp.uint32, shift: wp.uint32) -> wp.uint32:
    """With the bits of the mask and those `shift` above them exchanged."""
    return ((x & mask) << shift) | ((x >> shift) & mask)


@wp.func
def add_bits(x: wp.uint32, mask: wp.uint32, shift: wp.uint32) -> wp.uint32:
    """With the bits of the mask added, mod 2, to those `shift` above them."""
    return x ^ ((x & mask) << shift)


@wp.func
def sobol_words(index: int) -> wp.vec2ui:
    """Point `index` of a (0, 2)-sequence, as binary fractions.

    Any 2ⁿ points that begin at a multiple of 2ⁿ are stratified in every way in which so many can be: van der Corput's
    sequence and Sobol's second (Kollig & Keller, "Efficient Multidimensional Sampling", 2002). The first is the index
    with its bits reversed; the second's matrix is Pascal's triangle mod 2, a product of five that add halves of words
    to the others.
    """
    n = wp.uint32(index)
    x = swap_bits(n, wp.uint32(0x0000FFFF), wp.uint32(16))
    x = swap_bits(x, wp.uint32(0x00FF00FF), wp.uint32(8))
    x = swap_bits(x, wp.uint32(0x0F0F0F0F), wp.uint32(4))
    x = swap_bits(x, wp.uint32(0x33333333), wp.uint32(2))
    x = swap_bits(x, wp.uint32(0x55555555), wp.uint32(1))
    y = add_bits(x, wp.uint32(0x0000FFFF), wp.uint32(16))
    y = add_bits(y, wp.uint32(0x00FF00FF), wp.uint32(8))
    y = add_bits(y, wp.uint32(0x0F0F0F0F), wp.uint32(4))
    y = add_bits(y, wp.uint32(0x33333333), wp.uint32(2))
    y = add_bits(y, wp.uint32(0x55555555), wp.uint32(1))
    return wp.vec2ui(x, y)


@wp.func
def sobol_point(index: int, dimension: int) -> wp.vec2:
    """Point `index` of the (0, 2)-sequence in [0, 1)², digitally shifted by the dimension."""
    shift = pcg4d(wp.vec4ui(wp.uint32(dimension), wp.uint32(1), wp.uint32(2), wp.uint32(3)))
    words = sobol_words(index)
    return wp.vec2(unit(words[0] ^ shift[0]), unit(words[1] ^ shift[1]))


TILE_BITS = wp.constant(4)
"""Of the sides of tiles, in pixels, whose pixels share nets."""


@wp.struct
class ZSobolPixel:
    """What `zsobol_sample` needs of a pixel: its tile, and its index along a Morton curve through that."""

    tile: wp.uint32
    order: int  # of the pixel, from which its part of a net follows
    word: wp.uint32  # random bits of the pixel's own


@wp.func
def permuted_digit(digit: int, word: wp.uint32) -> int:
    """A digit 0 … 3 by one of the 24 permutations, chosen by random bits: 3 turns, 2 directions, 4 exclusive ors."""
    turned = digit
    if digit > 0:
        turn = int((word >> wp.uint32(2)) % wp.uint32(3))
        step = wp.where((word & wp.uint32(0x40000000)) != wp.uint32(0), 3 - digit, digit - 1)
        turned = 1 + (step + turn) % 3
    return turned ^ int(word & wp.uint32(3))


@wp.func
def zsobol_pixel(key: wp.vec2ui, column: int, row: int) -> ZSobolPixel:
    """A pixel's index along a Morton curve through its tile, whose quadrants are in random order at every level.

    Neighbours then have neighbouring parts of a net, so that errors differ in sign from pixel to pixel, where they are
    seen least and filtered best (Ahmed & Wonka, "Screen-Space Blue-Noise Diffusion of Monte Carlo Sampling Error via
    Hierarchical Ordering of Pixels", 2020).
    """
    order = int(0)
    for level in range(TILE_BITS):
        shift = TILE_BITS - 1 - level
        x = column >> shift
        y = row >> shift
        words = pcg4d(wp.vec4ui(wp.uint32(x >> 1), wp.uint32(y >> 1), key[0] ^ wp.uint32(level + 91), key[1]))
        order = 4 * order + permuted_digit((x & 1) + 2 * (y & 1), words[0])
    words = pcg4d(wp.vec4ui(wp.uint32(column), wp.uint32(row), key[0] ^ wp.uint32(97), key[1]))
    return ZSobolPixel(wp.uint32((column >> TILE_BITS) + ((row >> TILE_BITS) << 16)), order, words[0])


@wp.func
def permuted_index(member: int, group_size: int, words: wp.vec4ui) -> int:
    """A permutation of 0 … group_size − 1, a power of two, which random words choose.

    Each step can be undone: exclusive ors, products with odd numbers, and adding upper bits to lower ones (Kensler,
    "Correlated Multi-Jittered Sampling", 2013, §2).
    """
    mask = wp.uint32(group_size - 1)
    m = (wp.uint32(member) ^ words[0]) & mask
    m = (m * (words[1] | wp.uint32(1))) & mask
    m = m ^ (m >> wp.uint32(1)) ^ (m >> wp.uint32(3))
    m = (m * (words[2] | wp.uint32(1))) & mask
    m = m ^ (m >> wp.uint32(2)) ^ (m >> wp.uint32(5))
    m = (m * (words[3] | wp.uint32(1))) & mask
    return int((m ^ (words[0] >> wp.uint32(16))) & mask)


@wp.func
def zsobol_sample(
    key: wp.vec2ui, pixel: int, zsobol: ZSobolPixel, sample: int, dimension: int, group_size: int
) -> wp.vec4:
    """As `uniform`, but the second and third numbers of a group's samples are a (0, 2)-net, groups being independent.

    `group_size` is a power of two; the net is digitally shifted at random, by tile, group and dimension, so that each
    point is uniform in [0, 1)². Of a group, the pixels of 2ⁿ × 2ⁿ, at multiples of 2ⁿ in a tile, have a net together.
    Which sample has which point is random in each pixel, group and dimension, so that these are independent.
    """
    u = uniform(key, pixel, sample, dimension)
    if group_size > 1:
        group = sample // group_size
        shift = pcg4d(wp.vec4ui(zsobol.tile, ~wp.uint32(group), key[0] ^ wp.uint32(dimension), key[1]))
        chosen = pcg4d(wp.vec4ui(zsobol.word, wp.uint32(group), key[0] ^ wp.uint32(dimension), ~key[1]))
        member = permuted_index(sample - group * group_size, group_size, chosen)
        words = sobol_words(zsobol.order * group_size + member)
        u = wp.vec4(u[0], unit(words[0] ^ shift[0]), unit(words[1] ^ shift[1]), u[3])
    return u
