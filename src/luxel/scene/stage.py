"""The stage that CLEVR and CATER share: grey ground, three lamps, a camera, eight colours and two materials.

Colours are the published ones. Where lamps and the camera stand is chosen to look alike, as are the two materials.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from luxel.scene.description import Camera, Material, Panel, Plane, Quaternion, Vector
from luxel.scene.draws import Draws
from luxel.scene.placing import about_z, facing, vector

COLORS: dict[str, tuple[int, int, int]] = {
    "gray": (87, 87, 87),
    "red": (173, 35, 35),
    "blue": (42, 75, 215),
    "green": (29, 105, 20),
    "brown": (129, 74, 25),
    "purple": (129, 38, 192),
    "cyan": (41, 208, 208),
    "yellow": (255, 238, 51),
}
"""Of 255; as base colours they are taken for linear."""
MATERIALS = {"rubber": Material(roughness=0.7), "metal": Material(metallic=1.0, roughness=0.2)}
REGION = 3.0  # objects' x and y lie in ±REGION
MIN_DISTANCE = 0.25  # between objects' circles
MARGIN = 0.4  # along each of the directions left and behind, so that words for them are clear
SPOTS = 50  # tries of one object before the scene starts anew
CAMERA_AT: Vector = (7.4, -6.9, 5.0)
FIELD_OF_VIEW = 37.85  # degrees; 35 mm before 32 × 24 mm
LAMPS: dict[Vector, float] = {(10.3, -4.6, 6.8): 80.0, (-9.4, -8.0, 7.5): 45.0, (-1.8, 4.2, 9.3): 20.0}
"""Key, fill and back: radiance by place."""
GROUND = Plane(center=(0, 0, 0), material=Material(base_color=(0.4, 0.4, 0.4), specular=0.0, roughness=1.0))
BACKGROUND: Vector = (0.1, 0.1, 0.1)


class Spot(NamedTuple):
    """Where an object stands."""

    x: float
    y: float
    size: float
    """Radius of the circle that it takes on the ground."""


def camera_of(draws: Draws) -> Camera:
    """The camera, its place jittered by up to 0.5."""
    return Camera(position=_jittered(draws, CAMERA_AT, 0.5), look_at=(0, 0, 0.2), vertical_fov_degrees=FIELD_OF_VIEW)


def lamps_of(draws: Draws) -> list[Panel]:
    """The lamps, their places jittered by up to 1."""
    return [_lamp(_jittered(draws, place, 1.0), radiance) for place, radiance in LAMPS.items()]


def material_of(color: str, name: str) -> Material:
    """One of `MATERIALS` in one of `COLORS`."""
    red, green, blue = (round(part / 255, 6) for part in COLORS[color])
    return MATERIALS[name].model_copy(update={"base_color": (red, green, blue)})


def turned(angle: float) -> Quaternion:
    """A rotation about the vertical by `angle` radians, rounded."""
    w, x, y, z = about_z(angle)
    return round(w, 6), x, y, round(z, 6)


def free_spot(draws: Draws, size: float, placed: Sequence[Spot], camera: Camera) -> Spot | None:
    """A random place of the region, apart from those that are taken; None if there was no room."""
    for _ in range(SPOTS):
        spot = Spot(draws.uniform(-REGION, REGION), draws.uniform(-REGION, REGION), size)
        if all(_are_apart(spot, other, camera) for other in placed):
            return spot
    return None


def _are_apart(one: Spot, other: Spot, camera: Camera) -> bool:
    """Whether two are neither too near nor level along a direction of the camera's."""
    behind = np.array(camera.look_at[:2]) - np.array(camera.position[:2])
    behind /= np.hypot(*behind)
    away = np.array(one[:2]) - np.array(other[:2])
    if math.hypot(*away) - one.size - other.size < MIN_DISTANCE:
        return False
    return bool(min(abs(away @ behind), abs(away[0] * behind[1] - away[1] * behind[0])) >= MARGIN)


def _jittered(draws: Draws, place: Vector, jitter: float) -> Vector:
    return vector(np.array(place) + draws.triple(-jitter, jitter), 6)


def _lamp(place: Vector, radiance: float) -> Panel:
    """A square of edge 2 that faces the middle."""
    towards = vector(-np.array(place) / np.linalg.norm(place))
    w, x, y, z = (round(part, 6) for part in facing(towards))
    black = Material(base_color=(0, 0, 0), specular=0.0, emission=(radiance, radiance, radiance))
    return Panel(center=place, rotation=(w, x, y, z), half_extents=(1, 1), material=black)
