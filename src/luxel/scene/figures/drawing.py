"""What of particles is drawn: balls with colours, bonds and the edges of the box, in arrays.

Legend: balls; rods, which are cylinders; lengths in the particles' unit, colours in sRGB.
"""

from dataclasses import dataclass, replace
from itertools import product
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64

from luxel import InputError
from luxel.scene.figures.extra import optional_module
from luxel.scene.figures.particles import Cell, Particles, check_rows, unknown_name

RADIUS_OF_SPACING = 0.5
"""Radius of points over the spacing between them: neighbours just touch."""
BOND_TOLERANCE = 0.45
"""Å beyond the sum of two covalent radii up to which atoms are bonded (O'Boyle et al., "Open Babel", J. Cheminf. 3:33,
2011, after Meng and Lewis, J. Comput. Chem. 12:891, 1991)."""
BALL_AND_STICK = 0.4
"""Radius of an atom that is drawn with bonds, over its covalent radius, so that the bonds are seen."""
BOND_RADIUS = 0.1
"""Å; less than the ball of hydrogen, 0.4 · 0.31."""
BOND_OF_BALL = 1 / 3
"""Radius of a bond that a file gives over the smaller ball's, as a bond's over that of carbon, 0.1 / (0.4 · 0.76)."""
BOX_RADIUS = 0.002
"""Radius of a box's edges over its diagonal."""
DEFAULT_MAP = "viridis"
PLAIN = (0.36, 0.56, 0.82)
"""sRGB of particles that nothing gives a colour: a light blue."""
BOX_COLOR = (0.45, 0.45, 0.45)
HASH_FACTORS = 2 * np.random.default_rng(0).integers(1 << 63, size=10, dtype=np.uint64) + np.uint64(1)
"""Random odd numbers for the columns of balls: positions, semi-axes and rotations."""
CATEGORIES = (
    (0, 114, 178),
    (230, 159, 0),
    (0, 158, 115),
    (204, 121, 167),
    (86, 180, 233),
    (213, 94, 0),
    (240, 228, 66),
)
"""sRGB, of 255, of kinds in turn; all can tell them apart (Okabe and Ito, "Color universal design", 2008)."""


class Rods(NamedTuple):
    """Cylinders from `starts` to `ends`."""

    starts: Float64[np.ndarray, "rods 3"]
    ends: Float64[np.ndarray, "rods 3"]
    radii: Float64[np.ndarray, " rods"]
    colors: Float64[np.ndarray, "rods 3"]


NO_RODS = Rods(np.empty((0, 3)), np.empty((0, 3)), np.empty(0), np.empty((0, 3)))


@dataclass(frozen=True)
class Drawing:
    """Ellipsoids, of which spheres have three equal semi-axes, and rods."""

    source: str
    positions: Float64[np.ndarray, "balls 3"]
    semi_axes: Float64[np.ndarray, "balls 3"]
    rotations: Float64[np.ndarray, "balls 4"] | None
    """Unit quaternions (w, x, y, z); None if all are spheres, or none is turned."""
    colors: Float64[np.ndarray, "balls 3"]
    rods: Rods = NO_RODS

    def moved(self, offset: Float64[np.ndarray, "3"], factor: float) -> "Drawing":
        """This moved by `offset`, and then scaled by `factor` about the origin."""
        starts, ends, radii, colors = self.rods
        return replace(
            self,
            positions=(self.positions + offset) * factor,
            semi_axes=self.semi_axes * factor,
            rods=Rods((starts + offset) * factor, (ends + offset) * factor, radii * factor, colors),
        )

    def without_copies(self) -> "Drawing":
        """The first of balls, and of rods, that are the same in all but their colour.

        Clouds that are sampled with replacement have points twice. Of two surfaces at one place rounding settles which
        a ray that leaves meets: a white ball that is there twice is 12 % darker.
        """
        turns = () if self.rotations is None else (self.rotations,)
        balls = first_of_each(self.positions, self.semi_axes, *turns)
        rods = first_of_each(self.rods.starts, self.rods.ends, self.rods.radii[:, None])
        return replace(
            self,
            positions=self.positions[balls],
            semi_axes=self.semi_axes[balls],
            rotations=None if self.rotations is None else self.rotations[balls],
            colors=self.colors[balls],
            rods=Rods(*(values[rods] for values in self.rods)),
        )


