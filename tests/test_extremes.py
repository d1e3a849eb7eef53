"""The largest of values around pixels, against torch's pooling."""

import pytest
import torch
import torch.nn.functional as F

from luxel.core.extremes import max_around


@pytest.mark.parametrize("shape", [(3, 7, 11), (1, 1, 13), (2, 5, 1), (1, 1, 1)])
def test_the_largest_is_that_of_pooling(shape):
    values = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    before = values.clone()
    assert torch.equal(max_around(values), F.max_pool2d(values[:, None], 3, 1, 1)[:, 0])
    assert torch.equal(values, before)
