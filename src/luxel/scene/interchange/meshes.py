"""Meshes of the unit shapes, and which unit shape a mesh is one of."""

from functools import cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int

from luxel.scene.interchange.placing import TOLERANCE, NotAShapeError, Shape
from luxel.scene.placing import Matrix, affine

AROUND = 64
"""Segments of a circle; a chord is 1.2e-3 of the radius inside its arc."""
MIN_RIM_VERTICES = 12
"""Vertices on a circle from which on a mesh is taken for a round shape."""
MIN_BALL_VERTICES = 20
MIN_BALL_ROWS = 5
"""Different coordinates of a ball's vertices along each axis: two rims alone lie on many ellipsoids."""
MISSED_POLE = 0.05
"""Of a semi-axis, how far a ball's outermost vertices may be from its end: 1 − cos 18°, as of ten around."""


class Mesh(NamedTuple):
    """Triangles, counter-clockwise seen from outside, with a unit normal at each vertex."""

    positions: Float64[np.ndarray, "vertices 3"]
    normals: Float64[np.ndarray, "vertices 3"]
    faces: Int[np.ndarray, "triangles 3"]


@cache
def unit_mesh(shape: Shape, around: int = AROUND) -> Mesh:
    """A mesh of the unit shape, whose vertices lie on it; a plane's is a square."""
    match shape:
        case "ball":
            return _ball(around)
        case "box":
            return _box()
        case "cylinder":
            return _cylinder(around)
        case "ellipse":
            return _disc(around, 0.0, 1.0)
        case _:
            corners = np.array([[-1.0, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]])
            return Mesh(corners, np.tile([0.0, 0, 1], (4, 1)), np.array([[0, 1, 2], [0, 2, 3]]))


def _grid(columns: int, rows: int) -> np.ndarray:
    """Triangles of a grid of (columns + 1) × (rows + 1) vertices, row by row."""
    column, row = (array.ravel() for array in np.meshgrid(np.arange(columns), np.arange(rows)))
    a = row * (columns + 1) + column
    b, c, d = a + 1, a + columns + 2, a + columns + 1
    return np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])


