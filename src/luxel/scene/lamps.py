"""Lamps: from what is smaller than a pixel to what is larger than the scene, bare, in glass or half hidden.

A lamp's radiance is derived from the irradiance that it brings to the middle of the scene.
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from jaxtyping import Float64

from luxel.scene.arrangements import lying
from luxel.scene.camera import rotation_matrix
from luxel.scene.description import RGB, Box, Cylinder, Ellipsoid, Material, Object, Panel, Plane, Sphere, Vector
from luxel.scene.draws import Draws
from luxel.scene.finishes import OPAQUE, clear_glass, tone
from luxel.scene.finishes import TONES as BASE_TONES
from luxel.scene.limits import MAX_RADIANCE
from luxel.scene.placing import about_z, contains, direction, facing, product, vector
from luxel.scene.surroundings import Site

TRIES = 16
MAX_LAMP_RADIANCE = 0.9 * MAX_RADIANCE
LUMINANCE = (0.2126, 0.7152, 0.0722)
WHITE_LIGHT: dict[Vector, float] = {
    (1.0, 0.55, 0.25): 0.15,  # candle
    (1.0, 0.8, 0.55): 0.3,  # bulb
    (1.0, 1.0, 1.0): 0.3,
    (0.75, 0.87, 1.0): 0.25,  # daylight
}
SATURATED_SHARE = 0.1
"""Share of the lamps of any hue."""


class Lamp(NamedTuple):
    """What emits, and what belongs to it."""

    emitters: list[Object]
    others: list[Object]


class Stand(NamedTuple):
    """Where a lamp may be: a distance from the focus, and the direction from there to the focus."""

    position: Vector
    distance: float
    toward: Vector


Kind: TypeAlias = Callable[[Draws, Site, Stand, int], Lamp]


def bulb(draws: Draws, site: Site, stand: Stand, most: int) -> Lamp:
    """A ball."""
    return Lamp([Sphere(center=stand.position, radius=stand.distance * draws.log_uniform(0.02, 0.3))], [])


def speck(draws: Draws, site: Site, stand: Stand, most: int) -> Lamp:
    """A ball that is smaller than a pixel."""
    return Lamp([Sphere(center=stand.position, radius=stand.distance * draws.log_uniform(1.5e-3, 5e-3))], [])


def sun(draws: Draws, site: Site, stand: Stand, most: int) -> Lamp:
    """A far ball of half a degree to ten."""
    distance = site.reach * draws.log_uniform(20.0, 100.0)
    center = np.array(site.focus) - distance * np.array(stand.toward)
    return Lamp([Sphere(center=vector(center), radius=distance * draws.log_uniform(0.0044, 0.087))], [])


def giant(draws: Draws, site: Site, stand: Stand, most: int) -> Lamp:
    """A ball larger than the group, close to it."""
    radius = site.reach * draws.log_uniform(1.5, 20.0)
    away = radius + site.reach * draws.uniform(1.3, 3.0)
    return Lamp([Sphere(center=vector(np.array(site.focus) - away * np.array(stand.toward)), radius=radius)], [])


def softbox(draws: Draws, site: Site, stand: Stand, most: int) -> Lamp:
    """A panel that faces the group."""
    width = stand.distance * draws.log_uniform(0.1, 0.8)
    panel = Panel(
        center=stand.position,
        half_extents=(width, width * draws.log_uniform(0.4, 1.0)),
        outline="ellipse" if draws.chance(0.35) else "rectangle",
        rotation=facing(stand.toward),
    )
    return Lamp([panel], [])


def slab(draws: Draws, site: Site, stand: Stand, most: int) -> Lamp:
    """A flat ellipsoid or box that faces the group."""
    width = stand.distance * draws.log_uniform(0.1, 0.6)
    axes = (width, width * draws.log_uniform(0.4, 1.0), width * draws.uniform(0.02, 0.15))
    rotation = facing(stand.toward)
    if draws.chance(0.5):
        return Lamp([Box(center=stand.position, half_extents=axes, rotation=rotation)], [])
    return Lamp([Ellipsoid(center=stand.position, semi_axes=axes, rotation=rotation)], [])


def tube(draws: Draws, site: Site, stand: Stand, most: int) -> Lamp:
    """A long thin ellipsoid or cylinder, level."""
    length = stand.distance * draws.log_uniform(0.15, 0.7)
    thick = length / draws.log_uniform(8.0, 60.0)
    rotation = lying(draws)
    if draws.chance(0.5):
        return Lamp([Cylinder(center=stand.position, radius=thick, half_height=length, rotation=rotation)], [])
    return Lamp([Ellipsoid(center=stand.position, semi_axes=(thick, thick, length), rotation=rotation)], [])


def bulb_in_glass(draws: Draws, site: Site, stand: Stand, most: int) -> Lamp:
    """A ball within a ball or ellipsoid of clear glass, concentric or not."""
    radius = stand.distance * draws.log_uniform(0.03, 0.15)
    ratio = draws.uniform(1.3, 4.0)
    shift = 0.0 if draws.chance(0.5) else 0.8 * (ratio - 1) * radius
    offset = shift * np.array(direction(draws.uniform(-math.pi, math.pi), draws.uniform(-1.5, 1.5)))
    center, material = vector(np.array(stand.position) + offset), clear_glass(draws)
    outer: Object = Sphere(center=center, radius=ratio * radius, material=material)
    if draws.chance(0.4):
        axes = (ratio * radius, ratio * radius, ratio * radius * draws.uniform(1.0, 2.0))
        outer = Ellipsoid(center=center, semi_axes=axes, material=material)
    return Lamp([Sphere(center=stand.position, radius=radius)], [outer])


def string(draws: Draws, site: Site, stand: Stand, most: int) -> Lamp:
    """3 to 64 small balls: on a ring about the group, on a level grid above it, or on a dome."""
    number = max(1, min(most, int(draws.log_uniform(3.0, 65.0))))
    radius = site.reach * draws.log_uniform(0.01, 0.06)
    kind = draws.choose({"ring": 0.35, "grid": 0.35, "dome": 0.3})
    height = (stand.position[2] - site.focus[2]) / site.reach
    places = [_place(draws, kind, index, number, height) for index in range(number)]
    return Lamp(
        [Sphere(center=vector(np.array(site.focus) + site.reach * np.array(place)), radius=radius) for place in places],
        [],
    )


def _place(draws: Draws, kind: str, index: int, number: int, height: float) -> Vector:
    """Where lamp number `index` is, in reaches from the focus."""
    if kind == "ring":
        return vector(np.array(direction(2 * math.pi * index / number, 0.0)) * 1.4 + (0, 0, height))
    if kind == "dome":
        return vector(
            np.array(direction(draws.uniform(-math.pi, math.pi), draws.uniform(0.1, 1.5))) * draws.uniform(1.3, 2.5)
        )
    columns = math.ceil(math.sqrt(number))
    step = 2.0 / max(columns - 1, 1)
    return (index % columns * step - 1, index // columns * step - 1, max(abs(height), 1.3))


def half_hidden(draws: Draws, site: Site, stand: Stand, most: int) -> Lamp:
    """A softbox or bulb behind flat things, panels or boxes, on its way to the group."""
    lamp = draws.choose({softbox: 0.5, bulb: 0.5})(draws, site, stand, most)
    others: list[Object] = []
    for _ in range(min(draws.integer(1, 3), most - 1)):
        width = stand.distance * draws.uniform(0.1, 0.3)
        aside = width * np.array(draws.triple(-1.2, 1.2))
        center = np.array(stand.position) + draws.uniform(0.3, 0.6) * stand.distance * np.array(stand.toward) + aside
        others.append(_flat(draws, vector(center), width, stand.toward))
    return Lamp(lamp.emitters, others)


def _flat(draws: Draws, center: Vector, width: float, normal: Vector) -> Object:
    material = draws.choose(OPAQUE)(draws)
    rotation, depth = facing(normal), width * draws.uniform(0.5, 1.0)
    if draws.chance(0.5):
        return Panel(center=center, half_extents=(width, depth), rotation=rotation, material=material)
    return Box(center=center, half_extents=(width, depth, 0.03 * width), rotation=rotation, material=material)


def tent(draws: Draws, site: Site, stand: Stand, most: int) -> Lamp:
    """2 to 4 large panels all about the group, facing it."""
    number, start = min(draws.integer(2, 4), most), draws.uniform(-math.pi, math.pi)
    distance, width = site.reach * draws.uniform(2.0, 4.0), draws.uniform(0.5, 1.2)
    emitters: list[Object] = []
    for index in range(number):
        outward = np.array(direction(start + 2 * math.pi * index / number, draws.uniform(0.3, 1.0)))
        emitters.append(
            Panel(
                center=vector(np.array(site.focus) + distance * outward),
                half_extents=(site.reach * width,) * 2,
                rotation=facing(vector(-outward)),
            )
        )
    return Lamp(emitters, [])


def ceiling_lamp(draws: Draws, site: Site, stand: Stand, most: int) -> Lamp:
    """A level rectangle or disc that shines down, just below the ceiling."""
    room = np.array(site.upper) - np.array(site.lower)
    width = min(site.reach, 0.45 * float(np.min(room[:2]))) * draws.log_uniform(0.15, 0.8)
    height = site.upper[2] if math.isfinite(site.upper[2]) else site.focus[2] + 2 * site.reach
    x, y = (site.focus[axis] + draws.uniform(-0.3, 0.3) * site.reach for axis in range(2))
    panel = Panel(
        center=(x, y, height - 0.02 * site.reach),
        half_extents=(width, width * draws.uniform(0.5, 1.0)),
        outline="ellipse" if draws.chance(0.35) else "rectangle",
        rotation=product((0.0, 1.0, 0.0, 0.0), about_z(draws.choose({0.0: 0.7, draws.uniform(-1.6, 1.6): 0.3}))),
    )
    return Lamp([panel], [])


OPEN_AIR: dict[Kind, float] = {
    bulb: 0.22,
    speck: 0.08,
    sun: 0.08,
    giant: 0.07,
    softbox: 0.18,
    slab: 0.08,
    tube: 0.08,
    bulb_in_glass: 0.06,
    string: 0.05,
    half_hidden: 0.07,
    tent: 0.03,
}
IN_A_ROOM: dict[Kind, float] = {
    ceiling_lamp: 0.5,
    bulb: 0.16,
    speck: 0.04,
    tube: 0.08,
    softbox: 0.06,
    slab: 0.05,
    bulb_in_glass: 0.05,
    string: 0.04,
    half_hidden: 0.02,
}
FROM: dict[str, float] = {"above": 0.38, "aside": 0.36, "behind": 0.12, "low": 0.09, "below": 0.05}
"""Where lamps are, seen from the camera; below only where there is no ground."""
ELEVATIONS = {
    "above": (0.9, 1.5),
    "aside": (0.4, 0.95),
    "behind": (0.1, 0.8),
    "low": (0.05, 0.3),
    "below": (-1.4, -0.5),
}


def lamp(draws: Draws, site: Site, eye: Vector, kinds: dict[Kind, float], objects: Sequence[Object], most: int) -> Lamp:
    """A dark lamp of at most `most` objects: the first of some tries that hides nothing, or else a small bulb above.

    It holds neither the camera at `eye` nor the middle, nor stands between the two; nor does it hold objects.
    """
    kind = draws.choose(kinds)
    made = kind if most >= 2 else bulb
    for _ in range(TRIES):
        found = made(draws, site, _stand(draws, site, eye), most)
        inside = site.inside([*found.emitters, *found.others])
        if not _in_the_way(inside, site, eye, objects):
            return Lamp(inside[: len(found.emitters)], inside[len(found.emitters) :])
    return _fallback(site)


def _fallback(site: Site) -> Lamp:
    """A bulb above the group, or below the ceiling."""
    x, y, z = site.focus
    high = min(z + 3 * site.reach, site.upper[2] - 0.08 * site.reach)
    return Lamp([Sphere(center=(x, y, high), radius=0.05 * site.reach)], [])


def _stand(draws: Draws, site: Site, eye: Vector) -> Stand:
    where = draws.choose(FROM)
    if where == "below" and site.has_ground:
        where = "low"
    elevation = draws.uniform(*ELEVATIONS[where])
    behind = math.atan2(site.focus[1] - eye[1], site.focus[0] - eye[0])
    azimuth = behind + draws.uniform(-0.8, 0.8) if where == "behind" else draws.uniform(-math.pi, math.pi)
    outward = np.array(direction(azimuth, elevation))
    distance = site.reach * draws.log_uniform(1.5, 5.0)
    position = np.array(site.focus) + distance * outward
    low, high = np.array(site.lower), np.array(site.upper)
    inset = np.where(np.isfinite(high - low), 0.1 * (high - low), 0.05 * site.reach)
    position = np.clip(position, low + inset, high - inset)
    toward = np.array(site.focus) - position
    length = float(np.linalg.norm(toward))
    if length < 0.2 * site.reach:
        return Stand(vector(position), site.reach, (0.0, 0.0, -1.0))
    return Stand(vector(position), length, vector(toward / length))


def _in_the_way(parts: Sequence[Object], site: Site, eye: Vector, objects: Sequence[Object]) -> bool:
    """Whether a part holds the view from the eye to the middle, or an object, with some margin."""
    view = np.linspace(eye, site.focus, 24)
    margin = 0.03 * math.dist(eye, site.focus)
    solids = [item for item in objects if not isinstance(item, Plane) and item.bounding_radius < 4 * site.reach]
    centers = np.array([item.center for item in solids[:64]]).reshape(-1, 3)
    radii = np.array([0.7 * item.bounding_radius for item in solids[:64]])
    return any(contains(part, view, margin).any() or contains(part, centers, radii).any() for part in parts)


def projected_area(item: Object, outward: Float64[np.ndarray, "3"]) -> float:
    """Area of the object's shadow along a unit vector; of a panel, only if that points to its front."""
    local = outward @ rotation_matrix(item.rotation)
    a, b, c = item.scale
    if isinstance(item, Panel):
        return max(float(local[2]), 0.0) * a * b * (4 if item.outline == "rectangle" else math.pi)
    if isinstance(item, Box):
        return 4 * float(np.abs(local) @ (b * c, c * a, a * b))
    if isinstance(item, Cylinder):
        return math.pi * a * a * abs(float(local[2])) + 4 * a * c * math.sqrt(max(1 - float(local[2]) ** 2, 0))
    return math.pi * math.hypot(*(local * (b * c, c * a, a * b)))


