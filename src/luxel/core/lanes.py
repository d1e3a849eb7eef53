"""Eight values at a time, as processors' vector units take them."""

import warp as wp

LANES = wp.constant(8)
Lanes = wp.types.vector(LANES, float)


@wp.func_native("""
#if defined(__CUDA_ARCH__)
    return __ffsll(bits) - 1;
#else
    return __builtin_ctzll(bits);
#endif
""")
def lowest_bit(bits: wp.uint64) -> int:  # type: ignore[empty-body]
    """Number of the lowest bit that is set, of bits that are not all 0."""
    ...


@wp.func
def lane_beside(lane: int, lanes: int) -> int:
    """Of a set of lanes, a bit each and not empty, the one whose number differs from a lane's in the lowest bits."""
    across = lanes
    if (lane & 1) != 0:
        across = ((across & 0x55) << 1) | ((across >> 1) & 0x55)
    if (lane & 2) != 0:
        across = ((across & 0x33) << 2) | ((across >> 2) & 0x33)
    if (lane & 4) != 0:
        across = ((across & 0x0F) << 4) | ((across >> 4) & 0x0F)
    return lane ^ lowest_bit(wp.uint64(across))
