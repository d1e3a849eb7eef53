"""LAMMPS dumps: columns, frames, boxes, and files that end early."""

import numpy as np
import pytest

from luxel import InputError
from luxel.scene.figures.readers import read_particles

HEAD = """ITEM: TIMESTEP
{step}
ITEM: NUMBER OF ATOMS
3
"""
ORTHOGONAL = "ITEM: BOX BOUNDS pp pp ff\n-1 3\n0 5\n2 8\n"
ATOMS = "ITEM: ATOMS id type x y z radius c_pe\n3 2 7 8 9 0.3 -3\n1 1 1 2 3 0.1 -1\n2 1 4 5 6 0.2 -2\n"
FRAME = HEAD + ORTHOGONAL + ATOMS


def written(tmp_path, text: str, name: str = "dump.lj"):
    path = tmp_path / name
    path.write_text(text)
    return path


def test_atoms_are_in_the_order_of_their_ids(tmp_path):
    particles = read_particles(written(tmp_path, FRAME.format(step=0)))
    assert particles.positions.tolist() == [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
    assert particles.radii is not None
    assert particles.radii.tolist() == [0.1, 0.2, 0.3]
    assert particles.kinds is not None
    assert particles.kinds.tolist() == ["1", "1", "2"]
    assert particles.numbers is None
    assert particles.fields["c_pe"].tolist() == [-1, -2, -3]
    assert particles.cell is not None
    assert particles.cell.origin.tolist() == [-1, 0, 2]
    assert particles.cell.vectors.tolist() == [[4, 0, 0], [0, 5, 0], [0, 0, 6]]


def test_frames_count_from_either_end(tmp_path):
    text = "".join(
        (HEAD + ORTHOGONAL + f"ITEM: ATOMS x y z\n{k} 0 0\n0 {k} 0\n0 0 {k}\n").format(step=k) for k in range(5)
    )
    path = written(tmp_path, "ITEM: UNITS\nlj\n" + text, "run.lammpstrj")
    for frame, expected in ((0, 0), (3, 3), (4, 4), (-1, 4), (-2, 3), (-5, 0)):
        assert read_particles(path, frame).positions[0, 0] == expected
    for frame in (5, -6):
        with pytest.raises(InputError, match=rf"run.lammpstrj: frame is {frame}, must be in \[-5, 4\]"):
            read_particles(path, frame)


def test_scaled_positions_are_in_a_triclinic_box(tmp_path):
    """https://docs.lammps.org/Howto_triclinic.html: bounds are those of a box about the tilted one."""
    box = "ITEM: BOX BOUNDS xy xz yz pp pp pp\n-2 5 1\n0 4.5 -1\n0 3 0.5\n"
    atoms = "ITEM: ATOMS xs ys zs\n0 0 0\n1 1 1\n0.5 0.5 0\n"
    particles = read_particles(written(tmp_path, HEAD.format(step=0) + box + atoms))
    assert particles.cell is not None
    # x: −2 − min(0, 1, −1, 0) = −1 to 5 − max(0, 1, −1, 0) = 4; y: 0 to 4.5 − 0.5 = 4
    assert particles.cell.origin.tolist() == [-1, 0, 0]
    assert particles.cell.vectors.tolist() == [[5, 0, 0], [1, 4, 0], [-1, 0.5, 3]]
    np.testing.assert_allclose(particles.positions, [[-1, 0, 0], [4, 4.5, 3], [2, 2, 0]])


def test_a_general_triclinic_box_has_its_vectors_and_its_origin(tmp_path):
    box = "ITEM: BOX BOUNDS abc origin pp pp pp\n5 1 0 -1\n1 5 0 -2\n0 2 5 -3\n"
    atoms = "ITEM: ATOMS x y z\n1 1 1\n2 2 2\n3 3 3\n"
    particles = read_particles(written(tmp_path, HEAD.format(step=0) + box + atoms))
    assert particles.cell is not None
    assert particles.cell.origin.tolist() == [-1, -2, -3]
    assert particles.cell.vectors.tolist() == [[5, 1, 0], [1, 5, 0], [0, 2, 5]]
    with pytest.raises(InputError, match=r"its box is .*, must be three lines of four numbers"):
        read_particles(written(tmp_path, HEAD.format(step=0) + box.replace(" -3", "") + atoms))


def test_ellipsoids_have_diameters_and_quaternions(tmp_path):
    columns = "ITEM: ATOMS xu yu zu shapex shapey shapez quatw quati quatj quatk\n"
    atoms = columns + "0 0 0 2 4 6 1 0 0 0\n1 0 0 1 1 1 0 1 0 0\n2 0 0 1 1 1 0 0 2 0\n"
    particles = read_particles(written(tmp_path, HEAD.format(step=0) + atoms))
    assert particles.cell is None
    assert particles.semi_axes is not None
    assert particles.rotations is not None
    assert particles.semi_axes.tolist() == [[1, 2, 3], [0.5] * 3, [0.5] * 3]
    assert particles.rotations.tolist() == [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]]


