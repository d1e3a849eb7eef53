"""Where paths lie in memory: in blocks of LANES, all of one scene, so that its objects are read once a block."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Int64, Shaped
from torch import Tensor

LANES = 64  # a block's; a scene wastes half of that on average, and a vector register holds 8


class Layout(NamedTuple):
    """Blocks, and the lane of an earlier layout that each of their lanes continues, or −1."""

    scene: Int64[Tensor, "blocks"]
    source: Int64[Tensor, "blocks lanes"]


def whole(scenes: int, lanes: int, device: torch.device) -> Layout:
    """So many lanes in every scene; the sources number them all, scene by scene."""
    blocks = -(-lanes // LANES)
    number = torch.arange(blocks * LANES, device=device)
    scene = torch.arange(scenes, device=device)
    source = torch.where(number < lanes, number + scene[:, None] * lanes, -1)
    return _at_least_two(Layout(scene.repeat_interleave(blocks), source.reshape(-1, LANES)))


def blocked(values: Shaped[Tensor, "scenes lanes"]) -> Shaped[Tensor, "blocks places"]:
    """Values of the lanes of `whole`, in its blocks; 0 where no lane is."""
    blocks = F.pad(values, (0, -values.shape[1] % LANES)).reshape(-1, LANES)
    return blocks if len(blocks) != 1 else blocks.repeat(2, 1)


def compacted(alive: Bool[Tensor, "blocks lanes"], scene: Int64[Tensor, "blocks"], scenes: int) -> Layout:
    """The living lanes of blocks of these scenes, closed up; no blocks if there are none."""
    source = alive.flatten().nonzero()[:, 0]
    count = torch.zeros(scenes, dtype=torch.int64, device=alive.device).index_add_(0, scene, alive.sum(1))
    blocks = (count + LANES - 1) // LANES
    total = int(blocks.sum())
    gap = (blocks.cumsum(0) - blocks) * LANES - (count.cumsum(0) - count)  # left by the scenes before
    place = torch.arange(len(source), device=alive.device) + gap[scene[source // LANES]]
    lanes = torch.full((total * LANES,), -1, device=alive.device).scatter_(0, place, source)
    numbers = torch.arange(scenes, device=alive.device)
    owner = numbers.repeat_interleave(blocks, output_size=total)
    return _at_least_two(Layout(owner, lanes.reshape(-1, LANES)))


def _at_least_two(layout: Layout) -> Layout:
    """With an empty block beside one that is alone, which would be a case of its own to a compiler."""
    if len(layout.scene) != 1:
        return layout
    return Layout(layout.scene.repeat(2), torch.cat([layout.source, torch.full_like(layout.source, -1)]))
