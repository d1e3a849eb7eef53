"""Trees over many things, as heaps: node n has the children 2n and 2n + 1, and 1 is the root.

Complete binary trees, split at medians, so that all trees of one size are built together by a few sorts, and a walk
down one, or back up, is arithmetic on the node's number.

Legend: trees of one size; items, a power of two, absent ones being infinitely far.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int64
from torch import Tensor

OUT_OF_REACH = 1e30  # scene units


def median_order(center: Float[Tensor, "trees items 3"], leaf: int) -> Int64[Tensor, "trees items"]:
    """The items in the order of their leaves, `leaf` in each: every node is cut in half across its longest side.

    Absent items come last in their node.
    """
    trees, items, _ = center.shape
    order = torch.arange(items, device=center.device).expand(trees, items)
    size = items
    while size > leaf:
        parts = center.gather(1, order[..., None].expand(-1, -1, 3)).reshape(-1, size, 3)
        sides = torch.where(parts.isinf(), -torch.inf, parts).amax(1) - parts.amin(1)
        along = parts.gather(2, sides.argmax(1)[:, None, None].expand(-1, size, 1))[..., 0]
        order = order.reshape(-1, size).gather(1, along.argsort(dim=1, stable=True)).reshape(trees, items)
        size //= 2
    return order


def heap(
    leaves: Float[Tensor, "trees leaves fields"], combine: Callable[[Tensor, int], Tensor]
) -> Float[Tensor, "trees nodes fields"]:
    """Every node from its leaves by a reduction over a dimension, such as torch.sum; node 0 is none and 0."""
    levels = [leaves]
    while leaves.shape[1] > 1:
        leaves = combine(leaves.unflatten(1, (-1, 2)), 2)
        levels.append(leaves)
    return torch.cat([torch.zeros_like(leaves), *reversed(levels)], 1)


def boxes(
    lower: Float[Tensor, "trees leaves 3"], upper: Float[Tensor, "trees leaves 3"]
) -> Float[Tensor, "trees nodes 6"]:
    """Lower and upper corners of every node's box from its leaves', which are inside out (∞, −∞) where they are empty.

    An empty node is a point beyond all rays' reach, since slabs can't tell what is inside out.
    """
    lower, upper = heap(lower, torch.amin), heap(upper, torch.amax)
    return torch.where((lower <= upper).all(2, keepdim=True), torch.cat([lower, upper], 2), OUT_OF_REACH)


def powers_of_two(least: Int64[Tensor, " any"]) -> Int64[Tensor, " any"]:
    """The smallest that are at least these, which are at least 1."""
    return torch.tensor([1 << (value - 1).bit_length() for value in least.tolist()], dtype=torch.int64)
