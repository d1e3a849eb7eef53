"""One scene under four skies: a high sun, a low one, an overcast day, and an environment map of a studio.

    python examples/06_light_from_outside.py

Takes seconds. Writes outside.png, the four pictures by ray-base as docs/scene.md shows them; outdoor.json, the first of
the scenes; and studio.hdr with studio.json, the map and the scene that it lights. The last three are in
examples/scenes.
"""

from pathlib import Path

import numpy as np
from jaxtyping import Float32

from luxel import (
    Box,
    Camera,
    Cylinder,
    Ellipsoid,
    GradientSky,
    MapSky,
    Material,
    Plane,
    Renderer,
    Scene,
    Sphere,
    Sun,
    save_image,
)
from luxel.files.radiance_hdr import encode_hdr

CHALK, CLAY = Material(base_color=(0.62, 0.6, 0.56), roughness=0.8), Material(base_color=(0.7, 0.3, 0.2))
STEEL = Material(base_color=(0.85, 0.85, 0.88), metallic=1, roughness=0.12)
GLASS = Material(base_color=(0.95, 1, 0.98), transmission=1, roughness=0)

OBJECTS = Scene(
    objects=(
        Plane(center=(0, 0, 0), material=CHALK),
        Sphere(center=(-1.1, -0.2, 0.7), radius=0.7, material=STEEL),
        Box(center=(0.5, 0.7, 0.55), half_extents=(0.5, 0.4, 0.55), rotation=(0.97, 0, 0, 0.25), material=CLAY),
        Cylinder(center=(1.5, -0.2, 0.5), radius=0.3, half_height=0.5, material=Material(base_color=(0.2, 0.4, 0.6))),
        Ellipsoid(center=(0.3, -0.9, 0.35), semi_axes=(0.45, 0.35, 0.35), material=GLASS),
    ),
    camera=Camera(position=(0, -6.5, 1.9), look_at=(0.1, 0, 0.75), vertical_fov_degrees=30),
)

SKIES: dict[str, dict[str, object]] = {
    "high sun": {
        "sky": GradientSky(zenith=(0.12, 0.25, 0.6), horizon=(0.45, 0.55, 0.7), ground=(0.2, 0.18, 0.15)),
        "sun": Sun(direction=(-0.55, -0.45, 0.75), radiance=(44_000, 41_000, 36_000)),
    },
    "low sun": {
        "sky": GradientSky(zenith=(0.1, 0.13, 0.3), horizon=(0.8, 0.5, 0.35), ground=(0.1, 0.09, 0.09)),
        "sun": Sun(direction=(0.9, 0.35, 0.2), angular_radius_degrees=0.8, radiance=(8000, 4200, 1900)),
    },
    "overcast": {"sky": GradientSky(zenith=(1.0, 1.0, 1.05), horizon=(0.5, 0.52, 0.55), ground=(0.2, 0.2, 0.2))},
}


def studio() -> Float32[np.ndarray, "64 128 3"]:
    """Two softboxes and a strip light in a dim room, latitude by longitude; the middle lies towards +y."""
    texels = np.full((64, 128, 3), 0.06, np.float32)
    texels[:32] += 0.04
    texels[14:28, 14:34] = (9.0, 8.5, 8.0)  # behind the camera, to the left
    texels[18:26, 84:92] = (3.0, 4.5, 7.0)  # to the right
    texels[6:9, 50:78] = (12.0, 11.0, 9.0)  # in front, high up
    return texels


def main(size: int = 240) -> None:
    """Write the map and the scenes, render the pictures."""
    Path("studio.hdr").write_bytes(encode_hdr(studio()))
    skies = {**SKIES, "studio": {"sky": MapSky(file="studio.hdr", scale=0.5)}}
    scenes = {name: OBJECTS.model_copy(update=fields) for name, fields in skies.items()}
    scenes["high sun"].save("outdoor.json")
    scenes["studio"].save("studio.json")
    pictures = Renderer.from_pretrained("ray-base").render(list(scenes.values()), size, size * 2 // 3)
    save_image("outside.png", np.concatenate(pictures, axis=1))
    print("outside.png, outdoor.json, studio.hdr, studio.json")


if __name__ == "__main__":
    main()
