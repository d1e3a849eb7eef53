"""Which points lie beside one another in a picture, so that they may share what they gather."""

from typing import Any, NamedTuple

import torch
import warp as wp
from jaxtyping import Int32
from torch import Tensor

from luxel.core.fragments import Fragments
from luxel.core.intersect import MISS
from luxel.core.launch import launch, to_warp
from luxel.models.chains import LOBES
from luxel.models.shading_points import ShadingPoint, as_points
from luxel.models.specular import Chains
from luxel.models.subpixels import SUBPIXELS


class Neighbourhood(NamedTuple):
    """Which point is where in the pictures, to look it up by pixel."""

    table: Int32[Tensor, "points words"]  # ShadingPoints
    fragment: Int32[Tensor, " points"]
    lobe: Int32[Tensor, " points"]  # that shows it, or MISS for a fragment's own point, whose number is the fragment's
    pixel: Int32[Tensor, " fragments"]  # of all pictures
    object_id: Int32[Tensor, " fragments"]
    offsets: Int32[Tensor, " pixels_and_one"]  # fragments of each pixel
    chain_ends: Int32[Tensor, "fragments lobes_and_subpixels"]  # points that each lobe shows of each fragment, or MISS
    width: int
    height: int


@wp.struct
class Neighbours:
    """A Neighbourhood for kernels."""

    points: wp.array[ShadingPoint]
    fragment: wp.array[int]
    lobe: wp.array[int]
    pixel: wp.array[int]
    object_id: wp.array[int]
    offsets: wp.array[int]
    chain_ends: wp.array2d[int]
    width: int
    height: int


@wp.struct
class PointLocation:
    """Where in a picture a shading point is seen, and what tells which others are like it."""

    pixel: int  # of all pictures
    column: int
    row: int
    fragment_object: int  # that the pixel shows: it may show the point by a chain
    object_id: int
    lobe: int
    normal: wp.vec3


@wp.func
def location_of(neighbours: Neighbours, index: int) -> PointLocation:
    """That of the point number `index`."""
    f = neighbours.fragment[index]
    pixel = neighbours.pixel[f]
    line = pixel // neighbours.width
    p = neighbours.points[index]
    return PointLocation(
        pixel,
        pixel - line * neighbours.width,
        line % neighbours.height,
        neighbours.object_id[f],
        p.object_id,
        neighbours.lobe[index],
        p.normal,
    )


@wp.func
def find_neighbour(neighbours: Neighbours, location: PointLocation, across: int, down: int) -> int:
    """The point so many pixels away that is of the same object and shown by the same lobe of one, or MISS.

    Of several, the one whose normal is most alike.
    """
    result = int(MISS)
    x = location.column + across
    y = location.row + down
    if x >= 0 and x < neighbours.width and y >= 0 and y < neighbours.height:
        best = float(-2.0)
        q = location.pixel + down * neighbours.width + across
        for g in range(neighbours.offsets[q], neighbours.offsets[q + 1]):
            if neighbours.object_id[g] == location.fragment_object:
                first = int(0)
                count = int(1)
                if location.lobe != MISS:
                    first = location.lobe * SUBPIXELS
                    count = SUBPIXELS
                for i in range(first, first + count):
                    j = int(g)
                    if location.lobe != MISS:
                        j = neighbours.chain_ends[g, i]
                    if j != MISS:
                        cosine = wp.dot(location.normal, neighbours.points[j].normal)
                        if neighbours.points[j].object_id == location.object_id and cosine > best:
                            best = cosine
                            result = j
    return result


@wp.kernel(enable_backward=False)
def locate_points(
    slot: wp.array[wp.int64], fragments: int, fragment: wp.array[int], lobe: wp.array[int], chain_ends: wp.array2d[int]
) -> None:
    """Which fragment each point belongs to, and the lobe that shows it: first the fragments' own points, then ends."""
    i = wp.tid()
    of = wp.min(i, fragments - 1)
    by = int(MISS)
    if i >= fragments:
        end = slot[i - fragments]
        if end != wp.int64(MISS):
            column = int(end % wp.int64(LOBES * SUBPIXELS))
            of = int(end // wp.int64(LOBES * SUBPIXELS))
            by = column // SUBPIXELS
            chain_ends[of, column] = i
    fragment[i] = of
    lobe[i] = by


def neighbourhood(table: Int32[Tensor, "points words"], chains: Chains, found: Fragments) -> Neighbourhood:
    """Of the points of fragments, and of those that their chains end at, which come after them."""
    fragments, device = len(found.pixel), table.device
    fragment, lobe = torch.empty(2, len(table), dtype=torch.int32, device=device)
    chain_ends = torch.full((fragments, LOBES * SUBPIXELS), MISS, dtype=torch.int32, device=device)
    launch(locate_points, len(table), [chains.slot, fragments], [fragment, lobe, chain_ends], device)
    return Neighbourhood(
        table, fragment, lobe, found.pixel_of_all, found.object_id, found.offsets, chain_ends, found.width, found.rows
    )


def as_neighbours(neighbours: Neighbourhood) -> Any:
    """For kernels; it keeps the tensors alive."""
    result = Neighbours()
    result.points = as_points(neighbours.table)
    for name in ("fragment", "lobe", "pixel", "object_id", "offsets", "chain_ends"):
        setattr(result, name, to_warp(getattr(neighbours, name)))
    result.width, result.height = neighbours.width, neighbours.height
    return result