def solid_angle(item: Object, point: Vector) -> float:
    """About the solid angle, in steradians, that an object takes up, seen from a point; at most a hemisphere's.

    A/(d² + A/2π), which is right for what is small and for what is infinitely large.
    """
    away = np.array(point) - np.array(item.center)
    distance = max(float(np.linalg.norm(away)), 1e-9)
    area = projected_area(item, away / distance)
    return area / (distance**2 + area / (2 * math.pi))


def light_color(draws: Draws) -> Vector:
    """A colour of luminance 1: from warm to cool, or of any hue."""
    rgb = draws.choose(WHITE_LIGHT)
    if draws.chance(SATURATED_SHARE):
        hue = draws.uniform(0.0, 2 * math.pi)
        red, green, blue = (0.55 + 0.45 * math.cos(hue - third * 2 * math.pi / 3) for third in range(3))
        rgb = (red, green, blue)
    return vector(np.array(rgb) / np.dot(rgb, LUMINANCE))


def lit(draws: Draws, emitters: Sequence[Object], site: Site, irradiance: float) -> list[Object]:
    """The lamp's objects with the radiance that brings `irradiance` (over π) to the middle of the scene."""
    angle = sum(solid_angle(item, site.focus) for item in emitters)
    radiance = min(irradiance * math.pi / max(angle, 1e-6), MAX_LAMP_RADIANCE)
    material = Material(base_color=tone(draws, BASE_TONES), emission=emission(light_color(draws), radiance))
    return [item.model_copy(update={"material": material}) for item in emitters]


def emission(color: Vector, radiance: float) -> RGB:
    """A colour times a radiance, to 6 significant digits."""
    red, green, blue = (float(f"{min(channel * radiance, MAX_LAMP_RADIANCE):.6g}") for channel in color)
    return red, green, blue
