"""LAMMPS dump files in text: https://docs.lammps.org/dump.html, styles atom and custom."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float64

from luxel import InputError
from luxel.configuration import cut, shortened
from luxel.scene.figures.extra import optional_module
from luxel.scene.figures.particles import Cell, Particles, cell_of

DUMP_BEGINS = b"ITEM: TIMESTEP"
POSITIONS = (("x", "y", "z"), ("xu", "yu", "zu"), ("xs", "ys", "zs"), ("xsu", "ysu", "zsu"))
"""Columns of positions in the order in which they are looked for; those with s are in units of the box's vectors."""
QUATERNION = ("quatw", "quati", "quatj", "quatk")
DIAMETERS = ("shapex", "shapey", "shapez")


class Snapshot(NamedTuple):
    """A frame as it stands in the file."""

    bounds: list[str]
    """The header of the box, and its three lines."""
    columns: list[str]
    rows: list[str]
    first_line: int
    """The number, in the file, of the first row's line; 1 is that of the file's first."""


@dataclass(frozen=True)
class Table:
    """The columns of a frame, as text; its rows are in the order of their ids."""

    path: Path
    snapshot: Snapshot
    columns: dict[str, Any]

    @staticmethod
    def of(path: Path, snapshot: Snapshot) -> "Table":
        """Raises InputError for a row of too few or too many columns."""
        width = len(snapshot.columns)
        rows = [row.split() for row in snapshot.rows]
        for line, row in enumerate(rows, snapshot.first_line):
            if len(row) != width:
                expected = cut(", ".join(snapshot.columns))
                raise InputError(f"{path}: line {line} has {len(row)} columns, must have {width}: {expected}")
        columns = zip(*rows, strict=True) if rows else ((),) * width
        texts = (np.array(values, np.str_) for values in columns)
        table = Table(path, snapshot, dict(zip(snapshot.columns, texts, strict=True)))
        if not table.has("id"):
            return table
        order = table.numbers("id").argsort(kind="stable")
        return replace(table, columns={name: values[order] for name, values in table.columns.items()})

    def has(self, *names: str) -> bool:
        """Whether there are all these columns."""
        return set(names) <= set(self.columns)

    def numbers(self, name: str) -> Float64[np.ndarray, " atoms"]:
        """A column as numbers. Raises InputError, with the line, for one that holds others."""
        values = numbers_or_none(self.columns[name])
        if values is None:
            texts = [row.split()[self.snapshot.columns.index(name)] for row in self.snapshot.rows]  # as in the file
            line, wrong = next(
                (line, text)
                for line, text in enumerate(texts, self.snapshot.first_line)
                if numbers_or_none(np.array([text])) is None
            )
            raise InputError(f"{self.path}: line {line}: {name} is {shortened(wrong)}, must be a number")
        return values

    def stacked(self, *names: str) -> Float64[np.ndarray, "atoms columns"]:
        """Columns of numbers side by side."""
        return np.stack([self.numbers(name) for name in names], 1)


def read_dump(path: Path, frame: int) -> Particles:
    """A frame of a dump, in the order of its ids.

    Radii are of the columns radius or diameter; ellipsoids of shapex, shapey, shapez (diameters) and quatw, quati,
    quatj, quatk, as `compute property/atom` names them. Elements are in the column element; without it atoms have a
    type. Raises InputError.
    """
    return particles_of_snapshot(path, snapshot_of_frame(path, frame))


def particles_of_snapshot(path: Path, snapshot: Snapshot) -> Particles:
    """The particles of a frame as it stands in the file; see `read_dump`."""
    source, table = str(path), Table.of(path, snapshot)
    cell = cell_of_bounds(source, snapshot.bounds)
    names = next((each for each in POSITIONS if table.has(*each)), None)
    if names is None:
        there = cut(", ".join(table.columns))
        raise InputError(f"{path}: has no columns x, y and z, nor xu, xs or xsu …; it has {there}")
    positions = table.stacked(*names)
    if names[0].startswith("xs"):
        if cell is None:
            raise InputError(f"{path}: its columns {', '.join(names)} are in units of a box that it does not have")
        positions = cell.origin + positions @ cell.vectors
    radii = semi_axes = rotations = None
    if table.has(*DIAMETERS):
        semi_axes = table.stacked(*DIAMETERS) / 2
        rotations = table.stacked(*QUATERNION) if table.has(*QUATERNION) else None
    elif table.has("radius"):
        radii = table.numbers("radius")
    elif table.has("diameter"):
        radii = table.numbers("diameter") / 2
    atomic, kinds = elements_of(source, table.columns)
    others = {name: numbers_or_none(texts) for name, texts in table.columns.items() if name not in ("element", *names)}
    return Particles.of(
        source,
        positions,
        radii=radii,
        semi_axes=semi_axes,
        rotations=rotations,
        numbers=atomic,
        kinds=kinds,
        fields={name: values for name, values in others.items() if values is not None},
        cell=cell,
    )


