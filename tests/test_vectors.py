"""Vectors whose first dimension is the component."""

import torch

from luxel.geometry.vectors import basis, dot, normalised, transform, transform_transposed


def test_products_by_hand():
    one, other = torch.tensor([[1.0], [2.0], [3.0]]), torch.tensor([[5.0], [7.0], [11.0]])
    assert dot(one, other).item() == 5 + 14 + 33
    matrix = torch.arange(9.0).reshape(3, 3, 1)
    assert transform(matrix, one)[:, 0].tolist() == [8, 26, 44]
    assert transform_transposed(matrix, one)[:, 0].tolist() == [24, 30, 36]


def test_normalised_keeps_zero():
    vectors = torch.tensor([[3.0, 0.0], [4.0, 0.0], [0.0, 0.0]])
    torch.testing.assert_close(normalised(vectors), torch.tensor([[0.6, 0.0], [0.8, 0.0], [0.0, 0.0]]))


def test_basis_is_orthonormal_right_handed_and_ends_in_the_normal():
    normal = normalised(torch.randn(3, 500, generator=torch.Generator().manual_seed(0)))
    normal = torch.cat([normal, torch.eye(3), -torch.eye(3)], dim=1)
    rows = basis(normal)
    matrices = rows.permute(2, 0, 1)
    torch.testing.assert_close(matrices @ matrices.mT, torch.eye(3).expand_as(matrices), atol=1e-5, rtol=0)
    torch.testing.assert_close(torch.linalg.det(matrices), torch.ones(len(matrices)))
    assert torch.equal(rows[2], normal)
