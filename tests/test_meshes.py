"""Meshes of unit shapes: closed, facing outwards, and known again wherever they are."""

import math

import numpy as np
import pytest

from luxel.scene.interchange.meshes import recognised, unit_mesh
from luxel.scene.interchange.placing import NotAShapeError

UP = np.array([0.0, 0.0, 1.0])
AROUND = 24
SOLIDS = {
    "box": (8.0, 24.0),
    "ball": (4 / 3 * math.pi, 4 * math.pi),
    "cylinder": (2 * math.pi, 6 * math.pi),
}
"""Volume and area."""


def signed_volume(mesh):
    a, b, c = np.moveaxis(mesh.positions[mesh.faces], 1, 0)
    return (a * np.cross(b, c)).sum() / 6


def areas(mesh):
    a, b, c = np.moveaxis(mesh.positions[mesh.faces], 1, 0)
    return np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2


@pytest.mark.parametrize("shape", SOLIDS)
def test_a_solid_is_closed_faces_outwards_and_is_as_large_as_the_shape(shape):
    mesh = unit_mesh(shape, 96)
    volume, area = SOLIDS[shape]
    assert signed_volume(mesh) == pytest.approx(volume, rel=3e-3)
    assert areas(mesh).sum() == pytest.approx(area, rel=3e-3)
    assert areas(mesh).min() > 0
    _, number = np.unique(np.round(mesh.positions, 9), axis=0, return_inverse=True)
    faces = number.reshape(-1)[mesh.faces]
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    assert {tuple(edge) for edge in edges.tolist()} == {tuple(edge[::-1]) for edge in edges.tolist()}, "each edge twice"
    np.testing.assert_allclose(np.linalg.norm(mesh.normals, axis=1), 1, atol=1e-12)
    assert ((mesh.positions * mesh.normals).sum(1) > 0.99).all()


@pytest.mark.parametrize(("shape", "area"), [("rectangle", 4.0), ("ellipse", math.pi), ("plane", 4.0)])
def test_what_is_flat_faces_up(shape, area):
    mesh = unit_mesh(shape, 96)
    assert areas(mesh).sum() == pytest.approx(area, rel=3e-3)
    a, b, c = np.moveaxis(mesh.positions[mesh.faces], 1, 0)
    assert (np.cross(b - a, c - a)[:, 2] > 0).all()


@pytest.mark.parametrize("shape", ["box", "ball", "cylinder", "rectangle", "ellipse"])
def test_a_mesh_is_known_again_by_its_extents_and_its_place(shape):
    unit = unit_mesh(shape, AROUND).positions
    positions = unit * [2.0, 3.0, 5.0] + [7.0, -11.0, 13.0]
    found, matrix = recognised(positions, UP)
    assert found == shape
    np.testing.assert_allclose(matrix[:3, 3], [7, -11, 13], atol=1e-9)
    again = unit @ matrix[:3, :3].T + matrix[:3, 3]
    np.testing.assert_allclose(again.min(0), positions.min(0), atol=1e-6)
    np.testing.assert_allclose(again.max(0), positions.max(0), atol=1e-6)
    assert np.linalg.det(matrix[:3, :3]) > 0


def test_a_cylinder_may_lie_and_a_panel_may_face_down():
    lying = unit_mesh("cylinder", AROUND).positions[:, [2, 0, 1]] * [5.0, 2.0, 2.0]
    shape, matrix = recognised(lying, UP)
    assert shape == "cylinder"
    np.testing.assert_allclose(np.abs(matrix[:3, 2]), [5, 0, 0], atol=1e-9)
    shape, matrix = recognised(unit_mesh("rectangle").positions, -UP)
    assert shape == "rectangle"
    np.testing.assert_allclose(matrix[:3, 2], [0, 0, -1], atol=1e-9)


def by_latitude(around, rows, turn):
    """Vertices of a unit ball, neither of whose equator nor of x and y need be any."""
    theta, phi = np.linspace(0, np.pi, rows + 1), np.arange(around) * 2 * np.pi / around + turn
    sine = np.sin(theta)
    places = [np.outer(sine, np.cos(phi)), np.outer(sine, np.sin(phi)), np.tile(np.cos(theta)[:, None], around)]
    return np.stack(places, -1).reshape(-1, 3)


@pytest.mark.parametrize(("around", "rows", "turn"), [(15, 11, 0.1), (64, 31, 0.0), (12, 7, 0.2)])
def test_a_ball_of_whose_axes_no_vertex_is_the_end_is_known_by_its_surface(around, rows, turn):
    positions = (by_latitude(around, rows, turn) * [2.0, 3.0, 5.0] + [7.0, -11.0, 13.0]).astype(np.float32)
    shape, matrix = recognised(positions.astype(np.float64), UP)
    assert shape == "ball"
    np.testing.assert_allclose(matrix[:3, 3], [7, -11, 13], rtol=1e-5)
    np.testing.assert_allclose(matrix[:3, :3], np.diag([2, 3, 5]), rtol=1e-5, atol=1e-9)


ROUND = by_latitude(32, 16, 0.0)
RIM = unit_mesh("ellipse", 32).positions


@pytest.mark.parametrize(
    "positions",
    [
        ROUND[ROUND[:, 2] > -1e-9],
        np.concatenate([RIM, [[0, 0, 0], [0, 0, 2.0]]]),
        np.concatenate([RIM, 0.9 * RIM + [0, 0, 2.0]]),
        np.concatenate([ROUND[ROUND[:, 2] >= -1e-9] + [0, 0, 1.0], ROUND[ROUND[:, 2] <= 1e-9] - [0, 0, 1.0]]),
    ],
    ids=["half a ball", "cone", "frustum", "capsule"],
)
def test_what_is_round_but_no_ball_nor_cylinder_is_told(positions):
    with pytest.raises(NotAShapeError, match="that is no sphere, box, cylinder or panel"):
        recognised(positions, UP)


@pytest.mark.parametrize(
    ("positions", "told"),
    [
        (np.zeros((3, 3)), "it has no extent"),
        (np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1.0]]), "a mesh of 4 vertices that is no sphere, box"),
        (np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0.0]]), "a flat mesh that is neither a rectangle nor an ellipse"),
        (unit_mesh("ellipse", 8).positions, "a flat mesh that is neither a rectangle nor an ellipse"),
    ],
)
def test_what_is_no_shape_is_told(positions, told):
    with pytest.raises(NotAShapeError, match=told):
        recognised(positions, UP)
