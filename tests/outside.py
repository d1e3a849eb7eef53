"""Skies and suns for tests."""

import numpy as np
from tracer_scenes import FLOOR, LAMP, SIDE_LAMP, ball, glass, metal, scene

from luxel.scene import GradientSky, MapSky, Scene, Sun
from luxel.scene.description import Object

GRADIENT = GradientSky(zenith=(0.2, 0.4, 1.0), horizon=(1.0, 0.8, 0.6), ground=(0.3, 0.1, 0.05))
SUN = Sun(direction=(-0.5, -0.7, 0.8), angular_radius_degrees=3.0, radiance=(400.0, 300.0, 200.0))
SMALL_SUN = Sun(direction=(-0.5, -0.7, 0.8), radiance=(40_000.0, 30_000.0, 20_000.0))


def texels(height: int = 8, width: int = 16) -> np.ndarray:
    """Noise, and three bright texels, one of them below the horizon."""
    found = np.random.default_rng(1).uniform(0, 1, (height, width, 3))
    found[1, 3], found[2, 9], found[6, 12] = (60, 40, 20), (5, 20, 30), (9, 9, 9)
    return found.astype(np.float32)


SPOTS = MapSky.of(texels(), rotation_degrees=50)


def under(*objects: Object, **fields: object) -> Scene:
    """The objects under a sky, a sun or both."""
    return scene(*objects).model_copy(update=fields)


def stones() -> tuple[Object, ...]:
    """A floor, a matte ball and one of metal."""
    return FLOOR, ball(0, 0, -0.2, 0.8), ball(0.9, -0.6, 0.2, 0.3, metal(0.3))


def bulbs(count: int) -> tuple[Object, ...]:
    """Small lamps, so many that they have a tree."""
    random = np.random.default_rng(1)
    return tuple(ball(*place, 0.05, LAMP) for place in random.uniform(-1, 1, (count, 3)) * [1.5, 1, 1] + [0, 1.5, 1])


FAINT = MapSky(file=SPOTS.file, rotation_degrees=-110, scale=0.5)
FEATURES: dict[str, tuple[Scene, int]] = {
    "gradient and background": (under(*stones(), sky=GRADIENT, background=(0.1, 0.1, 0.1)), 4),
    "small sun": (under(*stones(), sun=SMALL_SUN, background=(0.1, 0.2, 0.3)), 4),
    "sun, gradient, lamp": (under(SIDE_LAMP, *stones(), sky=GRADIENT, sun=SUN), 4),
    "map": (under(*stones(), sky=SPOTS), 4),
    "map, sun, lamp": (under(SIDE_LAMP, *stones(), sky=FAINT, sun=SUN), 4),
    "map, sun, glass": (under(FLOOR, ball(0, 0, -0.2, 0.8, glass(0.3)), sky=SPOTS, sun=SUN), 6),
    "map, sun, tree of lamps": (under(FLOOR, *bulbs(30), ball(0, 0, -0.2, 0.8), sun=SUN, sky=FAINT), 3),
}
"""Scenes that isolate light from outside, with the depth to trace them to."""
