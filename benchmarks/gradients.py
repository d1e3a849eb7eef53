"""Torch's gradients of pictures beside central differences of the same call, as a user would check them.

    python benchmarks/gradients.py [--size 64] [--shifts 5] [--spp 0] [--model ray-small] [--balls matte glossy]

A ball on a floor, under a panel lamp or a sky. Of the sum of the picture, weighted smoothly, by numbers of the ball,
the lights and the camera: `differentiable_picture(…).backward()`, and (f(x + h) − f(x − h)) / 2h for three steps h, in
shares of the number, or of a unit if that is more. Both at as many places of the camera, fractions of a pixel apart:
what edges add is right in their mean, and how far one difference is from that is the picture's own roughness. A line a
number has the means, how far apart they are with its standard error, and the spread of single ones. The last line is
JSON: for each kind of number and each step, medians over scenes.
"""

import json
import math
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Annotated

from luxel import Camera, GradientSky, Material, Panel, Plane, Renderer, Scene, Sphere
from luxel.configuration import Configuration, PathCount, Pixels
from luxel.fit import differentiable_picture
from luxel.fit.parameters import Views, find_leaf
from luxel.scene.camera import pixel_size

import numpy as np
import torch
import tyro
from pydantic import Field

STEPS = (1e-3, 1e-2, 3e-2)
UNIT = 0.5
"""That a step is a share of at least."""
FLOOR = Plane(center=(0, 0, -1), material=Material(base_color=(0.6, 0.5, 0.4), roughness=0.7, specular=0.3))
LAMP = Material(base_color=(0, 0, 0), specular=0, emission=(14, 12, 10))
PANEL = Panel(center=(1.5, -1.5, 4), half_extents=(0.9, 0.7), rotation=(0, 1, 0, 0), material=LAMP)
SKY = GradientSky(zenith=(0.3, 0.5, 0.9), horizon=(0.8, 0.8, 0.7), ground=(0.2, 0.15, 0.1))
CAMERA = Camera(position=(0.3, -5, 1.6), look_at=(0.1, 0, -0.2), vertical_fov_degrees=38)
BALLS = {
    "matte": Material(base_color=(0.7, 0.4, 0.25), roughness=0.8, specular=0.4, metallic=0.1),
    "glossy": Material(base_color=(0.3, 0.5, 0.6), roughness=0.3, specular=0.6, metallic=0.2),
    "metal": Material(base_color=(0.85, 0.6, 0.4), metallic=0.85, roughness=0.25),
    "glass": Material(base_color=(0.9, 0.95, 0.9), transmission=0.8, roughness=0.05, metallic=0.1),
}
OF_BALL = {
    **{field: f"objects[1].material.{field}" for field in ("roughness", "metallic", "specular")},
    "base_color": "objects[1].material.base_color[0]",
    "floor's base_color": "objects[0].material.base_color[0]",
    "center": "objects[1].center[2]",
    "radius": "objects[1].radius",
    "camera.position": "camera.position[2]",
    "camera.look_at": "camera.look_at[2]",
    "camera.vertical_fov_degrees": "camera.vertical_fov_degrees",
}
OF_PANEL = {
    "emission": "objects[2].material.emission[0]",
    "lamp's center": "objects[2].center[2]",
    "lamp's half_extents": "objects[2].half_extents[0]",
}
OF_SKY = {"sky": "sky.zenith[0]"}


@dataclass(frozen=True)
class Options(Configuration):
    """What is measured."""

    size: Pixels = 64
    """Of the pictures, in pixels."""
    shifts: Annotated[int, Field(ge=2, le=1000)] = 5
    """Places of the camera that are averaged over."""
    spp: PathCount = 0
    model: str = "ray-small"
    balls: tuple[str, ...] = tuple(BALLS)
    """By their names in this file."""


def cases(options: Options) -> Iterator[tuple[str, Scene, dict[str, str]]]:
    """Scenes, their names, and the numbers of each that are measured, by kind."""
    for label in options.balls:
        ball = Sphere(center=(0.1, 0.05, -0.1), radius=0.9, material=BALLS[label])
        names = OF_BALL | ({"transmission": "objects[1].material.transmission"} if label == "glass" else {})
        dim = (0.05, 0.06, 0.08)
        yield f"{label}, panel", Scene(objects=(FLOOR, ball, PANEL), camera=CAMERA, background=dim), names | OF_PANEL
        yield f"{label}, sky", Scene(objects=(FLOOR, ball), camera=CAMERA, sky=SKY), names | OF_SKY


