"""Scenes that isolate one feature each, with the depth to trace them to."""

import math

from luxel.scene import Box, Camera, Cylinder, Ellipsoid, Material, Panel, Plane, Scene, Sphere
from luxel.scene.description import Object

CAMERA = Camera(position=(1, -5, 0.5), look_at=(0.2, 0, 0.1), vertical_fov_degrees=35)
PARALLEL = Camera(position=(1, -5, 1.5), look_at=(0.2, 0, 0.1), projection="orthographic", vertical_extent=2.5)
ABOVE = Camera(position=(0.5, -3, 3.5), look_at=(0, -0.4, -0.5), vertical_fov_degrees=22)  # which sees no horizon
LAMP = Material(base_color=(0, 0, 0), emission=(2, 3, 5))
WHITE = Material(base_color=(0.9, 0.8, 0.7), roughness=1, specular=0.0)
GREY = (0.2, 0.3, 0.25)


def ball(x: float, y: float, z: float, radius: float, material: Material = WHITE) -> Sphere:
    return Sphere(center=(x, y, z), radius=radius, material=material)


def egg(x: float, y: float, z: float, axes: tuple[float, float, float], material: Material = WHITE) -> Ellipsoid:
    return Ellipsoid(center=(x, y, z), semi_axes=axes, rotation=(0.6, 0.3, -0.5, 0.4), material=material)


TILT = (0.6, 0.3, -0.5, 0.4)
FACING = (0.77, 0.62, 0.05, 0.08)  # of a panel's front to about the camera, from some 12° beside


def box(x: float, y: float, z: float, half_extents: tuple[float, float, float], material: Material = WHITE) -> Box:
    return Box(center=(x, y, z), half_extents=half_extents, rotation=TILT, material=material)


def can(x: float, y: float, z: float, radius: float, half_height: float, material: Material = WHITE) -> Cylinder:
    return Cylinder(center=(x, y, z), radius=radius, half_height=half_height, rotation=TILT, material=material)


def panel(
    x: float, y: float, z: float, half_extents: tuple[float, float], material: Material = WHITE,
    outline: str = "rectangle", rotation: tuple[float, float, float, float] = FACING,
) -> Panel:  # fmt: skip
    return Panel(center=(x, y, z), half_extents=half_extents, rotation=rotation, outline=outline, material=material)


def metal(roughness: float) -> Material:
    return Material(base_color=(0.9, 0.6, 0.3), metallic=1, roughness=roughness)


def glass(roughness: float, transmission: float = 1.0, specular: float = 0.5) -> Material:
    return Material(base_color=(0.9, 0.95, 0.7), transmission=transmission, roughness=roughness, specular=specular)


def scene(*objects: Object, background: tuple[float, float, float] = (0.0, 0.0, 0.0), camera: Camera = CAMERA) -> Scene:
    return Scene(objects=objects, camera=camera, background=background)


SIDE_LAMP = ball(2.4, -2.2, 1.9, 0.5, LAMP)  # out of sight, since its outline would be the noisiest thing in it
FLOOR = ball(0, 0, -101.0, 100.0, Material(base_color=(0.6, 0.5, 0.4), roughness=0.7))


DOWN = (0.0, 1.0, 0.0, 0.0)  # half a turn about x: a panel's front looks down
GROUND = Plane(center=(0, 0, -1), material=Material(base_color=(0.6, 0.5, 0.4), roughness=0.7))


def on_ground(*objects: Object, background: tuple[float, float, float] = GREY) -> Scene:
    return scene(GROUND, SIDE_LAMP, *objects, background=background)


def room() -> tuple[Panel, ...]:
    """Walls, floor and ceiling about the origin, 4 wide, open to the camera; fronts look in."""
    white, red = Material(base_color=(0.7, 0.7, 0.7)), Material(base_color=(0.7, 0.2, 0.1))
    half = math.sqrt(0.5)
    walls = [((0, 0, -1.2), (1, 0, 0, 0), white), ((0, 0, 1.6), DOWN, white), ((0, 2, 0), (half, half, 0, 0), white)]
    walls += [((-2, 0, 0), (half, 0, half, 0), red), ((2, 0, 0), (half, 0, -half, 0), white)]
    return tuple(panel(*center, (2.5, 2.5), material, rotation=turn) for center, turn, material in walls)


