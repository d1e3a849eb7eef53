"""Scenes after CLEVR (Johnson et al., CLEVR: A Diagnostic Dataset for Compositional Language, CVPR 2017).

What is published there is kept: numbers, sizes, shapes, colours, distances and margins. See `luxel.scene.stage`, too.
"""

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, NamedTuple, TypeAlias

from pydantic import Field

from luxel import InputError
from luxel.configuration import shortened
from luxel.scene.description import Box, Camera, Cylinder, Object, Panel, Scene, Sphere
from luxel.scene.draws import Draws
from luxel.scene.registry import Distribution
from luxel.scene.stage import (
    BACKGROUND,
    COLORS,
    GROUND,
    MATERIALS,
    Spot,
    camera_of,
    free_spot,
    lamps_of,
    material_of,
    turned,
)
from luxel.scene.visible_pixels import visible_pixels

Thing: TypeAlias = Sphere | Box | Cylinder
Shape = Literal["cube", "sphere", "cylinder"]
SIZES = {"small": 0.35, "large": 0.7}
MIN_PIXELS = 200  # of each object, at 320 × 240
ARRANGEMENTS = 10_000
"""Tries of a whole scene; of 300 scenes of up to 10 objects none needed more than 61."""


@dataclass(frozen=True)
class Clevr(Distribution):
    """3 to 10 cubes, spheres and cylinders on grey ground under three lamps; objects come first, then ground and lamps.

    No two are nearer than 0.25, and each shows at least 200 pixels at 320 × 240.
    """

    max_objects: Annotated[int, Field(ge=3, le=10)] = 10
    """Beside ground and lamps."""
    name: ClassVar[str] = "clevr"

    def __call__(self, seed: int, index: int) -> Scene:
        """Scene number `index`."""
        draws = Draws(seed, index)
        camera, lamps = camera_of(draws), lamps_of(draws)
        count = draws.integer(3, self.max_objects)
        for _ in range(ARRANGEMENTS):
            things = _things(draws, count, camera)
            if things and visible_pixels(things, camera).min() >= MIN_PIXELS:
                return Scene(objects=(*things, GROUND, *lamps), camera=camera, background=BACKGROUND)
        raise InputError(
            f"max_objects is {self.max_objects}: for the {count} of scene {index} of seed {seed} there was no room in "
            f"{ARRANGEMENTS} tries, each with {MIN_PIXELS} pixels to be seen; give fewer"
        )


class Words(NamedTuple):
    """What an object is called."""

    shape: Shape
    size: str
    color: str
    material: str


def words_of(thing: Object) -> Words | None:
    """The words for an object of these scenes; None for anything else."""
    if not isinstance(thing, Thing):
        return None
    shape: Shape = "cube" if isinstance(thing, Box) else thing.shape
    sizes = {name: round(size / math.sqrt(2), 6) if shape == "cube" else size for name, size in SIZES.items()}
    size = next((name for name, scale in sizes.items() if thing.scale == (scale, scale, scale)), None)
    finishes = ((color, name) for color in COLORS for name in MATERIALS)
    finish = next((words for words in finishes if thing.material == material_of(*words)), None)
    return Words(shape, size, *finish) if size and finish else None


def things_in_words(scene: Scene, source: str) -> list[tuple[Thing, Words]]:
    """All but ground and lamps, with their words. Raises InputError, which begins with `source`, for others' scenes."""
    things: list[tuple[Thing, Words]] = []
    for number, item in enumerate(scene.objects):
        if item == GROUND or (isinstance(item, Panel) and item.material.is_emissive):
            continue
        words = words_of(item)
        if not isinstance(item, Thing) or words is None:
            raise InputError(
                f"{source}: objects[{number}] is {shortened(item)}, none of the distribution clevr's; take another "
                "layout, or a data set of clevr"
            )
        things.append((item, words))
    return things


def _things(draws: Draws, count: int, camera: Camera) -> list[Thing]:
    """So many objects apart from each other, or none if there was no room."""
    things: list[Thing] = []
    placed: list[Spot] = []
    for _ in range(count):
        size = draws.choose(dict.fromkeys(SIZES.values(), 1.0))
        shape: Shape = draws.choose({"cube": 1.0, "sphere": 1.0, "cylinder": 1.0})
        if (spot := free_spot(draws, size, placed, camera)) is None:
            return []
        placed.append(spot)
        things.append(_thing(draws, shape, spot))
    return things


def _thing(draws: Draws, shape: Shape, spot: Spot) -> Thing:
    """An object on the ground; a cube's half edge is size / √2."""
    x, y, size = spot
    color = draws.choose(dict.fromkeys(COLORS, 1.0))
    material = material_of(color, "metal" if draws.chance(0.5) else "rubber")
    rotation = turned(draws.uniform(0.0, 2 * math.pi))
    if shape == "cube":
        half = round(size / math.sqrt(2), 6)
        return Box(center=(x, y, half), half_extents=(half, half, half), rotation=rotation, material=material)
    if shape == "sphere":
        return Sphere(center=(x, y, size), radius=size, material=material)
    return Cylinder(center=(x, y, size), radius=size, half_height=size, rotation=rotation, material=material)
