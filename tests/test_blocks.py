"""Lanes in blocks, each of one scene."""

import torch

from luxel.trace.blocks import LANES, blocked, compacted, whole


def test_whole_numbers_every_lane_of_every_scene_once():
    layout = whole(3, 71, torch.device("cpu"))
    assert layout.scene.tolist() == [0, 0, 1, 1, 2, 2]
    lanes = layout.source[layout.source >= 0]
    assert lanes.tolist() == list(range(3 * 71))
    assert torch.equal(layout.source[2][:7], 71 + torch.arange(7))
    assert (layout.source[3][7:] == -1).all()


def test_blocked_puts_values_where_whole_has_their_lanes():
    for scenes, lanes in ((3, 71), (2, LANES), (1, 5)):
        values = 1 + torch.arange(scenes * lanes).reshape(scenes, lanes)
        source = whole(scenes, lanes, torch.device("cpu")).source
        assert torch.equal(blocked(values)[source >= 0], values.flatten()[source[source >= 0]])
        assert blocked(values).shape == source.shape


def test_compacted_keeps_what_lives_in_order_and_scenes_apart():
    scene = torch.tensor([0, 0, 2, 2, 2])
    alive = torch.rand(5, LANES, generator=torch.Generator().manual_seed(0)) < 0.45
    alive[0] = False
    layout = compacted(alive, scene, 4)
    assert layout.scene.tolist() == [0, 2, 2]
    numbers = alive.flatten().nonzero()[:, 0]
    assert layout.source[layout.source >= 0].tolist() == numbers.tolist()
    for owner, lanes in zip(layout.scene, layout.source, strict=True):
        assert (scene[lanes[lanes >= 0] // LANES] == owner).all()


def test_a_block_is_never_alone_and_no_path_needs_none():
    one = whole(1, 5, torch.device("cpu"))
    assert one.source.shape == (2, LANES)
    assert (one.source[1] == -1).all()
    assert len(compacted(torch.zeros(2, LANES, dtype=torch.bool), torch.tensor([0, 0]), 1).scene) == 0
