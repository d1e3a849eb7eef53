"""Scenes that isolate one feature each, with the depth to trace them to."""

from luxel.scene import Camera, Ellipsoid, Material, Scene, Sphere
from luxel.scene.description import Object

CAMERA = Camera(position=(1, -5, 0.5), look_at=(0.2, 0, 0.1), vertical_fov_degrees=35)
LAMP = Material(base_color=(0, 0, 0), emission=(2, 3, 5))
WHITE = Material(base_color=(0.9, 0.8, 0.7), roughness=1, specular=0.0)
GREY = (0.2, 0.3, 0.25)


def ball(x: float, y: float, z: float, radius: float, material: Material = WHITE) -> Sphere:
    return Sphere(center=(x, y, z), radius=radius, material=material)


def egg(x: float, y: float, z: float, axes: tuple[float, float, float], material: Material = WHITE) -> Ellipsoid:
    return Ellipsoid(center=(x, y, z), semi_axes=axes, rotation=(0.6, 0.3, -0.5, 0.4), material=material)


def metal(roughness: float) -> Material:
    return Material(base_color=(0.9, 0.6, 0.3), metallic=1, roughness=roughness)


def glass(roughness: float, transmission: float = 1.0, specular: float = 0.5) -> Material:
    return Material(base_color=(0.9, 0.95, 0.7), transmission=transmission, roughness=roughness, specular=specular)


def scene(*objects: Object, background: tuple[float, float, float] = (0.0, 0.0, 0.0), camera: Camera = CAMERA) -> Scene:
    return Scene(objects=objects, camera=camera, background=background)


SIDE_LAMP = ball(2.4, -2.2, 1.9, 0.5, LAMP)  # out of sight, since its outline would be the noisiest thing in it
FLOOR = ball(0, 0, -101.0, 100.0, Material(base_color=(0.6, 0.5, 0.4), roughness=0.7))


def on_floor(*objects: Object, background: tuple[float, float, float] = GREY) -> Scene:
    return scene(FLOOR, SIDE_LAMP, *objects, background=background)


FEATURES: dict[str, tuple[Scene, int]] = {
    "diffuse": (on_floor(ball(0, 0, -0.2, 0.8)), 6),
    "diffuse, black background": (on_floor(ball(0, 0, -0.2, 0.8), background=(0, 0, 0)), 6),
    "diffuse, background alone": (scene(ball(0, 0, -0.2, 0.8), ball(0.9, 0.3, 0.4, 0.6), background=GREY), 6),
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
    "light in glass": (scene(FLOOR, ball(0, 0, 0, 0.8, glass(0.5)), ball(0, 0, 0, 0.4, LAMP)), 8),
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
}
