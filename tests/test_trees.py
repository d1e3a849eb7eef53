"""Trees as heaps: halves at medians, nodes from their leaves."""

import torch

from luxel.core.trees import OUT_OF_REACH, boxes, heap, median_order, powers_of_two


def absent_beyond(center: torch.Tensor, count: int) -> torch.Tensor:
    return torch.where(torch.arange(center.shape[1])[:, None] < count, center, torch.inf)


def test_every_node_is_cut_at_its_median_across_its_longest_side():
    center = torch.rand(3, 64, 3, generator=torch.Generator().manual_seed(0)) * torch.tensor([1.0, 5, 2])
    order = median_order(center, 4)
    for tree in range(3):
        assert sorted(order[tree].tolist()) == list(range(64))
        size = 64
        while size > 4:
            for node in center[tree][order[tree]].split(size):
                axis = int((node.amax(0) - node.amin(0)).argmax())
                assert node[: size // 2, axis].max() <= node[size // 2 :, axis].min()
            size //= 2


def test_absent_items_are_last_and_trees_do_not_mix():
    center = torch.rand(2, 32, 3, generator=torch.Generator().manual_seed(1))
    center = torch.cat([absent_beyond(center[:1], 19), center[1:]])
    order = median_order(center, 2)
    assert set(order[0][:19].tolist()) == set(range(19))
    torch.testing.assert_close(order[1:], median_order(center[1:], 2))


def test_a_heap_by_hand():
    leaves = torch.tensor([[[2.0], [3], [5], [7]]])
    assert heap(leaves, torch.sum)[0, :, 0].tolist() == [0, 17, 5, 12, 2, 3, 5, 7]
    assert heap(leaves, torch.amax)[0, :, 0].tolist() == [0, 7, 3, 7, 2, 3, 5, 7]


def test_boxes_hold_their_leaves_and_empty_ones_are_out_of_reach():
    lower = torch.tensor([[[0.0, 0, 0], [1, -2, 3], [torch.inf] * 3, [torch.inf] * 3]])
    upper = torch.tensor([[[1.0, 1, 1], [2, -1, 5], [-torch.inf] * 3, [-torch.inf] * 3]])
    nodes = boxes(lower, upper)[0]
    assert nodes[1].tolist() == nodes[2].tolist() == [0, -2, 0, 2, 1, 5]
    assert (nodes[[3, 6, 7]] == OUT_OF_REACH).all()


def test_powers_of_two_by_hand():
    assert powers_of_two(torch.tensor([1, 2, 3, 8, 9, 1000])).tolist() == [1, 2, 4, 8, 16, 1024]
