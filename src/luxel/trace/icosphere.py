"""A fine mesh of the unit sphere, for what a tracer can't do with the sphere itself."""

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64

_GOLDEN = (1 + 5**0.5) / 2
_ICOSAHEDRON = [
    *((s * 1.0, t * _GOLDEN, 0.0) for s in (-1, 1) for t in (-1, 1)),
    *((0.0, s * 1.0, t * _GOLDEN) for s in (-1, 1) for t in (-1, 1)),
    *((t * _GOLDEN, 0.0, s * 1.0) for s in (-1, 1) for t in (-1, 1)),
]


class Icosphere(NamedTuple):
    """Unit normals of the vertices, what to multiply them by for the positions, and outward faces."""

    normals: Float64[np.ndarray, "vertices 3"]
    radius: float
    faces: Int64[np.ndarray, "faces 3"]


@lru_cache(maxsize=2)
def icosphere(subdivisions: int) -> Icosphere:
    """An icosahedron whose faces are cut in four, `subdivisions` times, its vertices on a sphere.

    `radius` makes the surface as large as the unit sphere's, and so, by Cauchy's formula, its mean projected
    area and the light that it emits. It then strays from the unit sphere by up to ±0.16·4^−subdivisions.
    """
    vertices = np.array(_ICOSAHEDRON)
    vertices /= np.linalg.norm(vertices, axis=1, keepdims=True)
    faces = _outward(vertices, _nearest_triples(vertices))
    for _ in range(subdivisions):
        vertices, faces = _cut(vertices, faces)
    return Icosphere(vertices, float(np.sqrt(4 * np.pi / _area(vertices, faces))), faces)


def subdivisions_for(error: float) -> int:
    """How many subdivisions keep within `error` of the unit sphere; see `icosphere`."""
    return max(0, math.ceil(math.log(0.16 / error, 4)))


def _nearest_triples(vertices: Float64[np.ndarray, "12 3"]) -> Int64[np.ndarray, "20 3"]:
    """The icosahedron's faces: all triples of mutual neighbours."""
    near = vertices @ vertices.T > 0.4  # neighbours have 1/√5 = 0.447, all others less
    triples = [
        (a, b, c)
        for a in range(12)
        for b in range(a + 1, 12)
        for c in range(b + 1, 12)
        if near[a, b] and near[b, c] and near[a, c]
    ]
    return np.array(triples, np.int64)


def _outward(
    vertices: Float64[np.ndarray, "vertices 3"], faces: Int64[np.ndarray, "faces 3"]
) -> Int64[np.ndarray, "faces 3"]:
    """The faces, turned so that their vertices run anticlockwise seen from outside."""
    inward = np.linalg.det(vertices[faces]) < 0
    return np.where(inward[:, None], faces[:, ::-1], faces)


def _cut(
    vertices: Float64[np.ndarray, "vertices 3"], faces: Int64[np.ndarray, "faces 3"]
) -> tuple[Float64[np.ndarray, "more_vertices 3"], Int64[np.ndarray, "more_faces 3"]]:
    """Four faces for each, with the middle of every edge, lifted onto the sphere, as a new vertex."""
    a, b, c = faces.T
    edges = np.sort(np.concatenate([np.stack(pair, axis=1) for pair in ((a, b), (b, c), (c, a))]), axis=1)
    unique, number = np.unique(edges, axis=0, return_inverse=True)
    middles = vertices[unique].sum(axis=1)
    middles /= np.linalg.norm(middles, axis=1, keepdims=True)
    ab, bc, ca = len(vertices) + number.reshape(3, -1)
    corners = ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))
    return np.concatenate([vertices, middles]), np.concatenate([np.stack(face, axis=1) for face in corners])


def _area(vertices: Float64[np.ndarray, "vertices 3"], faces: Int64[np.ndarray, "faces 3"]) -> float:
    first, second, third = np.moveaxis(vertices[faces], 1, 0)
    return float(np.linalg.norm(np.cross(second - first, third - first), axis=1).sum() / 2)
