"""Materials as people choose them: matte, plastic, metal, glass."""

import colorsys
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from luxel.scene.description import Color, Material
from luxel.scene.draws import Draws

Finish: TypeAlias = Callable[[Draws], Material]
FEW_MATERIALS_SHARE = 0.33
"""Share of the scenes that make do with one to three materials."""


class Tone(NamedTuple):
    """Ranges of value and saturation (HSV, in linear RGB); the hue is uniform."""

    value: tuple[float, float]
    saturation: tuple[float, float]


TONES = {
    Tone((0.65, 0.95), (0.0, 0.06)): 0.25,  # whites
    Tone((0.15, 0.65), (0.0, 0.1)): 0.2,  # greys
    Tone((0.01, 0.08), (0.0, 0.6)): 0.08,  # darks
    Tone((0.25, 0.8), (0.2, 0.65)): 0.27,  # muted
    Tone((0.4, 0.95), (0.65, 1.0)): 0.2,  # saturated
}
METAL_TONES = {
    Tone((0.5, 0.97), (0.0, 0.1)): 0.5,  # steel, silver
    Tone((0.7, 0.97), (0.2, 0.7)): 0.5,  # gold, copper, and any other hue
}


def tone(draws: Draws, tones: dict[Tone, float]) -> Color:
    """A colour of one of the tones."""
    value, saturation = draws.choose(tones)
    rgb = colorsys.hsv_to_rgb(draws.unit(), draws.uniform(*saturation), draws.uniform(*value))
    red, green, blue = (round(channel, 6) for channel in rgb)
    return red, green, blue


def matte(draws: Draws) -> Material:
    """A rough dielectric; half of them of the default specular."""
    specular = 0.5 if draws.chance(0.5) else draws.uniform(0.0, 1.0)
    return Material(base_color=tone(draws, TONES), specular=specular, roughness=draws.uniform(0.3, 1.0))


def plastic(draws: Draws) -> Material:
    """A glossy dielectric."""
    return Material(base_color=tone(draws, TONES), specular=draws.uniform(0.3, 1.0), roughness=draws.uniform(0.04, 0.3))


def metal(draws: Draws) -> Material:
    """A metal of a roughness up to 0.6, smooth more often than rough."""
    return Material(base_color=tone(draws, METAL_TONES), metallic=1.0, roughness=round(0.6 * draws.skewed(1.5), 6))


def mirror(draws: Draws) -> Material:
    """A metal of roughness 0, almost white."""
    grey = draws.uniform(0.8, 0.97)
    return Material(base_color=(grey, grey, grey), metallic=1.0, roughness=0.0)


def half_metal(draws: Draws) -> Material:
    """Between a dielectric and a metal."""
    return Material(base_color=tone(draws, TONES), metallic=draws.uniform(0.2, 0.8), roughness=draws.uniform(0.04, 0.8))


def clear_glass(draws: Draws) -> Material:
    """Smooth glass: colourless or of a light tint, of the default index, a low one or any."""
    specular = draws.choose({0.5: 0.6, 0.1: 0.15, draws.uniform(0.05, 1.0): 0.25})
    tint = (1.0, 1.0, 1.0) if draws.chance(0.5) else draws.triple(0.8, 1.0)
    return Material(base_color=tint, specular=specular, roughness=0.0, transmission=1.0)


def rough_glass(draws: Draws) -> Material:
    """Frosted glass of a light tint."""
    return Material(base_color=draws.triple(0.7, 1.0), roughness=draws.uniform(0.05, 0.6), transmission=1.0)


def partly_transmissive(draws: Draws) -> Material:
    """Between a coloured dielectric and glass."""
    return Material(
        base_color=tone(draws, TONES), roughness=draws.uniform(0.0, 0.5), transmission=draws.uniform(0.2, 0.8)
    )


def transmissive_metal(draws: Draws) -> Material:
    """A metal whose transmission has no effect."""
    return metal(draws).model_copy(update={"transmission": 1.0})


OPAQUE: dict[Finish, float] = {matte: 0.46, plastic: 0.16, metal: 0.11, mirror: 0.04, half_metal: 0.03}
TRANSMISSIVE: dict[Finish, float] = {
    clear_glass: 0.11,
    rough_glass: 0.05,
    partly_transmissive: 0.03,
    transmissive_metal: 0.01,
}
FINISHES = OPAQUE | TRANSMISSIVE
FLOORS: dict[Finish, float] = {matte: 0.8, plastic: 0.1, metal: 0.05, mirror: 0.03, half_metal: 0.02}


class Palette:
    """The materials of one scene."""

    def __init__(self, draws: Draws) -> None:
        self._draws = draws
        few = draws.integer(1, 3) if draws.chance(FEW_MATERIALS_SHARE) else 0
        self._any, self._opaque = ([draws.choose(kind)(draws) for _ in range(few)] for kind in (FINISHES, OPAQUE))

    def any(self) -> Material:
        """The material of a solid."""
        return self._one_of(self._any, FINISHES)

    def opaque(self) -> Material:
        """The material of what has no inside."""
        return self._one_of(self._opaque, OPAQUE)

    def _one_of(self, few: list[Material], finishes: dict[Finish, float]) -> Material:
        draws = self._draws
        return few[draws.integer(0, len(few) - 1)] if few else draws.choose(finishes)(draws)
