"""Scenes composed as people compose them: a group on a ground or in a room, lamps, a sky and a camera."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

import numpy as np
from pydantic import Field

from luxel.configuration import MAX_OBJECTS
from luxel.scene.arrangements import IN_THE_AIR, ON_THE_GROUND, add_strewn, single
from luxel.scene.description import RGB, Camera, Material, Object, Scene, Vector
from luxel.scene.draws import Draws
from luxel.scene.finishes import Palette
from luxel.scene.lamps import IN_A_ROOM, OPEN_AIR, emission, lamp, light_color, lit
from luxel.scene.placing import transformed, vector
from luxel.scene.registry import Distribution
from luxel.scene.surroundings import KINDS, MIN_OBJECTS_WITH_ROOM, Site, surround
from luxel.scene.views import IN_GLASS_SHARE, glass_about, view

SkyName: TypeAlias = Literal["black", "dim", "mid", "bright"]
SKIES: dict[SkyName, float] = {"black": 0.25, "dim": 0.15, "mid": 0.45, "bright": 0.15}
SKY_RADIANCE: dict[SkyName, tuple[float, float]] = {"dim": (0.01, 0.1), "mid": (0.2, 1.0), "bright": (1.0, 1.5)}
SKY_TINTS: dict[Vector, float] = {
    (1.0, 1.0, 1.0): 0.35,
    (0.6, 0.8, 1.0): 0.25,
    (0.8, 0.9, 1.0): 0.2,
    (1.0, 0.85, 0.7): 0.2,
}
HAS_LAMP: dict[SkyName, float] = {"black": 1.0, "dim": 1.0, "mid": 0.65, "bright": 0.4}
LAMPS = {1: 0.6, 2: 0.25, 3: 0.15}
IRRADIANCE = (0.3, 4.0)
"""Of all lamps at the middle of the scene, over π; half of it in rooms, where walls give light back."""
BESIDE_SKY: dict[SkyName, float] = {"black": 1.0, "dim": 1.0, "mid": 0.5, "bright": 0.3}
"""What the lamps' irradiance is multiplied by, for the picture's exposure."""
SECOND_GROUP = 0.2
"""Share of the scenes with some objects strewn about the main group."""
GLOWING_SHARE = 0.08
"""Share of the scenes where objects of the group are lamps, too."""
SCALED_SHARE, MOVED_SHARE = 0.2, 0.15
"""Shares of the scenes that are not a few units large, and not at the origin."""
SCALES = (0.01, 100.0)
MAX_OFFSET = 30.0
"""Along each axis from the origin, in units that scale."""
FIRST_SCENE_SHARE = 0.06
"""Share of the scenes with one object on a ground, as a first scene has."""


@dataclass(frozen=True)
class Composed(Distribution):
    """Scenes as people compose them: objects on a ground or in a room, stacked, in rows, piled, in glass.

    Lamps and skies give the picture an exposure that can be looked at; a scene without a sky has a lamp. Most scenes
    have 3 to 16 objects, few up to `max_objects`; every fifth is scaled by up to a hundred, or a hundredth.
    """

    max_objects: Annotated[int, Field(ge=3, le=MAX_OBJECTS)] = 256
    """At least 3: a ground, an object and a lamp."""
    name: ClassVar[str] = "composed"

    def __call__(self, seed: int, index: int) -> Scene:
        """Scene number `index`."""
        draws = Draws(seed, index)
        is_first = draws.chance(FIRST_SCENE_SHARE)
        kinds = {
            kind: weight
            for kind, weight in KINDS.items()
            if not (is_first and kind in ("none", "room"))
            and (kind != "room" or self.max_objects >= MIN_OBJECTS_WITH_ROOM)
        }
        kind = draws.choose(kinds)
        walls = 6 if kind == "room" else 1
        most = self.max_objects - walls - 1
        group = single(draws, Palette(draws), 1) if is_first else _group(draws, kind == "none", most)
        group, around, site = surround(draws, kind, group, walls)
        camera = view(draws, site, group, around)
        if draws.chance(IN_GLASS_SHARE) and len(group) < most:
            glass = glass_about(draws, camera, site, [*group, *around])
            around += [] if glass is None else [glass]
        sky = self.sky_name(draws)
        spare = self.max_objects - len(group) - len(around)
        lamps = _lamps(draws, site, camera.position, sky, kind == "room", group, spare)
        if draws.chance(GLOWING_SHARE) and len(group) > 1:
            group = _glowing(draws, group)
        return _placed(draws, [*around, *group, *lamps], camera, self.far_light(draws, sky))

    def sky_name(self, draws: Draws) -> SkyName:
        """How bright the sky is, and so how many lamps there are."""
        return draws.choose(SKIES)

    def far_light(self, draws: Draws, sky: SkyName) -> dict[str, Any]:
        """Fields of a scene that say what light comes from infinitely far."""
        return {"background": _background(draws, sky)}


def _group(draws: Draws, in_the_air: bool, most: int) -> list[Object]:
    """The objects that the scene is about, at most `most`."""
    palette = Palette(draws)
    group = draws.choose(IN_THE_AIR if in_the_air else ON_THE_GROUND)(draws, palette, most)
    if not in_the_air and draws.chance(SECOND_GROUP):
        group = add_strewn(draws, palette, group, min(draws.integer(1, 5), most - len(group)))
    return group


def _lamps(
    draws: Draws, site: Site, eye: Vector, sky: SkyName, in_a_room: bool, group: Sequence[Object], spare: int
) -> list[Object]:
    """One to three lamps of at most `spare` objects together, or none below a sky."""
    if not draws.chance(HAS_LAMP[sky if site.sees_sky else "black"]):
        return []
    total = draws.log_uniform(*IRRADIANCE) * BESIDE_SKY[sky] * (0.5 if in_a_room else 1.0)
    number = min(draws.choose(LAMPS), spare)
    shares = [draws.uniform(0.2, 1.0) for _ in range(number)]
    objects: list[Object] = []
    for order, share in enumerate(shares):
        most = spare - len(objects) - (number - 1 - order)
        found = lamp(draws, site, eye, IN_A_ROOM if in_a_room else OPEN_AIR, [*group, *objects], most)
        objects += [*lit(draws, found.emitters, site, total * share / sum(shares)), *found.others]
    return objects


def _glowing(draws: Draws, group: Sequence[Object]) -> list[Object]:
    """The group, a quarter of its objects, or at least one, emitting."""
    first = draws.integer(0, len(group) - 1)
    return [
        item.model_copy(update={"material": _glow(draws, item.material)})
        if number == first or draws.chance(0.2)
        else item
        for number, item in enumerate(group)
    ]


def _glow(draws: Draws, material: Material) -> Material:
    return material.model_copy(update={"emission": emission(light_color(draws), draws.log_uniform(0.3, 4.0))})


def _background(draws: Draws, sky: SkyName) -> RGB:
    if sky == "black":
        return 0.0, 0.0, 0.0
    tint = draws.choose(SKY_TINTS)
    return vector(np.array(tint) * draws.log_uniform(*SKY_RADIANCE[sky]), 6)


def _placed(draws: Draws, objects: Sequence[Object], camera: Camera, far_light: dict[str, Any]) -> Scene:
    """The scene at its scale and place, with 6 decimals in the units it was composed in."""
    factor = float(f"{draws.log_uniform(*SCALES):.3g}") if draws.chance(SCALED_SHARE) else 1.0
    decimals = 6 - math.floor(math.log10(factor))
    offset = (0.0, 0.0, 0.0)
    if draws.chance(MOVED_SHARE):
        offset = vector(np.array(draws.triple(-MAX_OFFSET, MAX_OFFSET)) * factor, decimals)

    def place(point: Vector) -> Vector:
        return vector(np.array(point) * factor + offset, decimals)

    return Scene(
        objects=tuple(transformed(item, factor, offset, decimals) for item in objects),
        camera=Camera(
            position=place(camera.position),
            look_at=place(camera.look_at),
            up=vector(camera.up, 6),
            vertical_fov_degrees=camera.vertical_fov_degrees,
        ),
        **far_light,
    )
