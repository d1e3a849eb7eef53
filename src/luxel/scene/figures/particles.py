"""Particles as files and callers give them: arrays, checked once, where they come in.

Legend: particles; lengths are in the file's unit, z is up, colours are sRGB in [0, 1] as figures and files have them.
"""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
from jaxtyping import Bool, Float64, Int64, Shaped

from luxel import InputError, InputWarning
from luxel.configuration import cut, did_you_mean, printable, shortened
from luxel.scene.placing import product

MAX_COORDINATE = 1e30  # of a coordinate, whose square is still far from float64's end
Up: TypeAlias = Literal["x", "y", "z"]


class Cell(NamedTuple):
    """A periodic box: the parallelepiped of `vectors` (rows) from the corner `origin`."""

    origin: Float64[np.ndarray, "3"]
    vectors: Float64[np.ndarray, "3 3"]


@dataclass(frozen=True)
class Particles:
    """Spheres where `radii` are given, ellipsoids where `semi_axes` are, and points where neither is."""

    source: str
    """The file, or what a caller gave; messages begin with it."""
    positions: Float64[np.ndarray, "particles 3"]
    radii: Float64[np.ndarray, " particles"] | None = None
    semi_axes: Float64[np.ndarray, "particles 3"] | None = None
    rotations: Float64[np.ndarray, "particles 4"] | None = None
    """Of the semi-axes: unit quaternions (w, x, y, z)."""
    colors: Float64[np.ndarray, "particles 3"] | None = None
    numbers: Int64[np.ndarray, " particles"] | None = None
    """Atomic numbers, where the particles are atoms; lengths are then in Å."""
    kinds: Shaped[np.ndarray, " particles"] | None = None
    """Element symbols or names of types, as text."""
    fields: Mapping[str, Float64[np.ndarray, " particles"]] = field(default_factory=dict)
    """Further numbers, by their names in the file."""
    cell: Cell | None = None
    bonds: Int64[np.ndarray, "bonds 2"] | None = None
    """Rows of particles that the file joins."""

    @staticmethod
    def of(
        source: str,
        positions: Any,
        *,
        radii: Any = None,
        semi_axes: Any = None,
        rotations: Any = None,
        colors: Any = None,
        numbers: Any = None,
        kinds: Any = None,
        fields: Mapping[str, Any] | None = None,
        cell: Cell | None = None,
        bonds: Any = None,
    ) -> "Particles":
        """The particles of what can be made arrays of numbers: `positions` [n, 3] and the others of n rows.

        `bonds` [any, 2] are rows of particles. One radius, triple or colour holds for all; colours are as `srgb_of`
        takes them. Points without a place, all of whose coordinates are NaN, are left out with an InputWarning, but
        for atoms. Raises InputError, naming the source, the field, the first particle that is wrong, its value, and
        what would be right.
        """
        places = array_of(source, "positions", positions, (None, 3))
        count, is_placed = len(places), placed_rows(source, places, are_atoms=numbers is not None)
        particles = Particles(
            source,
            places,
            radii=None if radii is None else lengths_of(source, "radii", radii, (count,), is_placed),
            semi_axes=None if semi_axes is None else lengths_of(source, "semi_axes", semi_axes, (count, 3), is_placed),
            rotations=None if rotations is None else quaternions_of(source, rotations, is_placed),
            colors=None if colors is None else srgb_of(source, colors, is_placed),
            numbers=None if numbers is None else np.asarray(numbers, np.int64),
            kinds=None if kinds is None else np.asarray(kinds, np.str_),
            fields={name: array_of(source, name, values, (count,)) for name, values in (fields or {}).items()},
            cell=cell,
            bonds=None if bonds is None else pairs_of(source, bonds, count),
        )
        if is_placed.all():
            return particles
        warnings.warn(
            f"{source}: {count - int(is_placed.sum())} of {count} points are [nan, nan, nan], as organised scans have "
            "them where nothing was hit, and are left out",
            InputWarning,
            stacklevel=2,
        )
        return particles._rows(np.flatnonzero(is_placed))

    def __len__(self) -> int:
        return len(self.positions)

    def selected(self, selection: str) -> "Particles":
        """Those that `selection` names: a slice by index, "100:200" or "::10", or "element O,H" or "type 2".

        Raises InputError for what is neither, for a kind that there is not, and if none is left.
        """
        rows = rows_of_slice(selection, len(self)) if ":" in selection else self._rows_of_kind(selection)
        if len(rows) == 0:
            raise InputError(f"{self.source}: select is {shortened(selection)}, which none of {len(self)} particles is")
        return self._rows(rows)

    def _rows_of_kind(self, selection: str) -> Int64[np.ndarray, " some"]:
        word, _, names = selection.strip().partition(" ")
        if word not in ("element", "type") or not names.strip():
            raise InputError(
                f"select is {shortened(selection)}, must be a slice such as 0:100 or ::10, or a kind such as "
                '"element O" or "type 1,2"'
            )
        kinds = self.kinds
        if word == "type" and self.numbers is not None and "type" in self.fields:  # beside elements, in dumps
            kinds = np.array([f"{number:g}" for number in self.fields["type"]])
        if kinds is None:
            raise InputError(f"{self.source}: select is {shortened(selection)}, but its particles have no {word}")
        known = sorted(set(kinds.tolist()))
        wanted = [name.strip() for name in names.split(",")]
        for name in wanted:
            if name not in known:
                there = cut(", ".join(known))
                raise InputError(
                    f"{self.source}: select is {shortened(selection)}, but there is no {word} {shortened(name)}; "
                    f"there are {printable(there)}"
                )
        return np.flatnonzero(np.isin(kinds, wanted))

    def with_up(self, up: Up) -> "Particles":
        """These turned so that the axis `up` becomes z: the axes change places in turn, and handedness stays."""
        if up == "z":
            return self
        shift = {"y": 1, "x": 2}[up]  # (x, y, z) becomes (z, x, y), or (y, z, x): a third of a turn about (1, 1, 1)
        half = 0.5 if up == "y" else -0.5
        rotations = self.rotations
        if self.semi_axes is not None:
            turn = (0.5, half, half, half)
            own = np.array([1.0, 0.0, 0.0, 0.0]) if rotations is None else rotations.T
            rotations = np.broadcast_to(np.stack(product(turn, own), -1), (len(self), 4))
        cell = self.cell and Cell(*(np.roll(values, shift, -1) for values in self.cell))
        return replace(self, positions=np.roll(self.positions, shift, 1), rotations=rotations, cell=cell)

    def _rows(self, rows: Int64[np.ndarray, " some"]) -> "Particles":
        """These particles, and the bonds between them."""
        arrays = {
            each.name: getattr(self, each.name)[rows]
            for each in fields(self)
            if each.name not in ("source", "fields", "cell", "bonds") and getattr(self, each.name) is not None
        }
        bonds = self.bonds
        if bonds is not None:
            place = np.full(len(self), -1)
            place[rows] = np.arange(len(rows))
            bonds = place[bonds]
            bonds = bonds[(bonds >= 0).all(1)]
        return replace(self, **arrays, fields={name: values[rows] for name, values in self.fields.items()}, bonds=bonds)


