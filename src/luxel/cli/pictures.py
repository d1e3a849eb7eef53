"""The pictures of `luxel render`: where each goes, and how it comes about, scene after scene."""

import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import numpy as np
import tyro
from pydantic import Field
from tqdm import tqdm

from luxel import InputError, InputWarning
from luxel.configuration import Configuration, PathCount, Pixels, Seed
from luxel.data.generate import GenerateSettings, TracerName
from luxel.denoised import denoised
from luxel.files.atomic import check_folder
from luxel.image.formats import (
    LINEAR,
    SUFFIXES,
    Radiance,
    Stops,
    check_image_file,
    is_display,
    save_image,
    save_pixels,
    to_bytes,
)
from luxel.image.labels import Label, labelled
from luxel.image.side_by_side import SideBySide, sheet
from luxel.image.tonemap import tone_map
from luxel.pipeline import Renderer
from luxel.scene.description import MAX_BYTES, Scene
from luxel.scene.figures.figure import Figure, load_scene
from luxel.scene.figures.readers import is_particle_file
from luxel.trace.mitsuba import MitsubaTracer
from luxel.trace.mitsuba_limits import known_wrong
from luxel.trace.object_places import object_places
from luxel.trace.tracer import Radiance as Traced

STDIN = Path("-")
SIDE = 512
"""Pixels of a picture without a network, unless given."""
NETWORK, PATHS = "ray-small", "paths"
"""What --model is unless given: of scenes, and of points and particles; the latter is no network."""
BLENDED_SPP, DENOISED_SPP = 4, 12
"""Paths a pixel of points and particles, unless given: by a network, and without one."""
ImageFormat: TypeAlias = Literal["png", "jpg", "webp", "exr"]
Progress: TypeAlias = Callable[[int], object]


@dataclass(frozen=True)
class RenderOptions(Configuration):
    """What `luxel render` is asked for."""

    scenes: tyro.conf.Positional[tuple[Path, ...]]
    """Scenes in JSON, - for one from standard input, or points or particles: .npy, .npz, .ply, .xyz, .pdb, .cif, .gsd,
    a LAMMPS dump."""
    out: Path | None = None
    """A file for one scene: .exr for linear radiance; .png, .jpg or .webp for a tone-mapped picture. Or a folder for
    the pictures, which are named after their scenes; the current one unless given."""
    format: ImageFormat | None = None
    """Of pictures whose name --out does not give; png unless given."""
    model: str | None = None
    """A model that Luxel comes with, a run folder, a folder that `save_pretrained` wrote, or hf-hub:OWNER/NAME; or
    paths: path tracing and a denoiser, without a network. Unless given paths of points and particles, ray-small of
    scenes."""
    width: Pixels | None = None
    """In pixels; only a ray model can be asked for a size. Width or height alone makes a square."""
    height: Pixels | None = None
    spp: PathCount | None = None
    """Paths a pixel that the picture is blended with, which takes it to the truth. Where light is found by chance
    only (by way of mirrors and glass), a few may do harm: docs/blending.md. 0: the model's alone, as of scenes unless
    given; 4 of points and particles by a network; 12 on average by --model paths, which has nothing else."""
    seed: Seed = 0
    """Of those paths."""
    tone_map: str = "clamp"
    """Of all but an .exr: clamp or reinhard."""
    exposure: Stops = 0.0
    """Stops by which all but an .exr is brighter: 1 doubles radiance before the tone map, -1 halves it."""
    labels: bool = False
    """Write every visible object's index in the scene, and its shape, onto the picture."""
    truth: Annotated[int, Field(ge=1, le=1 << 24)] | None = None
    """Path trace the scene, too, with so many samples a pixel, and put that at the left of the model's picture.
    All but an .exr is labelled, with PSNR, FLIP and equivalent spp."""
    tracer: TracerName = "path"
    """Of --truth: path, Luxel's own, or mitsuba, the reference."""
    device: str = "cpu"
    figure: tyro.conf.OmitArgPrefixes[Figure] = Figure()
    """How points and particles are shown."""

    @property
    def aspect(self) -> float:
        """Width over height."""
        return self.width / self.height if self.width and self.height else 1.0


