"""Files of the Protein Data Bank: models, boxes, elements that are left out."""

from pathlib import Path

import pytest

from luxel import InputError, InputWarning
from luxel.scene.figures.pdb import with_element
from luxel.scene.figures.readers import read_particles, read_trajectory


def atom(name: str, x: float = 1, residue: str = "ALA", record: str = "ATOM", element: str = "") -> str:
    place = f"{x:8.3f}   1.000   2.000"
    return f"{record:6s}    1 {name:4s} {residue:3s} A   1    {place}  1.00  0.00          {element:>2s}\n"


def written(path: Path, *lines: str) -> Path:
    path.write_text("".join(lines))
    return path


def test_models_are_frames_in_the_one_box_and_the_end_is_none(tmp_path):
    pytest.importorskip("ase")
    box = "CRYST1    7.000    8.000    9.000  90.00  90.00  90.00 P 1           1\n"
    models = [f"MODEL     {x}\n{atom(' O', x, element='O')}ENDMDL\n" for x in (3, 5)]
    path = written(tmp_path / "a.pdb", box, *models, "END\n")
    assert read_particles(path).positions.tolist() == [[5, 1, 2]]
    assert [read_particles(path, frame).positions[0, 0] for frame in (0, 1, -2)] == [3, 5, 3]
    frames = list(read_trajectory(path))
    assert [each.positions[0, 0] for each in frames] == [3, 5]
    assert [each.cell.vectors.diagonal().round(6).tolist() for each in frames] == [[7, 8, 9]] * 2
    with pytest.raises(InputError, match=r"a\.pdb: has no atoms of frame 2; -1 is the last"):
        read_particles(path, 2)


@pytest.mark.parametrize(
    ("name", "residue", "record", "symbol"),
    [
        (" CA ", "ALA", "ATOM", "C"),
        ("CA  ", "ALA", "ATOM", "C"),  # not aligned
        ("CA  ", "CA", "ATOM", "Ca"),
        ("CA  ", "CA", "HETATM", "Ca"),
        ("NA+ ", "NA", "ATOM", "Na"),
        ("FE  ", "HEM", "HETATM", "Fe"),
        (" HG ", "SER", "ATOM", "H"),
        ("HG11", "VAL", "ATOM", "H"),
        ("1HB ", "ALA", "ATOM", "H"),
        ("2HG1", "VAL", "ATOM", "H"),
        (" OW ", "SOL", "ATOM", "O"),
        (" C1 ", "LIG", "HETATM", "C"),
    ],
)
def test_an_element_that_is_left_out_is_the_names(tmp_path, name, residue, record, symbol):
    pytest.importorskip("ase")
    path = written(tmp_path / "a.pdb", atom(name, residue=residue, record=record))
    assert read_particles(path).kinds.tolist() == [symbol]
    path = written(tmp_path / "b.pdb", atom(name, residue=residue, record=record).rstrip() + "\n")
    assert read_particles(path).kinds.tolist() == [symbol]


def test_an_element_that_is_given_stays():
    for line in (atom(" CA ", element="N"), "REMARK   1\n"):
        assert with_element(line) == line


def test_of_alternate_locations_a_residues_most_occupied_stays(tmp_path):
    pytest.importorskip("ase")

    def at(x: float, letter: str, share: str, number: int = 1) -> str:
        line = atom(" CA ", x, element="C")
        return f"{line[:16]}{letter}{line[17:22]}{number:4d}{line[26:54]}{share:>6s}{line[60:]}"

    two = at(1, " ", "1.00"), at(2, "A", "0.40"), at(3, "B", "0.60"), at(4, "B", "0.60")
    others = at(5, "A", "0.50", 2), at(6, "B", "0.50", 2), at(7, "C", "0.10", 3)
    path = written(tmp_path / "a.pdb", *two, *others)
    with pytest.warns(InputWarning, match=r"a\.pdb: 2 atoms at alternate locations are left out"):
        assert read_particles(path).positions[:, 0].tolist() == [1, 3, 4, 5, 7]
    shares = ("0.6", "0"), ("0.6", "1"), ("", "")
    models = [f"MODEL     1\n{at(1, 'A', a)}{at(2, 'B', b)}ENDMDL\n" for a, b in shares]
    with pytest.warns(InputWarning):
        assert [each.positions[0, 0] for each in read_trajectory(written(path, *models))] == [1, 2, 1]


def test_no_element_and_no_atom_are_told(tmp_path):
    pytest.importorskip("ase")
    with pytest.raises(InputError, match=r"a\.pdb: 'D' is no element; name elements"):
        read_particles(written(tmp_path / "a.pdb", atom(" D", element="D")))
    with pytest.raises(InputError, match=r"a\.pdb: positions has no points"):
        read_particles(written(tmp_path / "a.pdb", "END\n"))
