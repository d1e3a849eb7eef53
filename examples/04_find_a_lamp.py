"""Find a lamp, out of view, and a colour from one noisy picture; then the same by a loss of your own, in torch.

    python examples/04_find_a_lamp.py

Takes some 15 seconds. The picture is path traced with 16 samples a pixel. Writes found.png, from left to right the
picture, the scene at the start and the scene found, and says how near that comes.
"""

import math

import numpy as np
import torch

from luxel import Box, Camera, Material, PathTracer, Plane, Renderer, Scene, Sphere, save_image
from luxel.fit import differentiable_picture, fit

BOX, LAMP = "objects[1].material.base_color", "objects[3].center"


def truth() -> Scene:
    """A red box and a blue ball, lit by a ball lamp that the camera does not see."""
    return Scene(
        objects=(
            Plane(center=(0, 0, -1), material=Material(base_color=(0.5, 0.6, 0.4), specular=0.2, roughness=0.8)),
            Box(
                center=(-0.8, 0.2, -0.4),
                half_extents=(0.5, 0.4, 0.6),
                rotation=(0.92, 0, 0, 0.38),
                material=Material(base_color=(0.7, 0.3, 0.2)),
            ),
            Sphere(center=(0.8, -0.4, -0.3), radius=0.7, material=Material(base_color=(0.2, 0.4, 0.7), roughness=0.3)),
            Sphere(center=(2.5, -3, 4), radius=0.8, material=Material(emission=(20, 18, 16))),
        ),
        camera=Camera(position=(0, -5, 1.5), look_at=(0, 0, -0.2)),
        background=(0.3, 0.5, 0.7),
    )


def off(scene: Scene) -> str:
    """How far lamp and colour are from the truth."""
    lamps, boxes = ([each.objects[number] for each in (scene, truth())] for number in (3, 1))
    lamp = math.dist(lamps[0].center, lamps[1].center)
    color = math.dist(boxes[0].material.base_color, boxes[1].material.base_color)
    return f"the lamp is {lamp:.3f} units off, the colour {color:.3f}"


def main(model: str = "ray-small", size: int = 64, spp: int = 16) -> Scene:
    """Find the scene, say how near it comes, and take one gradient by hand."""
    renderer = Renderer.from_pretrained(model)
    image = PathTracer().trace([truth()], size, size, spp, seed=0).mean[0]

    start = truth().with_object(3, center=(1.0, -2.0, 4.5)).with_material(1, base_color=(0.4, 0.4, 0.4))
    found = fit(renderer, [image], start, [LAMP, BOX])
    print(f"at the start {off(start)}")
    print(f"after {len(found.losses) - 1} iterations {off(found.scene)}")
    for name, number in found.numbers.items():
        print(f"  {name:<36} {number:6.3f} ± {found.errors[name]:.3f}")
    save_image("found.png", np.concatenate([image, found.start_pictures[0], found.pictures[0]], axis=1))

    lamp = torch.tensor(start.objects[3].center, requires_grad=True)
    picture = differentiable_picture(renderer, start, {LAMP: lamp}, size)
    (picture.clamp(max=1) - torch.from_numpy(image).clamp(max=1)).abs().mean().backward()
    print(f"found.png; the gradient of a loss of my own by the lamp's position: {lamp.grad}")
    return found.scene


if __name__ == "__main__":
    main()
