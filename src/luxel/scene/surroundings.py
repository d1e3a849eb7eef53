"""What a group of objects stands on or in: grounds and rooms."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
from jaxtyping import Float64

from luxel.scene.description import Box, Material, Object, Panel, Plane, Quaternion, Sphere, Vector
from luxel.scene.draws import Draws
from luxel.scene.finishes import FLOORS, Tone, mirror, tone
from luxel.scene.placing import bounds, extents, moved, on_ball, vector

GROUND_RADII = (3.0, 3000.0)
"""Of balls to stand on, in units of groups that measure a few."""
MIN_OBJECTS_WITH_ROOM = 8
"""Objects that a scene with a room may have at least."""


@dataclass(frozen=True)
class Site:
    """Where a scene's objects are: a ball about `focus`, in bounds that camera and lamps keep to."""

    focus: Vector
    reach: float
    lower: Vector = (-math.inf, -math.inf, -math.inf)
    upper: Vector = (math.inf, math.inf, math.inf)
    sees_sky: bool = True
    """Whether the sky lights it; if not, it has to have a lamp."""

    @property
    def has_ground(self) -> bool:
        """Whether there is something below."""
        return math.isfinite(self.lower[2])

    def inside(self, items: Sequence[Object]) -> list[Object]:
        """The objects moved into the bounds together, or centred in what is too narrow for them."""
        low, high = bounds(items)
        lower, upper, margin = np.array(self.lower), np.array(self.upper), 0.01 * self.reach
        up, down = np.maximum(lower - (low - margin), 0), np.maximum(high + margin - upper, 0)
        shift = np.where((up > 0) & (down > 0), (up - down) / 2, up - down)
        return [moved(item, np.array(item.center) + shift) for item in items]


class Surroundings(NamedTuple):
    """The group where it stands, what it stands on or in, and the site that results."""

    group: list[Object]
    around: list[Object]
    site: Site


Point: TypeAlias = Float64[np.ndarray, "3"]
Kind: TypeAlias = Literal["ball", "plane", "box", "none", "room"]
KINDS: dict[Kind, float] = {"ball": 0.25, "plane": 0.21, "box": 0.16, "none": 0.14, "room": 0.24}


def site_of(group: Sequence[Object], lower: Vector, upper: Vector = (math.inf,) * 3) -> Site:
    """The middle of the group's bounding box, and the distance from there to its farthest point."""
    centers, half = np.array([item.center for item in group]), np.array([extents(item) for item in group])
    low, high = (centers - half).min(0), (centers + half).max(0)
    focus = (low + high) / 2
    radii = np.minimum([item.bounding_radius for item in group], np.linalg.norm(half, axis=1))
    farthest = float((np.linalg.norm(centers - focus, axis=1) + radii).max())
    return Site(vector(focus), min(farthest, float(np.linalg.norm(high - low)) / 2), lower, upper)


def surround(draws: Draws, kind: Kind, group: list[Object], most: int) -> Surroundings:
    """The group on a ground or in a room of at most `most` objects."""
    nowhere = (-math.inf,) * 3
    above = (-math.inf, -math.inf, 0.0)
    if kind == "room":
        return _room(draws, group, most)
    if kind == "none":
        return Surroundings(group, [], site_of(group, nowhere))
    material = draws.choose(FLOORS)(draws)
    if kind == "plane":
        return Surroundings(group, [Plane(center=(0, 0, 0), material=material)], site_of(group, above))
    if kind == "box":
        site = site_of(group, above)
        return Surroundings(group, [_slab(draws, site, material)], site)
    radius = draws.log_uniform(*GROUND_RADII)
    bent = [on_ball(item, radius) for item in group]
    ground = Sphere(center=(0, 0, -radius), radius=radius, material=material)
    return Surroundings(bent, [ground], _above_ball(site_of(bent, above)))


def _above_ball(site: Site) -> Site:
    """A group at the rim of a small ball hangs below its top; the middle does not."""
    x, y, z = site.focus
    return replace(site, focus=(x, y, max(z, 0.1 * site.reach)))


def _slab(draws: Draws, site: Site, material: Material) -> Box:
    """A box with its top at z = 0, from a pedestal under the group to a floor."""
    width = site.reach * draws.log_uniform(1.1, 15.0)
    depth = width * draws.log_uniform(0.5, 1.0) if width > 3 * site.reach else width
    height = draws.log_uniform(0.03, 0.6) * min(width, 3 * site.reach)
    x, y, _ = site.focus
    return Box(center=(x, y, -height), half_extents=(width, depth, height), material=material)


