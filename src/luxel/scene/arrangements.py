"""Groups of objects on the ground z = 0 about the origin, within a few units: single, strewn, stacked, in rows, piled.

An arrangement makes at most `count` objects, at least one. Neighbours touch or keep apart.
"""

import math
from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
from jaxtyping import Float64

from luxel.scene.description import (
    IDENTITY,
    Box,
    Cylinder,
    Ellipsoid,
    Material,
    Object,
    Panel,
    Quaternion,
    Sphere,
    Vector,
)
from luxel.scene.draws import Draws
from luxel.scene.finishes import Palette, clear_glass, mirror
from luxel.scene.placing import (
    about_z,
    direction,
    extents,
    facing,
    footprint,
    moved,
    product,
    resting,
    transformed,
    vector,
)

Arrangement: TypeAlias = Callable[[Draws, Palette, int], list[Object]]
Shape: TypeAlias = Callable[[Draws, float, Palette], Object]
TRIES = 24
LARGE_CROWD_SHARE = 0.22
"""Share of the crowds whose number is log-uniform up to the most; the others are of 2 to 12."""
OVERLAPPING_SHARE = 0.05
"""Share of the strewn groups whose objects may overlap."""


def spin(draws: Draws) -> Quaternion:
    """About the vertical by any angle, or, of a third, not at all."""
    return IDENTITY if draws.chance(0.33) else about_z(draws.uniform(-math.pi, math.pi))


def lying(draws: Draws) -> Quaternion:
    """Takes z to a horizontal direction."""
    return facing(direction(draws.uniform(-math.pi, math.pi), 0.0))


# Shapes of about a radius of `size`, centred at the origin.


def ball(draws: Draws, size: float, palette: Palette) -> Object:
    """A sphere."""
    return Sphere(center=(0, 0, 0), radius=size, material=palette.any())


def egg(draws: Draws, size: float, palette: Palette) -> Object:
    """An ellipsoid with a vertical axis."""
    a, b, c = (size * draws.log_uniform(0.5, 1.4) for _ in range(3))
    return Ellipsoid(center=(0, 0, 0), semi_axes=(a, b, c), rotation=spin(draws), material=palette.any())


def tilted_egg(draws: Draws, size: float, palette: Palette) -> Object:
    """An ellipsoid of any rotation."""
    return egg(draws, size, palette).model_copy(update={"rotation": draws.quaternion()})


def block(draws: Draws, size: float, palette: Palette) -> Object:
    """An upright box; a third are cubes."""
    a, b, c = (0.8 * size,) * 3 if draws.chance(0.33) else (size * draws.log_uniform(0.35, 1.3) for _ in range(3))
    return Box(center=(0, 0, 0), half_extents=(a, b, c), rotation=spin(draws), material=palette.any())


def tilted_block(draws: Draws, size: float, palette: Palette) -> Object:
    """A box on one of its corners."""
    return block(draws, size, palette).model_copy(update={"rotation": draws.quaternion()})


def drum(draws: Draws, size: float, palette: Palette) -> Object:
    """An upright cylinder, from a coin to a post."""
    height = size * draws.log_uniform(0.12, 1.6)
    return Cylinder(
        center=(0, 0, 0), radius=size * draws.log_uniform(0.4, 1.0), half_height=height, material=palette.any()
    )


def lying_drum(draws: Draws, size: float, palette: Palette) -> Object:
    """A cylinder on its side."""
    return drum(draws, size, palette).model_copy(update={"rotation": lying(draws)})


def standing_panel(draws: Draws, size: float, palette: Palette) -> Object:
    """A rectangle or ellipse on its edge, a few of them leaning."""
    outline = draws.choose({"rectangle": 0.65, "ellipse": 0.35})
    half_extents = (size * draws.log_uniform(0.4, 1.4), size * draws.log_uniform(0.4, 1.4))
    elevation = draws.uniform(0.1, 0.7) if draws.chance(0.3) else 0.0
    rotation = facing(direction(draws.uniform(-math.pi, math.pi), elevation))
    return Panel.model_validate(
        {
            "center": (0, 0, 0),
            "half_extents": half_extents,
            "outline": outline,
            "rotation": rotation,
            "material": palette.opaque(),
        }
    )


