"""What is drawn: radii, colours, bonds and boxes."""

import sys

import numpy as np
import pytest
from matplotlib import colormaps

from luxel import InputError
from luxel.scene.figures.drawing import CATEGORIES, PLAIN, drawing_of, first_of_each, spacing
from luxel.scene.figures.particles import Cell, Particles

LATTICE = 0.7 * np.stack(np.meshgrid(*[np.arange(4.0)] * 3), -1).reshape(-1, 3)
WATER = np.array([[0.0, 0, 0], [0.96, 0, 0], [-0.24, 0.93, 0], [5, 0, 0]])  # an atom of oxygen stands alone


def water() -> Particles:
    return Particles.of("water", WATER, numbers=[8, 1, 1, 8], kinds=["O", "H", "H", "O"])


def test_points_of_a_lattice_just_touch():
    drawn = drawing_of(Particles.of("points", LATTICE))
    np.testing.assert_allclose(drawn.semi_axes, 0.35)
    assert drawn.colors.tolist() == [list(PLAIN)] * 64
    assert len(drawn.rods.radii) == 0


def test_spacing_of_one_place_and_of_two():
    assert spacing(Particles.of("points", np.zeros((5, 3)))) == 1
    assert spacing(Particles.of("points", [[0, 0, 0], [0, 3, 4], [0, 0, 0]])) == 5


def test_radii_are_what_is_asked_for_then_the_particles_own():
    points = Particles.of("points", LATTICE, radii=0.1)
    assert set(drawing_of(points).semi_axes.ravel()) == {0.1}
    assert set(drawing_of(points, radius=0.4, radius_scale=0.5).semi_axes.ravel()) == {0.2}
    ellipsoids = Particles.of("points", LATTICE, semi_axes=(1, 2, 3), rotations=np.tile([0, 1, 0, 0], (64, 1)))
    assert drawing_of(ellipsoids, radius_scale=2.0).semi_axes[5].tolist() == [2, 4, 6]
    assert drawing_of(ellipsoids).rotations is not None
    assert drawing_of(ellipsoids, radius=1.0).rotations is None


def test_kinds_have_colors_in_turn_and_own_colors_come_first():
    kinds = ["b", "a", "c", "b"]
    particles = Particles.of("points", WATER, kinds=kinds)
    expected = np.array(CATEGORIES)[[1, 0, 2, 1]] / 255
    assert drawing_of(particles).colors.tolist() == expected.tolist()
    colored = Particles.of("points", WATER, kinds=kinds, colors=(0.1, 0.2, 0.3))
    assert drawing_of(colored).colors.tolist() == [[0.1, 0.2, 0.3]] * 4
    assert drawing_of(colored, color_by="kind").colors.tolist() == expected.tolist()


def test_a_field_is_colored_by_a_map_over_its_range_or_the_given_one():
    particles = Particles.of("points", WATER, fields={"heat": [0, 5, 10, 20]})
    drawn = drawing_of(particles, color_by="heat", color_map="plasma")
    np.testing.assert_allclose(drawn.colors, colormaps["plasma"]([0, 0.25, 0.5, 1.0])[:, :3])
    drawn = drawing_of(particles, color_by="heat", color_range=(5.0, 15.0))
    np.testing.assert_allclose(drawn.colors, colormaps["viridis"]([-0.5, 0, 0.5, 1.5])[:, :3])
    drawn = drawing_of(particles, color_by="z")
    np.testing.assert_allclose(drawn.colors, [colormaps["viridis"](0.5)[:3]] * 4)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"color_by": "heaat"}, "points: color_by is 'heaat', must be one of x, y, z, heat; did you mean heat?"),
        ({"color_by": "heat"}, "points: heat[1] is nan, must be finite to give a colour"),
        ({"color_by": "x", "color_map": "viridi"}, "color_map is 'viridi', must be one of "),
        (
            {"color_by": "x", "color_range": (2.0, 2.0)},
            "--color-range is 2 2, must be two numbers, the lower first",
        ),
        (
            {"color_range": (0.0, 1.0)},
            "--color-range is of --color-by's values, but there are none; give --color-by, too",
        ),
        ({"color_map": "plasma"}, "--color-map is of --color-by's values, but there are none; give --color-by, too"),
        (
            {"bonds": True},
            "points: bonds are found by elements' covalent radii, but it names neither elements nor bonds",
        ),
    ],
)
def test_what_cannot_be_drawn_is_told(options, told):
    particles = Particles.of("points", WATER, fields={"heat": [0, np.nan, 1, 1]})
    with pytest.raises(InputError) as error:
        drawing_of(particles, **options)
    assert str(error.value).startswith(told)


def test_atoms_have_the_usual_radii_and_colors():
    pytest.importorskip("ase")
    drawn = drawing_of(water())
    np.testing.assert_allclose(drawn.semi_axes[:, 0], [0.66, 0.31, 0.31, 0.66])
    np.testing.assert_allclose(drawn.colors, [[1, 0.051, 0.051], [1, 1, 1], [1, 1, 1], [1, 0.051, 0.051]])


