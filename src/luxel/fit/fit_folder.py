"""A fit in a folder: it goes on where it was interrupted, and leaves the scene found, its figures and a page.

`state.json` is written after every iteration, whole or not at all, with what the fit is of, so that another command
does not go on with it. `scene.json` is the scene found, `cameras.json` its cameras if there are several, `result.json`
the figures and `index.html` the page.
"""

import hashlib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from luxel import InputError
from luxel.configuration import shortened
from luxel.files.atomic import only_one
from luxel.files.exr import load_exr
from luxel.files.typed_json import read_json, validated, write_json
from luxel.fit.fit_page import write_fit_page
from luxel.fit.optimise import Found, State, advance, found
from luxel.fit.problem import Problem
from luxel.image.formats import Radiance
from luxel.scene.description import Camera, scene_id
from luxel.scene.errors import SceneError


@dataclass(frozen=True)
class Saved:
    """What `state.json` holds."""

    of: dict[str, Any]
    """What the fit is of: see `identity`."""
    state: State


def fit_in_folder(
    folder: Path, problem: Problem, titles: list[str], progress: Callable[[State], object] | None = None
) -> Found:
    """Search, or go on, in a folder; `titles` are the images' names on the page.

    Raises InputError if the folder holds a fit of something else.
    """
    with only_one(folder):
        file, own = folder / "state.json", identity(problem)
        state = _resumed(file, own, problem) if file.exists() else State.of(problem)
        if progress is not None:
            progress(state)
        while not state.ended:
            state = advance(problem, state)
            write_json(file, asdict(Saved(own, state)))
            if progress is not None:
                progress(state)
        result = found(problem, state)
        result.scene.save(folder / "scene.json")
        if len(result.cameras) > 1:
            write_json(folder / "cameras.json", [camera.model_dump() for camera in result.cameras])
        write_json(
            folder / "result.json",
            {
                "model": problem.renderer.name,
                "method": problem.settings.method,
                "iterations": state.iterations,
                "start_loss": result.start_loss,
                "losses": result.losses,
                "start": result.start,
                "found": result.numbers,
                "standard_errors": result.errors,
                "correlations": result.correlations,
                "renderer_errors": result.renderer_errors,
                "warnings": result.warnings,
            },
        )
        write_fit_page(folder / "index.html", problem, result, titles)
    return result


def identity(problem: Problem) -> dict[str, Any]:
    """What decides a fit: two of the same identity take the same steps."""
    parameters = problem.parameters
    return {
        "model": [problem.renderer.name, problem.renderer.fingerprint()],
        "images": hashlib.sha256(problem.images.tobytes()).hexdigest(),
        "scene": scene_id(parameters.start.scene),
        "cameras": [camera.model_dump(mode="json") for camera in parameters.start.cameras],
        "free": [[leaf.name, list(leaf.low), list(leaf.high)] for leaf in parameters.leaves],
        "settings": asdict(problem.settings),
    }


def _resumed(file: Path, own: dict[str, Any], problem: Problem) -> State:
    """The state in a file. Raises InputError, with the field, for one that no such fit comes to."""
    remedy = "name another folder, or remove this one"
    saved: Saved = read_json(file, Saved, remedy)
    for name, value in own.items():
        if saved.of.get(name) != value:
            raise InputError(
                f"{file}: is of a fit with another {name}; repeat its command to go on with it, or {remedy}"
            )
    state, free, levels = saved.state, len(problem.parameters.names), len(problem.levels)
    for name, lengths in {"numbers": (free,), "mean": (0, free), "square": (0, free)}.items():
        if len(getattr(state, name)) not in lengths:
            raise InputError(f"{file}: {name} are {len(getattr(state, name))}, not as many as are free; {remedy}")
    if not 1 <= len(state.begins) <= levels:
        raise InputError(f"{file}: begins are {len(state.begins)}, must be 1 to {levels}; {remedy}")
    try:
        problem.parameters.at(np.array(state.numbers))
    except SceneError as error:
        raise InputError(f"{file}: numbers are of no scene: {error}; {remedy}") from None
    return state


def load_images(paths: list[Path]) -> list[Radiance]:
    """Radiance of OpenEXR files. Raises InputError for others."""
    for path in paths:
        if path.suffix.lower() in (".json", ".safetensors"):
            raise InputError(
                f"{path}: is a scene, but an image is to stand here; the scene to start from is what --scene names: "
                f"luxel fit IMAGE.exr --scene {path} …"
            )
        if path.suffix.lower() != ".exr":
            raise InputError(f"{path}: images are .exr, linear radiance; what a .png shows is cut off at white")
    return [load_exr(path) for path in paths]


def load_cameras(path: Path) -> list[Camera]:
    """A JSON list of cameras, as a scene has one. Raises InputError."""
    values = read_json(path)
    if not isinstance(values, list) or not values:
        raise InputError(f"{path}: must be a list of cameras, one an image")
    return [validated(value, Camera, f"{path}: [{number}]", "") for number, value in enumerate(values)]


def parsed_bounds(texts: list[str]) -> dict[str, tuple[float, float]]:
    """Bounds of leaves from "objects[0].radius=0.1:2", either end may be left out. Raises InputError."""
    bounds = {}
    for text in texts:
        name, equals, interval = text.partition("=")
        low, colon, high = interval.partition(":")
        try:
            bounds[name] = float(low or "-inf"), float(high or "inf")
        except ValueError:
            colon = ""
        if not (name and equals and colon):
            raise InputError(f"bounds are {shortened(text)}, must be NAME=LOW:HIGH, such as objects[0].radius=0.1:2")
    return bounds
