"""Vectors as one tensor whose first dimension is the component: in few operations, for code that is not compiled.

`luxel.geometry.vectors` has the same for code that is.
"""

import torch
from jaxtyping import Float
from torch import Tensor


def dot(one: Float[Tensor, "3 *lanes"], other: Float[Tensor, "3 *lanes"]) -> Float[Tensor, "*lanes"]:
    """Scalar product."""
    return one[0] * other[0] + one[1] * other[1] + one[2] * other[2]


def normalised(vector: Float[Tensor, "3 *lanes"]) -> Float[Tensor, "3 *lanes"]:
    """Unit length; a vector shorter than 1e-18 stays as short as it is times 1e18."""
    return vector * torch.rsqrt(dot(vector, vector).clamp(min=1e-36))


def transform(matrix: Float[Tensor, "3 3 *any"], vector: Float[Tensor, "3 *lanes"]) -> Float[Tensor, "3 *both"]:
    """matrix @ vector; both broadcast."""
    return matrix[:, 0] * vector[0] + matrix[:, 1] * vector[1] + matrix[:, 2] * vector[2]
