"""Vectors whose first dimension is the component."""

import torch

from luxel.geometry.arrays import dot, normalised, transform


def test_products_by_hand():
    one, other = torch.tensor([[1.0], [2.0], [3.0]]), torch.tensor([[5.0], [7.0], [11.0]])
    assert dot(one, other).item() == 5 + 14 + 33
    matrix = torch.arange(9.0).reshape(3, 3, 1)
    assert transform(matrix, one)[:, 0].tolist() == [8, 26, 44]


def test_normalised_keeps_zero():
    vectors = torch.tensor([[3.0, 0.0], [4.0, 0.0], [0.0, 0.0]])
    torch.testing.assert_close(normalised(vectors), torch.tensor([[0.6, 0.0], [0.8, 0.0], [0.0, 0.0]]))
