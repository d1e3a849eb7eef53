"""Every shape, path traced, and what a denoiser or a data set wants beside the picture: noise-free first hits.

    python examples/03_shapes_and_features.py

Takes about a minute. Writes shapes.png, a picture of each shape as docs/scene.md shows them, and shapes_features.png:
below each other the base colour, the normal, and which object it is, from `PathTracer.features`.
"""

import numpy as np

from luxel import (
    Box,
    Camera,
    Cylinder,
    Ellipsoid,
    Material,
    Panel,
    PathTracer,
    Plane,
    Scene,
    Sphere,
    save_image,
)
from luxel.scene.description import Object

TILTED, LEANING = (0.92, 0.1, 0.1, 0.36), (0.83, 0.5, 0.1, 0.2)
CLAY, BRASS = Material(base_color=(0.7, 0.35, 0.25)), Material(base_color=(0.9, 0.7, 0.3), metallic=1, roughness=0.25)
GLASS = Material(base_color=(0.9, 0.97, 1), transmission=1, roughness=0.05)

SHAPES: list[Object] = [
    Sphere(center=(0, 0, 0.8), radius=0.8, material=GLASS),
    Ellipsoid(center=(0, 0, 0.8), semi_axes=(1, 0.5, 0.7), rotation=TILTED, material=CLAY),
    Box(center=(0, 0, 0.9), half_extents=(0.7, 0.5, 0.6), rotation=TILTED, material=BRASS),
    Cylinder(center=(0, 0, 0.8), radius=0.55, half_height=0.8, material=GLASS),
    Panel(center=(0, 0, 0.9), half_extents=(0.9, 0.7), rotation=LEANING, material=CLAY),
    Panel(center=(0, 0, 0.9), half_extents=(0.9, 0.6), outline="ellipse", rotation=LEANING, material=CLAY),
]


def on_a_plane(shape: Object) -> Scene:
    """The shape on an endless ground below a lamp."""
    ground = Plane(center=(0, 0, 0), material=Material(base_color=(0.55, 0.55, 0.52)))
    lamp = Panel(
        center=(-1.5, -1.5, 4), half_extents=(0.8, 0.8), rotation=(0, 1, 0, 0), material=Material(emission=(9, 8, 7))
    )
    camera = Camera(position=(0, -5, 2.6), look_at=(0, 0, 0.75), vertical_fov_degrees=32)
    return Scene(objects=(ground, shape, lamp), camera=camera, background=(0.25, 0.3, 0.4))


def main(size: int = 160, spp: int = 1024) -> None:
    """Trace the pictures and their features."""
    scenes = [on_a_plane(shape) for shape in SHAPES]
    tracer = PathTracer(max_depth=12)
    pictures = tracer.trace(scenes, size, size, spp, seed=0).mean
    save_image("shapes.png", np.concatenate(pictures, axis=1))

    features = tracer.features(scenes, size, size)
    number = (features.object_number + 1)[..., None].expand(-1, -1, -1, 3) / 3
    rows = [features.albedo, (features.normal + 1) / 2, number]
    save_image("shapes_features.png", np.concatenate([np.concatenate(row.numpy(), axis=1) for row in rows]))
    area = float(features.coverage(scene=0, object_number=1).sum())
    print(f"shapes.png, shapes_features.png; the sphere covers {area:.1f} pixels")


if __name__ == "__main__":
    main()