def test_bonds_join_the_atoms_of_a_molecule_in_halves_of_two_colors():
    pytest.importorskip("ase")
    drawn = drawing_of(water(), bonds=True)
    np.testing.assert_allclose(drawn.semi_axes[:, 0], 0.4 * np.array([0.66, 0.31, 0.31, 0.66]))
    starts, ends, radii, colors = drawn.rods
    found = {tuple(start): tuple(end) for start, end in zip(starts.tolist(), ends.tolist(), strict=True)}
    assert len(starts) == 4
    assert found[tuple(WATER[1])] == (0.48, 0, 0)
    assert found[tuple(WATER[2])] == pytest.approx((-0.12, 0.465, 0))
    assert set(radii) == {0.1}
    whites = colors[(starts == WATER[1]).all(1)]
    assert whites.tolist() == [[1, 1, 1]]


def test_bonds_of_a_file_join_smaller_balls_but_not_through_the_sides_of_the_box():
    places = [[-4.0, 0, 0], [-2, 0, 0], [4, 0, 0], [4, 0, 0]]  # 0 and 2 are neighbours through a side
    beads = Particles.of(
        "beads",
        places,
        radii=[0.5, 1, 1, 1],
        colors=np.linspace(0.1, 0.4, 4)[:, None].repeat(3, 1),
        cell=Cell(np.full(3, -5.0), 10 * np.eye(3)),
        bonds=[[0, 1], [2, 0], [2, 3]],
    )
    drawn = drawing_of(beads, bonds=True, box=False, radius_scale=2.0)
    np.testing.assert_allclose(drawn.semi_axes[:, 0], [0.4, 0.8, 0.8, 0.8])
    assert drawn.rods.starts.tolist() == [places[0], places[1]]
    assert drawn.rods.ends.tolist() == [[-3, 0, 0]] * 2
    np.testing.assert_allclose(drawn.rods.radii, [0.4 / 3] * 2)
    np.testing.assert_allclose(drawn.rods.colors[:, 0], [0.1, 0.2])
    assert drawing_of(beads, box=False).semi_axes[:, 0].tolist() == [0.5, 1, 1, 1]
    assert drawing_of(beads, bonds=True, radius=0.7).semi_axes[0, 0] == 0.7


def test_atoms_without_ase_say_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "ase.data.colors", None)
    with pytest.raises(InputError, match=r"needs ase: pip install 'luxel\[particles\]'"):
        drawing_of(water())


def test_a_box_has_twelve_edges_from_its_eight_corners():
    vectors = np.array([[2.0, 0, 0], [1, 3, 0], [0.5, 0.5, 4]])
    cell = Cell(np.array([-1.0, 0, 7]), vectors)
    rods = drawing_of(Particles.of("points", WATER, cell=cell)).rods
    corners = {tuple(cell.origin + np.array([a, b, c]) @ vectors) for a in (0, 1) for b in (0, 1) for c in (0, 1)}
    ends = [tuple(point) for point in np.concatenate([rods.starts, rods.ends]).tolist()]
    assert set(ends) == corners
    assert all(ends.count(corner) == 3 for corner in corners)
    lengths = np.sort(np.linalg.norm(rods.ends - rods.starts, axis=1))
    np.testing.assert_allclose(lengths, np.sort(np.repeat(np.linalg.norm(vectors, axis=1), 4)))
    assert len(drawing_of(Particles.of("points", WATER, cell=cell), box=False).rods.radii) == 0


def test_what_is_there_twice_is_drawn_once_in_the_first_color_and_in_order():
    places = [[3, 0, 0], [1, 0, 0], [3, 0, 0], [2, 0, 0], [1, 0, 0]]
    colors = np.linspace(0.1, 0.5, 5)[:, None].repeat(3, 1)
    points = Particles.of("points", places, radii=[0.5, 0.5, 0.5, 0.5, 0.7], colors=colors)
    drawn = drawing_of(points).without_copies()
    assert drawn.positions[:, 0].tolist() == [3, 1, 2, 1]  # the last has another radius
    np.testing.assert_allclose(drawn.colors[:, 0], [0.1, 0.2, 0.4, 0.5])
    turned = Particles.of("points", np.zeros((3, 3)), semi_axes=(1, 2, 3), rotations=np.eye(4)[[0, 0, 1]])
    assert drawing_of(turned).without_copies().rotations.tolist() == np.eye(4)[:2].tolist()


def test_a_zero_and_a_negative_zero_are_one_place():
    assert first_of_each(np.array([[1.0, 0], [2, 0], [1, -0.0]]), np.zeros((3, 1))).tolist() == [0, 1]
    assert first_of_each(np.empty((0, 3))).tolist() == []


def test_atoms_that_are_there_twice_are_bonded_once():
    twice = Particles.of("water", np.tile(WATER, (2, 1)), numbers=[8, 1, 1, 8] * 2, kinds=["O", "H", "H", "O"] * 2)
    drawn = drawing_of(twice, bonds=True).without_copies()
    assert len(drawn.rods.radii) == 4
    assert len(drawn.positions) == 4


def test_moving_scales_all_lengths():
    cell = Cell(np.zeros(3), np.eye(3))
    drawn = drawing_of(Particles.of("points", WATER, radii=1, cell=cell))
    moved = drawn.moved(np.array([1.0, 2, 3]), 10.0)
    np.testing.assert_allclose(moved.positions, 10 * (WATER + np.array([1, 2, 3])))
    np.testing.assert_allclose(moved.semi_axes, 10)
    np.testing.assert_allclose(moved.rods.starts, 10 * (drawn.rods.starts + np.array([1, 2, 3])))
    np.testing.assert_allclose(moved.rods.radii, 10 * drawn.rods.radii)