def render_all(options: RenderOptions) -> int:
    """Render the scenes one after another, and return the exit code; one that fails is named, and the others go on.

    Raises InputError for options that cannot be met, before any work, and if there is one scene, that one's.
    """
    tone_map(options.tone_map)
    outs = outputs(options)
    check_together(options, outs)
    renderers = {
        model: Renderer.from_pretrained(model, options.device)
        for model in dict.fromkeys(model_of(path, options) for path in options.scenes)
        if model != PATHS
    }
    if len(outs) == 1:
        print(render_one(options, renderers, options.scenes[0], outs[0]))
        return 0
    failed = 0
    with tqdm(total=len(outs), unit="scene", desc=options.model) as bar:
        for path, out in zip(options.scenes, outs, strict=True):
            try:
                bar.write(render_one(options, renderers, path, out, bar))
            except InputError as error:
                failed += 1
                bar.write(f"luxel render: {error}", file=sys.stderr)
            bar.update()
    if failed:
        print(f"luxel render: {failed} of {len(outs)} scenes failed, as said above", file=sys.stderr)
    return min(failed, 1)


def outputs(options: RenderOptions) -> list[Path]:
    """The file of each scene's picture. Raises InputError where two would be one, or none can be."""
    if not options.scenes:
        raise InputError("no scenes: give one file or more, or - for standard input")
    out, several = options.out, len(options.scenes) > 1
    is_image = out is not None and (is_display(out) or out.suffix.lower() == LINEAR)
    if out == STDIN:
        raise InputError("--out is -, but no picture goes to standard output; name a file, or a folder")
    if out is None or out.is_dir() or not out.suffix:
        folder = out or Path()
        check_folder(folder)
        found = [folder / f"{name_of(path)}.{options.format or 'png'}" for path in options.scenes]
    elif several and is_image:
        raise InputError(f"--out is {out}, one file, but there are {len(options.scenes)} scenes; give a folder")
    elif not is_image:
        ending = "" if several else f"end in {SUFFIXES}, or "
        raise InputError(f"--out is {out}, must {ending}be a folder, which is there or has no dot in its name")
    else:
        found = [out]
        check_format(out, options.format)
    first: dict[Path, Path] = {}
    for path, file in zip(options.scenes, found, strict=True):
        check_image_file(file, options.exposure)
        if file in first:
            raise InputError(f"{path}: its picture would be {file}, as that of {first[file]} is; render it by itself")
        first[file] = path
    return found


def check_format(out: Path, asked: ImageFormat | None) -> None:
    """Raise InputError for a format that a file's name contradicts."""
    if asked is not None and out.suffix.lower().replace("jpeg", "jpg") != f".{asked}":
        raise InputError(f"--format is {asked}, but --out is {out}; leave one of them out")


def name_of(path: Path) -> str:
    """What a scene's picture is called after it."""
    return "stdin" if path == STDIN else path.stem or "scene"


def check_together(options: RenderOptions, outs: Sequence[Path]) -> None:
    """Raise InputError for options that are of no use beside the others."""
    if not all(map(is_display, outs)):
        for name, given in (("tone-map", options.tone_map != "clamp"), ("labels", options.labels)):
            if given:
                raise InputError(f"--{name} is of tone-mapped pictures, but {outs[0]} holds radiance; leave it out")
    if options.labels and options.truth is not None:
        raise InputError("--labels and --truth don't go together, as its pictures have captions; leave one of them out")
    if options.seed and not any(paths_of(path, options) for path in options.scenes):
        raise InputError(f"--seed is {options.seed}, which is of --spp's paths, but there are none; give --spp, too")
    if options.tracer != "path" and options.truth is None:
        raise InputError(f"--tracer is {options.tracer}, which traces --truth, but there is none; give --truth, too")


def render_one(
    options: RenderOptions, renderers: dict[str, Renderer], path: Path, out: Path, over: tqdm | None = None
) -> str:
    """Make one picture, a network's first, and say where it is; `over` is the bar of all scenes."""
    scene, model, spp = read_scene(path, options), model_of(path, options), paths_of(path, options)
    if model == PATHS:
        width, height = size_of(options)
        with paths_bar(spp, width * height, out, over) as progress:
            image = denoised(scene, width, height, spp, options.seed, options.device, progress)
        save_picture(out, image, scene, options)
    else:
        image = by_network(options, renderers[model], scene, spp, out, over)
    if options.truth is None:
        return str(out)
    height, width, _ = image.shape
    say(f"{out}: {model} alone, until the truth is traced", over)
    with paths_bar(options.truth, width * height, out, over) as progress:
        truth = traced(options, scene, width, height, progress)
    pair = side_by_side(path, image, truth, options)
    if is_display(out):
        save_pixels(out, sheet([pair], tone=options.tone_map, exposure=options.exposure))
    else:
        save_image(out, np.concatenate(pair.images, axis=1))
    return f"{out}, from left to right: {pair.summary}"


