"""How near `luxel.fit`'s derivatives of pictures are to those of many other differences.

    python benchmarks/derivatives.py [--scenes examples/scenes] [--size 36] [--pairs 1 4 8] [--model ray-small]

Of the first solid of each scene, no floor, every number of its material and its centre, and the camera's position. The
reference is the slope at zero of an odd polynomial, fitted to 48 central differences at random lengths, as long as the
product's: of degree 3 for materials, of degree 1 where edges move. Errors are of means over blocks of 6×6 pixels,
and relative; that of the reference itself is by its two halves. The last line is JSON: medians and the largest.
"""

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

from luxel import InputError, Renderer, Scene
from luxel.configuration import Configuration
from luxel.fit.gradient import (
    SMOOTH_SPREAD,
    SPREAD,
    Pairs,
    Pictured,
    Stepping,
    differences,
    offsets_within,
)
from luxel.fit.jumps import smooth_range
from luxel.fit.parameters import Parameters, Views
from luxel.fit.steps import MATERIAL_STEPS, steps

import numpy as np
import tyro
from pydantic import Field

COUNT, BLOCK = 48, 6


@dataclass(frozen=True)
class Options(Configuration):
    """What is measured."""

    scenes: Path = Path("examples/scenes")
    """A folder of scenes (*.json)."""
    size: Annotated[int, Field(ge=12, le=4096)] = 36
    """Of the pictures, in pixels: a multiple of 6."""
    pairs: tuple[Pairs, ...] = (1, 4, 8)
    model: str = "ray-small"


def names(scene: Scene) -> dict[str, str]:
    """What is measured, and of which kind."""
    look = math.dist(scene.camera.position, scene.camera.look_at)
    solid = next(i for i, x in enumerate(scene.objects) if x.bounding_radius < look / 3 and not x.material.is_emissive)
    fields = {f"objects[{solid}].material.{field}": field for field in MATERIAL_STEPS}
    return fields | {f"objects[{solid}].center": "center", "camera.position": "camera"}


def blocks(pictures: np.ndarray) -> np.ndarray:
    """Means over blocks, [..., values]."""
    *lead, height, width, _ = pictures.shape
    shape = (*lead, height // BLOCK, BLOCK, width // BLOCK, BLOCK, 3)
    return pictures.astype(np.float64).reshape(shape).mean((-4, -2)).reshape(*lead, -1)


def reference(renderer: Renderer, parameters: Parameters, size: int, is_smooth: bool) -> list[np.ndarray] | None:
    """The derivative by all differences, and by each half of them; None where a bound is too near for any."""
    (step,), vector = steps(parameters, parameters.start, size, 0.5), parameters.read(parameters.start)
    low, high = smooth_range(parameters, vector)
    reach = step * (SMOOTH_SPREAD if is_smooth else SPREAD)[1]
    offsets = offsets_within(np.array([reach]), float(vector[0] - low[0]), float(high[0] - vector[0]))
    if len(offsets) < 2:
        return None
    lengths = offsets[0] * np.sqrt(np.random.default_rng(0).uniform(0.01, 1, COUNT))
    scenes = [parameters.at(vector + sign * length).scenes[0] for length in lengths for sign in (1, -1)]
    pictures = np.concatenate([blocks(renderer.render(scenes[i : i + COUNT], size)) for i in (0, COUNT)])
    odd = (pictures[0::2] - pictures[1::2]) / 2
    powers = (lengths[:, None] / offsets[0]) ** (np.array([1, 3]) if is_smooth else np.array([1]))
    parts = [slice(None), slice(0, None, 2), slice(1, None, 2)]
    return [np.linalg.pinv(powers[part])[0] @ odd[part] / offsets[0] for part in parts]


def errors(renderer: Renderer, scene: Scene, name: str, options: Options) -> dict[str, float] | None:
    """Relative ones of a number: the reference's own, and that of each count of pairs."""
    parameters = Parameters.of(Views.of(scene), [name])
    found = reference(
        renderer, parameters, options.size, not MATERIAL_STEPS.keys().isdisjoint(parameters.leaves[0].path)
    )
    if found is None or not found[0].any():
        return None
    expected, *halves = found
    length = float(np.linalg.norm(expected))
    row = {"reference": float(np.linalg.norm(halves[0] - halves[1])) / 2 / length}
    for pairs in options.pairs:
        stepping = Stepping(pairs=pairs)
        pictured = Pictured(renderer, options.size, options.size)
        jacobian = differences(pictured, parameters, parameters.start, stepping).jacobian[0, 0]
        row[f"{pairs} pairs"] = float(np.linalg.norm(blocks(jacobian) - expected)) / length
    return row


def main(options: Options) -> None:
    """A line a number, and medians of each kind."""
    paths = sorted(options.scenes.glob("*.json"))
    if not paths:
        raise InputError(f"{options.scenes}: has no scenes (*.json)")
    renderer = Renderer.from_pretrained(options.model)
    rows: dict[str, list[dict[str, float]]] = {}
    for path in paths:
        scene = Scene.load(path)
        for leaf, kind in names(scene).items():
            for name in Parameters.of(Views.of(scene), [leaf]).names:
                row = errors(renderer, scene, name, options)
                if row is not None:
                    rows.setdefault(kind, []).append(row)
                    told = "  ".join(f"{column} {value:.3f}" for column, value in row.items())
                    print(f"{path.stem:<20} {name:<34} {told}", flush=True)
    summary = {
        kind: {
            column: [float(pick([row[column] for row in each])) for pick in (np.median, np.max)] for column in each[0]
        }
        for kind, each in rows.items()
    }
    print(json.dumps({"settings": asdict(options), "median_and_most": summary}, default=str))


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__))
