"""Files of points and particles: NumPy arrays, PLY, (ext)XYZ, PDB, CIF, GSD and LAMMPS dumps.

Every reader takes a path and a frame, and returns Particles or raises InputError.
"""

import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from luxel import InputError
from luxel.configuration import cut, printable
from luxel.scene.figures.extra import optional_module
from luxel.scene.figures.lammps import DUMP_BEGINS, particles_of_snapshot, read_dump, snapshots
from luxel.scene.figures.particles import Particles, cell_of
from luxel.scene.figures.pdb import PDB, pdb_frames
from luxel.scene.figures.text_mistakes import first_mistake
from luxel.scene.figures.typed_xyz import TYPE_NAMES, with_types

Reader: TypeAlias = Callable[[Path, int], Particles]
SH_C0 = 0.5 / np.sqrt(np.pi)
"""The spherical harmonic Y₀₀, by which 3D Gaussians' first colour coefficients are multiplied."""


def read_particles(path: Path, frame: int = -1) -> Particles:
    """The particles in a file, by its suffix; `frame` of a trajectory counts from the end if negative.

    Raises InputError that names the file and what is wrong with it, or the package that is missing.
    """
    with reading_particles(path):
        if frame not in (-1, 0) and not has_frames(path):
            raise InputError(
                f"{path}: --frame is {frame}, but the file holds one set of points and no frames; leave it out"
            )
        return reader_of(path)(path, frame)


def has_frames(path: Path) -> bool:
    """Whether a file of this format may hold several frames."""
    return path.suffix.lower() == ".gsd" or ase_format(path) is not None or reader_of(path) is read_dump


def read_trajectory(path: Path) -> Iterator[Particles]:
    """The particles of all frames in a file, one after the other; raises InputError as `read_particles` does."""
    with reading_particles(path):
        if path.suffix.lower() == ".gsd":
            yield from gsd_frames(path)
        elif (kind := ase_format(path)) is not None:
            read = optional_module("ase.io", str(path)).iread
            for atoms in pdb_frames(path) if kind == PDB else read(ase_source(path, kind), index=":", format=kind):
                yield particles_of_atoms(atoms, str(path))
        elif reader_of(path) is read_dump:
            yield from (particles_of_snapshot(path, snapshot) for snapshot in snapshots(path))
        else:
            yield reader_of(path)(path, -1)


@contextmanager
def reading_particles(path: Path) -> Iterator[None]:
    """Within, what a parser stumbles over becomes an InputError that names the file."""
    if path.is_dir():
        raise InputError(f"{path}: is a folder, must be a file")
    try:
        if path.stat().st_size == 0:
            raise InputError(f"{path}: is empty")
        yield
    except InputError:
        raise
    except Exception as error:  # parsers raise whatever they stumble over: KeyError, OSError, StopIteration
        if isinstance(error, OSError) and error.errno is not None:
            raise InputError(f"{path}: cannot be read: {error.strerror}") from error
        told = first_mistake(path) or cut(printable(str(error) or "it ends too early"), 300)
        raise InputError(
            f"{path}: is not as a {path.suffix} file must be: {told}; docs/particles.md says how they are"
        ) from error


def is_particle_file(path: Path) -> bool:
    """Whether the file's suffix is one of particles, or it begins as a LAMMPS dump does."""
    return path.suffix.lower() in READERS or begins_as_dump(path)


def begins_as_dump(path: Path) -> bool:
    """LAMMPS leaves naming to its users, who write dump.lj, dump.0 and so on."""
    try:
        with path.open("rb") as file:
            return file.read(len(DUMP_BEGINS)) == DUMP_BEGINS
    except OSError:
        return False


def reader_of(path: Path) -> Reader:
    """The reader of a file; see `is_particle_file`."""
    return READERS.get(path.suffix.lower(), read_dump)


def read_npy(path: Path, frame: int) -> Particles:
    """An array n × 3, or n × 6 with colours."""
    try:
        with path.open("rb") as file:
            array = np.load(file, allow_pickle=False)
    except (ValueError, EOFError):
        raise InputError(f"{path}: holds no array of numbers; np.save(path, positions) makes one") from None
    if not isinstance(array, np.ndarray):
        raise InputError(f"{path}: is an .npz in truth; rename it")
    return particles_of_columns(array, str(path))


def particles_of_columns(array: np.ndarray, source: str) -> Particles:
    """x y z, and if there are six columns red green blue."""
    if array.ndim != 2 or array.shape[1] not in (3, 6):
        shape = " × ".join(map(str, array.shape)) or "one number"
        raise InputError(f"{source}: has the shape {shape}, must be n × 3 (x y z) or n × 6 (x y z red green blue)")
    colors = np.asarray(array[:, 3:]) if array.shape[1] == 6 else None
    return Particles.of(source, np.asarray(array[:, :3]), colors=colors)


