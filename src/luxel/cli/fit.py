"""`luxel fit`: numbers of a scene, from pictures of it."""

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import tyro

from luxel import InputWarning
from luxel.cli.options import parsed
from luxel.configuration import Configuration

if TYPE_CHECKING:
    from luxel.fit.optimise import Found


def fit(arguments: list[str]) -> int:
    """Find numbers of a scene from pictures of it: luxel fit IMAGE.exr --scene START.json --free NAME … --out DIR."""
    from luxel.files.atomic import check_writable_folder
    from luxel.fit.fit_folder import fit_in_folder, load_cameras, load_images, parsed_bounds
    from luxel.fit.optimise import State
    from luxel.fit.problem import FitSettings, Problem
    from luxel.pipeline import Renderer
    from luxel.progress import ProgressBar
    from luxel.scene.description import Scene

    @dataclass(frozen=True)
    class Options(Configuration):
        images: tyro.conf.Positional[tuple[Path, ...]]
        """Pictures of the scene, .exr, of one size; noise is averaged over."""
        scene: Path
        """Where to start, JSON; it says what is not free, and sees the picture if there is one."""
        free: tuple[str, ...]
        """Names of what to find: objects[2].material.base_color, objects[0].center, objects[0].center[2],
        camera.position, background … In a shell, in quotes."""
        out: Path
        """Folder of the scene found and the page; the same command again goes on with it."""
        cameras: Path | None = None
        """Of several pictures: a JSON list of cameras, one a picture; names are then cameras[0].position …"""
        bounds: tuple[str, ...] = ()
        """NAME=LOW:HIGH, of names that are free; colours and such have bounds of their own."""
        model: str = "ray-small"
        """The model that renders, by name or folder, as of `luxel render`."""
        settings: tyro.conf.OmitArgPrefixes[FitSettings] = FitSettings()
        device: str = "cpu"

    options = parsed(Options, "luxel fit", arguments)
    check_writable_folder(options.out)
    problem = Problem.of(
        Renderer.from_pretrained(options.model, options.device),
        load_images(list(options.images)),
        Scene.load(options.scene),
        options.free,
        cameras=None if options.cameras is None else load_cameras(options.cameras),
        bounds=parsed_bounds(list(options.bounds)),
        settings=options.settings,
        sources=list(map(str, options.images)),
    )
    with ProgressBar(desc="fitting", total=options.settings.iterations, unit="iteration", leave=False) as bar:

        def progress(state: State) -> None:
            bar.n = state.iterations
            bar.set_postfix_str(f"loss {state.losses[-1]:.4g}" if state.losses else "")

        result = fit_in_folder(options.out, problem, [path.name for path in options.images], progress)
    print_numbers(result)
    print(f"loss {result.start_loss:.4g} → {result.losses[-1]:.4g}; {options.out / 'scene.json'}")
    print(f"open {(options.out / 'index.html').resolve()}")
    return 0


def print_numbers(result: "Found") -> None:
    """A line for each number that was found; then what there is to warn of."""
    from luxel.fit.fit_page import error_in_words

    width = max(map(len, result.numbers))
    for name, number in result.numbers.items():
        told = error_in_words(result.errors[name]), f"{result.renderer_errors[name]:+.2g} by the renderer"
        print(f"{name:<{width}}  {result.start[name]:>10.5g} → {number:<10.5g} {told[0]:<22} {told[1]}")
    for warning in result.warnings:
        warnings.warn(warning, InputWarning, stacklevel=2)
