"""Local frames at a surface, whose z is the normal, and what else all of optics and geometry needs."""

import math

import warp as wp

PI = wp.constant(math.pi)
INVERSE_PI = wp.constant(1.0 / math.pi)  # as division is slow


@wp.func
def frame(normal: wp.vec3) -> wp.mat33:
    """Right-handed orthonormal rows whose third is the unit `normal`: local = frame · world.

    Duff et al., "Building an Orthonormal Basis, Revisited", JCGT 6(1), 2017, listing 3.
    """
    sign = wp.where(normal[2] >= 0.0, 1.0, -1.0)
    a = -1.0 / (sign + normal[2])
    b = normal[0] * normal[1] * a
    return wp.matrix_from_rows(
        wp.vec3(1.0 + sign * normal[0] * normal[0] * a, sign * b, -sign * normal[0]),
        wp.vec3(b, sign + normal[1] * normal[1] * a, -normal[1]),
        normal,
    )


@wp.func
def to_world(local_from_world: wp.mat33, v: wp.vec3) -> wp.vec3:
    """A local vector in world space."""
    return wp.transpose(local_from_world) * v


@wp.func
def unit_length(v: wp.vec3) -> wp.vec3:
    """v / |v|; a vector shorter than 1e-18 stays as short as it is times 1e18, and none becomes NaN."""
    return v * (1.0 / wp.sqrt(wp.max(wp.dot(v, v), 1.0e-36)))
