"""Three-vectors, and colours, whose components are tensors of their own.

One tensor [3, ...] would be shorter to write, but then a formula runs over [3, lanes] here and over [lanes] there,
and a compiler can't make one loop of it, with every intermediate result in a register.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import torch
from jaxtyping import Bool, Float
from torch import Tensor

Scalar: TypeAlias = Tensor | float


@dataclass(frozen=True)
class Vector:
    """Three components of one shape; operators work by component."""

    x: Tensor
    y: Tensor
    z: Tensor

    @staticmethod
    def of(tensor: Float[Tensor, "3 *lanes"]) -> "Vector":
        """The vector whose components are the rows of a tensor."""
        return Vector(tensor[0], tensor[1], tensor[2])

    def stacked(self) -> Float[Tensor, "3 *lanes"]:
        """The components as rows of one tensor."""
        return torch.stack([self.x, self.y, self.z])

    def map(self, function: Callable[[Tensor], Tensor]) -> "Vector":
        """The function of each component."""
        return Vector(function(self.x), function(self.y), function(self.z))

    def mean(self) -> Tensor:
        """Of the components."""
        return (self.x + self.y + self.z) * (1 / 3)

    def largest(self) -> Tensor:
        """Of the components."""
        return torch.maximum(torch.maximum(self.x, self.y), self.z)

    def __neg__(self) -> "Vector":
        return Vector(-self.x, -self.y, -self.z)

    def scaled(self, factor: Scalar) -> "Vector":
        """Times a scalar, by name, since torch.compile takes `vector * tensor` for the product of two tensors."""
        return Vector(self.x * factor, self.y * factor, self.z * factor)

    def __add__(self, other: "Vector") -> "Vector":
        return Vector(self.x + other.x, self.y + other.y, self.z + other.z)

    def __sub__(self, other: "Vector") -> "Vector":
        return Vector(self.x - other.x, self.y - other.y, self.z - other.z)

    def __mul__(self, other: "Vector") -> "Vector":
        return Vector(self.x * other.x, self.y * other.y, self.z * other.z)


@dataclass(frozen=True)
class Matrix:
    """Three rows."""

    first: Vector
    second: Vector
    third: Vector


def where(condition: Bool[Tensor, "*lanes"], one: Vector | Scalar, other: Vector | Scalar) -> Vector:
    """`one` where the condition holds, else the `other`."""
    pairs = zip(_components(one), _components(other), strict=True)
    return Vector(*(torch.where(condition, a, b) for a, b in pairs))


def dot(one: Vector, other: Vector) -> Tensor:
    """Scalar product."""
    return one.x * other.x + one.y * other.y + one.z * other.z


def square_length(vector: Vector) -> Tensor:
    """Scalar product with itself."""
    return vector.x.square() + vector.y.square() + vector.z.square()


def normalised(vector: Vector) -> Vector:
    """Unit length; a vector shorter than 1e-18 stays as short as it is times 1e18."""
    return vector.scaled(torch.rsqrt(square_length(vector).clamp(min=1e-36)))


def transform(matrix: Matrix, vector: Vector) -> Vector:
    """matrix @ vector; both broadcast."""
    return Vector(dot(matrix.first, vector), dot(matrix.second, vector), dot(matrix.third, vector))


def transform_transposed(matrix: Matrix, vector: Vector) -> Vector:
    """matrixᵀ @ vector; both broadcast."""
    return matrix.first.scaled(vector.x) + matrix.second.scaled(vector.y) + matrix.third.scaled(vector.z)


def basis(normal: Vector) -> Matrix:
    """Right-handed orthonormal rows whose third is the unit `normal`.

    Duff et al., "Building an Orthonormal Basis, Revisited", JCGT 6(1), 2017, listing 3.
    """
    x, y, z = normal.x, normal.y, normal.z
    sign = torch.where(z >= 0, 1.0, -1.0)
    a = -1 / (sign + z)
    b = x * y * a
    return Matrix(Vector(1 + sign * x * x * a, sign * b, -sign * x), Vector(b, sign + y * y * a, -y), normal)


def _components(value: Vector | Scalar) -> tuple[Scalar, Scalar, Scalar]:
    return (value.x, value.y, value.z) if isinstance(value, Vector) else (value, value, value)