def rod(draws: Draws, size: float, palette: Palette) -> Object:
    """A thin ellipsoid, cylinder or box, 8 to 60 times as long as thick; upright."""
    length = size * draws.log_uniform(1.0, 2.5)
    thick = length / draws.log_uniform(8.0, 60.0)
    kind = draws.choose({"ellipsoid": 0.35, "cylinder": 0.35, "box": 0.3})
    if kind == "cylinder":
        return Cylinder(center=(0, 0, 0), radius=thick, half_height=length, material=palette.any())
    axes = (thick, thick * draws.log_uniform(1.0, 3.0), length)
    if kind == "box":
        return Box(center=(0, 0, 0), half_extents=axes, material=palette.any())
    return Ellipsoid(center=(0, 0, 0), semi_axes=axes, material=palette.any())


def turned_rod(draws: Draws, size: float, palette: Palette) -> Object:
    """A rod that stands, lies or leans."""
    elevation = draws.choose({math.pi / 2: 0.35, 0.0: 0.3, draws.uniform(0.3, 1.3): 0.35})
    rotation = facing(direction(draws.uniform(-math.pi, math.pi), elevation))
    return rod(draws, size, palette).model_copy(update={"rotation": rotation})


SHAPES: dict[Shape, float] = {
    ball: 0.35,
    egg: 0.1,
    tilted_egg: 0.06,
    block: 0.17,
    tilted_block: 0.04,
    drum: 0.1,
    lying_drum: 0.05,
    standing_panel: 0.07,
    turned_rod: 0.06,
}
STACKED: dict[Shape, float] = {ball: 0.35, block: 0.3, drum: 0.25, egg: 0.1}


def any_shape(draws: Draws, size: float, palette: Palette) -> Object:
    """One of the shapes."""
    return draws.choose(SHAPES)(draws, size, palette)


def crowd(draws: Draws, most: int) -> int:
    """How many a crowd has: mostly 2 to 12, seldom up to the most."""
    drawn = draws.log_uniform(1.0, most + 1.0) if draws.chance(LARGE_CROWD_SHARE) else draws.log_uniform(2.0, 13.0)
    return max(1, min(most, int(drawn)))


class Floor:
    """Where objects stand already: their footprints, as x, y and a radius."""

    def __init__(self, objects: Sequence[Object] = ()) -> None:
        self._discs: list[tuple[float, float, float]] = []
        for item in objects:
            self._add(item)

    def _add(self, item: Object) -> None:
        self._discs.append((item.center[0], item.center[1], footprint(item)))

    def place(self, draws: Draws, item: Object, room: float = 1.0) -> Object:
        """The object at rest where it overlaps none, on a disc that grows with every try.

        `room` is the share of the sum of their footprints' radii that objects keep apart.
        """
        own, discs = footprint(item), np.array(self._discs).reshape(-1, 3)
        reach = 0.2 + 1.25 * room * math.sqrt(float((discs[:, 2] ** 2).sum()))
        for _ in range(2 * TRIES):
            x, y = draws.in_disc(reach)
            if (np.hypot(discs[:, 0] - x, discs[:, 1] - y) > room * (discs[:, 2] + own)).all():
                break
            reach *= 1.06
        placed = resting(item, x, y)
        self._add(placed)
        return placed


def strewn(draws: Draws, palette: Palette, count: int) -> list[Object]:
    """Unlike objects, here and there."""
    return add_strewn(draws, palette, [], crowd(draws, count), draws.choose(SHAPES) if draws.chance(0.2) else any_shape)


def add_strewn(
    draws: Draws, palette: Palette, others: list[Object], count: int, shape: Shape = any_shape
) -> list[Object]:
    """So many objects beside the others."""
    floor = Floor(others)
    room = 0.3 if draws.chance(OVERLAPPING_SHARE) else 1.0
    added = [floor.place(draws, shape(draws, draws.log_uniform(0.15, 0.7), palette), room) for _ in range(count)]
    return [*others, *added]


def single(draws: Draws, palette: Palette, count: int) -> list[Object]:
    """One object, mostly a ball."""
    shape = ball if draws.chance(0.65) else any_shape
    return [resting(shape(draws, draws.uniform(0.5, 1.0), palette), 0.0, 0.0)]


