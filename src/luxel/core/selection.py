"""The rows for which something holds: all, or as many as there is room for, which a GPU need not tell its host."""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Int64
from torch import Tensor

from luxel.core.intersect import MISS

NOT_COUNTED = torch.empty(0, dtype=torch.long)
"""The room that is needed, where none was given."""


class Selection(NamedTuple):
    """Some rows of a table, in their order."""

    rows: Int64[Tensor, " some"]
    """Numbers of the rows; MISS behind the last one, where there is room for more."""
    needed: Int64[Tensor, " one"]
    """Rows that there are, which may be more than there is room for; NOT_COUNTED without room."""


def selected(mask: Bool[Tensor, " rows"], room: int | None = None) -> Selection:
    """The rows where the mask holds: all, for which a GPU's host waits, or the first ones that `room` is enough for."""
    if room is None:
        return Selection(mask.nonzero()[:, 0], NOT_COUNTED)
    number = mask.cumsum(0)
    place = torch.where(mask, number - 1, room).clamp(max=room)
    rows = torch.full((room + 1,), MISS, dtype=torch.long, device=mask.device)
    rows.scatter_(0, place, torch.arange(len(mask), device=mask.device))  # the last place takes what has none
    return Selection(rows[:room], number[-1:])
