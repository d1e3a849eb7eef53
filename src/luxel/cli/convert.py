"""`luxel convert`: scenes from and to the formats of other programs, and of points and particles."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import tyro

from luxel import InputError
from luxel.cli.options import parsed
from luxel.configuration import Configuration, Pixels

if TYPE_CHECKING:
    from luxel.scene.description import Scene
    from luxel.scene.figures.figure import Figure

GLTF, USD, OWN = (".glb", ".gltf"), (".usda", ".usdc", ".usd"), (".json", ".safetensors")
RENDERFORMER = ".renderformer.json"
SOURCES, TARGETS = (*OWN, *GLTF, *USD), (*OWN, *GLTF, *USD, ".xml", RENDERFORMER)


def convert(arguments: list[str]) -> int:
    """Convert a scene from or to glTF, USD, Mitsuba's XML, JSON, safetensors: luxel convert SCENE.json OUT.glb."""
    from luxel.cli.figure_words import check_figure_words
    from luxel.files.atomic import check_writable, make_folder_of
    from luxel.scene.figures.figure import Figure

    @dataclass(frozen=True)
    class Options(Configuration):
        source: tyro.conf.Positional[Path]
        """A scene: .json, .safetensors, .glb, .gltf, .usda, .usdc or .usd; or points or particles: .npy, .npz, .ply,
        .xyz, .pdb, .cif, .gsd, a LAMMPS dump."""
        out: tyro.conf.Positional[Path]
        """What to write, of the format that its ending says: those, .xml of Mitsuba, or .renderformer.json."""
        width: Pixels = 512
        """Of Mitsuba's pictures, which an .xml tells, and of those that points and particles are to fit into."""
        height: Pixels = 512
        figure: tyro.conf.OmitArgPrefixes[Figure] = Figure()
        """How points and particles are shown."""

    options = parsed(Options, "luxel convert", arguments)
    ending(options.out, TARGETS)
    check_writable(options.out, "scene.json")
    check_figure_words(options.source, options.figure, arguments)
    scene, left_out = read(options.source, options.figure, options.width / options.height)
    tell(options.source, left_out)
    make_folder_of(options.out)
    tell(options.out, write(scene, options.out, options.width, options.height))
    print(f"{options.out}: {len(scene.objects)} object{'s' if len(scene.objects) != 1 else ''}")
    return 0


def ending(path: Path, known: tuple[str, ...]) -> str:
    """The ending of a known format. Raises InputError."""
    suffix = RENDERFORMER if path.name.endswith(RENDERFORMER) else path.suffix.lower()
    if suffix not in known and suffix in TARGETS:
        raise InputError(f"{path}: {suffix} is written but not read; read are {', '.join(known)}")
    if suffix not in known:
        raise InputError(f"{path}: its ending says no format that is known here; known are {', '.join(known)}")
    return suffix


def tell(path: Path, lines: list[str]) -> None:
    """What is left out or changed, one line each."""
    for line in lines:
        print(f"{path}: {line}", file=sys.stderr)


def read(path: Path, figure: "Figure", aspect: float) -> "tuple[Scene, list[str]]":
    """The scene, and what of the file is left out. A figure fits into pictures of that width over height."""
    from luxel.files.typed_json import reading
    from luxel.scene.description import Scene
    from luxel.scene.figures.figure import load_scene
    from luxel.scene.figures.readers import READERS, is_particle_file

    if is_particle_file(path):
        return load_scene(path, figure, aspect), []
    suffix = ending(path, (*SOURCES, *READERS))
    if suffix in OWN:
        return Scene.load(path), []
    with reading(path, "name a scene"):
        path.open("rb").close()
    if suffix in GLTF:
        from luxel.scene.interchange.gltf_read import read_gltf

        return read_gltf(path)
    from luxel.scene.interchange.usd_read import read_usd

    return read_usd(path)


def write(scene: "Scene", path: Path, width: int, height: int) -> list[str]:
    """Write the scene; what the format has no words for."""
    from luxel.files.atomic import write_atomically

    suffix = ending(path, TARGETS)
    if suffix == RENDERFORMER:
        from luxel.scene.interchange.renderformer import write_renderformer

        return write_renderformer(scene, path)
    if suffix in OWN:
        scene.save(path)
        return []
    if suffix in GLTF:
        from luxel.scene.interchange.gltf_write import to_gltf

        content, notes = to_gltf(scene, binary=suffix == ".glb")
        write_atomically(path, content)
        return notes
    if suffix == ".xml":
        from luxel.trace.mitsuba_limits import known_wrong
        from luxel.trace.mitsuba_xml import write_xml

        write_xml(scene, path, width, height)
        return known_wrong(scene, "the file is written all the same")
    from luxel.scene.interchange.usd_write import write_usd

    return write_usd(scene, path)