def towers(draws: Draws, palette: Palette, count: int) -> list[Object]:
    """One to three stacks, of balls that get smaller, of boxes, or of all kinds, with others beside them."""
    objects: list[Object] = []
    for number in range(draws.integer(1, 3)):
        most = min(draws.integer(2, 6), count - len(objects))
        tower = _tower(draws, palette, most)
        if tower:
            objects += _beside(tower, 1.6 * number, draws.uniform(-0.5, 0.5))
    return add_strewn(draws, palette, objects, min(draws.integer(0, 3), count - len(objects)))


def _tower(draws: Draws, palette: Palette, count: int) -> list[Object]:
    kind = draws.choose(STACKED) if draws.chance(0.7) else None
    size, shrink, top = draws.uniform(0.3, 0.6), draws.uniform(0.65, 1.0), 0.0
    objects: list[Object] = []
    for level in range(count):
        shape = kind or draws.choose(STACKED)
        objects.append(resting(shape(draws, size * shrink**level, palette), 0.0, 0.0, top))
        top += 2 * extents(objects[-1])[2]
    return objects


def _beside(objects: list[Object], x: float, y: float) -> list[Object]:
    return [moved(item, np.add(item.center, (x, y, 0))) for item in objects]


def grid(draws: Draws, palette: Palette, count: int) -> list[Object]:
    """A row, a rectangle or layers of one shape, of like or unlike materials, or of a sweep of roughness."""
    number, size = crowd(draws, count), 0.5
    model = draws.choose(STACKED)(draws, size, palette)
    layers = 2 if number >= 8 and draws.chance(0.25) else 1
    columns = number if number <= 9 and draws.chance(0.4) else math.ceil(math.sqrt(number / layers))
    rows = math.ceil(number / (columns * layers))
    pitch = 2 * footprint(model) * draws.uniform(1.0, 1.6)
    height = 2 * extents(model)[2]
    make = _sweep(draws, palette, columns)
    objects: list[Object] = []
    for index in range(number):
        column, row, layer = index % columns, index // columns % rows, index // (columns * rows)
        x, y = (column - (columns - 1) / 2) * pitch, (row - (rows - 1) / 2) * pitch
        alike = model.model_copy(update={"material": make(column)})
        objects.append(resting(alike, x, y, layer * height))
    return objects


def _sweep(draws: Draws, palette: Palette, columns: int) -> Callable[[int], Material]:
    """The material of a column."""
    model = palette.any()
    kind = draws.choose({"alike": 0.25, "unlike": 0.45, "roughness": 0.3})
    if kind == "unlike":
        return lambda column: palette.any()
    if kind == "alike":
        return lambda column: model
    return lambda column: model.model_copy(update={"roughness": round(column / max(columns - 1, 1), 6)})


def pile(draws: Draws, palette: Palette, count: int) -> list[Object]:
    """Balls dropped one after the other, each of which stays where it first touches another or the ground."""
    number = crowd(draws, count)
    size, reach = 0.35, 0.35 * number ** (1 / 3) * draws.uniform(0.6, 1.5)
    placed = np.zeros((0, 4))
    objects: list[Object] = []
    for _ in range(number):
        item = ball(draws, size * draws.log_uniform(0.6, 1.3), palette)
        x, y = draws.in_disc(reach)
        r = item.bounding_radius
        below = (placed[:, 3] + r) ** 2 - (placed[:, 0] - x) ** 2 - (placed[:, 1] - y) ** 2
        z = float(np.max(placed[:, 2] + np.sqrt(np.maximum(below, 0)), initial=r, where=below > 0))
        placed = np.vstack([placed, (x, y, z, r)])
        objects.append(moved(item, (x, y, z)))
    return objects


def rods(draws: Draws, palette: Palette, count: int) -> list[Object]:
    """Thin things, alike in how they are turned or not, with others among them."""
    number = min(draws.integer(3, 14), count)
    shape = rod if draws.chance(0.3) else turned_rod
    floor = Floor()
    objects = [floor.place(draws, shape(draws, draws.uniform(0.3, 0.8), palette), 0.4) for _ in range(number)]
    return add_strewn(draws, palette, objects, min(draws.integer(0, 3), count - number))


