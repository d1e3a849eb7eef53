"""Scenes of what flickers in motion, one a cause: highlights and lamps below a pixel, thin things in mirrors, specks.

Their contrasts are such that pictures without aliasing change by less than a quarter of sRGB's range from frame to
frame, but where a highlight smaller than a pixel goes from one to the next.
"""

import math
from collections.abc import Callable

import numpy as np

from luxel.scene.description import Camera, Cylinder, Material, Object, Panel, Plane, Scene, Sphere, Vector

CAMERA = Camera(position=(0.013, -5.0, 2.6), look_at=(0, 0, 0.3), up=(0, 0, 1), vertical_fov_degrees=40)
ALONG = (0.83, 0.5, 0.25)
"""The direction, of unit length, in which things are moved: across the picture and, less, into it and up."""
MIRROR = Material(base_color=(0.95, 0.95, 0.95), metallic=1, roughness=0)
PLASTIC = Material(base_color=(0.5, 0.1, 0.1), roughness=0)
GLASS = Material(base_color=(1, 1, 1), transmission=1, roughness=0)
DARK = Material(base_color=(0.02, 0.02, 0.02), roughness=0.9)
GLOWING = Material(base_color=(0, 0, 0), emission=(4, 4, 4))
DAZZLING = Material(base_color=(0, 0, 0), emission=(800, 800, 800))
FLOOR = Plane(center=(0, 0, 0), material=Material(base_color=(0.5, 0.45, 0.4), roughness=0.9, specular=0))
LOW_FLOOR = Plane(center=(0, 0, -1), material=Material(base_color=(0.3, 0.3, 0.3), roughness=1, specular=0))
SPECK_LAMPS = (
    Sphere(center=(2.1, -1.5, 3.3), radius=0.04, material=DAZZLING),
    Sphere(center=(-1.7, 1.2, 4.1), radius=0.05, material=DAZZLING),
)
UPRIGHT = (math.sqrt(0.5), math.sqrt(0.5), 0.0, 0.0)
WALL = Panel(center=(0, 1.6, 1.2), half_extents=(2.2, 1.2), rotation=UPRIGHT, material=MIRROR)
BRIGHT, DIM = (0.9, 0.9, 0.9), (0.25, 0.25, 0.25)