def cell_of(origin: Float64[np.ndarray, "3"], vectors: Float64[np.ndarray, "3 3"]) -> Cell | None:
    """The box, if it is one: its vectors are finite and span a volume."""
    is_box = bool(np.isfinite(vectors).all() and np.isfinite(origin).all()) and abs(np.linalg.det(vectors)) > 0
    return Cell(np.asarray(origin, np.float64), np.asarray(vectors, np.float64)) if is_box else None


def rows_of_slice(text: str, count: int) -> Int64[np.ndarray, " some"]:
    """The rows of "start:stop:step", each of which may be left out. Raises InputError for what is no slice."""
    try:
        return np.arange(count)[slice(*(int(part) if part.strip() else None for part in text.split(":")))]
    except (ValueError, TypeError, OverflowError):  # no integers; more than three of them; a step of 0
        raise InputError(f"select is {shortened(text)}, must be a slice of indices such as 0:100 or ::10") from None


def array_of(source: str, name: str, values: Any, shape: tuple[int | None, ...]) -> Float64[np.ndarray, "*shape"]:
    """The values as finite float64 of this shape, None of which is any number; one row stands for all.

    Raises InputError.
    """
    try:
        array = np.asarray(values)
    except Exception as error:  # whatever stands behind __array__
        raise InputError(f"{source}: {name} is {shortened(values)}, must be an array: {error}") from None
    if array.dtype.kind not in "fiub":
        raise InputError(f"{source}: {name} holds {array.dtype}, must hold numbers")
    if len(shape) > array.ndim and shape[0] is not None and array.shape == shape[1:]:
        array = np.broadcast_to(array, (shape[0], *array.shape))
    fits = len(array.shape) == len(shape) and all(b in (None, a) for a, b in zip(array.shape, shape, strict=True))
    if not fits:
        wanted = " × ".join("n" if side is None else str(side) for side in shape)
        found = " × ".join(map(str, array.shape)) or "one number"
        raise InputError(f"{source}: {name} has the shape {found}, must be {wanted}")
    return array.astype(np.float64)


