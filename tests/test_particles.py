"""Particles come in as what they are, or are told where they are wrong."""

import numpy as np
import pytest

from luxel import InputError, InputWarning
from luxel.scene.camera import rotation_matrix
from luxel.scene.figures.particles import Cell, Particles, cell_of

THREE = np.array([[0.0, 1, 2], [3, 4, 5], [6, 7, 9]])
QUATERNIONS = np.array([[2.0, 0, 0, 0], [1, 1, 0, 0], [0.5, -0.5, 0.1, 0.7]])


def two_of_each() -> Particles:
    return Particles.of(
        "file",
        THREE,
        semi_axes=(1, 2, 3),
        rotations=QUATERNIONS,
        colors=THREE / 9,
        numbers=[8, 1, 8],
        kinds=["O", "H", "O"],
        fields={"charge": [1.0, 2.0, 3.0]},
        cell=Cell(np.array([1.0, 2, 3]), np.diag([4.0, 5, 6])),
    )


def test_what_is_given_once_is_of_all_and_quaternions_become_units():
    particles = two_of_each()
    assert particles.semi_axes is not None
    assert particles.rotations is not None
    assert particles.semi_axes.tolist() == [[1, 2, 3]] * 3
    np.testing.assert_allclose(np.linalg.norm(particles.rotations, axis=1), 1)
    np.testing.assert_allclose(particles.rotations[:2], [[1, 0, 0, 0], [0.5**0.5, 0.5**0.5, 0, 0]])
    assert Particles.of("file", THREE, radii=2).radii is not None
    assert Particles.of("file", THREE, radii=2).radii.tolist() == [2, 2, 2]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("colors", "expected"),
    [
        ((0.2, 0.4, 1.0), [0.2, 0.4, 1.0]),
        ([[0.2, 0.4, 1.0, 0.5]] * 3, [0.2, 0.4, 1.0]),
        (np.array([[51, 102, 0]] * 3, np.uint8), [0.2, 0.4, 0.0]),
        ((1, 0, 0), [1, 0, 0]),
        (np.array([[1, 0, 0]] * 3, np.uint8), [1 / 255, 0, 0]),
        ([[51.0, 102.0, 0.0]] * 3, [0.2, 0.4, 0.0]),
    ],
)
def test_colors_are_of_one_or_of_255(colors, expected):
    found = Particles.of("file", THREE, colors=colors).colors
    np.testing.assert_allclose(found, [expected] * 3)


def with_value(value: float) -> np.ndarray:
    changed = THREE.copy()
    changed[1, 2] = value
    return changed


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"positions": np.empty((0, 3))}, "positions has no points, must have at least one"),
        ({"positions": np.ones((4, 2))}, "positions has the shape 4 × 2, must be n × 3"),
        ({"positions": 5}, "positions has the shape one number, must be n × 3"),
        ({"positions": [["a", "b", "c"]]}, "positions holds <U1, must hold numbers"),
        ({"positions": with_value(np.nan)}, "positions[1] is [3.0, 4.0, nan], must be finite and within ±1e+30"),
        ({"positions": with_value(np.inf)}, "positions[1] is [3.0, 4.0, inf], must be finite and within ±1e+30"),
        ({"positions": with_value(1e300)}, "positions[1] is [3.0, 4.0, 1e+300], must be finite and within ±1e+30"),
        ({"radii": [1, -1, 0]}, "radii[1] is -1.0, must be in (0, 1e+30] (and 1 more)"),
        ({"radii": [1, 1]}, "radii has the shape 2, must be 3"),
        ({"semi_axes": [[1, 1, 0]] * 3}, "semi_axes[0] is [1.0, 1.0, 0.0], must be in (0, 1e+30] (and 2 more)"),
        ({"rotations": np.zeros((3, 4))}, "rotations[0] is [0.0, 0.0, 0.0, 0.0], must be a quaternion (w, x, y, z)"),
        ({"colors": -THREE}, "colors[0] is [-0.0, -1.0, -2.0], must be in [0, 1], or in [0, 255] (and 2 more)"),
        ({"colors": np.ones((3, 2))}, "colors has the shape 3 × 2, must be 3 × 3"),
    ],
)
def test_what_is_wrong_is_told_with_its_place_and_value(given, told):
    with pytest.raises(InputError) as error:
        Particles.of("cloud.npy", **{"positions": THREE, **given})
    assert str(error.value).startswith(f"cloud.npy: {told}")


