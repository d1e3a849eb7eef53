"""Files of the Protein Data Bank, as ASE reads them but for three things that files in use have otherwise.

https://www.wwpdb.org/documentation/file-format, version 3.3.
"""

from io import StringIO
from pathlib import Path
from typing import Any

from luxel.scene.figures.extra import needed

PDB = "proteindatabank"
"""What ASE calls the format."""


def pdb_frames(path: Path) -> list[Any]:
    """The models, as ase.Atoms: one without atoms if the file has none. Raises KeyError for what is no element.

    ASE makes a frame without atoms of the END after the last model's ENDMDL, and gives the box, which stands once
    before all models, to the first alone.
    """
    with path.open(encoding="utf-8", errors="replace") as file:
        lines = StringIO("".join(map(with_element, file)))
    frames = needed("ase.io", str(path)).read(lines, index=":", format=PDB)
    models = [each for each in frames if len(each)] or frames[:1]
    for each in models:
        if each.cell.rank == 0:
            each.set_cell(models[0].cell)
    return models


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
