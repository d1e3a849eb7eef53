"""Scenes after CLEVR (Johnson et al., CLEVR: A Diagnostic Dataset for Compositional Language, CVPR 2017).

What is published there is kept: numbers, sizes, shapes, colours, distances and margins. Where lamps and the camera
stand is chosen to look alike, as are the two materials.
"""

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, NamedTuple, TypeAlias

import numpy as np
from jaxtyping import Bool, Float64, Int64
from pydantic import Field

from luxel import InputError
from luxel.configuration import shortened
from luxel.scene.camera import frame, rotation_matrix, tan_half_fov
from luxel.scene.description import Box, Camera, Cylinder, Material, Object, Panel, Plane, Scene, Sphere, Vector
from luxel.scene.draws import Draws
from luxel.scene.placing import about_z, facing, vector
from luxel.scene.registry import Distribution

Thing: TypeAlias = Sphere | Box | Cylinder
Shape = Literal["cube", "sphere", "cylinder"]
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
SIZES = {"small": 0.35, "large": 0.7}
MATERIALS = {"rubber": Material(roughness=0.7), "metal": Material(metallic=1.0, roughness=0.2)}
REGION = 3.0  # objects' x and y lie in ±REGION
MIN_DISTANCE = 0.25  # between objects' circles
MARGIN = 0.4  # along each of the directions left and behind, so that words for them are clear
PLACES = 50  # tries of one object before the scene starts anew
MIN_PIXELS = 200  # of each object, at 320 × 240
VIEW = 160, 120  # pixels of the picture that is counted
CAMERA_AT: Vector = (7.4, -6.9, 5.0)
FIELD_OF_VIEW = 37.85  # degrees; 35 mm before 32 × 24 mm
LAMPS: dict[Vector, float] = {(10.3, -4.6, 6.8): 80.0, (-9.4, -8.0, 7.5): 45.0, (-1.8, 4.2, 9.3): 20.0}
"""Key, fill and back: radiance by place."""
GROUND = Plane(center=(0, 0, 0), material=Material(base_color=(0.4, 0.4, 0.4), specular=0.0, roughness=1.0))


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
        camera = Camera(
            position=_jittered(draws, CAMERA_AT, 0.5), look_at=(0, 0, 0.2), vertical_fov_degrees=FIELD_OF_VIEW
        )
        lamps = [_lamp(_jittered(draws, place, 1.0), radiance) for place, radiance in LAMPS.items()]
        count = draws.integer(3, self.max_objects)
        while True:
            things = _things(draws, count, camera)
            if things and visible_pixels(things, camera).min() >= MIN_PIXELS:
                return Scene(objects=(*things, GROUND, *lamps), camera=camera, background=(0.1, 0.1, 0.1))


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
    finish = next(
        (
            (color, name)
            for color, rgb in COLORS.items()
            for name in MATERIALS
            if thing.material == _material(rgb, name)
        ),
        None,
    )
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


def visible_pixels(things: list[Thing], camera: Camera) -> Int64[np.ndarray, " things"]:
    """How many pixels of 320 × 240 show each object, from a picture of every fourth of them."""
    width, height = VIEW
    origin, rotation = frame(camera)
    scale = 2 * tan_half_fov(camera) / height
    x, y = np.meshgrid((np.arange(width) + 0.5 - width / 2) * scale, (height / 2 - np.arange(height) - 0.5) * scale)
    rays = np.stack([x, y, -np.ones_like(x)], -1).reshape(-1, 3) @ rotation.T
    distance = np.stack([_distance(thing, origin, rays) for thing in things])
    nearest = np.where(np.isfinite(distance.min(0)), distance.argmin(0), len(things))
    return np.bincount(nearest, minlength=len(things) + 1)[:-1] * 4


def _distance(
    thing: Thing, origin: Float64[np.ndarray, "3"], rays: Float64[np.ndarray, "rays 3"]
) -> Float64[np.ndarray, " rays"]:
    """Along each ray from outside to the object's unit shape, in rays' lengths; infinite where it misses."""
    unit_from_world = rotation_matrix(thing.rotation).T / np.array(thing.scale)[:, None]
    o, d = unit_from_world @ (origin - np.array(thing.center)), rays @ unit_from_world.T
    if isinstance(thing, Box):
        enters, leaves = _between(o, d, 3)
    elif isinstance(thing, Sphere):
        enters, leaves = _round(o, d)
    else:
        sides, caps = _round(o[:2], d[:, :2]), _between(o[2:], d[:, 2:], 1)
        enters, leaves = np.maximum(sides[0], caps[0]), np.minimum(sides[1], caps[1])
    hit: Bool[np.ndarray, " rays"] = enters < leaves
    return np.where(hit, enters, np.inf)


