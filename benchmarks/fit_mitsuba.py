"""Which parameters a picture of other software determines, and how well: fits of Mitsuba's noisy pictures.

    python benchmarks/fit_mitsuba.py [--size 48] [--spp 64] [--model ray-small]

A ball of one material after the other stands beside a box, on a floor, under a panel lamp. Mitsuba renders it with
`spp` paths a pixel; then each parameter is put off and searched for, alone and with all others at once. Prints a
Markdown table of what is found, its standard error and what the fit says that the renderer's own error has moved it
by; the last line is JSON.
"""

import json
import warnings
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Annotated

from luxel import Box, Camera, InputWarning, Material, Plane, Renderer, Scene, Sphere
from luxel.configuration import Configuration, Paths
from luxel.fit import Found, fit
from luxel.fit.parameters import Views, find_leaf
from luxel.scene import Panel
from luxel.trace.mitsuba import MitsubaTracer

import numpy as np
import tyro
from pydantic import Field

BALL, LAMP = 1, 3
MATERIALS = {
    "plastic": Material(base_color=(0.2, 0.4, 0.7), roughness=0.15),
    "matte": Material(base_color=(0.7, 0.4, 0.2), roughness=0.6),
    "metal": Material(base_color=(0.9, 0.7, 0.4), metallic=0.8, roughness=0.3),
    "mirror": Material(base_color=(0.9, 0.85, 0.8), metallic=0.9, roughness=0.05),
    "glass": Material(base_color=(0.95, 0.95, 0.95), transmission=0.8, roughness=0.05),
}
STARTS = {"base_color": (0.5, 0.5, 0.5), "roughness": 0.4, "metallic": 0.4, "specular": 0.3, "transmission": 0.4}


@dataclass(frozen=True)
class Options(Configuration):
    """What is rendered, and searched for by which model."""

    size: Annotated[int, Field(ge=8, le=4096)] = 48
    """Of the pictures, in pixels."""
    spp: Paths = 64
    model: str = "ray-small"
    materials: tuple[str, ...] = tuple(MATERIALS)
    """Of the ball, by their names in this file."""


def room(material: Material) -> Scene:
    """A ball of the material, a box, a floor and a lamp."""
    return Scene(
        objects=(
            Plane(center=(0, 0, -0.8), material=Material(base_color=(0.55, 0.5, 0.45), specular=0.3, roughness=0.6)),
            Sphere(center=(-0.55, 0.1, 0.0), radius=0.8, material=material),
            Box(
                center=(0.95, 0.3, -0.3),
                half_extents=(0.35, 0.4, 0.5),
                rotation=(0.95, 0.05, 0.1, 0.3),
                material=Material(base_color=(0.3, 0.6, 0.35)),
            ),
            Panel(
                center=(1.5, -2.2, 3.2),
                half_extents=(0.7, 0.7),
                rotation=(0.1, 0.95, 0.1, 0.2),
                material=Material(base_color=(0, 0, 0), specular=0, emission=(22, 19, 15)),
            ),
        ),
        camera=Camera(position=(0.3, -5.2, 1.1), look_at=(0.1, 0, -0.1)),
        background=(0.35, 0.45, 0.6),
    )


def starts(scene: Scene) -> dict[str, Scene]:
    """For each leaf that is searched for, the scene with that one put off."""
    material = scene.objects[BALL].material
    is_opaque = material.transmission == 0
    fields = ["base_color", "roughness", "metallic" if is_opaque else "transmission", "specular"]
    found = {
        f"objects[{BALL}].material.{field}": scene.with_material(BALL, **{field: STARTS[field]}) for field in fields
    }
    found[f"objects[{BALL}].center"] = scene.with_object(BALL, center=(-0.45, 0.2, 0.05))
    found[f"objects[{LAMP}].center"] = scene.with_object(LAMP, center=(1.1, -2.0, 3.4))
    found[f"objects[{LAMP}].material.emission"] = scene.with_material(LAMP, emission=(15, 15, 15))
    return found


def read(scene: Scene, name: str) -> tuple[float, ...]:
    """The numbers of a leaf."""
    views = Views.of(scene)
    return find_leaf(views, name).read(views)


def rows(truth: Scene, result: Found, names: list[str]) -> Iterator[dict[str, object]]:
    """What was found of each leaf: the number that is farthest off, in its unit."""
    for name in names:
        leaf = find_leaf(Views.of(truth), name)
        off = np.array([result.numbers[number] for number in leaf.numbers]) - np.array(read(truth, name))
        worst = int(np.argmax(np.abs(off)))
        number = leaf.numbers[worst]
        yield {
            "parameter": name,
            "truth": read(truth, name)[worst],
            "found": result.numbers[number],
            "standard_error": result.errors[number],
            "by_renderer": result.renderer_errors[number],
            "correlation": result.correlations[number],
        }


def cell(row: dict[str, object]) -> str:
    """A number as the table has it."""
    return f"{row['found']:.3g} ± {row['standard_error']:.1g} ({row['by_renderer']:+.1g})"


def main(options: Options) -> None:
    """Render, fit each parameter alone and all at once, and print the table."""
    renderer = Renderer.from_pretrained(options.model)
    warnings.simplefilter("ignore", InputWarning)  # the records have them
    records: dict[str, object] = {}
    print("| ball | parameter | truth | alone | all at once |\n|---|---|---|---|---|")
    for label in options.materials:
        truth = room(MATERIALS[label])
        image = MitsubaTracer().trace([truth], options.size, options.size, options.spp, seed=0).mean[0]
        begins = starts(truth)
        alone: dict[str, dict[str, object]] = {}
        for name, start in begins.items():
            alone |= {str(row["parameter"]): row for row in rows(truth, fit(renderer, [image], start, [name]), [name])}
        everything = truth
        for name, start in begins.items():
            views = Views.of(everything)
            everything = find_leaf(views, name).written(views, read(start, name)).scene
        result = fit(renderer, [image], everything, list(begins))
        together = {str(row["parameter"]): row for row in rows(truth, result, list(begins))}
        for name in begins:
            at = f"{alone[name]['truth']:.3g}"
            print(f"| {label} | `{name}` | {at} | {cell(alone[name])} | {cell(together[name])} |", flush=True)
        for warning in result.warnings:
            print(f"\n{label}, all at once: {warning}\n", flush=True)
        records[label] = {"alone": alone, "together": together, "warnings": result.warnings}
    print(json.dumps({"settings": asdict(options), "found": records}, default=str))


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__))
