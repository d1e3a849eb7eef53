"""Composed scenes under suns and skies: plain ones, gradients and environment maps, which are drawn, too."""

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypeAlias

import numpy as np
from jaxtyping import Float64

from luxel.scene.composed import Composed, SkyName
from luxel.scene.description import RGB, GradientSky, MapSky, Sun
from luxel.scene.draws import Draws
from luxel.scene.environment import map_directions
from luxel.scene.lamps import emission, light_color
from luxel.scene.placing import direction, vector

SkyKind: TypeAlias = Literal["plain", "gradient", "map"]
SKIES: dict[SkyKind, float] = {"plain": 0.15, "gradient": 0.5, "map": 0.35}
HAS_SUN: dict[SkyKind, float] = {"plain": 0.8, "gradient": 0.75, "map": 0.25}
SUN_RADII: dict[tuple[float, float], float] = {(0.265, 0.265): 0.5, (0.1, 1.0): 0.2, (1.0, 12.0): 0.3}
"""Degrees: the sun's own, sharper or a little softer, and behind haze."""
SUN_IRRADIANCE = (0.4, 4.0)
"""Over π, of a surface that faces it."""
ELEVATIONS = (4.0, 88.0)
"""Of the sun, degrees."""
SKY_RADIANCE = (0.03, 1.2)
NIGHT_SHARE = 0.08
"""Share of the skies that are black but for the sun, or for a map's lights."""
BLUES: dict[tuple[float, float, float], float] = {
    (0.3, 0.5, 1.0): 0.4,
    (0.7, 0.85, 1.0): 0.3,
    (1.0, 1.0, 1.0): 0.2,
    (1.0, 0.7, 0.5): 0.1,
}
MAP_SIZE = 32, 64
GLOWS = (0, 7)
GLOW_RADII = (2.5, 40.0)
"""Degrees; the least is half a texel."""
GLOW_IRRADIANCE = (0.03, 2.5)


@dataclass(frozen=True)
class Outdoor(Composed):
    """Composed scenes with light from outside: a sun, mostly, and a sky that is plain, a gradient or a map.

    A map is a gradient with up to seven lights of any size, some of them too bright for any display, and some clouds.
    Half of the scenes have lamps as well, as all have that the sky does not see into.
    """

    name: ClassVar[str] = "outdoor"

    def sky_name(self, draws: Draws) -> SkyName:
        """How many lamps there are beside the sky."""
        return draws.choose({"dim": 0.1, "mid": 0.3, "bright": 0.6})

    def far_light(self, draws: Draws, sky: SkyName) -> dict[str, Any]:
        """A sky, and a sun where there is one, or else one of the two."""
        kind = draws.choose(SKIES)
        has_sun = draws.chance(HAS_SUN[kind])
        brightness = 0.0 if draws.chance(NIGHT_SHARE) else draws.log_uniform(*SKY_RADIANCE)
        if kind == "plain":
            fields: dict[str, Any] = {"background": emission(draws.choose(BLUES), brightness)}
        elif kind == "gradient":
            fields = {"sky": _gradient(draws, brightness)}
        else:
            fields = {"sky": _map(draws, brightness)}
        return fields | ({"sun": _sun(draws)} if has_sun else {})


def _sun(draws: Draws) -> Sun:
    """Anywhere above the horizon, low ones redder."""
    elevation = math.radians(draws.uniform(*ELEVATIONS))
    low, high = draws.choose(SUN_RADII)
    radius = draws.log_uniform(low, high) if low < high else low
    irradiance = draws.log_uniform(*SUN_IRRADIANCE)
    warmth = math.exp(-3 * math.sin(elevation))
    color = vector((1.0, 1.0 - 0.5 * warmth, 1.0 - 0.8 * warmth)) if draws.chance(0.7) else light_color(draws)
    azimuth = draws.uniform(-math.pi, math.pi)
    return Sun(
        direction=vector(direction(azimuth, elevation), 6),
        angular_radius_degrees=radius,
        radiance=emission(color, irradiance / math.sin(math.radians(radius)) ** 2),
    )


def _gradient(draws: Draws, brightness: float) -> GradientSky:
    """Brighter at the horizon, mostly; the ground darker than both."""
    blue = draws.choose(BLUES)
    pale = vector(0.5 * np.array(blue) + 0.5 * np.array(draws.choose(BLUES)))
    return GradientSky(
        zenith=emission(blue, brightness * draws.log_uniform(0.15, 1.5)),
        horizon=emission(pale, brightness),
        ground=emission((1.0, 0.85, 0.7), brightness * draws.uniform(0.0, 0.6)),
    )


def _map(draws: Draws, brightness: float) -> MapSky:
    """A gradient, clouds and lights, as a small map."""
    towards = _directions()
    sky = _gradient(draws, brightness)
    up = np.sqrt(np.abs(towards[..., 2:]))
    pole = np.where(towards[..., 2:] > 0, sky.zenith, sky.ground)
    radiance = sky.horizon + (pole - np.array(sky.horizon)) * up
    radiance *= _clouds(draws, towards) if draws.chance(0.5) else 1.0
    lights = draws.integer(*GLOWS)
    for _ in range(max(lights, 1 if brightness == 0 else 0)):
        radiance += _glow(draws, towards)
    limit = np.minimum(radiance, 9e5)
    return MapSky.of(limit, rotation_degrees=draws.uniform(-180.0, 180.0))


def _directions() -> Float64[np.ndarray, "height width 3"]:
    """Of the middles of a map's texels."""
    height, width = MAP_SIZE
    latitude = np.pi * (np.arange(height)[:, None] + 0.5) / height
    azimuth = 2 * np.pi * ((np.arange(width) + 0.5) / width - 0.5)
    return map_directions(latitude, azimuth)


def _clouds(draws: Draws, towards: Float64[np.ndarray, "height width 3"]) -> Float64[np.ndarray, "height width 1"]:
    """Factors about 1: waves in a few directions."""
    waves = sum(
        np.sin(towards @ np.array(draws.triple(-7.0, 7.0)) + draws.uniform(0.0, 6.3)) / (1 + number)
        for number in range(4)
    )
    return np.exp(draws.uniform(0.1, 0.6) * waves)[..., None]


def _glow(draws: Draws, towards: Float64[np.ndarray, "height width 3"]) -> Float64[np.ndarray, "height width 3"]:
    """A light with soft edges, of a given irradiance over π: a spherical Gaussian exp((cos θ − 1) / σ²)."""
    elevation = math.asin(draws.uniform(-0.3, 1.0))
    middle = np.array(direction(draws.uniform(-math.pi, math.pi), elevation))
    width = math.radians(draws.log_uniform(*GLOW_RADII))
    shape = np.exp((towards @ middle - 1) / width**2)
    radiance = draws.log_uniform(*GLOW_IRRADIANCE) / (2 * width**2)  # ∫ shape dω ≈ 2π σ²
    color: RGB = light_color(draws)
    return shape[..., None] * radiance * np.array(color)
