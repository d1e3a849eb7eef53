"""Files of the Protein Data Bank, as ASE reads them but for four things that files in use have otherwise.

https://www.wwpdb.org/documentation/file-format, version 3.3.
"""

import warnings
from io import StringIO
from pathlib import Path
from typing import Any

from luxel import InputWarning
from luxel.scene.figures.extra import optional_module

PDB = "proteindatabank"
"""What ASE calls the format."""


def pdb_frames(path: Path) -> list[Any]:
    """The models, as ase.Atoms: one without atoms if the file has none. Raises KeyError for what is no element.

    ASE makes a frame without atoms of the END after the last model's ENDMDL, and gives the box, which stands once
    before all models, to the first alone.
    """
    with path.open(encoding="utf-8", errors="replace") as file:
        lines = [with_element(line) for line in file]
    single = without_alternates(lines)
    if len(single) < len(lines):
        warnings.warn(
            f"{path}: {len(lines) - len(single)} atoms at alternate locations are left out; of each residue the "
            "location of the highest occupancy stays",
            InputWarning,
            stacklevel=2,
        )
    frames = optional_module("ase.io", str(path)).read(StringIO("".join(single)), index=":", format=PDB)
    models = [each for each in frames if len(each)] or frames[:1]
    for each in models:
        if each.cell.rank == 0:
            each.set_cell(models[0].cell)
    return models


def without_alternates(lines: list[str]) -> list[str]:
    """The lines but for atoms at other locations (column 17) than the one that most of their residue's copies are at.

    That is the location of the highest occupancy (columns 55 to 60) in the residue, the first of equal ones: atoms at
    all would lie within one another, and be bonded.
    """
    chosen: dict[tuple[int, str], tuple[float, str]] = {}
    places: list[tuple[tuple[int, str], str] | None] = []
    model = 0
    for line in lines:
        model += line.startswith("MODEL ")
        letter = line[16:17].strip() if line.startswith(("ATOM", "HETATM")) else ""
        residue = (model, line[21:27])
        places.append((residue, letter) if letter else None)
        if letter and (residue not in chosen or occupancy(line) > chosen[residue][0]):
            chosen[residue] = occupancy(line), letter
    return [line for line, place in zip(lines, places, strict=True) if place is None or chosen[place[0]][1] == place[1]]


def occupancy(line: str) -> float:
    """The share of an atom's copies that are there; 0 of what is no number."""
    try:
        return float(line[54:60])
    except ValueError:
        return 0.0


def with_element(line: str) -> str:
    """The line, an atom's with its element in columns 77 and 78, which programs of simulations leave blank.

    The element stands right-aligned in the first two of the name's four columns, 13 to 16, so that " CA " is a carbon
    and "CA  " calcium; names of four letters, of hydrogens most of all, begin with it wherever they stand ("HG11",
    "1HB "). A name in column 13 of an ATOM that is not its residue's, as an ion's is, is one that is not aligned.
    """
    if not line.startswith(("ATOM", "HETATM")) or line[76:78].strip():
        return line
    name, residue = line[12:16], line[17:20].strip()
    stripped = name.strip().lstrip("0123456789")
    is_aligned = name[:1].isalpha() and len(stripped) < 4
    if is_aligned and (line.startswith("HETATM") or stripped.rstrip("0123456789+-") == residue):
        return line  # of two letters: ASE takes those of the name
    return f"{line.rstrip():76.76}{stripped[:1]:>2}\n"