# Walls by the side that they are at: what turns a panel's z inwards, and the axis that it is normal to.
HALF = math.sqrt(0.5)
TURNS: dict[str, Quaternion] = {
    "floor": (1.0, 0.0, 0.0, 0.0),
    "ceiling": (0.0, 1.0, 0.0, 0.0),
    "left": (HALF, 0.0, HALF, 0.0),
    "right": (HALF, 0.0, -HALF, 0.0),
    "back": (HALF, HALF, 0.0, 0.0),
    "front": (HALF, -HALF, 0.0, 0.0),
}
INWARD: dict[str, Vector] = {
    "floor": (0.0, 0.0, 1.0),
    "ceiling": (0.0, 0.0, -1.0),
    "left": (1.0, 0.0, 0.0),
    "right": (-1.0, 0.0, 0.0),
    "back": (0.0, -1.0, 0.0),
    "front": (0.0, 1.0, 0.0),
}
ROOMS: dict[tuple[str, ...], float] = {
    ("floor", "back", "left", "right", "ceiling"): 0.36,  # a box, open at the front
    ("floor", "back", "left", "right", "ceiling", "front"): 0.18,
    ("floor", "back", "left", "right"): 0.14,
    ("floor", "back", "left"): 0.12,
    ("floor", "back", "right", "ceiling"): 0.06,
    ("floor", "left", "right", "ceiling"): 0.14,  # a corridor
}
WALL_TONES = {
    Tone((0.6, 0.9), (0.0, 0.06)): 0.6,
    Tone((0.25, 0.6), (0.0, 0.1)): 0.1,
    Tone((0.35, 0.8), (0.5, 0.95)): 0.3,
}
MIRROR_WALL_SHARE = 0.04


def _room(draws: Draws, group: list[Object], most: int) -> Surroundings:
    """Walls about the group, panels or planes; the front is at −y."""
    sides = draws.choose({sides: weight for sides, weight in ROOMS.items() if len(sides) <= most})
    open_site = site_of(group, (-math.inf, -math.inf, 0.0))
    x, y, _ = open_site.focus
    top = max(item.center[2] + extents(item)[2] for item in group)
    reach = open_site.reach
    width = reach * draws.log_uniform(1.1, 2.2)
    is_long = "back" not in sides or "front" in sides
    depth = reach * (draws.uniform(2.0, 5.0) if is_long else draws.log_uniform(1.1, 2.2))
    height = max(top * draws.uniform(1.2, 2.2), draws.uniform(1.2, 2.2) * width)
    low, high = np.array((x - width, y - depth, 0.0)), np.array((x + width, y + depth, height))
    materials = _wall_materials(draws, sides)
    is_infinite = draws.chance(0.25)
    wall = _plane if is_infinite else _panel
    walls = [wall(side, low, high, materials[side]) for side in sides]
    bounds = [
        np.where([INWARD[side][axis] == sign for side in sides], edge[axis], -sign * math.inf)
        for axis in range(3)
        for sign, edge in ((1.0, low), (-1.0, high))
    ]
    lower = vector([float(np.max(bounds[2 * axis])) for axis in range(3)])
    upper = vector([float(np.min(bounds[2 * axis + 1])) for axis in range(3)])
    is_closed = len(sides) == 6 or (is_infinite and "ceiling" in sides)  # between two endless planes the sky is a line
    return Surroundings(group, walls, replace(site_of(group, lower, upper), sees_sky=not is_closed))


def _wall_materials(draws: Draws, sides: Sequence[str]) -> dict[str, Material]:
    """Walls of one colour, but for some that have their own."""
    common = _wall_material(draws)
    own = draws.uniform(0.0, 0.8)
    return {side: _wall_material(draws) if draws.chance(own) else common for side in sides}


def _wall_material(draws: Draws) -> Material:
    if draws.chance(MIRROR_WALL_SHARE):
        return mirror(draws)
    return Material(base_color=tone(draws, WALL_TONES), roughness=draws.uniform(0.3, 1.0), specular=0.5)


def _middle(side: str, low: Point, high: Point) -> Vector:
    middle = (low + high) / 2
    return vector(middle - np.array(INWARD[side]) * (high - low) / 2)


def _panel(side: str, low: Point, high: Point, material: Material) -> Object:
    x, y, z = ((high - low) / 2).tolist()
    half_extents = {0: (z, y), 1: (x, z), 2: (x, y)}[int(np.argmax(np.abs(INWARD[side])))]
    return Panel(center=_middle(side, low, high), half_extents=half_extents, rotation=TURNS[side], material=material)


def _plane(side: str, low: Point, high: Point, material: Material) -> Object:
    return Plane(center=_middle(side, low, high), normal=INWARD[side], material=material)
