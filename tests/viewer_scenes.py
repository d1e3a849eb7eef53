"""A small scene for the viewer's tests."""

import numpy as np

from luxel.files.radiance_hdr import encode_hdr
from luxel.scene.description import Camera, Material, Scene, Sphere

BALL, LAMP = 0, 1
SCENE = Scene(
    objects=(
        Sphere(center=(0, 0, 0), radius=0.8, material=Material(base_color=(0.7, 0.2, 0.1))),
        Sphere(center=(-3, -3, 4), radius=1.0, material=Material(emission=(9, 8, 7))),
    ),
    camera=Camera(position=(0, -5, 0), look_at=(0, 0, 0)),
    background=(0.2, 0.25, 0.3),
)


def save_map(path):
    """An environment map, red above and blue below."""
    texels = np.zeros((4, 8, 3), np.float32)
    texels[:2, :, 0] = texels[2:, :, 2] = 0.5
    path.write_bytes(encode_hdr(texels))
