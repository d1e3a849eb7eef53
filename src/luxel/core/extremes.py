"""The largest of values around pixels."""

import torch
from jaxtyping import Float
from torch import Tensor


def max_around(values: Float[Tensor, "*batch height width"]) -> Float[Tensor, "*batch height width"]:
    """The largest value of the 3 × 3 pixels about each, of which there are fewer at the sides.

    Along rows, then along columns: torch's max_pool2d, which says where they are, too, takes fifteen times as long.
    """
    for side in (-1, -2):
        values = _max_along(values, side)
    return values


def _max_along(values: Float[Tensor, "*any"], side: int) -> Float[Tensor, "*any"]:
    """The largest of each value and of those before and after it."""
    result, pairs = values.clone(), values.shape[side] - 1
    for own, other in ((0, 1), (1, 0)):
        part = result.narrow(side, own, pairs)
        part.copy_(torch.maximum(part, values.narrow(side, other, pairs)))
    return result