def gravel(count: int, lamps: int = 0) -> tuple[Object, ...]:
    """Small objects of every shape in a block of 3 × 2 × 2, in a lattice that is shaken; the first are lamps."""
    found: list[Object] = []
    for number in range(count):
        x, y, z = (((number + 1) * share) % 1 for share in (0.754877666, 0.569840291, 0.430159709))
        place = (3 * x - 1.3, 2 * y - 0.5, 2 * z - 0.9)
        material = (WHITE, metal(0.3), glass(0.2), Material(base_color=(0.2, 0.5, 0.8), roughness=0.3))[number % 4]
        if number < lamps:
            material = LAMP
        elif number % 5 == 4 and material.transmission > 0:
            material = WHITE  # a panel has no inside
        size = 0.03 + 0.05 * ((number * 0.618034) % 1)
        match number % 5:
            case 0:
                found.append(ball(*place, size, material))
            case 1:
                found.append(egg(*place, (size, 0.5 * size, 1.5 * size), material))
            case 2:
                found.append(box(*place, (size, 0.7 * size, 0.5 * size), material))
            case 3:
                found.append(can(*place, 0.6 * size, size, material))
            case _:
                outline = ("rectangle", "ellipse")[number % 2]
                found.append(panel(*place, (size, 0.8 * size), material, outline))
    return tuple(found)


def on_floor(*objects: Object, background: tuple[float, float, float] = GREY) -> Scene:
    return scene(FLOOR, SIDE_LAMP, *objects, background=background)