def weights(size: int) -> torch.Tensor:
    """Of the picture, [size, size, 3], between 0.5 and 1.5."""
    rows, columns = torch.meshgrid(*[torch.arange(size, dtype=torch.float64) / size] * 2, indexing="ij")
    channel = torch.arange(3)
    return 1 + 0.5 * torch.sin(5 * columns[..., None] + channel) * torch.cos(4 * rows[..., None] - channel)


def shifted(scene: Scene, across: float, up: float) -> Scene:
    """The scene with its camera, and what that looks at, so many units aside and higher."""
    places = ((x + across, y, z + up) for x, y, z in (scene.camera.position, scene.camera.look_at))
    return scene.with_camera(**dict(zip(("position", "look_at"), places, strict=True)))


def measured(renderer: Renderer, scene: Scene, name: str, options: Options) -> np.ndarray:
    """The gradient by a number, and its difference at each of STEPS."""
    views = Views.of(scene)
    (value,) = find_leaf(views, name).read(views)
    weight = weights(options.size)

    def total(leaf: torch.Tensor) -> torch.Tensor:
        picture = differentiable_picture(renderer, scene, {name: leaf}, options.size, spp=options.spp)
        return (picture * weight).sum()

    def at(there: float) -> float:
        return float(total(torch.tensor(there, dtype=torch.float64)))

    leaf = torch.tensor(value, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(total(leaf), leaf)
    lengths = [share * max(abs(value), UNIT) for share in STEPS]
    return np.array([float(gradient), *((at(value + h) - at(value - h)) / (2 * h) for h in lengths)])


def row_of(found: np.ndarray) -> dict[str, list[float]]:
    """Of gradients and differences, [shifts, 1 + steps]: relative to the mean of the widest differences."""
    scale = abs(found[:, -1].mean())
    apart = (found[:, :1] - found[:, 1:]) / scale
    error = apart.std(0, ddof=1) / math.sqrt(len(found))
    spread = found.std(0, ddof=1) / scale
    return {
        "apart": np.abs(apart.mean(0)).tolist(),
        "standard_error": error.tolist(),
        "spread_of_differences": spread[1:].tolist(),
        "spread_of_gradients": [float(spread[0])],
    }


def cost(renderer: Renderer, scene: Scene, options: Options) -> float:
    """Processor time of a gradient by one number, over that of a picture."""
    times = []
    for needs in (False, True, False, True):
        leaf, began = torch.tensor(0.6, requires_grad=needs), time.process_time()
        name = "objects[1].material.base_color[0]"
        picture = differentiable_picture(renderer, scene, {name: leaf}, options.size, spp=options.spp)
        if needs:
            picture.sum().backward()
        times.append(time.process_time() - began)
    return times[3] / times[2]


def main(options: Options) -> None:
    """A line a number, and medians of each kind."""
    renderer = Renderer.from_pretrained(options.model)
    unit = pixel_size(CAMERA, math.dist(CAMERA.position, CAMERA.look_at), options.size)
    shifts = np.random.default_rng(0).uniform(-unit, unit, (options.shifts, 2))
    rows: dict[str, list[dict[str, list[float]]]] = {}
    for label, scene, names in cases(options):
        for kind, name in names.items():
            found = np.array([measured(renderer, shifted(scene, *each), name, options) for each in shifts])
            row = row_of(found)
            rows.setdefault(kind, []).append(row)
            told = "  ".join(
                f"{share:g}: {off:.3f} ± {error:.3f} (each ± {spread:.2f})"
                for share, off, error, spread in zip(
                    STEPS, row["apart"], row["standard_error"], row["spread_of_differences"], strict=True
                )
            )
            print(f"{label:<14} {name:<34} {found[:, 0].mean():10.4g}  {told}", flush=True)
    summary = {
        kind: {column: np.median([row[column] for row in each], 0).round(4).tolist() for column in each[0]}
        for kind, each in rows.items()
    }
    _, scene, _ = next(cases(options))
    record = {"settings": asdict(options), "cost_over_a_picture": cost(renderer, scene, options), "median": summary}
    print(json.dumps(record, default=str))


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__))
