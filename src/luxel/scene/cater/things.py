"""The things of CATER's videos: cubes, spheres, cylinders, cones and the snitch, in words and as Luxel's shapes."""

import math
from collections import Counter
from dataclasses import dataclass
from typing import Literal, TypeAlias

from luxel.scene.description import Box, Camera, Cylinder, Ellipsoid, Material, Quaternion, Sphere, Vector
from luxel.scene.draws import Draws
from luxel.scene.placing import resting
from luxel.scene.stage import COLORS, MATERIALS, Spot, free_spot, material_of, turned
from luxel.scene.visible_pixels import Solid

Shape: TypeAlias = Literal["cube", "sphere", "cylinder", "cone", "spl"]
SHAPES: tuple[Shape, ...] = ("cube", "sphere", "cylinder", "cone")
SIZES = {"large": 0.75, "medium": 0.5, "small": 0.25}
SNITCH: Shape = "spl"
SNITCH_SIZE = 0.3
GOLD = Material(base_color=(1.0, 0.843, 0.0), metallic=1.0, roughness=0.2)
CONE_HEIGHT = 2.4  # of its size: a large one holds a medium one, or a medium sphere, and a medium one the snitch
CYLINDER_HEIGHT = 1.0  # of its size
SNITCH_WIDTH = 2 / 3  # of its length


@dataclass(frozen=True)
class Words:
    """What a thing is called; names are CATER's."""

    instance: str
    """Cone_1: the second of the cones."""
    shape: Shape
    size: str
    sized: float
    """Half its width, scene units; of a cube, half its diagonal."""
    color: str
    material: str


@dataclass(frozen=True)
class Thing:
    """A thing as it stands on the ground in the first frame."""

    words: Words
    solid: Solid

    def may_hold(self, other: "Thing") -> bool:
        """Whether there is room for the other in it: in cones alone, and for what is smaller and can be covered."""
        kinds = ("cone", "sphere", SNITCH)
        return self.words.shape == "cone" and other.words.shape in kinds and other.words.sized < self.words.sized


def things_of(draws: Draws, count: int, camera: Camera) -> list[Thing] | None:
    """The snitch, a medium cone, a large cone and others, `count` in all, apart; None if there was no room."""
    things: list[Thing] = []
    spots: list[Spot] = []
    names: Counter[str] = Counter()
    for number in range(count):
        shape, size = _kind(draws, number)
        sized = SNITCH_SIZE if shape == SNITCH else SIZES[size]
        color = "gold" if shape == SNITCH else draws.choose(dict.fromkeys(COLORS, 1.0))
        material = "metal" if shape == SNITCH else draws.choose(dict.fromkeys(MATERIALS, 1.0))
        spot = free_spot(draws, sized, spots, camera)
        if spot is None:
            return None
        spots.append(spot)
        name = shape.capitalize()
        words = Words(f"{name}_{names[name]}", shape, size, sized, color, material)
        names[name] += 1
        things.append(Thing(words, solid_of(words, spot, turned(draws.uniform(0.0, 2 * math.pi)))))
    return things


def _kind(draws: Draws, number: int) -> tuple[Shape, str]:
    """Shape and size of thing number `number`."""
    if number == 0:
        return SNITCH, "small"
    if number < 3:
        return "cone", ("medium", "large")[number - 1]
    size = draws.choose(dict.fromkeys(SIZES, 1.0))
    return draws.choose(dict.fromkeys(SHAPES, 1.0)), size


def solid_of(words: Words, spot: Spot, rotation: Quaternion) -> Solid:
    """The thing as a solid that stands there."""
    size, place = words.sized, (spot.x, spot.y, 0.0)
    solid: Solid
    match words.shape:
        case "cube":
            half = round(size / math.sqrt(2), 6)
            solid = Box(center=place, half_extents=(half, half, half), rotation=rotation, material=_material(words))
        case "sphere":
            solid = Sphere(center=place, radius=size, material=_material(words))
        case "spl":
            axes: Vector = (size, round(size * SNITCH_WIDTH, 6), round(size * SNITCH_WIDTH, 6))
            solid = Ellipsoid(center=place, semi_axes=axes, rotation=rotation, material=_material(words))
        case "cylinder" | "cone":
            height = round(size * (CONE_HEIGHT if words.shape == "cone" else CYLINDER_HEIGHT) / 2, 6)
            material = _material(words)
            solid = Cylinder(center=place, radius=size, half_height=height, rotation=rotation, material=material)
    standing = resting(solid, spot.x, spot.y)
    assert isinstance(standing, Solid)
    return standing


def _material(words: Words) -> Material:
    return GOLD if words.shape == SNITCH else material_of(words.color, words.material)