def read_npz(path: Path, frame: int) -> Particles:
    """Arrays positions, and if there are colors (or color), radii (radius), semi_axes, rotations; others are fields."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as content:
            arrays = {name: content[name] for name in content.files}
    except (ValueError, EOFError, zipfile.BadZipFile, AttributeError) as error:
        raise InputError(f"{path}: is no .npz of arrays of numbers: {error}") from None
    if "positions" not in arrays:
        names = cut(printable(", ".join(arrays)))
        raise InputError(f"{path}: has no array positions (n × 3); it has {names or 'none'}")
    known = {name: arrays.pop(name, None) for name in ("semi_axes", "rotations")} | radii_and_colors(arrays)
    positions = arrays.pop("positions")
    return Particles.of(
        str(path), positions, **known, fields=fields_in(arrays, len(positions) if positions.ndim else 0)
    )


def radii_and_colors(arrays: dict[str, Any]) -> dict[str, Any]:
    """Those of a file's arrays, taken out, by either of the names that they go by; None where there are none."""
    names = {"radii": ("radii", "radius"), "colors": ("colors", "color")}
    return {name: next((arrays.pop(each) for each in names[name] if each in arrays), None) for name in names}


def read_ply(path: Path, frame: int) -> Particles:
    """The vertices of a PLY (Turk, "The PLY polygon file format", 1994): see docs/particles.md for its properties.

    Semi-axes are scale_0 … 2 and rotations rot_0 … 3, (w, x, y, z). In a file of 3D Gaussians, which has opacities and
    f_dc_0 … 2, scales are logarithms and colours the first spherical harmonic's coefficients (Kerbl et al., "3D
    Gaussian splatting", 2023).
    """
    plyfile = optional_module("plyfile", str(path))
    file = plyfile.PlyData.read(str(path))
    if "vertex" not in [element.name for element in file.elements]:
        raise InputError(f"{path}: has no element vertex, which holds the points")
    data = file["vertex"].data
    columns = {name: np.asarray(data[name]) for name in data.dtype.names if data[name].dtype.kind in "fiu"}

    def together(*names: str) -> Any:
        if not all(name in columns for name in names):
            return None
        return np.stack([columns.pop(name) for name in names], 1)

    positions = together("x", "y", "z")
    if positions is None:
        raise InputError(f"{path}: its vertices have no x, y and z; they have {cut(', '.join(data.dtype.names))}")
    semi_axes, rotations = together(*(f"scale_{i}" for i in range(3))), together(*(f"rot_{i}" for i in range(4)))
    channels = (("red", "green", "blue"), ("r", "g", "b"), ("diffuse_red", "diffuse_green", "diffuse_blue"))
    colors = next((found for names in channels if (found := together(*names)) is not None), None)
    harmonics = together(*(f"f_dc_{i}" for i in range(3)))
    if harmonics is not None:
        colors = (0.5 + SH_C0 * harmonics).clip(0, 1) if colors is None else colors
        semi_axes = None if semi_axes is None else np.exp(semi_axes.astype(np.float64))
    return Particles.of(
        str(path),
        positions,
        radii=columns.pop("radius", None) if semi_axes is None else None,
        semi_axes=semi_axes,
        rotations=rotations if semi_axes is not None else None,
        colors=colors,
        fields=fields_in(columns, len(positions)),
    )


def read_xyz(path: Path, frame: int) -> Particles:
    """An (extended) XYZ file, which begins with the number of atoms; or columns of numbers, as scanners write them.

    Lines of columns that begin with # or //, as CloudCompare's header does, are comments.
    """
    if ase_format(path) is not None:
        return read_by_ase("extxyz")(path, frame)
    try:
        columns = np.loadtxt(path, ndmin=2, comments=("#", "//"), encoding="utf-8")
    except ValueError as error:
        raise InputError(
            f"{path}: must begin with a line of the number of atoms alone, or have lines of x y z; "
            f"{first_mistake(path) or error}"
        ) from None
    return particles_of_columns(columns, str(path))


def ase_format(path: Path) -> str | None:
    """What ASE calls the file's format; None for one that it does not read here."""
    if path.suffix.lower() == ".xyz":
        with path.open(encoding="utf-8") as file:
            line = file.readline()
        if line.startswith("\ufeff"):
            raise InputError(f"{path}: begins with a byte order mark; save it as UTF-8 without one")
        return "extxyz" if line.strip().isdecimal() else None
    return ASE_FORMATS.get(path.suffix.lower())


def read_by_ase(kind: str) -> Reader:
    """The reader of a format that ASE knows by this name."""

    def read(path: Path, frame: int) -> Particles:
        io = optional_module("ase.io", str(path))
        try:
            if kind == PDB:
                atoms = pdb_frames(path)[frame]
            elif frame < -1:  # ASE takes one from before the first frame for another
                atoms = io.read(ase_source(path, kind), index=":", format=kind)[frame]
            else:
                atoms = io.read(ase_source(path, kind), index=frame, format=kind)
        except KeyError as error:  # of the symbol, which ASE looks up, or a sentence about it
            symbol = str(error.args[0]).removeprefix("Could not parse species from label ").rstrip(".")
            raise InputError(
                f"{path}: {symbol!r} is no element; name elements, or give types in a .gsd, a dump or, from its first "
                "frame on, an .xyz"
            ) from None
        except (StopIteration, IndexError):
            if kind == "cif" and b"_atom_site." in path.read_bytes():
                raise InputError(f"{path}: is mmCIF, must be a CIF; give the .pdb of the molecule") from None
            raise InputError(f"{path}: has no atoms of frame {frame}; -1 is the last, 0 the first") from None
        return particles_of_atoms(atoms, str(path))

    return read