def _between(
    o: Float64[np.ndarray, " axes"], d: Float64[np.ndarray, "rays axes"], axes: int
) -> tuple[Float64[np.ndarray, " rays"], Float64[np.ndarray, " rays"]]:
    """Where rays enter and leave [−1, 1] along all axes (the slab method)."""
    steep = np.where(np.abs(d) < 1e-12, 1e-12, d)
    first, second = (-1 - o) / steep, (1 - o) / steep
    return np.minimum(first, second).max(1), np.maximum(first, second).min(1)


def _round(
    o: Float64[np.ndarray, " axes"], d: Float64[np.ndarray, "rays axes"]
) -> tuple[Float64[np.ndarray, " rays"], Float64[np.ndarray, " rays"]]:
    """Where rays enter and leave the unit ball, or circle: |o + t d| = 1."""
    a, b, c = (d * d).sum(1), d @ o, o @ o - 1
    root = np.sqrt(np.maximum(b * b - a * c, 0))
    return (-b - root) / a, (-b + root) / a


def _things(draws: Draws, count: int, camera: Camera) -> list[Thing]:
    """So many objects apart from each other, or none if there was no room."""
    things: list[Thing] = []
    placed: list[tuple[float, float, float]] = []
    behind = np.array(camera.look_at[:2]) - np.array(camera.position[:2])
    behind /= np.hypot(*behind)
    for _ in range(count):
        size = draws.choose(dict.fromkeys(SIZES.values(), 1.0))
        shape: Shape = draws.choose({"cube": 1.0, "sphere": 1.0, "cylinder": 1.0})
        for _ in range(PLACES):
            x, y = draws.uniform(-REGION, REGION), draws.uniform(-REGION, REGION)
            if all(_apart((x, y, size), other, behind) for other in placed):
                break
        else:
            return []
        placed.append((x, y, size))
        things.append(_thing(draws, shape, size, x, y))
    return things


def _apart(
    one: tuple[float, float, float], other: tuple[float, float, float], behind: Float64[np.ndarray, "2"]
) -> bool:
    """Whether two (x, y, size) are neither too near nor level along a direction."""
    away = np.array(one[:2]) - np.array(other[:2])
    if math.hypot(*away) - one[2] - other[2] < MIN_DISTANCE:
        return False
    return bool(min(abs(away @ behind), abs(away[0] * behind[1] - away[1] * behind[0])) >= MARGIN)


def _thing(draws: Draws, shape: Shape, size: float, x: float, y: float) -> Thing:
    """An object on the ground; a cube's half edge is size / √2."""
    color = draws.choose(dict.fromkeys(COLORS.values(), 1.0))
    material = _material(color, "metal" if draws.chance(0.5) else "rubber")
    angle = about_z(draws.uniform(0.0, 2 * math.pi))
    rotation = round(angle[0], 6), 0.0, 0.0, round(angle[3], 6)
    if shape == "cube":
        half = round(size / math.sqrt(2), 6)
        return Box(center=(x, y, half), half_extents=(half, half, half), rotation=rotation, material=material)
    if shape == "sphere":
        return Sphere(center=(x, y, size), radius=size, material=material)
    return Cylinder(center=(x, y, size), radius=size, half_height=size, rotation=rotation, material=material)


def _material(color: tuple[int, int, int], name: str) -> Material:
    """One of `MATERIALS` in a color of 255."""
    red, green, blue = (round(part / 255, 6) for part in color)
    return MATERIALS[name].model_copy(update={"base_color": (red, green, blue)})


def _jittered(draws: Draws, place: Vector, jitter: float) -> Vector:
    return vector(np.array(place) + draws.triple(-jitter, jitter), 6)


def _lamp(place: Vector, radiance: float) -> Panel:
    """A square of edge 2 that faces the middle."""
    towards = vector(-np.array(place) / np.linalg.norm(place))
    w, x, y, z = (round(part, 6) for part in facing(towards))
    black = Material(base_color=(0, 0, 0), specular=0.0, emission=(radiance, radiance, radiance))
    return Panel(center=place, rotation=(w, x, y, z), half_extents=(1, 1), material=black)
