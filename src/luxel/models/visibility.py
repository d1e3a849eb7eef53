"""Which objects each pixel of a picture shows, and how much of it each covers.

Visibility is cheap and shading is not: where a pixel's centre and corners see the same object it is taken for that
object's alone; elsewhere, and wherever something thin may be, a grid of rays finds out who covers which share, and each
of them is shaded once.

The camera is the origin and looks along −z; a ray is (x, y, −1), so that its parameter is the depth.
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from luxel.geometry.arrays import dot, transform
from luxel.geometry.intersect import NOTHING
from luxel.models.surface import ShapeArrays
from luxel.scene.camera import NEAR_CLIP

PAIRS_AT_ONCE = 1 << 22  # of a ray and an object
THIN = 4.0  # pixels across; of larger objects, no more than slivers come between corners


class Footprints(NamedTuple):
    """One visible object in one pixel each; what they leave of a pixel shows the sky."""

    scene: Int64[Tensor, " lanes"]
    pixel: Int64[Tensor, " lanes"]  # row · width + column
    item: Int64[Tensor, " lanes"]
    coverage: Float[Tensor, " lanes"]  # share of the pixel
    ray: Float[Tensor, "lanes 2"]  # (x, y) at depth 1: of the grid's rays that show the object, the most central


def footprints(
    shapes: ShapeArrays,
    real: Bool[Tensor, "scenes objects"],
    tan_half_fov: Float[Tensor, "scenes 1"],
    width: int,
    height: int,
    grid: int,
) -> Footprints:
    """Every object in every pixel, by `grid`² rays in the pixels that more than one thing may share."""
    found = [
        one_scene(Quadrics.of(shapes, scene, real[scene]), float(tan_half_fov[scene]), width, height, grid, scene)
        for scene in range(len(real))
    ]
    return Footprints(*(torch.cat(parts) for parts in zip(*found, strict=True)))


class Quadrics(NamedTuple):
    """ShapeArrays as the rays through one camera's centre meet them: at the depths t with a·t² + 2b·t + c = 0.

    a is a quadratic and b a linear function of a ray's (x, y); float64, as their difference is taken.
    """

    a: Float[Tensor, "6 objects"]  # coefficients of 1, x, y, x², xy, y²
    b: Float[Tensor, "3 objects"]  # of 1, x, y
    c: Float[Tensor, " objects"]

    @property
    def discriminant(self) -> Float[Tensor, "6 objects"]:
        """Coefficients of b² − a·c, which is positive along rays that meet an object, before or behind the camera."""
        one, x, y = self.b
        square = torch.stack([one * one, 2 * one * x, 2 * one * y, x * x, 2 * x * y, y * y])
        return square - self.a * self.c

    @staticmethod
    def of(shapes: ShapeArrays, scene: int, real: Bool[Tensor, " objects"]) -> "Quadrics":
        """The real objects of one scene, which come first."""
        matrix = shapes.unit_from_world[:, :, scene, real].double()
        centre = shapes.center[:, scene, real].double()
        start = -transform(matrix, centre)
        x, y, z = matrix[:, 0], matrix[:, 1], -matrix[:, 2]
        a = torch.stack([dot(z, z), 2 * dot(x, z), 2 * dot(y, z), dot(x, x), 2 * dot(x, y), dot(y, y)])
        return Quadrics(a, torch.stack([dot(axis, start) for axis in (z, x, y)]), dot(start, start) - 1)

    def nearest(self, rays: Float[Tensor, "*rays 2"]) -> Int64[Tensor, "*rays"]:
        """The first object along each ray, or NOTHING."""
        parts = rays.double().flatten(0, -2).T.split(max(1, PAIRS_AT_ONCE // len(self.c)), 1)
        return torch.cat([self._nearest(part) for part in parts]).unflatten(0, rays.shape[:-1])

    def _nearest(self, rays: Float[Tensor, "2 rays"]) -> Int64[Tensor, " rays"]:
        """Most rays of many pictures meet nothing, which the discriminant alone can tell."""
        some = ((self.discriminant.T @ monomials(rays)).amax(0) > 0).nonzero()[:, 0]
        terms = monomials(rays[:, some])
        a, b = self.a.T @ terms, self.b.T @ terms[:3]
        square = b * b - a * self.c[:, None]
        root = square.clamp(min=0).sqrt()
        near, far = (-b - root) / a, (root - b) / a
        depth = torch.where(near > NEAR_CLIP, near, far)
        depth = torch.where((square > 0) & (depth > NEAR_CLIP), depth, torch.inf)
        least, item = depth.min(0)
        found = torch.where(least < torch.inf, item, NOTHING)
        return torch.full_like(rays[0], NOTHING, dtype=torch.int64).index_copy(0, some, found)


def monomials(rays: Float[Tensor, "2 rays"]) -> Float[Tensor, "6 rays"]:
    """1, x, y, x², xy, y²."""
    x, y = rays
    return torch.stack([torch.ones_like(x), x, y, x * x, x * y, y * y])


def one_scene(objects: Quadrics, tan_half_fov: float, width: int, height: int, grid: int, scene: int) -> Footprints:
    """See `footprints`."""
    device = objects.c.device
    scale = 2 * tan_half_fov / height

    def at(column: Tensor, row: Tensor) -> Float[Tensor, "*rays 2"]:
        """(x, y) of points of the picture, in pixels from its upper left corner."""
        return torch.stack([(column - width / 2) * scale, (height / 2 - row) * scale], -1)

    rows, columns = torch.arange(height + 1, device=device), torch.arange(width + 1, device=device)
    corners = objects.nearest(at(*reversed(torch.meshgrid(rows, columns, indexing="ij"))))
    middles = at(*reversed(torch.meshgrid(rows[:-1] + 0.5, columns[:-1] + 0.5, indexing="ij")))
    centre = objects.nearest(middles)
    shared = torch.zeros_like(centre, dtype=torch.bool)
    for corner in (corners[:-1, :-1], corners[:-1, 1:], corners[1:, :-1], corners[1:, 1:]):
        shared |= corner != centre
    shared |= crossed_by_thin(objects, scale, width, height, grid)
    whole = (~shared & (centre != NOTHING)).flatten().nonzero()[:, 0]
    edge = shared.flatten().nonzero()[:, 0]

    steps = (torch.arange(grid, device=device) + 0.5) / grid
    down, across = (step.flatten() for step in torch.meshgrid(steps, steps, indexing="ij"))
    offset = torch.stack([across, down], 1)
    prints = [(whole, centre.flatten()[whole], torch.ones(len(whole), device=device), middles.flatten(0, 1)[whole])]
    for part in edge.split(max(1, PAIRS_AT_ONCE // max(len(objects.c), len(offset)))):
        rays = at(part[:, None] % width + across, part[:, None] // width + down)
        which, item, share, central = shares(objects.nearest(rays), offset, len(objects.c))
        prints.append((part[which], item, share, rays[which, central]))
    pixel, item, coverage, ray = (torch.cat(parts) for parts in zip(*prints, strict=True))
    return Footprints(torch.full_like(pixel, scene), pixel, item, coverage, ray.float())


def shares(
    shown: Int64[Tensor, "pixels grid"], offset: Float[Tensor, "grid 2"], objects: int
) -> tuple[Int64[Tensor, " prints"], Int64[Tensor, " prints"], Float[Tensor, " prints"], Int64[Tensor, " prints"]]:
    """Pixel, object, share of the rays and most central ray, of each object that some ray of a pixel's grid shows.

    The most central is the nearest to the mean of those that show the object, where it may itself be hidden.
    """
    counts = shown.new_zeros(len(shown), objects + 1).scatter_add_(1, shown + 1, torch.ones_like(shown))
    pixel, item = (counts[:, 1:] > 0).nonzero(as_tuple=True)
    count, those = counts[pixel, item + 1], shown[pixel] == item[:, None]
    mean = those.to(offset.dtype) @ offset / count[:, None]
    apart = (offset - mean[:, None]).square().sum(-1)
    return pixel, item, count / len(offset), torch.where(those, apart, torch.inf).argmin(1)


def crossed_by_thin(
    objects: Quadrics, scale: float, width: int, height: int, grid: int
) -> Bool[Tensor, "height width"]:
    """The pixels that an object of less than THIN pixels across may show in, which all of their corners may miss.

    In the picture an ellipsoid is where its discriminant, a quadratic in x and y, is positive: on every row of the
    grid's rays an interval.
    """
    one, x, y, xx, xy, yy = objects.discriminant
    determinant = xx * yy - xy * xy / 4
    middle = torch.stack([xy * y / 2 - yy * x, xy * x / 2 - xx * y]) / (2 * determinant)
    value = one + (x * middle[0] + y * middle[1]) / 2
    steepest = -(xx + yy) / 2 + (((xx - yy) / 2).square() + (xy / 2).square()).sqrt()
    ellipse = (determinant > 0) & (xx < 0) & (value > 0)
    thin = (ellipse & (value < (THIN / 2 * scale) ** 2 * steepest)).nonzero()
    if not len(thin):
        return torch.zeros(height, width, dtype=torch.bool, device=thin.device)
    one, x, y, xx, xy, yy = objects.discriminant[:, thin]
    down = (height / 2 - (torch.arange(height * grid, device=thin.device) + 0.5) / grid) * scale
    linear, constant = x + xy * down, one + y * down + yy * down.square()
    square = linear.square() - 4 * xx * constant
    root = square.clamp(min=0).sqrt()
    left, right = ((-linear + sign * root) / (2 * xx * scale) + width / 2 for sign in (1, -1))
    met = (square > 0) & (right > 0) & (left < width)
    row = met.nonzero()[:, 1]
    first, last = (side[met].floor().long().clamp(0, width - 1) for side in (left, right))
    steps = torch.zeros(height * grid, width + 1, dtype=torch.int32, device=thin.device)
    for column, step in ((first, 1), (last + 1, -1)):
        steps.index_put_((row, column), steps.new_tensor(step), accumulate=True)
    return (steps.cumsum(1)[:, :width] > 0).unflatten(0, (height, grid)).any(1)
