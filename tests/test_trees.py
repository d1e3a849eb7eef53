"""Trees as heaps: halves at medians, nodes from their leaves."""

import numpy as np
import pytest

from luxel.core.lanes import LANES
from luxel.core.trees import OUT_OF_REACH, boxes, heap, median_order, powers_of_two, wide_tree


def uniform(seed: int, *size: int) -> np.ndarray:
    return np.random.default_rng(seed).random(size, np.float32)


def test_every_node_is_cut_at_its_median_across_its_longest_side():
    center = uniform(0, 3, 64, 3) * np.array([1, 5, 2], np.float32)
    order = median_order(center, 4)
    for tree in range(3):
        assert sorted(order[tree].tolist()) == list(range(64))
        size = 64
        while size > 4:
            for node in np.split(center[tree][order[tree]], 64 // size):
                axis = int((node.max(0) - node.min(0)).argmax())
                assert node[: size // 2, axis].max() <= node[size // 2 :, axis].min()
            size //= 2


def test_absent_items_are_last_and_trees_do_not_mix():
    center = uniform(1, 2, 32, 3)
    center[0, 19:] = np.inf
    order = median_order(center, 2)
    assert set(order[0][:19].tolist()) == set(range(19))
    np.testing.assert_array_equal(order[1:], median_order(center[1:], 2))


def test_a_heap_by_hand():
    leaves = np.array([[[2], [3], [5], [7]]], np.float32)
    assert heap(leaves, np.add)[0, :, 0].tolist() == [0, 17, 5, 12, 2, 3, 5, 7]
    assert heap(leaves, np.maximum)[0, :, 0].tolist() == [0, 7, 3, 7, 2, 3, 5, 7]


def test_boxes_hold_their_leaves_and_empty_ones_are_out_of_reach():
    lower = np.array([[[0, 0, 0], [1, -2, 3], [np.inf] * 3, [np.inf] * 3]], np.float32)
    upper = np.array([[[1, 1, 1], [2, -1, 5], [-np.inf] * 3, [-np.inf] * 3]], np.float32)
    nodes = boxes(lower, upper)[0]
    assert nodes[1].tolist() == nodes[2].tolist() == [0, -2, 0, 2, 1, 5]
    assert (nodes[[3, 6, 7]] == np.float32(OUT_OF_REACH)).all()


@pytest.mark.parametrize(("leaves", "root"), [(1, 0), (2, 0), (4, 0), (8, 1), (16, 0), (64, 1), (256, 0)])
def test_a_wide_tree_has_every_leaf_once_and_the_boxes_of_the_narrow_one(leaves, root):
    narrow = uniform(2, 2 * leaves, 6)
    tree = wide_tree(narrow)
    assert tree.root == root
    found, nodes = [], [tree.root]
    for node in nodes:
        for lane, box in enumerate(tree.boxes[node]):
            if (box == np.float32(OUT_OF_REACH)).all():
                assert node == 0
                continue
            child = LANES * node + lane
            np.testing.assert_array_equal(box, narrow[child])
            (nodes if child < leaves else found).append(child)
    assert sorted(found) == list(range(leaves, 2 * leaves))


def test_powers_of_two_by_hand():
    assert powers_of_two(np.array([1, 2, 3, 8, 9, 1000])).tolist() == [1, 2, 4, 8, 16, 1024]
