"""The mesh of the sphere: closed, outward, and as near to the sphere as it says."""

import numpy as np
import pytest

from luxel.trace.icosphere import icosphere, subdivisions_for


@pytest.mark.parametrize("subdivisions", [0, 1, 3, 5])
def test_mesh(subdivisions):
    normals, radius, faces = icosphere(subdivisions)
    assert len(faces) == 20 * 4**subdivisions
    assert len(normals) == 2 + len(faces) // 2  # Euler's formula: closed and without seams
    edges = {(a, b) for face in faces.tolist() for a, b in zip(face, face[1:] + face[:1], strict=True)}
    assert edges == {(b, a) for a, b in edges}
    assert len(edges) == 3 * len(faces)
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1)

    first, second, third = np.moveaxis(radius * normals[faces], 1, 0)
    doubled = np.cross(second - first, third - first)
    heights = np.einsum("fi,fi->f", first, doubled) / np.linalg.norm(doubled, axis=1)
    assert heights.min() > 0  # outward
    np.testing.assert_allclose(np.linalg.norm(doubled, axis=1).sum() / 2, 4 * np.pi)
    error = max(radius - 1, 1 - heights.min())
    assert error <= 0.16 * 4.0**-subdivisions
    assert subdivisions_for(error) in (subdivisions, subdivisions + 1)


def test_subdivisions_for():
    assert [subdivisions_for(0.16 * 4.0**-n * 1.001) for n in range(5)] == list(range(5))
    assert subdivisions_for(3.0) == 0
