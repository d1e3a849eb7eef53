"""Vectors whose components are tensors."""

import torch

from luxel.geometry.vectors import (
    Matrix,
    Vector,
    basis,
    dot,
    normalised,
    square_length,
    transform,
    transform_transposed,
    where,
)


def vector(x: float, y: float, z: float) -> Vector:
    return Vector.of(torch.tensor([[float(x)], [float(y)], [float(z)]]))


def rows(matrix: Matrix) -> torch.Tensor:
    return torch.stack([row.stacked() for row in (matrix.first, matrix.second, matrix.third)])


def test_products_by_hand():
    one, other = vector(1, 2, 3), vector(5, 7, 11)
    assert dot(one, other).item() == 5 + 14 + 33
    assert square_length(one).item() == 14
    matrix = Matrix(vector(0, 1, 2), vector(3, 4, 5), vector(6, 7, 8))
    assert transform(matrix, one).stacked()[:, 0].tolist() == [8, 26, 44]
    assert transform_transposed(matrix, one).stacked()[:, 0].tolist() == [24, 30, 36]


def test_operators_work_by_component():
    one, other = vector(1, 2, 3), vector(5, 7, 11)
    assert (one * other - one).stacked()[:, 0].tolist() == [4, 12, 30]
    assert (-one + other.scaled(2.0)).stacked()[:, 0].tolist() == [9, 12, 19]
    assert one.mean().item() == 2
    assert vector(3, 7, 5).largest().item() == 7
    assert where(torch.tensor([False]), one, other).map(torch.neg).stacked()[:, 0].tolist() == [-5, -7, -11]
    assert where(torch.tensor([False]), one, 0.0).stacked()[:, 0].tolist() == [0, 0, 0]


def test_normalised_keeps_zero():
    vectors = torch.tensor([[3.0, 0.0], [4.0, 0.0], [0.0, 0.0]])
    unit = normalised(Vector.of(vectors)).stacked()
    torch.testing.assert_close(unit, torch.tensor([[0.6, 0.0], [0.8, 0.0], [0.0, 0.0]]))


def test_basis_is_orthonormal_right_handed_and_ends_in_the_normal():
    normal = normalised(Vector.of(torch.randn(3, 500, generator=torch.Generator().manual_seed(0)))).stacked()
    normal = torch.cat([normal, torch.eye(3), -torch.eye(3)], dim=1)
    found = rows(basis(Vector.of(normal)))
    matrices = found.permute(2, 0, 1)
    torch.testing.assert_close(matrices @ matrices.mT, torch.eye(3).expand_as(matrices), atol=1e-5, rtol=0)
    torch.testing.assert_close(torch.linalg.det(matrices), torch.ones(len(matrices)))
    assert torch.equal(found[2], normal)
