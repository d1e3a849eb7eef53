"""Make the pictures of docs/limits.md: what ray-small gets wrong, at the left, beside the path-traced truth.

    python docs/limits.py

Takes some minutes on two cores. Writes docs/images/limits_NAME.webp, a picture for each of SCENES, whose scenes are
made for this: each has one thing that the model does badly.
"""

from pathlib import Path

import numpy as np

from luxel import (
    Box,
    Camera,
    Material,
    Panel,
    PathTracer,
    Plane,
    Renderer,
    Scene,
    Sphere,
    save_image,
)

ROOT = Path(__file__).parents[1]
CHALK = Material(base_color=(0.6, 0.58, 0.55), roughness=0.8, specular=0.2)
CLAY = Material(base_color=(0.7, 0.3, 0.2))
CLEAR = Material(base_color=(1, 1, 1), transmission=1, roughness=0)
FROSTED = Material(base_color=(0.9, 0.97, 1), transmission=1, roughness=0.35)
GROUND = Plane(center=(0, 0, 0), material=CHALK)
CAMERA = Camera(position=(0, -5, 2.6), look_at=(0, 0, 0.6), vertical_fov_degrees=28)
CAUSTIC = (0.4, -0.99, -0.6)  # below the glass ball of six_objects.json, where it gathers light
DIM = (0.1, 0.12, 0.15)


def lamp(side: float, radiance: float) -> Panel:
    """A square lamp above, to the left, of this half side."""
    return Panel(
        center=(-1.5, -1, 4),
        half_extents=(side, side),
        rotation=(0, 1, 0, 0),
        material=Material(base_color=(0, 0, 0), emission=(radiance, radiance, radiance)),
    )


def row(*materials: Material) -> tuple[Sphere, ...]:
    """Balls in a row on the ground."""
    middle = (len(materials) - 1) / 2
    return tuple(
        Sphere(center=(1.15 * (i - middle), 0, 0.5), radius=0.5, material=each) for i, each in enumerate(materials)
    )


CUBE = Box(center=(0, 0, 0.5), half_extents=(0.5, 0.5, 0.5), rotation=(0.97, 0, 0, 0.26), material=CLEAR)
SIX_OBJECTS = Scene.load(ROOT / "examples/scenes/six_objects.json")

SCENES = {
    "caustic": SIX_OBJECTS.with_camera(look_at=CAUSTIC, vertical_fov_degrees=8),
    "glass_box": Scene(objects=(GROUND, CUBE, lamp(1.0, 8)), camera=CAMERA, background=DIM),
    "rough_glass": Scene(objects=(GROUND, *row(FROSTED, CLAY), lamp(0.8, 10)), camera=CAMERA, background=DIM),
}


def main(size: int = 256, spp: int = 4096, images: Path = ROOT / "docs/images") -> None:
    """Render each scene and its truth into one picture."""
    renderer, tracer = Renderer.from_pretrained("ray-small"), PathTracer(max_depth=12)
    for name, scene in SCENES.items():
        truth = tracer.trace([scene], size, size * 3 // 4, spp, seed=0).mean[0]
        pair = [renderer(scene, size, size * 3 // 4), truth]
        save_image(images / f"limits_{name}.webp", np.concatenate(pair, axis=1))


if __name__ == "__main__":
    main()
