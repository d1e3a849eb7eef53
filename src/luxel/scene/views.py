"""Where people put the camera: at eye level, above, near the ground, near an object, among objects, in glass."""

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
from jaxtyping import Float64

from luxel.scene.description import Camera, Object, Plane, Sphere, Vector
from luxel.scene.draws import Draws
from luxel.scene.finishes import clear_glass
from luxel.scene.placing import contains, direction, vector
from luxel.scene.surroundings import Site

TRIES = 24
ROLLED_SHARE = 0.06
"""Share of the cameras whose vertical is not the world's."""
IN_GLASS_SHARE = 0.02

Kind: TypeAlias = Literal["typical", "above", "grazing", "close", "among"]
VIEWS: dict[Kind, float] = {"typical": 0.54, "above": 0.14, "grazing": 0.12, "close": 0.12, "among": 0.08}


class View(NamedTuple):
    """A camera before it is checked."""

    position: Float64[np.ndarray, "3"]
    look_at: Float64[np.ndarray, "3"]
    fov: float


def view(draws: Draws, site: Site, group: Sequence[Object], around: Sequence[Object]) -> Camera:
    """A camera within the site's bounds, in no object and not close to one, that looks at the group."""
    kind = draws.choose(VIEWS)
    objects = [*group, *around]
    for attempt in range(TRIES):
        found = _view(draws, "typical" if attempt > TRIES // 2 else kind, site, group)
        position = within(site, found.position)
        if is_free(position, objects, 0.02 * site.reach) and math.dist(position, found.look_at) > 0.1 * site.reach:
            return _camera(draws, position, found.look_at, found.fov)
    return _last_resort(draws, site, objects)


def within(site: Site, position: Float64[np.ndarray, "3"]) -> Float64[np.ndarray, "3"]:
    """The position moved into the site's bounds."""
    low, high = np.array(site.lower), np.array(site.upper)
    inset = 0.04 * np.where(np.isfinite(high - low), np.minimum(high - low, site.reach), site.reach)
    return np.clip(position, low + inset, high - inset)


def is_free(position: Float64[np.ndarray, "3"], objects: Sequence[Object], margin: float) -> bool:
    """Whether no object holds the position."""
    return not any(contains(item, position[None], margin)[0] for item in objects)


def _last_resort(draws: Draws, site: Site, objects: Sequence[Object]) -> Camera:
    """Of points ever farther from the middle, the first in no object."""
    focus = np.array(site.focus)
    for step in range(400):
        away = np.array(direction(draws.uniform(-math.pi, math.pi), draws.uniform(0.0, 1.4)))
        position = within(site, focus + away * site.reach * (0.5 + 0.05 * step))
        if is_free(position, objects, 0.0) and math.dist(position, focus) > 0.1 * site.reach:
            break
    return _camera(draws, position, focus, 50.0)


def _camera(draws: Draws, position: Float64[np.ndarray, "3"], look_at: Float64[np.ndarray, "3"], fov: float) -> Camera:
    up = (0.0, 0.0, 1.0)
    if draws.chance(ROLLED_SHARE):
        up = vector([draws.uniform(-0.4, 0.4), draws.uniform(-0.4, 0.4), 1.0])
    forward = (look_at - position) / np.linalg.norm(look_at - position)
    if abs(forward @ up) > 0.999 * math.hypot(*up):
        up = (0.0, 1.0, 0.0)
    return Camera(position=vector(position), look_at=vector(look_at), up=up, vertical_fov_degrees=round(fov, 6))


def _view(draws: Draws, kind: Kind, site: Site, group: Sequence[Object]) -> View:
    if kind == "close":
        return _close(draws, group)
    if kind == "among":
        return _among(draws, site, group)
    fov, fill = draws.uniform(25.0, 60.0), draws.log_uniform(0.45, 1.1)
    elevations = {"typical": (0.08, 0.6), "above": (0.7, 1.5), "grazing": (0.01, 0.08)}
    elevation = draws.uniform(*elevations[kind])
    azimuth = _azimuth(draws, site)
    distance = distance_to_fill(site.reach, fill, fov)
    look_at = np.array(site.focus) + np.array(draws.triple(-0.15, 0.15)) * site.reach
    position = np.array(site.focus) + np.array(direction(azimuth, elevation)) * distance
    if kind == "grazing" and site.has_ground:
        position[2] = site.lower[2] + draws.log_uniform(0.03, 0.3) * site.reach
    return View(position, look_at, _wide(site, position, fov))


def _azimuth(draws: Draws, site: Site) -> float:
    """From −y, where rooms are open; from anywhere in the open air and in closed rooms."""
    lower, upper = np.array(site.lower), np.array(site.upper)
    is_one_sided = np.isfinite(lower[:2]).sum() + np.isfinite(upper[:2]).sum() in (1, 2, 3)
    return -math.pi / 2 + draws.uniform(-0.5, 0.5) if is_one_sided else draws.uniform(-math.pi, math.pi)


def _wide(site: Site, position: Float64[np.ndarray, "3"], fov: float) -> float:
    """A wider angle where walls keep the camera nearer to the group than it wanted to be."""
    distance = math.dist(within(site, position), site.focus)
    return min(max(fov, 1.7 * math.degrees(math.asin(min(site.reach / max(distance, 1e-6), 0.95)))), 85.0)


def distance_to_fill(radius: float, fill: float, fov: float) -> float:
    """From where a ball takes up the share `fill` of the picture's angle, `fov` degrees; never touching it."""
    return radius / math.sin(math.radians(fill * fov / 2))


def _pick(draws: Draws, group: Sequence[Object]) -> Object:
    return group[draws.integer(0, len(group) - 1)]


def _close(draws: Draws, group: Sequence[Object]) -> View:
    """One object from near."""
    item = _pick(draws, group)
    outward = direction(draws.uniform(-math.pi, math.pi), draws.uniform(0.05, 0.9))
    center = np.array(item.center)
    fov, fill = draws.uniform(25.0, 60.0), draws.log_uniform(0.5, 1.5)
    distance = distance_to_fill(item.bounding_radius, fill, fov)
    aside = np.array(draws.triple(-0.4, 0.4)) * item.bounding_radius
    return View(center + distance * np.array(outward), center + aside, fov)


def _among(draws: Draws, site: Site, group: Sequence[Object]) -> View:
    """From between the objects to one of them."""
    x, y, z = draws.triple(-0.7, 0.7)
    position = np.array(site.focus) + np.array((x, y, 0.7 * z)) * site.reach
    return View(position, np.array(_pick(draws, group).center), draws.uniform(40.0, 75.0))


def glass_about(draws: Draws, camera: Camera, site: Site, objects: Sequence[Object]) -> Sphere | None:
    """A ball of clear glass about the camera, off its centre, that touches no object; none if there is no room."""
    eye = np.array(camera.position)
    radius = draws.uniform(0.15, 0.5) * min(math.dist(eye, site.focus), 4 * site.reach)
    shift: Vector = direction(draws.uniform(-math.pi, math.pi), draws.uniform(0.0, 1.0))
    for _ in range(6):
        center = eye + draws.uniform(0.0, 0.6) * radius * np.array(shift)
        if _has_room(center, radius, site, objects):
            return Sphere(center=vector(center), radius=radius, material=clear_glass(draws))
        radius *= 0.6
    return None


def _has_room(center: Float64[np.ndarray, "3"], radius: float, site: Site, objects: Sequence[Object]) -> bool:
    in_bounds = np.all(center - radius > np.array(site.lower)) and np.all(center + radius < np.array(site.upper))
    solids = [item for item in objects if not isinstance(item, Plane)]
    return bool(in_bounds) and is_free(center, solids, radius)
