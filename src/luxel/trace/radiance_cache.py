"""The radiance that many small balls send out, in spherical harmonics of their normals, so that paths may end on them.

What a path finds beyond its second surface is a third of the light of figures of points, half of the variance and half
of the time; a ball in a crowd gets it from all sides, so that few harmonics hold it, and a point of another ball
sees many such. That irradiance on Lambert's surfaces is nine harmonics to a hundredth is known (Ramamoorthi & Hanrahan,
"An Efficient Representation for Irradiance Environment Maps", 2001); keeping it for secondary rays alone, so that what
the camera sees is traced, is final gathering's way (Jensen, "Realistic Image Synthesis Using Photon Mapping", 2001).
"""

from typing import NamedTuple

import torch
import warp as wp
from jaxtyping import Bool, Float, Float32, Int64
from torch import Tensor

HARMONICS = 9
RIDGE = 0.1, *(2.0,) * 3, *(12.0,) * 5
"""Added to the diagonal of a ball's normal equations, by order: the variance of a path over that of the coefficient.

A path's variance is about half of the squared mean, of which the first order's coefficients have a quarter, the
second's a twentieth.
"""
MIN_SAMPLES = 4
"""Samples for a ball to have harmonics of its own."""
AT_ONCE = 1 << 16
"""Samples, of 81 products each."""


class RadianceCache(NamedTuple):
    """Of a scene's objects; `fitted_cache` makes one."""

    coefficients: Float32[Tensor, "objects harmonics 3"]
    """Of `harmonics` of the outward normal."""
    is_known: Bool[Tensor, " objects"]


@wp.func
def cached_radiance(coefficients: wp.array2d[wp.vec3], object_id: int, normal: wp.vec3) -> wp.vec3:
    """What a known object sends out where its outward normal is this, in all directions alike."""
    x = normal[0]
    y = normal[1]
    z = normal[2]
    L = coefficients[object_id, 0]
    L += coefficients[object_id, 1] * x + coefficients[object_id, 2] * y + coefficients[object_id, 3] * z
    L += coefficients[object_id, 4] * (x * y) + coefficients[object_id, 5] * (y * z)
    L += coefficients[object_id, 6] * (z * x) + coefficients[object_id, 7] * (x * x - y * y)
    L += coefficients[object_id, 8] * (z * z - 1.0 / 3.0)
    return wp.max(L, wp.vec3(0.0, 0.0, 0.0))


def harmonics(normal: Float[Tensor, "samples 3"]) -> Float[Tensor, "samples harmonics"]:
    """Real spherical harmonics of orders 0, 1 and 2, but for their factors."""
    x, y, z = normal.unbind(1)
    return torch.stack([torch.ones_like(x), x, y, z, x * y, y * z, z * x, x * x - y * y, z * z - 1 / 3], 1)


def fitted_cache(
    object_id: Int64[Tensor, " samples"],
    normal: Float[Tensor, "samples 3"],
    radiance: Float[Tensor, "samples 3"],
    objects: int,
) -> RadianceCache:
    """The cache of so many objects by what samples of some show, by least squares with a RIDGE.

    Known are those that have MIN_SAMPLES samples.
    """
    moments, products = normal.new_zeros(objects, HARMONICS**2), normal.new_zeros(objects, HARMONICS, 3)
    for part in zip(*(values.split(AT_ONCE) for values in (object_id, normal, radiance)), strict=True):
        basis = harmonics(part[1])
        moments.index_add_(0, part[0], (basis[:, :, None] * basis[:, None]).flatten(1))
        products.index_add_(0, part[0], basis[:, :, None] * part[2][:, None])
    ridge = torch.diag(normal.new_tensor(RIDGE))
    coefficients = torch.linalg.solve(moments.unflatten(1, (HARMONICS, HARMONICS)) + ridge, products)
    return RadianceCache(coefficients, torch.bincount(object_id, minlength=objects) >= MIN_SAMPLES)
