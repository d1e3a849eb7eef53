"""What `luxel render` is asked for, and for each file where its picture goes, by what model, of how many paths."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import tyro
from pydantic import Field

from luxel import InputError
from luxel.configuration import Configuration, PathCount, PathDepth, Pixels, Seed
from luxel.data.generate_settings import TracerName
from luxel.denoised import DEFAULT_SPP
from luxel.files.atomic import check_folder, check_writable
from luxel.image.formats import ENCODERS, LINEAR, SUFFIXES, Stops, check_image_file, is_display
from luxel.scene.figures.figure import Figure
from luxel.scene.figures.looks import LOOKS, View
from luxel.scene.figures.readers import is_particle_file
from luxel.trace.path import PathTracer
from luxel.transparent import check_alpha_file

STDIN = Path("-")
SIDE = 512
"""Pixels of a picture without a network, unless given."""
NETWORK, PATHS = "ray-small", "paths"
"""What --model is unless given: of scenes, and of points and particles; the latter is no network."""
BLENDED_SPP = 4
"""Paths a pixel of points and particles by a network, unless given."""
HIDING_LOOKS = {name for name, look in LOOKS.items() if look.ground is not None and name != "paper"}
"""Looks whose ground is all that would be seen behind particles."""
ImageFormat: TypeAlias = Literal["png", "jpg", "webp", "exr"]


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
    given; 4 of points and particles by a network; 37 on average by --model paths, which has nothing else."""
    seed: Seed = 0
    """Of those paths."""
    max_depth: PathDepth = PathTracer.max_depth
    """Of those paths, and of --truth's: segments from the camera to the light. What is behind several panes, in water
    or between mirrors needs more than 6, which the models have learned; 32 takes hardly longer (docs/blending.md)."""
    tone_map: str = "clamp"
    """Of all but an .exr: clamp or reinhard."""
    exposure: Stops = 0.0
    """Stops by which all but an .exr is brighter: 1 doubles radiance before the tone map, -1 halves it."""
    transparent: bool = False
    """Leave the background out: a .png, .webp or .exr with alpha, the share of a pixel that objects cover. Of
    --look paper the ground leaves its shadows."""
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


def outputs(options: RenderOptions) -> list[Path]:
    """The file of each scene's picture. Raises InputError where two would be one, or none can be."""
    if not options.scenes:
        raise InputError("no scenes: give one file or more, or - for standard input")
    out, several = options.out, len(options.scenes) > 1
    is_image = out is not None and (is_display(out) or out.suffix.lower() == LINEAR)
    if out == STDIN:
        raise InputError("--out is -, but no picture goes to standard output; name a file, or a folder")
    if out is not None and out.name.lower() in (*ENCODERS, LINEAR) and not out.is_dir():
        example = out.with_name(f"picture{out.name}")
        raise InputError(f"--out is {out}, an ending without a name; name a file, such as {example}")
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
        check_writable(file)
        if file in first:
            if path == first[file]:
                raise InputError(f"{path}: is given twice; give it once")
            raise InputError(f"{path}: its picture would be {file}, as that of {first[file]} is; render it by itself")
        first[file] = path
    return found


def check_format(out: Path, asked: ImageFormat | None) -> None:
    """Raise InputError for a format that a file's name contradicts."""
    if asked is not None and out.suffix.lower().replace("jpeg", "jpg") != f".{asked}":
        raise InputError(f"--format is {asked}, but --out is {out}; leave one of them out")


def check_together(options: RenderOptions, outs: Sequence[Path]) -> None:
    """Raise InputError for options that are of no use beside the others."""
    if not all(map(is_display, outs)):
        for name, given in (("tone-map", options.tone_map != "clamp"), ("labels", options.labels)):
            if given:
                raise InputError(f"--{name} is of tone-mapped pictures, but {outs[0]} holds radiance; leave it out")
    if options.transparent:
        check_transparent(options, outs)
    if options.labels and options.truth is not None:
        raise InputError("--labels and --truth don't go together, as its pictures have captions; leave one of them out")
    has_paths = any(paths_of(path, options) for path in options.scenes)
    if options.seed and not has_paths:
        raise InputError(f"--seed is {options.seed}, which is of --spp's paths, but there are none; give --spp, too")
    if options.max_depth != PathTracer.max_depth and not has_paths and options.truth is None:
        raise InputError(
            f"--max-depth is {options.max_depth}, which is of --spp's and --truth's paths, but there are none; give "
            "either, too"
        )
    if options.tracer != "path" and options.truth is None:
        raise InputError(f"--tracer is {options.tracer}, which traces --truth, but there is none; give --truth, too")


def check_transparent(options: RenderOptions, outs: Sequence[Path]) -> None:
    """Raise InputError for what a picture without a background cannot be, or has nothing of."""
    for out in outs:
        check_alpha_file(out)
    for name, given in (("labels", options.labels), ("truth", options.truth is not None)):
        if given:
            raise InputError(f"--transparent and --{name} don't go together, as it has a background; leave one out")
    look = options.figure.look
    has_ground = options.figure.ground and View.of(options.figure.view).elevation >= 0
    if any(map(is_particle_file, options.scenes)) and look in HIDING_LOOKS and has_ground:
        raise InputError(
            f"--transparent and --look {look}: its ground would hide what is behind; give --no-ground, too, or paper"
        )


def name_of(path: Path) -> str:
    """What a scene's picture is called after it."""
    return "stdin" if path == STDIN else path.stem or "scene"


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
        return DEFAULT_SPP
    return BLENDED_SPP if is_particle_file(path) else 0


def size_of(options: RenderOptions) -> tuple[int, int]:
    """Width and height of pictures that no network has a size for."""
    side = options.width or options.height or SIDE
    return options.width or side, options.height or side