FEATURES: dict[str, tuple[Scene, int]] = {
    "diffuse": (on_floor(ball(0, 0, -0.2, 0.8)), 6),
    "diffuse, black background": (on_floor(ball(0, 0, -0.2, 0.8), background=(0, 0, 0)), 6),
    "diffuse, background alone": (scene(ball(0, 0, -0.2, 0.8), ball(0.9, 0.3, 0.4, 0.6), background=GREY), 6),
    "orthographic": (
        scene(GROUND, SIDE_LAMP, box(0, 0, -0.2, (0.5, 0.4, 0.3)), background=GREY, camera=PARALLEL),
        6,
    ),
    "plastic": (on_floor(ball(0, 0, -0.2, 0.8, Material(base_color=(0.1, 0.4, 0.7), roughness=0.2, specular=1))), 6),
    "half a metal": (on_floor(ball(0, 0, -0.2, 0.8, Material(metallic=0.5, roughness=0.4))), 6),
    "smooth metal": (on_floor(ball(0, 0, -0.2, 0.8, metal(0.0))), 6),
    "glossy metal": (on_floor(ball(0, 0, -0.2, 0.8, metal(0.25))), 6),
    "rough metal": (on_floor(egg(0, 0, -0.1, (0.9, 0.5, 0.7), metal(1.0))), 6),
    "metal without reflection": (
        on_floor(ball(0, 0, -0.2, 0.8, metal(0.4).model_copy(update={"specular": 0.0}))),
        6,
    ),
    "smooth glass": (on_floor(ball(0, 0, -0.2, 0.8, glass(0.05))), 8),
    "glossy glass": (on_floor(ball(0, 0, -0.2, 0.8, glass(0.3))), 8),
    "rough glass": (on_floor(egg(0, 0, -0.1, (0.9, 0.5, 0.7), glass(1.0))), 8),
    "half a glass": (on_floor(ball(0, 0, -0.2, 0.8, glass(0.3, transmission=0.5))), 8),
    "glass without refraction": (on_floor(ball(0, 0, -0.2, 0.8, glass(0.3, specular=0.0))), 8),
    "glass that is metal": (
        on_floor(ball(0, 0, -0.2, 0.8, glass(0.3).model_copy(update={"metallic": 0.5, "specular": 1.0}))),
        8,
    ),
    "light far away": (scene(ball(0, 0, 0, 0.9), ball(300, -400, 200, 20, Material(emission=(400, 300, 200)))), 4),
    "light close": (scene(ball(0, 0, 0, 0.8), ball(0.55, -0.7, 0.1, 0.1, LAMP)), 4),
    "light that touches": (scene(ball(0, 0, -0.3, 0.6), ball(0, 0, 0.6, 0.3, LAMP)), 4),
    "light that reflects": (
        on_floor(ball(0, 0, -0.2, 0.8, Material(base_color=(0.9, 0.2, 0.6), emission=(0.3, 0.2, 0.1), roughness=0.3))),
        5,
    ),
    "many lights": (
        scene(
            ball(0, 0, -0.2, 0.6),
            *(ball(1.1 * x, -0.3, 1.1 * z, 0.15 + 0.1 * x, LAMP) for x in (-1, 0, 1) for z in (-1, 1)),
        ),
        4,
    ),
    "flat light": (scene(ball(0, 0, -0.2, 0.8), egg(0.9, -0.9, 0.6, (0.6, 0.05, 0.3), LAMP)), 4),
    "light in glass": (scene(FLOOR, ball(0, 0, 0, 0.8, glass(0.9)), ball(0, 0, 0, 0.6, LAMP), camera=ABOVE), 8),
    "glass that glows": (
        on_floor(ball(0, 0, -0.2, 0.8, glass(0.4).model_copy(update={"emission": (0.2, 0.4, 0.5)}))),
        6,
    ),
    "light enclosed": (scene(ball(0, 0, 0, 0.8), ball(0.1, 0, 0, 0.4, LAMP), background=GREY), 4),
    "camera in glass": (
        scene(
            Sphere(center=CAMERA.position, radius=0.7, material=glass(0.2)),
            ball(0, 0, 0, 0.7),
            SIDE_LAMP,
            background=GREY,
        ),
        8,
    ),
    "camera in a light": (scene(Sphere(center=CAMERA.position, radius=0.7, material=LAMP), ball(0, 0, 0, 0.7)), 4),
    "overlapping": (on_floor(ball(-0.3, 0, -0.2, 0.7), ball(0.4, 0, 0, 0.6, metal(0.3))), 6),
    "overlapping glass": (
        on_floor(ball(-0.3, 0, -0.2, 0.7, glass(0.2)), egg(0.4, 0, 0, (0.6, 0.4, 0.7), glass(0.4))),
        8,
    ),
    "nested glass": (on_floor(ball(0, 0, -0.2, 0.8, glass(0.1)), ball(0.1, 0, -0.2, 0.5, glass(0.3))), 8),
    "thin ellipsoids": (
        on_floor(egg(-0.4, 0, 0, (0.9, 0.01, 0.6)), egg(0.5, 0, 0.1, (0.02, 0.8, 0.02), metal(0.5))),
        5,
    ),
    "depth 1": (on_floor(ball(0, 0, -0.2, 0.8)), 1),
    "depth 2": (on_floor(ball(0, 0, -0.2, 0.8, glass(0.3, transmission=0.5))), 2),
    "depth 3": (on_floor(ball(0, 0, -0.2, 0.8, glass(0.3, transmission=0.5))), 3),
    "box": (on_floor(box(0, 0, -0.1, (0.6, 0.5, 0.4))), 6),
    "metal box": (on_floor(box(0, 0, -0.1, (0.6, 0.5, 0.4), metal(0.2))), 6),
    "glass box": (on_floor(box(0, 0, -0.1, (0.6, 0.5, 0.4), glass(0.1))), 8),
    "rough glass box": (on_floor(box(0, 0, -0.1, (0.6, 0.5, 0.4), glass(0.7, transmission=0.6))), 8),
    "box lamp": (scene(FLOOR, ball(-0.5, 0, -0.3, 0.6), box(0.6, -0.4, 0.1, (0.3, 0.2, 0.1), LAMP)), 4),
    "box lamp near": (scene(ball(0, 0, 0, 0.8), box(0.55, -0.75, 0.1, (0.15, 0.1, 0.05), LAMP)), 4),
    "cylinder": (on_floor(can(0, 0, -0.1, 0.5, 0.6)), 6),
    "metal cylinder": (on_floor(can(0, 0, -0.1, 0.5, 0.6, metal(0.2))), 6),
    "glass cylinder": (on_floor(can(0, 0, -0.1, 0.5, 0.6, glass(0.1))), 8),
    "cylinder lamp": (scene(FLOOR, ball(-0.5, 0, -0.3, 0.6), can(0.6, -0.4, 0.2, 0.1, 0.5, LAMP)), 4),
    "coin lamp": (scene(FLOOR, ball(-0.5, 0, -0.3, 0.6), can(0.6, -0.4, 0.4, 0.4, 0.02, LAMP)), 4),
    "cylinder that glows": (
        on_floor(can(0, 0, -0.1, 0.5, 0.6, Material(base_color=(0.9, 0.2, 0.6), emission=(0.3, 0.2, 0.1)))),
        5,
    ),
    "panel": (on_floor(panel(0, 0, 0, (0.8, 0.6)), panel(0.9, 0.6, 0.4, (0.5, 0.4), outline="ellipse")), 6),
    "panel from behind": (
        on_floor(panel(0, 0, 0, (0.8, 0.6), metal(0.3), "ellipse", rotation=(0.62, -0.77, 0.05, 0.08))),
        6,
    ),
    "metal panel": (on_floor(panel(0, 0, 0, (0.8, 0.6), metal(0.2)), ball(-0.4, -0.9, 0, 0.3)), 6),
    "panel lamp above": (
        scene(GROUND, ball(0, 0, -0.2, 0.6), panel(0.3, -0.2, 1.2, (0.7, 0.4), LAMP, rotation=DOWN)),
        4,
    ),
    "oval lamp above": (
        scene(GROUND, ball(0, 0, -0.2, 0.6), panel(0.3, -0.2, 1.2, (0.7, 0.4), LAMP, "ellipse", DOWN)),
        4,
    ),
    "panel lamp from both sides": (
        scene(
            GROUND,
            panel(-0.7, 0, 0, (0.5, 0.6), LAMP),
            ball(0.5, 0.4, -0.3, 0.5),
            panel(0.8, -0.5, 0.3, (0.3, 0.3), LAMP, rotation=(0.62, -0.77, 0.05, 0.08)),
            background=GREY,
        ),
        4,
    ),
    "panel as an occluder": (on_ground(panel(0.9, -0.8, 0.6, (0.5, 0.5), WHITE), ball(0, 0, -0.4, 0.5)), 6),
    "plane": (on_ground(ball(0, 0, -0.2, 0.8)), 6),
    "metal plane": (
        scene(Plane(center=(0, 0, -1), material=metal(0.2)), SIDE_LAMP, ball(0, 0, -0.2, 0.8), background=GREY),
        6,
    ),
    "plane that emits": (
        scene(
            Plane(center=(0, 0, -1), normal=(0.1, -0.2, 1), material=Material(emission=(0.3, 0.2, 0.1))),
            ball(0, 0, -0.2, 0.7),
        ),
        4,
    ),
    "glass plane": (
        scene(Plane(center=(0, 0, -0.5), material=glass(0.2)), SIDE_LAMP, ball(0, 0, -0.9, 0.5), background=GREY),
        6,
    ),
    "room of panels": (
        scene(*room(), panel(0.3, 0.2, 1.5, (0.5, 0.4), LAMP, rotation=DOWN), box(-0.3, 0.4, -0.6, (0.5, 0.4, 0.3))),
        6,
    ),
    "camera in a glass box": (
        scene(
            Box(center=CAMERA.position, half_extents=(0.5, 0.7, 0.6), material=glass(0.2)),
            ball(0, 0, 0, 0.7),
            SIDE_LAMP,
            background=GREY,
        ),
        8,
    ),
    "300 small objects": (on_ground(*gravel(300)), 5),
    "60 lamps": (scene(GROUND, *gravel(90, lamps=60), background=GREY), 4),
}
