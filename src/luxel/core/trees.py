"""Trees over many things, as heaps: node n has the children 2n and 2n + 1, and 1 is the root.

Complete binary trees, split at medians, so that all trees of one size are built together by a few sorts, and a walk
down one, or back up, is arithmetic on the node's number.

Legend: trees of one size; items, a power of two, absent ones being infinitely far.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Int64

from luxel.core.lanes import LANES

OUT_OF_REACH = 1e30  # scene units


def median_order(center: Float32[np.ndarray, "trees items 3"], leaf: int) -> Int64[np.ndarray, "trees items"]:
    """The items in the order of their leaves, `leaf` in each: every node is cut in half across its longest side.

    Absent items come last in their node.
    """
    trees, items, _ = center.shape
    order = np.broadcast_to(np.arange(items), (trees, items))
    size = items
    while size > leaf:
        parts = np.take_along_axis(center, order[..., None], 1).reshape(-1, size, 3)
        sides = np.where(np.isinf(parts), -np.inf, parts).max(1) - parts.min(1)
        along = np.take_along_axis(parts, sides.argmax(1)[:, None, None], 2)[..., 0]
        halves = np.take_along_axis(order.reshape(-1, size), along.argsort(1, kind="stable"), 1)
        order = halves.reshape(trees, items)
        size //= 2
    return order


def heap(
    leaves: Float32[np.ndarray, "trees leaves fields"], combine: np.ufunc
) -> Float32[np.ndarray, "trees nodes fields"]:
    """Every node from its leaves by a reduction, such as np.add; node 0 is none and 0."""
    levels = [leaves]
    while leaves.shape[1] > 1:
        leaves = combine(leaves[:, ::2], leaves[:, 1::2])
        levels.append(leaves)
    return np.concatenate([np.zeros_like(leaves), *reversed(levels)], 1)


def boxes(
    lower: Float32[np.ndarray, "trees leaves 3"], upper: Float32[np.ndarray, "trees leaves 3"]
) -> Float32[np.ndarray, "trees nodes 6"]:
    """Lower and upper corners of every node's box from its leaves', which are inside out (∞, −∞) where they are empty.

    An empty node is a point beyond all rays' reach, since slabs can't tell what is inside out.
    """
    lower, upper = heap(lower, np.minimum), heap(upper, np.maximum)
    known = (lower <= upper).all(2, keepdims=True)
    return np.where(known, np.concatenate([lower, upper], 2), np.float32(OUT_OF_REACH))


class WideTree(NamedTuple):
    """A heap of LANES children a node, 8n … 8n + 7 being those of node n."""

    root: int
    boxes: Float32[np.ndarray, "nodes lanes 6"]
    """Of each node's children."""


def wide_tree(boxes: Float32[np.ndarray, "nodes 6"]) -> WideTree:
    """A heap of two children a node without two of three levels, from the leaves up; those that are left keep numbers.

    The root's children may be fewer: nodes 1, 2 and 3, 4 … 7 or 8 … 15, and the root is called 0 or 1.
    """
    first = len(boxes) // 2
    while first >= 2 * LANES:
        first //= LANES
    kept = np.full((max(len(boxes), LANES), 6), OUT_OF_REACH, np.float32)
    for part in (slice(first, 2 * first), slice(LANES, len(boxes))):
        kept[part] = boxes[part]
    return WideTree(first // LANES, kept.reshape(-1, LANES, 6))


def powers_of_two(least: Int64[np.ndarray, " any"]) -> Int64[np.ndarray, " any"]:
    """The smallest that are at least these, which are at least 1."""
    return np.array([1 << (value - 1).bit_length() for value in least.tolist()], np.int64)
