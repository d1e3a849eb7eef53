"""Files of points and particles, each read back, and each damaged."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from luxel import InputError
from luxel.scene.figures.readers import READERS, SH_C0, is_particle_file, read_particles, read_trajectory

PACKAGES = {".ply": "plyfile", ".gsd": "gsd"} | dict.fromkeys((".xyz", ".extxyz", ".pdb", ".cif"), "ase")
PLACES = np.array([[0.0, 1, 2], [3, 4, 5], [6, 7, 8.5]])
XYZ = """3
Lattice="4 0 0 0 5 0 0 0 6" Properties=species:S:1:pos:R:3:radius:R:1:color:R:3:heat:R:1 pbc="T T T"
O 0 1 2 0.5 1 0 0 -2
H 3 4 5 0.3 0 1 0 1
H 6 7 8.5 0.3 0 0 1 1
"""


def test_npy_of_three_and_six_columns(tmp_path):
    np.save(tmp_path / "a.npy", PLACES.astype(np.float32))
    assert read_particles(tmp_path / "a.npy").positions.tolist() == PLACES.tolist()
    assert read_particles(tmp_path / "a.npy").colors is None
    np.save(tmp_path / "b.NPY", np.concatenate([PLACES, PLACES / 10], 1))
    (tmp_path / "b.NPY.npy").rename(tmp_path / "b.NPY")
    np.testing.assert_allclose(read_particles(tmp_path / "b.NPY").colors, PLACES / 10)


def test_a_frame_of_a_file_without_frames_is_refused(tmp_path):
    np.save(tmp_path / "a.npy", PLACES)
    np.savetxt(tmp_path / "a.xyz", PLACES)
    for name in ("a.npy", "a.xyz"):
        for frame in (0, -1):
            assert len(read_particles(tmp_path / name, frame)) == 3
        with pytest.raises(InputError, match=rf"{name}: --frame is 3, but .* no frames; leave it out$"):
            read_particles(tmp_path / name, 3)


def test_npz_of_all_arrays(tmp_path):
    arrays: dict[str, Any] = {"colors": PLACES / 10, "radii": [1, 2, 3], "rotations": np.eye(4)[:3]}
    np.savez(tmp_path / "a.npz", positions=PLACES, semi_axes=PLACES + 1, heat=[7, 8, 9], other=[1, 2], **arrays)
    particles = read_particles(tmp_path / "a.npz")
    for name, values in arrays.items():
        np.testing.assert_allclose(getattr(particles, name), values)
    assert particles.semi_axes is not None
    assert particles.semi_axes.tolist() == (PLACES + 1).tolist()
    assert {name: values.tolist() for name, values in particles.fields.items()} == {"heat": [7, 8, 9]}


@pytest.mark.parametrize(
    ("array", "told"),
    [
        (np.ones((3, 2)), "has the shape 3 × 2, must be n × 3 (x y z) or n × 6 (x y z red green blue)"),
        (np.ones(3), "has the shape 3, must be n × 3"),
        (np.empty((0, 3)), "positions has no points"),
        (np.full((2, 3), np.nan), "positions has no points but [nan, nan, nan], must have at least one"),
        (np.array([["a", "b", "c"]]), "positions holds <U1, must hold numbers"),
        (np.array([[{}, {}, {}]]), "holds no array of numbers; np.save"),
    ],
)
def test_an_array_of_something_else_is_told(tmp_path, array, told):
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(InputError) as error:
        read_particles(tmp_path / "a.npy")
    assert str(error.value).startswith(f"{tmp_path}/a.npy: {told}")


def test_an_npz_of_something_else_is_told(tmp_path):
    np.savez(tmp_path / "a.npz", points=PLACES)
    with pytest.raises(InputError, match=r"a\.npz: has no array positions \(n × 3\); it has points"):
        read_particles(tmp_path / "a.npz")
    np.savez(tmp_path / "a.npz", positions=PLACES, radii=[1, -2, 3])
    with pytest.raises(InputError, match=r"a\.npz: radii\[1\] is -2\.0, must be in \(0, 1e\+30\]"):
        read_particles(tmp_path / "a.npz")


def test_colors_and_radii_go_by_both_names(tmp_path):
    np.savez(tmp_path / "a.npz", positions=PLACES, color=np.eye(3), radius=[1, 2, 3], heat=[4, 5, 6])
    particles = read_particles(tmp_path / "a.npz")
    assert particles.colors.tolist() == np.eye(3).tolist()
    assert particles.radii.tolist() == [1, 2, 3]
    assert list(particles.fields) == ["heat"]


def ply(path: Path, **columns: Any) -> Path:
    plyfile = pytest.importorskip("plyfile")
    arrays = {name: np.asarray(values) for name, values in columns.items()}
    rows = np.zeros(3, [(name, values.dtype) for name, values in arrays.items()])
    for name, values in arrays.items():
        rows[name] = values
    plyfile.PlyData([plyfile.PlyElement.describe(rows, "vertex")]).write(str(path))
    return path


def test_ply_of_points(tmp_path):
    x, y, z = PLACES.T
    channel = np.array([0, 51, 255], np.uint8)
    path = ply(
        tmp_path / "a.ply", x=x, y=y, z=z, red=channel, green=channel, blue=channel, radius=[1.0, 2.0, 3.0], heat=z
    )
    particles = read_particles(path)
    assert particles.positions.tolist() == PLACES.tolist()
    assert particles.radii is not None
    assert particles.radii.tolist() == [1, 2, 3]
    np.testing.assert_allclose(particles.colors, [[0] * 3, [0.2] * 3, [1] * 3])
    assert particles.fields["heat"].tolist() == [2, 5, 8.5]
    assert particles.semi_axes is None


@pytest.mark.parametrize("names", ["red green blue", "r g b", "diffuse_red diffuse_green diffuse_blue"])
def test_ply_of_colors_by_other_names(tmp_path, names):
    channels = dict(zip(names.split(), np.eye(3, dtype=np.uint8) * 255, strict=True))
    particles = read_particles(ply(tmp_path / "a.ply", x=PLACES[0], y=PLACES[1], z=PLACES[2], **channels))
    assert particles.colors.tolist() == np.eye(3).tolist()
    assert not particles.fields


def test_ply_of_ellipsoids_and_of_3d_gaussians(tmp_path):
    x, y, z = PLACES.T
    shape = {f"scale_{axis}": [1.0, 2.0, 3.0] for axis in range(3)}
    shape |= {f"rot_{part}": [float(part == 1)] * 3 for part in range(4)}
    particles = read_particles(ply(tmp_path / "a.ply", x=x, y=y, z=z, **shape))
    assert particles.semi_axes is not None
    assert particles.rotations is not None
    assert particles.semi_axes.tolist() == [[1] * 3, [2] * 3, [3] * 3]
    assert particles.rotations.tolist() == [[0, 1, 0, 0]] * 3
    color = {f"f_dc_{channel}": [0.0, 1.0, 9.0] for channel in range(3)}
    particles = read_particles(ply(tmp_path / "b.ply", x=x, y=y, z=z, **shape, **color))
    np.testing.assert_allclose(particles.semi_axes, np.exp([[1] * 3, [2] * 3, [3] * 3]))
    np.testing.assert_allclose(particles.colors, [[0.5] * 3, [0.5 + SH_C0] * 3, [1] * 3])
    assert pytest.approx(0.28209479) == SH_C0


def test_ply_without_points_is_told(tmp_path):
    with pytest.raises(InputError, match=r"a\.ply: its vertices have no x, y and z; they have x, y"):
        read_particles(ply(tmp_path / "a.ply", x=PLACES[0], y=PLACES[1]))


def test_xyz_of_columns_alone(tmp_path):
    (tmp_path / "a.xyz").write_text("0 1 2\n3 4 5\n6 7 8.5\n")
    assert read_particles(tmp_path / "a.xyz").positions.tolist() == PLACES.tolist()
    (tmp_path / "b.xyz").write_text("0 1 2 0.5 0.25 1\n")
    assert read_particles(tmp_path / "b.xyz").colors.tolist() == [[0.5, 0.25, 1]]
    (tmp_path / "c.xyz").write_text("//X Y Z\n0 1 2\n# more\n3 4 5\n\n6 7 8.5\n")
    assert read_particles(tmp_path / "c.xyz").positions.tolist() == PLACES.tolist()


@pytest.mark.parametrize("lines", ["0 1 2\n3 oops 5\n", "0,1,2\n3,4,5\n"])
def test_xyz_of_what_are_no_columns_is_told(tmp_path, lines):
    (tmp_path / "a.xyz").write_text(lines)
    with pytest.raises(InputError, match=r"a\.xyz: must begin with a line of the number of atoms alone, or"):
        read_particles(tmp_path / "a.xyz")


@pytest.mark.parametrize("lines", [XYZ, "0 1 2\n"])
def test_xyz_after_a_byte_order_mark_is_told(tmp_path, lines):
    (tmp_path / "a.xyz").write_text(lines, encoding="utf-8-sig")
    with pytest.raises(InputError, match=r"a\.xyz: begins with a byte order mark; save it as UTF-8 without one"):
        read_particles(tmp_path / "a.xyz")


def test_extended_xyz(tmp_path):
    pytest.importorskip("ase")
    (tmp_path / "a.extxyz").write_text(XYZ + XYZ.replace("O 0 1 2", "O 9 9 9"))
    first, last = (read_particles(tmp_path / "a.extxyz", frame) for frame in (0, -1))
    assert first.positions.tolist() == PLACES.tolist()
    assert last.positions[0].tolist() == [9, 9, 9]
    assert first.numbers is not None
    assert first.kinds is not None
    assert first.radii is not None
    assert first.colors is not None
    assert first.cell is not None
    assert (first.numbers.tolist(), first.kinds.tolist()) == ([8, 1, 1], ["O", "H", "H"])
    assert first.radii.tolist() == [0.5, 0.3, 0.3]
    assert first.colors.tolist() == np.eye(3).tolist()
    assert first.fields["heat"].tolist() == [-2, 1, 1]
    assert first.cell.vectors.tolist() == [[4, 0, 0], [0, 5, 0], [0, 0, 6]]


TYPES = """3
Properties=pos:R:3:species:S:1:radius:R:1 Lattice="4 0 0 0 5 0 0 0 6"
0 1 2 A 0.5
3 4 5 B1 0.3
6 7 8.5 A 0.3
"""


def test_xyz_of_types_that_are_no_elements(tmp_path):
    pytest.importorskip("ase")
    path = tmp_path / "a.xyz"
    path.write_text(TYPES * 2)
    for particles in (read_particles(path), read_particles(path, 0), read_particles(path, -2), *read_trajectory(path)):
        assert particles.kinds.tolist() == ["A", "B1", "A"]
        assert particles.numbers is None
        assert not particles.fields
        assert particles.positions.tolist() == PLACES.tolist()
        assert particles.radii.tolist() == [0.5, 0.3, 0.3]
        assert particles.cell.vectors.diagonal().tolist() == [4, 5, 6]
    path.write_text('2\nAtoms. "Timestep: 0\n1 0 1 2\n2 3 4 5\n')  # as LAMMPS writes it, but for the quotation mark
    assert read_particles(path).kinds.tolist() == ["1", "2"]
    assert read_particles(path).positions.tolist() == PLACES[:2].tolist()


def test_of_vectors_there_are_lengths_and_components(tmp_path):
    np.savez(tmp_path / "a.npz", positions=PLACES, force=[[3, 4, 0], [0, 0, 1], [0, 0, 0]])
    fields = read_particles(tmp_path / "a.npz").fields
    assert {name: values.tolist() for name, values in fields.items()} == {
        "force": [5, 1, 0],
        "force_x": [3, 0, 0],
        "force_y": [4, 0, 0],
        "force_z": [0, 1, 0],
    }


def test_a_frame_or_an_element_that_there_is_not_is_told(tmp_path):
    pytest.importorskip("ase")
    (tmp_path / "a.xyz").write_text(XYZ * 2)
    for frame in (2, -3):
        with pytest.raises(InputError, match=rf"a\.xyz: has no atoms of frame {frame}; -1 is the last"):
            read_particles(tmp_path / "a.xyz", frame)
    (tmp_path / "a.xyz").write_text("1\n\nH 0 0 0\n1\n\nBead 0 0 0\n")
    with pytest.raises(InputError, match=r"a\.xyz: 'Bead' is no element; name elements"):
        read_particles(tmp_path / "a.xyz")


def test_an_mmcif_is_told(tmp_path):
    pytest.importorskip("ase")
    columns = ["group_PDB", "id", "type_symbol", "Cartn_x", "Cartn_y", "Cartn_z"]
    lines = ["data_1ABC", "loop_", *(f"_atom_site.{each}" for each in columns), "ATOM 1 N 0 1 2", ""]
    (tmp_path / "a.cif").write_text("\n".join(lines))
    with pytest.raises(InputError, match=r"a\.cif: is mmCIF, must be a CIF; give the \.pdb of the molecule"):
        read_particles(tmp_path / "a.cif")


def test_a_gsd_without_frames_is_told(tmp_path):
    hoomd = pytest.importorskip("gsd.hoomd")
    hoomd.open(str(tmp_path / "a.gsd"), "w").close()
    with pytest.raises(InputError, match=r"a\.gsd: has no frame$"):
        read_particles(tmp_path / "a.gsd")


@pytest.mark.parametrize("suffix", ["xyz", "pdb", "cif"])
def test_what_ase_writes_is_read(tmp_path, suffix):
    ase = pytest.importorskip("ase")
    atoms = ase.Atoms("OH2", PLACES, cell=(9, 10, 11), pbc=True)
    atoms.write(tmp_path / f"a.{suffix}")
    particles = read_particles(tmp_path / f"a.{suffix}")
    np.testing.assert_allclose(particles.positions, PLACES, atol=1e-3)
    assert particles.numbers is not None
    assert particles.numbers.tolist() == [8, 1, 1]
    assert particles.cell is not None
    np.testing.assert_allclose(particles.cell.vectors, np.diag([9, 10, 11]), atol=1e-9)


def test_gsd_of_ellipsoids(tmp_path):
    hoomd = pytest.importorskip("gsd.hoomd")
    frame = hoomd.Frame()
    frame.particles.N = 3
    frame.particles.position = PLACES
    frame.particles.types, frame.particles.typeid = ["A", "B", "C"], [0, 1, 2]
    frame.particles.diameter = [9, 9, 5]
    ellipsoid = {"type": "Ellipsoid", "a": 0.5, "b": 0.25, "c": 0.125}
    frame.particles.type_shapes = [ellipsoid, {"type": "Sphere", "diameter": 3}, {"type": "Polygon"}]
    frame.particles.orientation = np.eye(4)[1:]
    frame.particles.velocity = PLACES * [1, 0, 0]
    frame.bonds.N, frame.bonds.group = 2, [[0, 1], [2, 1]]
    frame.configuration.box = [4, 5, 6, 1, 0.5, 0.25]
    with hoomd.open(str(tmp_path / "a.gsd"), "w") as file:
        file.append(frame)
    particles = read_particles(tmp_path / "a.gsd")
    assert particles.positions.tolist() == PLACES.tolist()
    assert particles.semi_axes is not None
    assert particles.rotations is not None
    assert particles.kinds is not None
    assert particles.cell is not None
    assert particles.semi_axes.tolist() == [[0.5, 0.25, 0.125], [1.5] * 3, [2.5] * 3]
    assert particles.rotations.tolist() == np.eye(4)[1:].tolist()
    assert particles.kinds.tolist() == ["A", "B", "C"]
    assert particles.bonds is not None
    assert particles.bonds.tolist() == [[0, 1], [2, 1]]
    assert particles.fields["velocity"].tolist() == [0, 3, 6]
    assert particles.cell.vectors.tolist() == [[4, 0, 0], [5, 5, 0], [3, 1.5, 6]]
    assert particles.cell.origin.tolist() == [-6, -3.25, -3]
    with pytest.raises(InputError, match=r"a\.gsd: frame is 1, must be in \[-1, 0\]"):
        read_particles(tmp_path / "a.gsd", 1)


@pytest.mark.parametrize("suffix", READERS)
@pytest.mark.parametrize(
    "content", [b"", b"garbage", b"\x00\xff" * 99, b"2\n\nH 0 0 nan\n", b"PK\x03\x04", b"\x93NUMPY"]
)
def test_what_is_no_such_file_is_told_with_its_name(tmp_path, suffix, content):
    if (package := PACKAGES.get(suffix)) is not None:
        pytest.importorskip(package)
    path = tmp_path / f"a{suffix}"
    path.write_bytes(content)
    with pytest.raises(InputError) as error:
        read_particles(path)
    assert str(error.value).startswith(f"{path}: ")
    assert str(error.value).isprintable()


def test_a_file_that_is_not_there_and_a_folder_are_told(tmp_path):
    with pytest.raises(InputError, match=r"none\.npy: cannot be read: No such file"):
        read_particles(tmp_path / "none.npy")
    (tmp_path / "a.ply").mkdir()
    with pytest.raises(InputError, match=r"a\.ply: is a folder, must be a file"):
        read_particles(tmp_path / "a.ply")


@pytest.mark.parametrize(("suffix", "package"), [("ply", "plyfile"), ("xyz", "ase"), ("pdb", "ase"), ("gsd", "gsd")])
def test_a_missing_package_is_told_with_how_to_install_it(tmp_path, monkeypatch, suffix, package):
    for module in (package, "ase.io", "gsd.hoomd"):
        monkeypatch.setitem(sys.modules, module, None)
    (tmp_path / f"a.{suffix}").write_text("1")
    with pytest.raises(InputError) as error:
        read_particles(tmp_path / f"a.{suffix}")
    assert str(error.value).startswith(f"{tmp_path}/a.{suffix} needs {package}: pip install 'luxel[particles]'")


def test_particle_files_are_known_by_suffix_or_a_dumps_beginning(tmp_path):
    (tmp_path / "dump.0").write_text("ITEM: TIMESTEP\n")
    (tmp_path / "scene.json").write_text("{}")
    assert is_particle_file(tmp_path / "dump.0")
    assert is_particle_file(tmp_path / "not_there.PLY")
    assert not is_particle_file(tmp_path / "scene.json")
    assert not is_particle_file(tmp_path / "not_there")