def test_elements_are_atoms_and_other_names_are_kinds(tmp_path):
    pytest.importorskip("ase")
    atoms = "ITEM: ATOMS element x y z\n{0} 0 0 0\nH 1 0 0\nH 2 0 0\n"
    particles = read_particles(written(tmp_path, HEAD.format(step=0) + atoms.format("O")))
    assert particles.numbers is not None
    assert particles.numbers.tolist() == [8, 1, 1]
    particles = read_particles(written(tmp_path, HEAD.format(step=0) + atoms.format("Bead")))
    assert particles.numbers is None
    assert particles.kinds is not None
    assert particles.kinds.tolist() == ["Bead", "H", "H"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is empty"),
        ("garbage", "line 1 is 'garbage', where a dump has ITEM: …"),
        ("ITEM: TIMESTEP\n0\n", "has no frame"),
        (FRAME.replace("ATOMS\n3\n", f"ATOMS\n{10**30}\n", 1), f"ends after 3 of the {10**30} atoms of its last frame"),
        (FRAME[: FRAME.index("2 1 4")], "ends after 2 of the 3 atoms of its last frame; delete that, from its ITEM"),
        (FRAME.replace("ATOMS\n3", "ATOMS\nthree"), "line 4: the number of atoms is 'three', must be an"),
        (FRAME[: FRAME.index("3 2 7")].replace("ATOMS\n3", "ATOMS\n0"), "positions has no points"),
        (FRAME.replace("1 1 1 2 3", "1 1 1 2"), "line 11 has 6 columns, must have 7: id, type, x, y, z"),
        (FRAME.replace("1 1 1 2 3", "1 1 x 2 3"), "line 11: x is 'x', must be a number"),
        (FRAME.replace("1 1 1 2 3", "1 1 nan 2 3"), "positions[0] is [nan, 2.0, 3.0], must be finite"),
        (FRAME.replace("x y z", "vx vy vz"), "has no columns x, y and z, nor xu, xs or xsu …; it has id, type, vx"),
        (FRAME.replace("-1 3\n", "-1\n"), "its box is ['-1\\n', '0 5\\n', '2 8\\n'], must be three lines"),
        (FRAME.replace(ORTHOGONAL, "").replace("x y z", "xs ys zs"), "its columns xs, ys, zs are in units of a box"),
    ],
)
def test_what_is_wrong_names_the_file(tmp_path, text, told):
    with pytest.raises(InputError) as error:
        read_particles(written(tmp_path, text.replace("{step}", "0"), "a.dump"))
    assert str(error.value).startswith(f"{tmp_path}/a.dump: {told}")


def test_a_mistakes_line_is_counted_over_frames_whatever_the_order_of_ids(tmp_path):
    frame = FRAME.replace("{step}", "0")
    path = written(tmp_path, frame + frame.replace("2 1 4 5 6", "2 1 4 5,5 6"), "a.dump")
    with pytest.raises(InputError) as error:
        read_particles(path)
    line = 2 * len(frame.splitlines())
    assert str(error.value) == f"{path}: line {line}: y is '5,5', must be a number"