def ase_source(path: Path, kind: str) -> str | StringIO:
    """What ASE is to read: the file, or its text with names of types where `with_types` has them."""
    return (with_types(path) if kind == "extxyz" else None) or str(path)


def particles_of_atoms(atoms: Any, source: str) -> Particles:
    """What ase.Atoms hold: elements, positions in Å, the cell; of its arrays radius or radii, and color or colors.

    Where they have TYPE_NAMES these are no atoms, but particles of such types.
    """
    arrays = {**getattr(atoms.calc, "results", {}), **atoms.arrays}
    numbers, positions, types = arrays.pop("numbers"), arrays.pop("positions"), arrays.pop(TYPE_NAMES, None)
    vectors = np.array(atoms.cell[:], np.float64)
    return Particles.of(
        source,
        positions,
        **radii_and_colors(arrays),
        numbers=numbers if types is None else None,
        kinds=atoms.get_chemical_symbols() if types is None else types,
        fields=fields_in(arrays, len(positions)),
        cell=cell_of(np.zeros(3), vectors),
    )


def read_gsd(path: Path, frame: int) -> Particles:
    """A frame of a GSD file by HOOMD-blue's schema: positions, diameters, types with their shapes, orientations, bonds.

    Of the shapes (https://gsd.readthedocs.io/en/stable/shapes.html) spheres and ellipsoids are drawn; what has another
    shape is a sphere of its diameter.
    """
    hoomd = optional_module("gsd.hoomd", str(path))
    with hoomd.open(str(path), "r") as file:
        if len(file) == 0:
            raise InputError(f"{path}: has no frame")
        if not -len(file) <= frame < len(file):
            raise InputError(f"{path}: frame is {frame}, must be in [{-len(file)}, {len(file) - 1}]")
        return particles_of_gsd(path, file[frame])


def gsd_frames(path: Path) -> Iterator[Particles]:
    """All frames of a GSD file."""
    with optional_module("gsd.hoomd", str(path)).open(str(path), "r") as file:
        yield from (particles_of_gsd(path, snapshot) for snapshot in file)


def particles_of_gsd(path: Path, snapshot: Any) -> Particles:
    """The particles of a gsd.hoomd.Frame; see `read_gsd`."""
    particles, (*lengths, xy, xz, yz) = snapshot.particles, np.asarray(snapshot.configuration.box, np.float64)
    x, y, z = lengths
    vectors = np.array([[x, 0, 0], [xy * y, y, 0], [xz * z, yz * z, z]])
    half = np.asarray(particles.diameter, np.float64) / 2
    semi_axes = np.repeat(half[:, None], 3, 1)
    is_ellipsoid = False
    for number, shape in enumerate(particles.type_shapes or ()):
        of_type = np.asarray(particles.typeid) == number
        if shape.get("type") == "Ellipsoid":
            semi_axes[of_type] = shape["a"], shape["b"], shape["c"]
            is_ellipsoid = True
        elif shape.get("type") == "Sphere":
            semi_axes[of_type] = shape["diameter"] / 2
    numbers = {name: getattr(particles, name) for name in ("mass", "charge", "typeid", "body", "velocity")}
    return Particles.of(
        str(path),
        particles.position,
        radii=None if is_ellipsoid else semi_axes[:, 0],
        semi_axes=semi_axes if is_ellipsoid else None,
        rotations=particles.orientation if is_ellipsoid else None,
        kinds=np.array(particles.types)[particles.typeid],
        fields=fields_in(numbers, len(particles.position)),
        cell=cell_of(-vectors.sum(0) / 2, vectors),
        bonds=snapshot.bonds.group if snapshot.bonds.N else None,
    )


def fields_in(arrays: Mapping[str, Any], count: int) -> dict[str, Any]:
    """Those of the arrays that are one number a particle; of vectors the length, by its name, and NAME_x, _y and _z."""
    found = {}
    for name, values in arrays.items():
        each = np.asarray(values)
        if each.dtype.kind in "fiub" and each.shape == (count,):
            found[name] = each
        elif each.dtype.kind in "fiub" and each.shape == (count, 3):
            found[name] = np.linalg.norm(each, axis=1)
            found |= {f"{name}_{axis}": column for axis, column in zip("xyz", each.T, strict=True)}
    return found


ASE_FORMATS = {".extxyz": "extxyz", ".pdb": PDB, ".cif": "cif"}
READERS: dict[str, Reader] = {
    ".npy": read_npy,
    ".npz": read_npz,
    ".ply": read_ply,
    ".xyz": read_xyz,
    **{suffix: read_by_ase(kind) for suffix, kind in ASE_FORMATS.items()},
    ".gsd": read_gsd,
    ".dump": read_dump,
    ".lammpstrj": read_dump,
}