def placed_rows(
    source: str, positions: Float64[np.ndarray, "particles 3"], are_atoms: bool
) -> Bool[np.ndarray, " particles"]:
    """Which points have a place: those whose coordinates are not all NaN, as no atom's may be.

    Raises InputError if none has one, and for coordinates out of range.
    """
    if not len(positions):
        raise InputError(f"{source}: positions has no points, must have at least one")
    is_placed = ~np.isnan(positions).all(1) | are_atoms
    if not is_placed.any():
        raise InputError(f"{source}: positions has no points but [nan, nan, nan], must have at least one")
    good = (np.abs(positions) <= MAX_COORDINATE).all(1)
    check_rows(source, "positions", positions, good | ~is_placed, f"finite and within ±{MAX_COORDINATE:g}")
    return is_placed


def lengths_of(
    source: str, name: str, values: Any, shape: tuple[int, ...], is_placed: Bool[np.ndarray, " particles"]
) -> Float64[np.ndarray, "*shape"]:
    """Radii or semi-axes, each in (0, MAX_COORDINATE] where a particle is placed. Raises InputError."""
    array = array_of(source, name, values, shape)
    good = ((array > 0) & (array <= MAX_COORDINATE)).reshape(len(array), -1).all(1)
    check_rows(source, name, array, good | ~is_placed, f"in (0, {MAX_COORDINATE:g}]")
    return array


def quaternions_of(
    source: str, rotations: Any, is_placed: Bool[np.ndarray, " particles"]
) -> Float64[np.ndarray, "particles 4"]:
    """Unit quaternions (w, x, y, z). Raises InputError for a length of 0 where a particle is placed."""
    array = array_of(source, "rotations", rotations, (len(is_placed), 4))
    norm = np.linalg.norm(array, axis=1, keepdims=True)
    good = (np.isfinite(norm) & (norm > 1e-6))[:, 0]
    check_rows(source, "rotations", array, good | ~is_placed, "a quaternion (w, x, y, z) other than zero")
    unit: Float64[np.ndarray, "particles 4"] = array / np.where(good[:, None], norm, 1.0)
    return unit


def pairs_of(source: str, pairs: Any, count: int) -> Int64[np.ndarray, "pairs 2"]:
    """Pairs of rows, each in [0, count). Raises InputError."""
    array = array_of(source, "bonds", pairs, (None, 2))
    check_rows(source, "bonds", array, (array >= 0) & (array < count), f"two of the {count} particles, from 0 on")
    return array.astype(np.int64)


def check_rows(
    source: str, name: str, array: Float64[np.ndarray, "*shape"], good: Shaped[np.ndarray, "*any"], wanted: str
) -> None:
    """Raise InputError with the first row for which not all of `good` is true, as NaN never is."""
    wrong = np.flatnonzero(~good.reshape(len(array), -1).all(1))
    if len(wrong):
        more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
        value = array[wrong[0]].tolist()
        raise InputError(f"{source}: {name}[{wrong[0]}] is {shortened(value)}, must be {wanted}{more}")


def srgb_of(source: str, colors: Any, is_placed: Bool[np.ndarray, " particles"]) -> Float64[np.ndarray, "particles 3"]:
    """Colours as sRGB in [0, 1], from n × 3, or n × 4 whose alpha is dropped, or one for all.

    Bytes, and numbers any of which is above 1, are of 255. Particles without a place may have any.
    """
    raw, count = np.asarray(colors), len(is_placed)
    if raw.ndim and raw.shape[-1] == 4 and raw.shape[:-1] in ((), (count,)):
        raw = raw[..., :3]
    array = array_of(source, "colors", raw, (count, 3))
    of_255 = raw.dtype == np.uint8 or bool((array[is_placed] > 1).any())
    good = ((array >= 0) & (array <= 255)).all(1)
    check_rows(source, "colors", array, good | ~is_placed, "in [0, 1], or in [0, 255]")
    return array / 255 if of_255 else array


def unknown_name(name: str, value: str, known: list[str]) -> InputError:
    """What is said of a name that is none of those known."""
    guess = did_you_mean(value, known)
    return InputError(f"{name} is {shortened(value)}, must be one of {printable(cut(', '.join(known), 300))}{guess}")