def nested(draws: Draws, palette: Palette, count: int) -> list[Object]:
    """An object within a ball, an ellipsoid or a box of clear glass, others beside it."""
    size = draws.uniform(0.5, 0.9)
    if count < 2:
        return [resting(Sphere(center=(0, 0, 0), radius=size, material=clear_glass(draws)), 0.0, 0.0)]
    outer = draws.choose({ball: 0.6, egg: 0.25, block: 0.15})(draws, size, palette)
    outer = resting(outer.model_copy(update={"material": clear_glass(draws)}), 0.0, 0.0)
    inner = any_shape(draws, 0.3, palette)
    factor = draws.uniform(0.25, 0.55) * min(outer.scale) / inner.bounding_radius
    inner = transformed(inner, factor, (0.0, 0.0, 0.0), 12)
    slack = 0.55 * min(outer.scale) - inner.bounding_radius
    inner = moved(inner, np.array(outer.center) + np.array(draws.triple(-1.0, 1.0)) * max(slack, 0) / math.sqrt(3))
    return add_strewn(draws, palette, [outer, inner], min(draws.integer(0, 5), count - 2))


def mirrors(draws: Draws, palette: Palette, count: int) -> list[Object]:
    """Two upright mirrors that face each other, objects between them."""
    if count < 3:
        return strewn(draws, palette, count)
    between = add_strewn(draws, palette, [], min(draws.integer(1, 4), count - 2))
    gap = max(abs(item.center[0]) + extents(item)[0] for item in between) * draws.uniform(1.05, 1.6)
    width, height = gap * draws.uniform(0.8, 1.8), draws.uniform(0.6, 1.4)
    turns = [draws.uniform(-0.1, 0.1) for _ in range(2)]
    sides = [
        Panel(
            center=(side * (gap + 0.12 * width), 0, height),
            half_extents=(height, width),
            rotation=product(about_z(turn), facing((-side, 0.0, 0.0))),
            material=mirror(draws),
        )
        for side, turn in zip((-1.0, 1.0), turns, strict=True)
    ]
    return [*between, *sides]


def floating(draws: Draws, palette: Palette, count: int) -> list[Object]:
    """Objects of any rotation in the air, apart from each other."""
    objects: list[Object] = []
    balls = np.zeros((0, 4))
    for _ in range(crowd(draws, count)):
        item = any_shape(draws, draws.log_uniform(0.15, 0.6), palette)
        if not isinstance(item, Sphere):
            item = item.model_copy(update={"rotation": draws.quaternion()})
        objects.append(moved(item, _free_place(draws, item.bounding_radius, balls)))
        balls = np.vstack([balls, (*objects[-1].center, item.bounding_radius)])
    lowest = min(item.center[2] - extents(item)[2] for item in objects)
    lift = draws.uniform(0.0, 0.5) - lowest
    return [moved(item, np.add(item.center, (0, 0, lift))) for item in objects]


def _free_place(draws: Draws, radius: float, balls: Float64[np.ndarray, "n 4"]) -> Vector:
    """Where a ball hardly overlaps any of others, x, y, z and radius, in a cube that grows with every try."""
    reach = 0.2 + 1.2 * float((balls[:, 3] ** 3).sum()) ** (1 / 3)
    for _ in range(TRIES):
        center = np.array(draws.triple(-1.0, 1.0)) * reach
        if (np.linalg.norm(balls[:, :3] - center, axis=1) > 0.8 * (balls[:, 3] + radius)).all():
            break
        reach *= 1.08
    return vector(center)


ON_THE_GROUND: dict[Arrangement, float] = {
    single: 0.1,
    strewn: 0.36,
    towers: 0.11,
    grid: 0.12,
    pile: 0.09,
    rods: 0.07,
    nested: 0.07,
    mirrors: 0.03,
    floating: 0.05,
}
IN_THE_AIR: dict[Arrangement, float] = {single: 0.1, floating: 0.55, pile: 0.1, grid: 0.1, rods: 0.05, nested: 0.1}