def grid(make: Callable[[float, float, int], Object], side: int = 6) -> tuple[Object, ...]:
    """What `make` makes of (x, y, number), on a square of three units about the origin."""
    places = [(number // side, number % side, number) for number in range(side * side)]
    pitch = 3.2 / side
    return tuple(make((i - (side - 1) / 2) * pitch, (j - (side - 1) / 2) * pitch, number) for i, j, number in places)


def balls(material: Material) -> Scene:
    """Of different sizes, under two lamps whose images in them are a twentieth of a pixel wide."""

    def ball(x: float, y: float, number: int) -> Sphere:
        return Sphere(center=(x, y, 0.18), radius=0.12 + 0.012 * (number * 7 % 5), material=material)

    return Scene(objects=(FLOOR, *grid(ball), *SPECK_LAMPS), camera=CAMERA, background=(0.3, 0.35, 0.4))


def specks(material: Material) -> Scene:
    """Balls about a pixel wide."""

    def speck(x: float, y: float, number: int) -> Sphere:
        return Sphere(center=(x, y, 0.3), radius=0.012 + 0.004 * (number % 7), material=material)

    return Scene(objects=(FLOOR, *grid(speck, 9), *SPECK_LAMPS), camera=CAMERA, background=(0.3, 0.35, 0.4))


def rods(material: Material, every: int = 1) -> tuple[Cylinder, ...]:
    """About half a pixel wide, each inclined a little more than the one before it."""
    return tuple(
        Cylinder(
            center=(-1.5 + 0.2 * k, 0.9, 0.9),
            radius=0.008,
            half_height=1.0,
            rotation=(math.cos(0.03 * k), 0, math.sin(0.03 * k), 0),
            material=material,
        )
        for k in range(0, 16, every)
    )


def mirror_ball(x: float, y: float, number: int) -> Sphere:
    """Of a grid."""
    return Sphere(center=(x, y, 0.2), radius=0.2, material=MIRROR)


def lamps_in_balls() -> Scene:
    """Lamps of many sizes, in mirror balls that mirror one another."""
    lamps = [
        Sphere(center=(2 * math.cos(k), -2.2 - 0.2 * k, 1.5 + 0.3 * k), radius=0.1 + 0.1 * k, material=GLOWING)
        for k in range(6)
    ]
    return Scene(objects=(LOW_FLOOR, *grid(mirror_ball), *lamps), camera=CAMERA, background=DIM)


def lamps_in_a_wall() -> Scene:
    """More lamps than are weighed one by one, behind the camera, in a flat mirror."""

    def lamp(x: float, y: float, number: int) -> Sphere:
        return Sphere(center=(0.7 * x, -5.6, 1.7 + y), radius=0.06 + 0.02 * (number % 5), material=GLOWING)

    return Scene(objects=(LOW_FLOOR, WALL, *grid(lamp)), camera=CAMERA, background=DIM)


def lamps_in_view() -> Scene:
    """Balls and panels that shine, themselves."""

    def lamp(x: float, y: float, number: int) -> Object:
        if number % 2:
            turn = (math.cos(0.1 * number), 0.0, 0.0, math.sin(0.1 * number))
            extents = 0.1 + 0.02 * (number % 5), 0.06 + 0.02 * (number % 3)
            return Panel(center=(x, y, 0.3), half_extents=extents, rotation=turn, material=GLOWING)
        return Sphere(center=(x, y, 0.3), radius=0.03 + 0.04 * (number % 5), material=GLOWING)

    return Scene(objects=(LOW_FLOOR, *grid(lamp)), camera=CAMERA, background=DIM)


def causes() -> dict[str, Scene]:
    """The scenes by name."""
    rough = {r: MIRROR.model_copy(update={"roughness": r}) for r in (0.15, 0.25)}
    rods_in_balls = (*grid(mirror_ball), *rods(DARK))
    return {
        "highlights in mirrors": balls(MIRROR),
        "highlights in plastic": balls(PLASTIC),
        "highlights in glass": balls(GLASS),
        "highlights, roughness 0.15": balls(rough[0.15]),
        "highlights, roughness 0.25": balls(rough[0.25]),
        "specks of glass": specks(GLASS),
        "specks of metal": specks(MIRROR),
        "rods in a flat mirror": Scene(objects=(FLOOR, WALL, *rods(DARK)), camera=CAMERA, background=BRIGHT),
        "rods in mirror balls": Scene(objects=rods_in_balls, camera=CAMERA, background=BRIGHT),
        "thin lamps in a flat mirror": Scene(
            objects=(LOW_FLOOR, WALL, *rods(GLOWING, 3)), camera=CAMERA, background=DIM
        ),
        "lamps in a flat mirror": lamps_in_a_wall(),
        "lamps in mirror balls": lamps_in_balls(),
        "lamps in view": lamps_in_view(),
    }


def moved(place: Vector, distance: float) -> Vector:
    """A place, so far along."""
    x, y, z = (float(value) for value in np.add(place, np.multiply(ALONG, distance)))
    return x, y, z


def camera_path(scene: Scene, frames: int, length: float) -> list[Scene]:
    """The camera moves by so much in all, and what it looks at with it."""
    camera = scene.camera
    return [
        scene.with_camera(position=moved(camera.position, step), look_at=moved(camera.look_at, step))
        for step in np.linspace(0, length, frames).tolist()
    ]


def object_path(scene: Scene, frames: int, length: float) -> list[Scene]:
    """All balls, rods and panels that give no light move by so much in all."""

    def frame(step: float) -> Scene:
        objects = tuple(
            item
            if isinstance(item, Plane) or item.material.is_emissive
            else item.model_copy(update={"center": moved(item.center, step)})
            for item in scene.objects
        )
        return scene.model_copy(update={"objects": objects})

    return [frame(step) for step in np.linspace(0, length, frames).tolist()]
