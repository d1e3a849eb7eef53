"""Three-vectors as tensors whose first dimension is the component, so that scalars broadcast and kernels fuse."""

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


def transform_transposed(
    matrix: Float[Tensor, "3 3 *any"], vector: Float[Tensor, "3 *lanes"]
) -> Float[Tensor, "3 *both"]:
    """matrixᵀ @ vector; both broadcast."""
    return matrix[0] * vector[0] + matrix[1] * vector[1] + matrix[2] * vector[2]


def basis(normal: Float[Tensor, "3 *lanes"]) -> Float[Tensor, "3 3 *lanes"]:
    """Right-handed orthonormal rows whose third is the unit `normal`.

    Duff et al., "Building an Orthonormal Basis, Revisited", JCGT 6(1), 2017, listing 3.
    """
    x, y, z = normal
    sign = torch.where(z >= 0, 1.0, -1.0)
    a = -1 / (sign + z)
    b = x * y * a
    first = torch.stack([1 + sign * x * x * a, sign * b, -sign * x])
    second = torch.stack([b, sign + y * y * a, -y])
    return torch.stack([first, second, normal])
