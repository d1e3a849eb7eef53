"""Render a hand-written scene with a trained model and put the path-traced truth beside it.

    python examples/01_render_a_scene.py [ray-small]

takes the weights that come with Luxel, or a run folder such as the demo's runs/demo.
"""

import sys
from pathlib import Path

import numpy as np

from luxel import Camera, Ellipsoid, Material, PathTracer, Renderer, Scene, Sphere, save_image


def still_life() -> Scene:
    """Plastic, clay, gold and glass under a white sky, before the camera that the demo is trained with."""
    plastic = Material(base_color=(0.15, 0.35, 0.8), specular=0.5, roughness=0.4)
    clay = Material(base_color=(0.8, 0.3, 0.2), specular=0.2, roughness=0.8)
    gold = Material(base_color=(0.9, 0.7, 0.3), metallic=1.0, roughness=0.2)
    glass = Material(base_color=(0.95, 0.98, 1.0), specular=0.5, roughness=0.05, transmission=1.0)
    return Scene(
        objects=(
            Sphere(center=(-0.8, -0.2, 0.7), radius=0.3, material=plastic),
            Sphere(center=(0.1, 0.3, -0.4), radius=0.55, material=clay),
            Sphere(center=(0.9, 0.0, 0.3), radius=0.4, material=gold),
            Ellipsoid(center=(-0.6, -0.6, -0.5), semi_axes=(0.35, 0.35, 0.35), material=glass),
        ),
        camera=Camera(position=(0.0, -4.5, 0.9), look_at=(0.0, 0.0, 0.0), vertical_fov_degrees=35.0),
        background=(0.8, 0.8, 0.8),
    )


def main(model: Path = Path("ray-small"), out: Path = Path("still_life.png")) -> None:
    """Render the still life and its truth into one picture."""
    scene = still_life()
    output = Renderer.from_pretrained(model)(scene)
    height, width, _ = output.shape
    truth = PathTracer().trace([scene], width, height, spp=256, seed=0).mean[0]
    save_image(out, np.concatenate([truth, output], axis=1))
    print(f"{out}: path traced at the left, the model at the right")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