def snapshot_of_frame(path: Path, frame: int) -> Snapshot:
    """The snapshot of this number; negative ones count from the end. The file is read a snapshot at a time."""
    total = sum(1 for _ in snapshots(path)) if frame < -1 else None
    number = frame if total is None else total + frame
    last, count = None, 0
    for count, snapshot in enumerate(snapshots(path), start=1):
        last = snapshot
        if number == count - 1:
            return snapshot
    if last is not None and frame == -1:
        return last
    raise InputError(
        f"{path}: frame is {frame}, must be in [{-count}, {count - 1}]" if count else f"{path}: has no frame"
    )


def snapshots(path: Path) -> Iterator[Snapshot]:
    """The frames of a file, one after the other. Raises InputError for what is none."""
    with path.open(encoding="utf-8", errors="replace") as file:
        count, bounds, lines = 0, [""], enumerate(file, 1)
        for number, line in lines:
            item = line.strip()
            if item == "ITEM: NUMBER OF ATOMS":
                count = atom_count(path, *next(lines, (number, "")))
            elif item.startswith("ITEM: BOX BOUNDS"):
                bounds = [item, *(bound for _, bound in islice(lines, 3))]
            elif item.startswith("ITEM: ATOMS"):
                rows = [row for _, row in islice(lines, min(count, sys.maxsize))]
                if len(rows) < count:
                    raise InputError(
                        f"{path}: ends after {len(rows)} of the {count} atoms of its last frame; delete that, from its "
                        "ITEM: TIMESTEP on, or give the number of one before it, from 0 on"
                    )
                yield Snapshot(bounds, item.split()[2:], rows, first_line=number + 1)
                bounds = [""]
            elif item.startswith("ITEM: "):
                next(lines, None)  # the time step, the time, the units: a line each
            elif item:
                raise InputError(f"{path}: line {number} is {shortened(item)}, where a dump has ITEM: …")


def atom_count(path: Path, line: int, text: str) -> int:
    """The number of atoms, in a line of this number. Raises InputError."""
    if not text.strip().isdecimal():
        wrong = shortened(text.strip())
        raise InputError(f"{path}: line {line}: the number of atoms is {wrong}, must be an integer of at least 0")
    return int(text)


def numbers_or_none(column: Any) -> Float64[np.ndarray, " atoms"] | None:
    """The column as numbers, or None if it has others."""
    try:
        return column.astype(np.float64)
    except ValueError:
        return None


def elements_of(source: str, table: dict[str, Any]) -> tuple[Any, Any]:
    """Atomic numbers, where all of the column element are symbols, and the names of kinds: elements, or types."""
    if "element" not in table:
        return None, table.get("type")
    known = optional_module("ase.data", source).atomic_numbers
    symbols = table["element"].tolist()
    atomic = [known[symbol] for symbol in symbols] if set(symbols) <= set(known) else None
    return atomic, table["element"]


def cell_of_bounds(source: str, bounds: list[str]) -> Cell | None:
    """The box of "ITEM: BOX BOUNDS", or None where there is none.

    Orthogonal, restricted triclinic, whose bounds are of a box about it, or general triclinic, "abc origin", of whose
    lines each has a vector and a coordinate of the origin: https://docs.lammps.org/Howto_triclinic.html.
    """
    header, *lines = bounds
    if not header:
        return None
    is_general = "abc" in header.split()
    try:
        rows = np.array([line.split() for line in lines], np.float64)
        if is_general:
            return cell_of(rows[:, 3], rows[:, :3])
        low, high, tilt = rows[:, 0], rows[:, 1], rows[:, 2] if rows.shape[1] > 2 else np.zeros(3)
    except (ValueError, IndexError):
        wanted = "four" if is_general else "two or three"
        raise InputError(f"{source}: its box is {shortened(lines)}, must be three lines of {wanted} numbers") from None
    xy, xz, yz = tilt
    low = low - [min(0, xy, xz, xy + xz), min(0, yz), 0]
    high = high - [max(0, xy, xz, xy + xz), max(0, yz), 0]
    x, y, z = high - low
    vectors = np.array([[x, 0, 0], [xy, y, 0], [xz, yz, z]])
    return cell_of(low, vectors)