def drawing_of(
    particles: Particles,
    *,
    radius: float | None = None,
    radius_scale: float = 1.0,
    color_by: str | None = None,
    color_map: str = DEFAULT_MAP,
    color_range: tuple[float, float] | None = None,
    bonds: bool = False,
    box: bool = True,
) -> Drawing:
    """The particles as they are drawn.

    Balls have `radius`, else their own semi-axes or radii, else their elements' covalent radii, else half the points'
    `spacing`; times `radius_scale`, and where bonds are drawn times BALL_AND_STICK, but for `radius`, and for own ones
    of atoms whose bonds the file does not give. Colours are those of `color_by`, which is "kind" or a field as
    `field_of` knows them, else the particles' own, else their kinds', else PLAIN. Raises InputError for bonds of what
    are no atoms, and for a field, a colour map or a range that there is not.
    """
    colors = colors_of(particles, color_by, color_map, color_range)
    own = particles.semi_axes if radius is None else None
    if own is None:
        own = np.repeat(radii_of(particles, radius)[:, None], 3, 1)
    has_size = particles.radii is not None or particles.semi_axes is not None
    hides_bonds = radius is None and (particles.bonds is not None or not has_size)
    semi_axes = own * radius_scale * (BALL_AND_STICK if bonds and hides_bonds else 1.0)
    rods = [NO_RODS]
    if bonds and particles.bonds is not None:
        rods.append(given_bond_rods(particles, particles.bonds, semi_axes.min(1), colors))
    elif bonds:
        rods.append(bond_rods(particles, colors))
    if box and particles.cell is not None:
        rods.append(box_rods(particles.cell))
    return Drawing(
        source=particles.source,
        positions=particles.positions,
        semi_axes=semi_axes,
        rotations=particles.rotations if radius is None else None,
        colors=colors,
        rods=Rods(*map(np.concatenate, zip(*rods, strict=True))),
    )


def first_of_each(*columns: Float64[np.ndarray, "rows _"]) -> Int64[np.ndarray, " some"]:
    """The first row of every set of equal ones, ascending."""
    rows = np.concatenate(columns, 1) + 0.0  # of −0 and 0, which are equal, bits differ
    bits = rows.view(np.uint64)
    # Sorting rows takes seven times as long as sorting one number of each, which few share that are not the same.
    hashes = ((bits ^ (bits >> np.uint64(32))) * HASH_FACTORS[: rows.shape[1]]).sum(1)
    _, which, counts = np.unique(hashes, return_inverse=True, return_counts=True)
    alone, others = np.flatnonzero(counts[which] == 1), np.flatnonzero(counts[which] > 1)
    _, first = np.unique(rows[others], axis=0, return_index=True)
    return np.sort(np.concatenate([alone, others[first]]))


def radii_of(particles: Particles, radius: float | None) -> Float64[np.ndarray, " particles"]:
    """Of what has no semi-axes; see `drawing_of`."""
    if radius is not None:
        return np.full(len(particles), radius)
    if particles.radii is not None:
        return particles.radii
    if particles.numbers is not None:
        return covalent_radii(particles.numbers)
    return np.full(len(particles), RADIUS_OF_SPACING * spacing(particles))


def spacing(particles: Particles) -> float:
    """The median distance to the third nearest neighbour that is elsewhere; 1 if all are at one place.

    In lattices, where all have at least three nearest neighbours, it is that of the nearest one; of points sampled at
    random it is twice as far, as some of them always fall close together.
    """
    from scipy.spatial import cKDTree

    places = np.unique(particles.positions, axis=0)
    if len(places) == 1:
        return 1.0
    distances, _ = cKDTree(places).query(places, k=[min(4, len(places))])
    return float(np.median(distances))


def covalent_radii(numbers: Int64[np.ndarray, " atoms"]) -> Float64[np.ndarray, " atoms"]:
    """In Å: Cordero et al., "Covalent radii revisited", Dalton Trans. 2832, 2008, as ase.data has them.

    The unknown atom, of number 0, has 0.2.
    """
    return np.asarray(optional_module("ase.data").covalent_radii, np.float64)[numbers]


def colors_of(
    particles: Particles, color_by: str | None, color_map: str, color_range: tuple[float, float] | None
) -> Float64[np.ndarray, "particles 3"]:
    """Each particle's sRGB; see `drawing_of`. Raises InputError for a map or a range of no values."""
    if color_by is None:
        for option, is_given in (("range", color_range is not None), ("map", color_map != DEFAULT_MAP)):
            if is_given:
                raise InputError(
                    f"--color-{option} is of --color-by's values, but there are none; give --color-by, too"
                )
    if color_by is None and particles.colors is not None:
        return particles.colors
    if color_by in (None, "kind"):
        if particles.numbers is not None:  # Jmol's, jmol.sourceforge.net/jscolors, as ASE has them
            return np.asarray(optional_module("ase.data.colors").jmol_colors, np.float64)[particles.numbers]
        if particles.kinds is not None:
            _, kind = np.unique(particles.kinds, return_inverse=True)
            return np.array(CATEGORIES)[kind % len(CATEGORIES)] / 255
        if color_by is None:
            return np.tile(PLAIN, (len(particles), 1))
    return mapped(particles, str(color_by), color_map, color_range)