def by_network(
    options: RenderOptions, renderer: Renderer, scene: Scene, spp: int, out: Path, over: tqdm | None
) -> Radiance:
    """Make the network's picture, and then the one that is blended with paths."""
    started = time.perf_counter()
    image = renderer(scene, options.width, options.height)
    height, width, _ = image.shape
    say(f"{width}×{height} by {renderer.name} in {time.perf_counter() - started:.2f} s", over)
    save_picture(out, image, scene, options)
    if spp:
        say(f"{out}: {renderer.name} alone, until {spp} paths a pixel are traced", over)
        with paths_bar(spp, width * height, out, over) as progress:
            image = renderer.refined([scene], image[None], spp, options.seed, progress)[0]
        save_picture(out, image, scene, options)
    return image


def say(line: str, over: tqdm | None) -> None:
    """Write a line to standard error, if one scene is rendered."""
    if over is None:
        print(line, file=sys.stderr)


def model_of(path: Path, options: RenderOptions) -> str:
    """By what a file's picture is made."""
    return options.model or (PATHS if is_particle_file(path) else NETWORK)


def paths_of(path: Path, options: RenderOptions) -> int:
    """Paths a pixel of a file's picture. Raises InputError for none without a network."""
    without_network = model_of(path, options) == PATHS
    if options.spp is not None:
        if without_network and options.spp == 0:
            raise InputError(f"{path}: --spp is 0, must be at least 1 by --model {PATHS}, as nothing else is there")
        return options.spp
    if without_network:
        return DENOISED_SPP
    return BLENDED_SPP if is_particle_file(path) else 0


def size_of(options: RenderOptions) -> tuple[int, int]:
    """Width and height of pictures that no network has a size for."""
    side = options.width or options.height or SIDE
    return options.width or side, options.height or side


def read_scene(path: Path, options: RenderOptions) -> Scene:
    """The scene of a file, or that of standard input. Raises InputError."""
    if path.is_dir():
        raise InputError(f"{path}: is a folder; for the scenes in it give {path / '*.json'}")
    if path != STDIN:
        return load_scene(path, options.figure, options.aspect)
    if options.figure != Figure():
        raise InputError("-: a scene from standard input has its own look and camera; leave the figure options out")
    return Scene.from_json(sys.stdin.buffer.read(MAX_BYTES), "standard input")


def save_picture(out: Path, image: Radiance, scene: Scene, options: RenderOptions) -> None:
    """Write the model's picture, with labels if they are asked for."""
    if not options.labels:
        save_image(out, image, options.tone_map, options.exposure)
        return
    height, width, _ = image.shape
    names = [
        Label(place.column, place.row, (f"{number} {scene.objects[number].shape}", str(number)))
        for place in object_places(scene, width, height)
        for number in [place.object_number]
    ]
    pixels, crowded = labelled(to_bytes(image, options.tone_map, options.exposure), names)
    save_pixels(out, pixels)
    if crowded:
        told = f"{out}: {crowded} of {len(names)} visible objects have no room for a label; a larger --width has"
        warnings.warn(told, InputWarning, stacklevel=2)


@contextmanager
def paths_bar(spp: int, pixels: int, out: Path, over: tqdm | None) -> Iterator[Progress]:
    """Within, a function of numbers of pixels whose paths are traced moves a bar: that of all scenes, if any."""
    if over is None:
        with tqdm(desc=f"path tracing, {spp} spp", total=pixels, unit="pixel", leave=False) as bar:
            yield bar.update
        return
    traced_pixels = 0

    def show(count: int) -> None:
        nonlocal traced_pixels
        traced_pixels += count
        over.set_postfix_str(f"{out.stem}: path tracing, {spp} spp, {traced_pixels / pixels:.0%}")

    yield show
    over.set_postfix_str("")


def side_by_side(path: Path, image: Radiance, truth: Traced, options: RenderOptions) -> SideBySide:
    """The model's picture beside the truth."""
    return SideBySide.of(
        name_of(path) if path == STDIN else str(path),
        truth.mean[0],
        {Path(model_of(path, options)).resolve().name: image},
        truth.spp,
        truth.variance[0],
        float(truth.variance_of_a_path[0]),
    )


def traced(options: RenderOptions, scene: Scene, width: int, height: int, progress: Progress) -> Traced:
    """The scene as the tracer that is asked for sees it; warns of what Mitsuba is known to get wrong."""
    tracer = GenerateSettings(tracer=options.tracer).make_tracer()
    if isinstance(tracer, MitsubaTracer):
        for line in known_wrong(scene):
            warnings.warn(line, InputWarning, stacklevel=2)
    assert options.truth is not None
    return tracer.trace([scene], width, height, options.truth, seed=0, progress=progress)
