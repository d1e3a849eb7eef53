"""How well scenes are found from noisy pictures, by each method: of scenes that people wrote, examples/scenes.

    python benchmarks/fit.py [--size 48] [--spp 16] [--methods lm adam]

Of each scene a lamp is put elsewhere, an object made grey and the camera moved, as `disturbed` says; all are then
searched for at once in one path-traced picture. Distances from the truth, before and after, are of colours, and of
positions over what the camera looks at. The last line is JSON: medians over scenes.
"""

import json
import math
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Annotated, Literal

from luxel import InputError, PathTracer, Renderer, Scene
from luxel.configuration import Configuration, Paths
from luxel.fit import FitSettings, fit
from luxel.fit.parameters import Views, find_leaf

import tyro
from pydantic import Field

ITERATIONS = {"lm": 60, "adam": 100}


@dataclass(frozen=True)
class Options(Configuration):
    """What to search for, and how."""

    scenes: Path = Path("examples/scenes")
    """A folder of scenes (*.json)."""
    size: Annotated[int, Field(ge=8, le=4096)] = 48
    """Of the pictures, in pixels."""
    spp: Paths = 16
    model: str = "ray-small"
    methods: tuple[Literal["lm", "adam"], ...] = ("lm", "adam")


def disturbed(scene: Scene) -> tuple[Scene, dict[str, str]]:
    """The scene to start from, and the names of what differs, by kind."""
    look = math.dist(scene.camera.position, scene.camera.look_at)
    numbers = range(len(scene.objects))
    solid = next(
        i
        for i in numbers
        if 0 < scene.objects[i].bounding_radius < look / 3
        and not scene.objects[i].material.is_emissive
        and scene.objects[i].material.transmission < 0.5
    )
    grey = scene.with_material(solid, base_color=(0.5, 0.5, 0.5))
    names = {"colour": f"objects[{solid}].material.base_color", "camera": "camera.position"}
    x, y, z = scene.camera.position
    start = grey.with_camera(position=(x + 0.05 * look, y + 0.03 * look, z + 0.04 * look))
    lamps = [i for i in numbers if scene.objects[i].material.is_emissive]
    if lamps:
        x, y, z = scene.objects[lamps[0]].center
        start = start.with_object(lamps[0], center=(x + 0.08 * look, y - 0.05 * look, z + 0.06 * look))
        names["lamp"] = f"objects[{lamps[0]}].center"
    return start, names


def values(scene: Scene, name: str) -> tuple[float, ...]:
    """Those of a leaf."""
    views = Views.of(scene)
    return find_leaf(views, name).read(views)


def distances(found: Scene, truth: Scene, names: dict[str, str]) -> dict[str, float]:
    """Of what was searched for, by kind."""
    look = math.dist(truth.camera.position, truth.camera.look_at)
    return {
        kind: math.dist(values(found, name), values(truth, name)) / (1 if kind == "colour" else look)
        for kind, name in names.items()
    }


def main(options: Options) -> None:
    """Fit, print a line a scene, and medians."""
    renderer = Renderer.from_pretrained(options.model)
    paths = sorted(options.scenes.glob("*.json"))
    if not paths:
        raise InputError(f"{options.scenes}: has no scenes (*.json)")
    rows: dict[str, dict[str, list[float]]] = {method: {} for method in ("start", *options.methods)}

    def tell(path: Path, method: str, row: dict[str, float]) -> None:
        for kind, value in row.items():
            rows[method].setdefault(kind, []).append(value)
        told = "  ".join(f"{kind} {value:.4g}" for kind, value in row.items())
        print(f"{path.stem:<20} {method:<6} {told}", flush=True)

    for path in paths:
        scene = Scene.load(path)
        start, names = disturbed(scene)
        image = PathTracer().trace([scene], options.size, options.size, options.spp, seed=0).mean[0]
        tell(path, "start", distances(start, scene, names))
        for method in options.methods:
            began = time.perf_counter()
            settings = FitSettings(method=method, iterations=ITERATIONS[method])
            result = fit(renderer, [image], start, list(names.values()), settings=settings)
            row = {"iterations": len(result.losses) - 1.0, "seconds": time.perf_counter() - began}
            tell(path, method, distances(result.scene, scene, names) | row | {"loss": result.losses[-1]})
    medians = {method: {kind: median(each) for kind, each in row.items()} for method, row in rows.items()}
    print(json.dumps({"settings": asdict(options), "median": medians}, default=str))


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__))