def _ball(around: int) -> Mesh:
    """By latitude and longitude, without the triangles that the poles make empty."""
    rows = max(around // 2, 2)
    theta, phi = np.linspace(np.pi, 0, rows + 1), np.linspace(0, 2 * np.pi, around + 1)
    sine, cosine = np.sin(theta), np.cos(theta)
    sine[[0, -1]] = 0.0
    phi[-1] = 0.0  # the seam's vertices are the same to the bit
    positions = np.stack(
        [np.outer(sine, np.cos(phi)), np.outer(sine, np.sin(phi)), np.tile(cosine[:, None], around + 1)], -1
    ).reshape(-1, 3)
    faces = _grid(around, rows)
    corners = positions[faces]
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    return Mesh(positions, positions, faces[area > 1e-9])


def _box() -> Mesh:
    """Four vertices a face."""
    parts = []
    for axis in range(3):
        for sign in (-1.0, 1.0):
            u, v = np.eye(3)[(axis + 1) % 3], np.eye(3)[(axis + 2) % 3]
            normal = sign * np.eye(3)[axis]
            square = [normal - sign * u - v, normal + sign * u - v, normal + sign * u + v, normal - sign * u + v]
            parts.append(Mesh(np.array(square), np.tile(normal, (4, 1)), np.array([[0, 1, 2], [0, 2, 3]])))
    return _joined(parts)


def _disc(around: int, height: float, side: float) -> Mesh:
    """At this height, its front up (side 1) or down (−1)."""
    phi = np.arange(around) * 2 * np.pi / around
    rim = np.stack([np.cos(phi), side * np.sin(phi), np.full(around, height)], 1)
    number = np.arange(1, around - 1)
    faces = np.stack([np.zeros_like(number), number, number + 1], 1)
    return Mesh(rim, np.tile([0.0, 0, side], (around, 1)), faces)


def _cylinder(around: int) -> Mesh:
    phi, up = np.append(np.arange(around) * 2 * np.pi / around, 0.0), np.array([0.0, 0, 1])
    normals = np.stack([np.cos(phi), np.sin(phi), np.zeros_like(phi)], 1)
    positions = np.concatenate([normals - up, normals + up])
    side = Mesh(positions, np.tile(normals, (2, 1)), _grid(around, 1))
    return _joined([side, _disc(around, 1.0, 1.0), _disc(around, -1.0, -1.0)])


def _joined(parts: list[Mesh]) -> Mesh:
    begins = np.cumsum([0, *(len(part.positions) for part in parts[:-1])])
    faces = [part.faces + begin for part, begin in zip(parts, begins, strict=True)]
    return Mesh(
        np.concatenate([part.positions for part in parts]),
        np.concatenate([part.normals for part in parts]),
        np.concatenate(faces),
    )


def recognised(positions: Float64[np.ndarray, "vertices 3"], front: Float64[np.ndarray, "3"]) -> tuple[Shape, Matrix]:
    """The unit shape that a mesh's vertices lie on to TOLERANCE of its extents, and mesh from unit.

    `front` is where its first triangle faces, which is where a flat mesh has its front.
    Its axes must be the mesh's own x, y and z. A box has its corners alone; of a ball the ends of its axes may lie
    between vertices; of a cylinder, which has a rim at both ends, the caps may have a middle; a mesh without thickness
    is a rectangle of four corners or an ellipse. Raises NotAShapeError.
    """
    low, high = positions.min(0), positions.max(0)
    center, half = (low + high) / 2, (high - low) / 2
    extent = float(half.max())
    if extent == 0:
        raise NotAShapeError("it has no extent")
    flat = np.flatnonzero(half < TOLERANCE * extent)
    unit = np.unique(np.round((positions - center) / np.where(half < TOLERANCE * extent, extent, half), 6), axis=0)
    if len(flat) == 1:
        return _flat(unit, center, half, int(flat[0]), front)
    if len(flat) == 0:
        matrix = affine(np.diag(half), center)
        if len(unit) == 8 and _is_one(np.abs(unit)):
            return "box", matrix
        if len(unit) >= MIN_BALL_VERTICES and _is_one(np.linalg.norm(unit, axis=1)):
            return "ball", matrix
        for axis in range(3):
            radius = np.linalg.norm(np.delete(unit, axis, 1), axis=1)
            on_rim = np.abs(radius - 1) < TOLERANCE
            bottom, top = (np.abs(unit[:, axis] - side) < TOLERANCE for side in (-1, 1))
            rims = min((on_rim & bottom).sum(), (on_rim & top).sum())
            if rims >= MIN_RIM_VERTICES and (on_rim | ((radius < TOLERANCE) & (bottom | top))).all():
                turned = matrix.copy()
                turned[:, :3] = matrix[:, [(axis + 1) % 3, (axis + 2) % 3, axis]]
                return "cylinder", turned
        if (ball := _fitted_ball(unit)) is not None:
            return "ball", matrix @ ball
    raise NotAShapeError(f"a mesh of {len(unit)} vertices that is no sphere, box, cylinder or panel along its axes")


def _fitted_ball(unit: np.ndarray) -> Matrix | None:
    """From the unit ball, where all vertices, whose extents are [−1, 1]³, lie on its image; None if they do not.

    By least squares a · p² + b · p = 1 along the axes: a ball about −b / 2a with the semi-axes √((1 + Σ b² / 4a) / a).
    """
    rows = min(len(np.unique(np.round(unit[:, axis], 4))) for axis in range(3))
    if len(unit) < MIN_BALL_VERTICES or rows < MIN_BALL_ROWS:
        return None
    square, linear = np.split(np.linalg.lstsq(np.concatenate([unit**2, unit], 1), np.ones(len(unit)))[0], 2)
    if (square <= 0).any():
        return None
    center = -linear / (2 * square)
    semi_axes = np.sqrt((1 + (square * center**2).sum()) / square)
    is_whole = (np.abs(np.abs(center) + semi_axes - 1) < MISSED_POLE).all()
    if not is_whole or not _is_one(np.linalg.norm((unit - center) / semi_axes, axis=1)):
        return None
    return affine(np.diag(semi_axes), center)


def _flat(unit: np.ndarray, center: np.ndarray, half: np.ndarray, axis: int, front: np.ndarray) -> tuple[Shape, Matrix]:
    places = np.delete(unit, axis, 1)
    scales = np.where(np.arange(3) == axis, 1.0, half)
    matrix = affine(np.diag(scales)[:, [(axis + 1) % 3, (axis + 2) % 3, axis]], center)
    if front[axis] < 0:
        matrix[:, [0, 2]] *= -1
    if len(places) == 4 and _is_one(np.abs(places)):
        return "rectangle", matrix
    radius = np.linalg.norm(places, axis=1)
    rim = np.abs(radius - 1) < TOLERANCE
    if rim.sum() >= MIN_RIM_VERTICES and (rim | (radius < TOLERANCE)).all():
        return "ellipse", matrix
    raise NotAShapeError("a flat mesh that is neither a rectangle nor an ellipse along its axes")


def _is_one(values: np.ndarray) -> bool:
    return bool(np.abs(values - 1.0).max() < TOLERANCE)
