"""`luxel render`: one scene, by a model and, if asked for, path traced beside it."""

import sys
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro
from pydantic import Field

from luxel import InputWarning
from luxel.cli.options import parsed
from luxel.configuration import Configuration, PathCount, Pixels, Seed

if TYPE_CHECKING:
    from luxel.data.generate import GenerateSettings
    from luxel.scene.description import Scene
    from luxel.trace.tracer import Radiance

FIGURE_SPP = 4
"""Paths a pixel of points and particles; see the option."""


def render(arguments: list[str]) -> int:
    """Render a scene, or points and particles, with a trained model: luxel render FILE."""
    import numpy as np
    from tqdm import tqdm

    from luxel.data.generate import GenerateSettings, TracerName
    from luxel.image.formats import Stops, check_image_file, save_image, save_pixels
    from luxel.image.side_by_side import SideBySide, sheet
    from luxel.image.tonemap import tone_map
    from luxel.pipeline import Renderer
    from luxel.scene.figures.figure import Figure, load_scene
    from luxel.scene.figures.readers import is_particle_file

    @dataclass(frozen=True)
    class Options(Configuration):
        scene: tyro.conf.Positional[Path]
        """A scene in JSON, or points or particles: .npy, .npz, .ply, .xyz, .pdb, .cif, .gsd, a LAMMPS dump."""
        out: Path | None = None
        """.exr for linear radiance, .png for a tone-mapped picture; SCENE.png in the current folder unless given."""
        model: str = "ray-small"
        """A model that Luxel comes with, a run folder, a folder that `save_pretrained` wrote, or hf-hub:OWNER/NAME."""
        width: Pixels | None = None
        """In pixels; only a ray model can be asked for a size. Width or height alone makes a square."""
        height: Pixels | None = None
        spp: PathCount | None = None
        """Paths a pixel that the picture is blended with, which takes it to the truth. Where light is found by chance
        only (by way of mirrors and glass), a few may do harm: docs/blending.md. 0: the model's alone, as of scenes
        unless given; of points and particles it is 4, which takes the grain off a matte ground."""
        seed: Seed = 0
        """Of those paths."""
        tone_map: str = "clamp"
        """Of a .png: clamp or reinhard."""
        exposure: Stops = 0.0
        """Stops by which a .png is brighter: 1 doubles radiance before the tone map, -1 halves it."""
        truth: Annotated[int, Field(ge=1, le=1 << 24)] | None = None
        """Path trace the scene, too, with so many samples a pixel, and put that at the left of the model's picture.
        A .png is labelled, with PSNR, FLIP and equivalent spp."""
        tracer: TracerName = "path"
        """Of --truth: path, Luxel's own, or mitsuba, the reference."""
        device: str = "cpu"
        figure: tyro.conf.OmitArgPrefixes[Figure] = Figure()
        """How points and particles are shown."""

    options = parsed(Options, "luxel render", arguments)
    aspect = options.width / options.height if options.width and options.height else 1.0
    scene = load_scene(options.scene, options.figure, aspect)
    out = options.out or Path(options.scene.stem + ".png")
    check_image_file(out, options.exposure)
    tone_map(options.tone_map)
    renderer = Renderer.from_pretrained(options.model, options.device)
    started = time.perf_counter()
    image = renderer(scene, options.width, options.height)
    height, width, _ = image.shape
    print(f"{width}×{height} by {options.model} in {time.perf_counter() - started:.2f} s", file=sys.stderr)
    save_image(out, image, options.tone_map, options.exposure)
    spp = options.spp if options.spp is not None else FIGURE_SPP * is_particle_file(options.scene)
    if spp:
        print(f"{out}: {options.model} alone, until {spp} paths a pixel are traced", file=sys.stderr)
        with tqdm(desc=f"path tracing, {spp} spp", total=width * height, unit="pixel", leave=False) as bar:
            image = renderer.refined([scene], image[None], spp, options.seed, bar.update)[0]
        save_image(out, image, options.tone_map, options.exposure)
    if options.truth is None:
        print(out)
        return 0
    print(f"{out}: {options.model} alone, until the truth is traced", file=sys.stderr)
    truth = traced(GenerateSettings(tracer=options.tracer), scene, width, height, options.truth)
    pair = SideBySide.of(
        str(options.scene),
        truth.mean[0],
        {Path(options.model).resolve().name: image},
        truth.spp,
        truth.variance[0],
        float(truth.variance_of_a_path[0]),
    )
    if out.suffix.lower() == ".png":
        save_pixels(out, sheet([pair], tone=options.tone_map, exposure=options.exposure))
    else:
        save_image(out, np.concatenate(pair.images, axis=1))
    print(f"{out}, from left to right: {pair.summary}")
    return 0


def traced(settings: "GenerateSettings", scene: "Scene", width: int, height: int, spp: int) -> "Radiance":
    """The scene as the settings' tracer sees it, with a progress bar."""
    from tqdm import tqdm

    from luxel.trace.mitsuba import MitsubaTracer
    from luxel.trace.mitsuba_limits import known_wrong

    tracer = settings.make_tracer()
    if isinstance(tracer, MitsubaTracer):
        for line in known_wrong(scene):
            warnings.warn(line, InputWarning, stacklevel=2)
    with tqdm(desc=f"path tracing, {spp} spp", total=width * height, unit="pixel", leave=False) as bar:
        return tracer.trace([scene], width, height, spp, seed=0, progress=bar.update)
