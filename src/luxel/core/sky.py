"""What is infinitely far: a sky that changes with height, and a sun; an environment map is `luxel.core.maps`."""

import warp as wp

from luxel.core.frames import PI, frame, to_world
from luxel.core.scenes import SceneRow


@wp.func
def gradient_radiance(row: SceneRow, direction: wp.vec3) -> wp.vec3:
    """The sky's radiance but for sun and map: horizon + (pole − horizon) √|z|; see `GradientSky`."""
    pole = row.zenith
    if direction[2] < 0.0:
        pole = row.ground
    return row.horizon + (pole - row.horizon) * wp.sqrt(wp.abs(direction[2]))


@wp.func
def mean_gradient_radiance(row: SceneRow, normal: wp.vec3) -> wp.vec3:
    """Of `gradient_radiance` over the hemisphere about a unit normal, by the cosine: irradiance over π."""
    up = normal[2]
    return (
        row.horizon
        + (row.zenith - row.horizon) * mean_root_height(up)
        + (row.ground - row.horizon) * mean_root_height(-up)
    )


@wp.func
def mean_root_height(up: float) -> float:
    """∫ √z max(n · ω, 0) dω / π over z > 0, for a unit normal n with this z; to within 0.001.

    max(x, 0) is (x + |x|) / 2. Of the first half the integral is 2/5 n_z; of the second it is even in n_z: a polynomial
    through its values for 0 and 1, B(3/4, 3/2) / π and 2/5.
    """
    square = up * up
    return wp.max(0.4 * up + 0.3051 + square * (0.0795 + square * (-0.0052 + 0.0206 * square)), 0.0)


@wp.func
def is_in_sun(row: SceneRow, direction: wp.vec3) -> bool:
    """Whether a unit vector points at the sun's disc: by its chord, as cosines near 1 are too coarse."""
    off = direction - row.sun_direction
    return wp.dot(off, off) < row.sun_chord_squared


@wp.func
def sun_solid_angle(row: SceneRow) -> float:
    """2π (1 − cos θ), of which 1 − cos θ is half the chord squared."""
    return PI * row.sun_chord_squared


@wp.func
def sample_sun(row: SceneRow, u: wp.vec2) -> wp.vec3:
    """A unit vector towards the sun's disc, uniform in solid angle."""
    t = 0.5 * row.sun_chord_squared * u[0]  # 1 − cosine
    sine = wp.sqrt(t * (2.0 - t))
    turn = 2.0 * PI * u[1]
    return to_world(frame(row.sun_direction), wp.vec3(sine * wp.cos(turn), sine * wp.sin(turn), 1.0 - t))
