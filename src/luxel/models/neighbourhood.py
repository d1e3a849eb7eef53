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
    shown: Int32[Tensor, "fragments lobes_and_subpixels"]  # the points that each lobe of a fragment shows, or MISS
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
    shown: wp.array2d[int]
    width: int
    height: int


@wp.struct
class Place:
    """A point among its Neighbours."""

    pixel: int  # of all pictures
    column: int
    row: int
    seen_object: int  # by the pixel: the fragment's
    object_id: int
    lobe: int
    normal: wp.vec3


@wp.func
def place_among(near: Neighbours, index: int) -> Place:
    """Of the point number `index`."""
    f = near.fragment[index]
    pixel = near.pixel[f]
    line = pixel // near.width
    p = near.points[index]
    return Place(
        pixel,
        pixel - line * near.width,
        line % near.height,
        near.object_id[f],
        p.object_id,
        near.lobe[index],
        p.normal,
    )


@wp.func
def neighbour(near: Neighbours, at: Place, across: int, down: int) -> int:
    """The point so many pixels away that is of the same object and shown by the same lobe of one, or MISS.

    Of several, the one whose normal is most alike.
    """
    result = int(MISS)
    x = at.column + across
    y = at.row + down
    if x >= 0 and x < near.width and y >= 0 and y < near.height:
        best = float(-2.0)
        q = at.pixel + down * near.width + across
        for g in range(near.offsets[q], near.offsets[q + 1]):
            if near.object_id[g] == at.seen_object:
                first = int(0)
                count = int(1)
                if at.lobe != MISS:
                    first = at.lobe * SUBPIXELS
                    count = SUBPIXELS
                for i in range(first, first + count):
                    j = int(g)
                    if at.lobe != MISS:
                        j = near.shown[g, i]
                    if j != MISS:
                        cosine = wp.dot(at.normal, near.points[j].normal)
                        if near.points[j].object_id == at.object_id and cosine > best:
                            best = cosine
                            result = j
    return result


@wp.kernel(enable_backward=False)
def place_points(
    slot: wp.array[wp.int64], fragments: int, fragment: wp.array[int], lobe: wp.array[int], shown: wp.array2d[int]
) -> None:
    """Which fragment each point belongs to, and the lobe that shows it: first the fragments' own points, then ends."""
    i = wp.tid()
    of = wp.min(i, fragments - 1)
    by = int(MISS)
    if i >= fragments:
        at = slot[i - fragments]
        if at != wp.int64(MISS):
            place = int(at % wp.int64(LOBES * SUBPIXELS))
            of = int(at // wp.int64(LOBES * SUBPIXELS))
            by = place // SUBPIXELS
            shown[of, place] = i
    fragment[i] = of
    lobe[i] = by


def neighbourhood(table: Int32[Tensor, "points words"], chains: Chains, found: Fragments) -> Neighbourhood:
    """Of the points of fragments, and of those that their chains end at, which come after them."""
    fragments, device = len(found.pixel), table.device
    fragment, lobe = torch.empty(2, len(table), dtype=torch.int32, device=device)
    shown = torch.full((fragments, LOBES * SUBPIXELS), MISS, dtype=torch.int32, device=device)
    launch(place_points, len(table), [chains.slot, fragments], [fragment, lobe, shown], device)
    return Neighbourhood(
        table, fragment, lobe, found.pixel_of_all, found.object_id, found.offsets, shown, found.width, found.rows
    )


def as_neighbours(near: Neighbourhood) -> Any:
    """For kernels; it keeps the tensors alive."""
    result = Neighbours()
    result.points = as_points(near.table)
    for name in ("fragment", "lobe", "pixel", "object_id", "offsets", "shown"):
        setattr(result, name, to_warp(getattr(near, name)))
    result.width, result.height = near.width, near.height
    return result