def mapped(
    particles: Particles, name: str, color_map: str, color_range: tuple[float, float] | None
) -> Float64[np.ndarray, "particles 3"]:
    """A field's values through matplotlib's colour map of this name; the range is the values' own unless given."""
    from matplotlib import colormaps

    values = field_of(particles, name)
    check_rows(particles.source, name, values, np.isfinite(values), "finite to give a colour")
    if color_map not in colormaps:
        raise unknown_name("color_map", color_map, [each for each in colormaps if not each.endswith("_r")])
    low, high = color_range or (values.min(), values.max())
    if color_range is not None and low >= high:
        told = f"{low:g} {high:g}, must be two numbers, the lower first"
        raise InputError(f"--color-range is {told}{f': --color-range {high:g} {low:g}' if high < low else ''}")
    share = (values - low) / (high - low) if high > low else np.full(len(values), 0.5)
    return np.asarray(colormaps[color_map](share), np.float64)[:, :3]


def field_of(particles: Particles, name: str) -> Float64[np.ndarray, " particles"]:
    """One number a particle: x, y, z, or a field of the file. Raises InputError with those there are."""
    if name in ("x", "y", "z"):
        return particles.positions[:, "xyz".index(name)]
    if name not in particles.fields:
        kind = ["kind"] if particles.kinds is not None else []
        raise unknown_name(f"{particles.source}: color_by", name, [*kind, "x", "y", "z", *particles.fields])
    return particles.fields[name]


def bond_rods(particles: Particles, colors: Float64[np.ndarray, "particles 3"]) -> Rods:
    """Two halves a bond, in the colours of their atoms; none goes through the periodic box's sides."""
    from scipy.spatial import cKDTree

    if particles.numbers is None:
        raise InputError(
            f"{particles.source}: bonds are found by elements' covalent radii, but it names neither elements nor bonds"
        )
    radii, places = covalent_radii(particles.numbers), particles.positions
    pairs = cKDTree(places).query_pairs(2 * radii.max() + BOND_TOLERANCE, output_type="ndarray")
    first, second = pairs.T
    length = np.linalg.norm(places[first] - places[second], axis=1)
    bonded = (length > BOND_RADIUS) & (length <= radii[first] + radii[second] + BOND_TOLERANCE)
    return halves(places, pairs[bonded], np.full(int(bonded.sum()), BOND_RADIUS), colors)


def given_bond_rods(
    particles: Particles,
    bonds: Int64[np.ndarray, "bonds 2"],
    radii: Float64[np.ndarray, " particles"],
    colors: Float64[np.ndarray, "particles 3"],
) -> Rods:
    """The file's bonds, two halves each, but for those through the periodic box's sides and between equal places."""
    along = particles.positions[bonds[:, 0]] - particles.positions[bonds[:, 1]]
    inside = along.any(1)
    if particles.cell is not None:
        inside &= (np.abs(along @ np.linalg.inv(particles.cell.vectors)) <= 0.5).all(1)
    bonds = bonds[inside]
    return halves(particles.positions, bonds, BOND_OF_BALL * radii[bonds].min(1), colors)


def halves(
    places: Float64[np.ndarray, "particles 3"],
    pairs: Int64[np.ndarray, "bonds 2"],
    radii: Float64[np.ndarray, " bonds"],
    colors: Float64[np.ndarray, "particles 3"],
) -> Rods:
    """Bonds between pairs of particles, each half in its particle's colour."""
    middle = places[pairs].mean(1)
    atoms = pairs.T.ravel()
    return Rods(places[atoms], np.tile(middle, (2, 1)), np.tile(radii, 2), colors[atoms])


def box_rods(cell: Cell) -> Rods:
    """The twelve edges, four along each vector."""
    starts, ends = [], []
    for axis in range(3):
        for others in product((0, 1), repeat=2):
            corner = np.insert(np.array(others, np.float64), axis, 0.0)
            starts.append(cell.origin + corner @ cell.vectors)
            ends.append(starts[-1] + cell.vectors[axis])
    radius = BOX_RADIUS * float(np.linalg.norm(cell.vectors.sum(0)))
    return Rods(np.array(starts), np.array(ends), np.full(12, radius), np.tile(BOX_COLOR, (12, 1)))
