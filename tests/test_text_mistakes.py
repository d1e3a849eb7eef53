"""Where in a file of text the first mistake is: the line, what stands there, and what would be right."""

import pytest

from luxel import InputError
from luxel.scene.figures.readers import read_particles
from luxel.scene.figures.text_mistakes import first_mistake

ATOM = "ATOM      1  N   ALA A   1      11.104   6.134  -6.504  1.00  0.00           N  \n"
BOX = "CRYST1   10.000   11.000   12.000  90.00  90.00  90.00 P 1           1\n"
CELL = "".join(f"_cell_{name} 90\n" for name in ("length_a", "length_b", "length_c"))
ANGLES = "".join(f"_cell_angle_{name} 90\n" for name in ("alpha", "beta", "gamma"))
SITES = "loop_\n_atom_site_label\n_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\nNa1 0 0 0\n"
CIF = f"data_salt\n{CELL}{ANGLES}_symmetry_space_group_name_H-M 'P 1'\n{SITES}"
PLY = "ply\nformat ascii 1.0\nelement vertex 2\n" + "".join(f"property float {axis}\n" for axis in "xyz")
RADII = "2\nProperties=species:S:1:pos:R:3:radius:R:1:id:I:1\nH 0 0 0 1 1\n"
WRONG = {
    "number.xyz": ("2\n\nH 0 0 0\nO 0 1,5 0\n", "line 4: y is '1,5', must be a number"),
    "named.xyz": (RADII + "O 0 0 1 big 2\n", "line 4: radius is 'big', must be a number"),
    "integer.extxyz": (RADII + "O 0 0 1 1 2.5\n", "line 4: id is '2.5', must be an integer"),
    "vector.extxyz": (
        "1\nProperties=species:S:1:pos:R:3:v:R:2\nH 0 0 0 1 x\n",
        "line 3: v[1] is 'x', must be a number",
    ),
    "type.xyz": ("1\n\nBead 0 0 q\n", "line 3: z is 'q', must be a number"),
    "later.xyz": ("1\n\nH 0 0 0\n1\n\nH x 0 0\n", "line 6: x is 'x', must be a number"),
    "short.xyz": ("2\n\nH 0 0 0\nO 0 1\n", "line 4 has 3 columns, must have 4: species, x, y, z"),
    "cut_off.xyz": ("5\n\nH 0 0 0\nO 0 1 0\n", "line 1: the number of atoms is 5, but only 2 follow"),
    "endless.xyz": (f"{10**30}\n\nH 0 0 0\n", f"line 1: the number of atoms is {10**30}, but only 1 follow"),
    "count.xyz": ("1\n\nH 0 0 0\nO 0 1 0\n", "line 4 is 'O 0 1 0', must be the number of atoms of another frame"),
    "column.xyz": ("# three\n0 1 2\n\n3 4 5,5 // far\n", "line 4: '5,5' must be a number"),
    "columns.xyz": ("//x\n0 1 2\n3 4\n", "line 3 has 2 columns, must have 3, as line 2 has"),
    "number.pdb": (
        ATOM + ATOM.replace(" 6.134", " 6,134"),
        "line 2: y is '6,134', must be a number in columns 39 to 46",
    ),
    "short.pdb": (ATOM[:40], "line 1: y is missing, must be a number in columns 39 to 46"),
    "box.pdb": (BOX.replace("11.000", "11.0x0") + ATOM, "line 1: b is '11.0x0', must be a number in columns 16 to 24"),
    "cell.cif": (CIF.replace("length_b 90", "length_b ten"), "line 3: _cell_length_b is 'ten', must be a number"),
    "site.cif": (CIF + "Cl1 0.5(1) . a.5\n", "line 15: _atom_site_fract_z is 'a.5', must be a number"),
    "site_short.cif": (CIF + "Cl1 0.5 0.5\n", "line 15 has 3 columns, must have 4: _atom_site_label, _atom_site_fra"),
    "number.ply": (f"{PLY}end_header\n0 0 0\n1 b 1\n", "line 9: y is 'b', must be a number"),
    "short.ply": (f"{PLY}end_header\n0 0 0\n1 1\n", "line 9 has 2 columns, must have 3: x, y, z"),
    "cut_off.ply": (f"{PLY}end_header\n0 0 0\n", "ends after line 8, with 1 of 2 of its element vertex"),
    "endless.ply": (
        PLY.replace("vertex 2", f"vertex {10**30}") + "end_header\n0 0 0\n",
        f"ends after line 8, with 1 of {10**18} of its element vertex",
    ),
    "integer.ply": (f"{PLY}property uchar red\nend_header\n0 0 0 1.5\n", "line 9: red is '1.5', must be an integer"),
}
RIGHT = {
    "atoms.xyz": "2\n\nH 0 0 0\nO 0 1.5 0\n2\n\nH 0 0 0\nO 0 1.5 0\n",
    "named.extxyz": RADII + "O 0 0 1 2 2\n",
    "columns.xyz": "# three\n0 1 2\n\n3 4 5.5 // far\n",
    "atoms.pdb": BOX + ATOM,
    "salt.cif": CIF + "Cl1 0.5(1) . ?\n",
    "points.ply": f"{PLY}end_header\n0 0 0\n1 1 1\n",
}


@pytest.mark.parametrize("name", WRONG)
def test_the_first_mistake_is_told_with_file_line_value_and_remedy(tmp_path, name):
    content, told = WRONG[name]
    path = tmp_path / name
    path.write_text(content)
    found = first_mistake(path)
    assert found is not None
    assert found.startswith(told)
    pytest.importorskip("plyfile" if path.suffix == ".ply" else "ase")
    with pytest.raises(InputError) as error:
        read_particles(path)
    assert str(error.value).startswith(f"{path}: ")
    assert told in str(error.value)


@pytest.mark.parametrize("name", RIGHT)
def test_of_a_right_file_no_mistake_is_told(tmp_path, name):
    (tmp_path / name).write_text(RIGHT[name])
    assert first_mistake(tmp_path / name) is None


def test_a_width_of_any_size_takes_no_memory(tmp_path):
    """It is no mistake that is known here; the columns before it are."""
    (tmp_path / "a.xyz").write_text(f"1\nProperties=species:S:1:pos:R:3:v:R:{10**12}\nH 0 q 0 1\n")
    assert first_mistake(tmp_path / "a.xyz") == "line 3: y is 'q', must be a number"


def test_of_other_formats_nothing_is_known(tmp_path):
    for name, content in (("a.npy", b"\x93NUMPY"), ("a.ply", b"ply\nformat binary_little_endian 1.0\n\xff")):
        (tmp_path / name).write_bytes(content)
        assert first_mistake(tmp_path / name) is None