def test_points_without_a_place_are_left_out_and_counted():
    """Whatever else is said of them, as scanners do not say it either; the others' numbers in messages stay."""
    nothing = [np.nan] * 3
    places, given = [nothing, [1, 2, 3], nothing, [4, 5, 6]], {"heat": [7, 8, 9, 10]}
    colors = [nothing, [0.1, 0.2, 0.3], [-1, 255, 0], [0.4, 0.5, 0.6]]
    with pytest.warns(InputWarning, match=r"^scan: 2 of 4 points are \[nan, nan, nan\]"):
        found = Particles.of("scan", places, radii=[np.nan, 1, 0, 2], colors=colors, fields=given)
    assert found.positions.tolist() == places[1::2]
    assert found.radii is not None
    assert found.radii.tolist() == [1, 2]
    np.testing.assert_allclose(found.colors, colors[1::2])
    assert found.fields["heat"].tolist() == [8, 10]
    with pytest.warns(InputWarning, match="2 of 4") as told:
        turned = Particles.of("scan", places, rotations=[[np.nan] * 4, [0, 2, 0, 0], [0] * 4, [1, 0, 0, 0]])
    assert len(told) == 1
    assert turned.rotations.tolist() == [[0, 1, 0, 0], [1, 0, 0, 0]]
    with pytest.raises(InputError, match=r"^scan: radii\[3\] is -2\.0"):
        Particles.of("scan", places, radii=[1, 1, 1, -2])
    with pytest.raises(InputError, match=r"^atoms: positions\[0\] is \[nan, nan, nan\], must be finite"):
        Particles.of("atoms", places, numbers=[1, 1, 1, 1])


@pytest.mark.parametrize(
    ("selection", "rows"),
    [
        ("0:2", [0, 1]),
        ("::2", [0, 2]),
        ("-1:", [2]),
        ("element O", [0, 2]),
        ("type H", [1]),
        ("element H, O", [0, 1, 2]),
    ],
)
def test_a_selection_takes_every_array(selection, rows):
    whole, part = two_of_each(), two_of_each().selected(selection)
    for name in ("positions", "semi_axes", "rotations", "colors", "numbers", "kinds"):
        assert getattr(part, name).tolist() == getattr(whole, name)[rows].tolist()
    assert part.fields["charge"].tolist() == (np.array(rows) + 1.0).tolist()


def test_types_beside_elements_are_selected_by_their_numbers():
    atoms = Particles.of("dump", np.eye(3), numbers=[8, 1, 1], kinds=["O", "H", "H"], fields={"type": [1, 2, 3]})
    assert atoms.selected("type 1,3").positions.tolist() == np.eye(3)[[0, 2]].tolist()
    with pytest.raises(InputError, match=r"there is no type '4'; there are 1, 2, 3"):
        atoms.selected("type 4")


def test_bonds_stay_between_particles_that_are_selected():
    beads = Particles.of("beads", np.eye(5)[:, :3] * 2 + np.arange(5)[:, None], bonds=[[0, 1], [1, 2], [3, 4], [4, 2]])
    assert beads.selected("1:").bonds.tolist() == [[0, 1], [2, 3], [3, 1]]
    assert beads.selected("::2").bonds.tolist() == [[2, 1]]
    with pytest.raises(InputError, match=r"beads: bonds\[1\] is \[1\.0, 5\.0\], must be two of the 5 particles"):
        Particles.of("beads", np.ones((5, 3)), bonds=[[0, 1], [1, 5]])


@pytest.mark.parametrize(
    ("selection", "told"),
    [
        ("O", "select is 'O', must be a slice such as 0:100"),
        ("1:x", "select is '1:x', must be a slice of indices"),
        ("::0", "select is '::0', must be a slice of indices"),
        ("1:2:3:4", "select is '1:2:3:4', must be a slice of indices"),
        ("5:", "file: select is '5:', which none of 3 particles is"),
        ("element Xx", "file: select is 'element Xx', but there is no element 'Xx'; there are H, O"),
    ],
)
def test_what_is_no_selection_is_told(selection, told):
    with pytest.raises(InputError) as error:
        two_of_each().selected(selection)
    assert str(error.value).startswith(told)


@pytest.mark.parametrize(("up", "axis"), [("x", 0), ("y", 1), ("z", 2)])
def test_up_turns_all_alike(up, axis):
    """A rotation T with T · up = z: of points, of R the rotations of semi-axes, T R, and of the box."""
    before, after = two_of_each(), two_of_each().with_up(up)
    turn = np.roll(np.eye(3), {"x": 2, "y": 1, "z": 0}[up], 0)
    assert np.linalg.det(turn) == pytest.approx(1)
    assert (turn @ np.eye(3)[axis]).tolist() == [0, 0, 1]
    assert before.rotations is not None
    assert after.rotations is not None
    np.testing.assert_allclose(after.positions, before.positions @ turn.T)
    np.testing.assert_allclose(rotation_matrix(after.rotations), turn @ rotation_matrix(before.rotations), atol=1e-12)
    assert before.cell is not None
    assert after.cell is not None
    np.testing.assert_allclose(after.cell.origin, turn @ before.cell.origin)
    np.testing.assert_allclose(after.cell.vectors, before.cell.vectors @ turn.T)


def test_a_flat_or_endless_box_is_none():
    assert cell_of(np.zeros(3), np.diag([1.0, 1, 0])) is None
    assert cell_of(np.zeros(3), np.diag([1.0, 1, np.nan])) is None
    assert cell_of(np.zeros(3), np.diag([1.0, 2, 3])) is not None
